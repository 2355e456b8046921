package settings

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	// auditPage is how many entries a page has, and mostAudit how many are shown at once when somebody comes back.
	auditPage = 60
	mostAudit = 1000
	// auditRange is the time that is shown when nothing else is asked for: all of it.
	auditRange = "all"
)

// auditView is what the page shows, as its address says it.
type auditView struct {
	by, action, subject, outcome string
	time                         ui.Range
	cursor                       string
	rows                         int
}

func parseAudit(query url.Values) *auditView {
	v := &auditView{
		by: strings.TrimSpace(query.Get("by")), action: query.Get("action"), subject: strings.TrimSpace(query.Get("subject")),
		outcome: query.Get("outcome"), time: ui.ParseRange(query, auditRange), cursor: query.Get("cursor"), rows: auditPage,
	}
	if n, err := strconv.Atoi(query.Get("rows")); err == nil && n > auditPage && v.cursor == "" {
		v.rows = min(n, mostAudit)
	}
	return v
}

// address is the address of the page, or of a part of it, behind a cursor.
func (v *auditView) address(path, cursor string) string {
	query := url.Values{}
	for name, value := range map[string]string{"by": v.by, "action": v.action, "subject": v.subject, "outcome": v.outcome, "cursor": cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if v.time.Since != auditRange {
		v.time.Set(query)
	}
	return web.Address(path, query)
}

// narrowed reports whether anything is asked for but all.
func (v *auditView) narrowed() bool {
	return v.by != "" || v.action != "" || v.subject != "" || v.outcome != "" || v.time.Since != auditRange || v.time.Until != ""
}

func (v *auditView) ask(q *web.Request) (*wire.Page[wire.AuditEvent], error) {
	return q.API.Audit(q.Context(), &client.AuditQuery{
		By: v.by, Action: v.action, Subject: v.subject, Outcome: v.outcome, Since: timeOf(v.time.Since, q.Now), Until: timeOf(v.time.Until, q.Now),
		Cursor: v.cursor, Limit: v.rows,
	})
}

func auditLog(q *web.Request) error {
	v := parseAudit(q.URL.Query())
	list, err := v.ask(q)
	if err != nil {
		return err
	}
	p := page("Audit log", "Who changed, revealed or took away what, and who signed in. Newest first.")
	p.Scripts = []string{"place.js"}
	return q.Page(p, auditLogPage(tabs(q.Viewer, auditPath), v, list))
}

// auditRows answers with the entries behind a cursor.
func auditRows(q *web.Request) error {
	v := parseAudit(q.URL.Query())
	list, err := v.ask(q)
	if err != nil {
		return err
	}
	return q.Render(auditEntries(v, list))
}

// deed is an action of the audit log, in words.
type deed struct{ action, words string }

// deeds are the actions, by what they are about. The first of a group stands for all of it.
func deeds() [][]deed {
	return [][]deed{
		{
			{"session.", "Sessions of the console: all"},
			{"session.sign-in", "signed in"},
			{"session.sign-out", "signed out"},
			{"session.end", "ended a session"},
			{"session.end-all", "ended all sessions of a user"},
		},
		{{"link.", "One-time links: all"}, {"link.create", "made a one-time link"}, {"link.redeem", "used a one-time link"}},
		{
			{"user.", "Users: all"},
			{"user.create", "added a user"},
			{"user.change", "changed a user"},
			{"user.delete", "deleted a user"},
			{"user.password", "set a password"},
		},
		{{"token.", "API tokens: all"}, {"token.create", "made an API token"}, {"token.revoke", "revoked an API token"}},
		{
			{"resource.", "Rules, limits and settings: all"},
			{"resource.apply", "applied resources"},
			{"resource.put", "saved a resource"},
			{"resource.enable", "switched a resource"},
			{"resource.order", "put rules in order"},
			{"resource.roll-back", "brought back a revision"},
			{"resource.delete", "deleted a resource"},
		},
		{
			{"denylist.", "Denylist: all"},
			{"denylist.put", "put on the denylist"},
			{"denylist.delete", "took off the denylist"},
			{"denylist.revoke", "revoked sessions"},
		},
		{
			{"traffic.", "Traffic: all"},
			{"traffic.reveal", "revealed client session IDs"},
			{"traffic.export", "exported traffic"},
			{"traffic.download", "downloaded a list"},
			{"traffic.import", "imported traffic"},
		},
		{{"access.denied", "was refused for want of a permission"}},
		{{"view.", "Saved views: all"}, {"view.add", "saved a view"}, {"view.put", "changed a view"}, {"view.delete", "deleted a view"}},
	}
}

// deedWords is an action in words.
func deedWords(action string) string {
	for _, group := range deeds() {
		for _, d := range group {
			if d.action == action {
				return d.words
			}
		}
	}
	return action
}

// outcomes are what may have become of something.
func outcomes() []string { return []string{"done", "refused", "failed", "begun"} }

// resourceOf is the kind and the name of the resource that an entry is about; empty when it is about none.
func resourceOf(e *wire.AuditEvent) (seshat.Kind, string) {
	kind, name, found := strings.Cut(e.Subject, "/")
	if !found || name == "" || !strings.HasPrefix(e.Action, "resource.") || !slices.Contains(kinds(), seshat.Kind(kind)) {
		return "", ""
	}
	return seshat.Kind(kind), name
}

func kinds() []seshat.Kind {
	return []seshat.Kind{
		seshat.KindSessionRule, seshat.KindContextParameter, seshat.KindFlow, seshat.KindMaskRule, seshat.KindLimit, seshat.KindJWTValidation,
		seshat.KindSettings,
	}
}

// subjectURL is the page of what an entry is about; empty when there is none.
func subjectURL(e *wire.AuditEvent) string {
	if kind, name := resourceOf(e); kind != "" {
		return manage.Address(kind, name)
	}
	if strings.HasPrefix(e.Action, "user.") && e.Action != "user.delete" && e.After != 0 {
		return userAt(e.Subject)
	}
	return ""
}

// historyURL is where the revisions of an entry are compared; empty of what has no history.
func historyURL(e *wire.AuditEvent) string {
	kind, name := resourceOf(e)
	if kind == "" || e.After == 0 && e.Before == 0 {
		return ""
	}
	path := manage.Address(kind, name) // it is escaped already
	if kind == seshat.KindSettings {
		path = itemPath + "/" + url.PathEscape(name)
	}
	query := url.Values{}
	for field, revision := range map[string]uint64{"from": e.Before, "to": e.After} {
		if revision != 0 && e.After != 0 {
			query.Set(field, strconv.FormatUint(revision, 10))
		}
	}
	if len(query) == 0 {
		return path + "/history"
	}
	return path + "/history?" + query.Encode()
}

// revisions are those before and after, in a few words.
func revisions(e *wire.AuditEvent) string {
	before, after := strconv.FormatUint(e.Before, 10), strconv.FormatUint(e.After, 10)
	switch {
	case e.Before == e.After || e.After == 0:
		return before
	case e.Before == 0:
		return after
	default:
		return before + " → " + after
	}
}
