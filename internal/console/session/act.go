package session

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// What can be revoked.
const (
	thisSession = "session"
	thisUser    = "user"
)

// form is what somebody says of a revocation.
type form struct {
	What   string
	Reason string
	For    string
	Status string
	Stay   bool // of a user: sign-ins are refused, too
	Wrong  string
	Hint   string
}

// length is how long a revocation is.
type length struct{ value, name string }

func lengths() []length {
	return []length{{"", "For good"}, {"1h", "1 hour"}, {"24h", "24 hours"}, {"7d", "7 days"}, {"30d", "30 days"}}
}

func newForm(what string) form {
	if what != thisUser {
		what = thisSession
	}
	return form{What: what, Status: "401"}
}

// askRevoke is the form as a page: where there are no scripts to open it as a dialog.
func askRevoke(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	return showForm(q, &v, newForm(q.Param("what")), http.StatusOK)
}

func showForm(q *web.Request, v *view, f form, status int) error {
	session, err := q.API.SessionWithDenials(q.Context(), v.ID)
	if err != nil {
		return err
	}
	if f.What == thisUser && session.User == "" {
		f.What = thisSession
	}
	return q.PageStatus(status, ui.Page{
		Title: revokeTitle(f.What, session), Section: ui.SectionSessions,
		Crumbs: []ui.Crumb{{Name: "Sessions", URL: "/sessions"}, {Name: "Session " + ui.Abbreviate(session.ID.String()), URL: address(session.ID)}},
	}, revokePage(session, f))
}

func revokeTitle(what string, s *wire.Session) string {
	if what == thisUser {
		return "Revoke all sessions of " + clip(s.User, mostTitle)
	}
	return "Revoke this session"
}

// revoke puts the session or its user on the denylist.
func revoke(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	f := newForm(q.PostFormValue("what"))
	f.Reason, f.For, f.Status, f.Stay = strings.TrimSpace(q.PostFormValue("reason")), q.PostFormValue("for"), q.PostFormValue("status"), q.PostFormValue("stay") != ""
	asked := &wire.Revocation{Reason: f.Reason, Status: http.StatusUnauthorized}
	if f.Status == "403" {
		asked.Status = http.StatusForbidden
	}
	if f.For != "" {
		d, err := seshat.ParseDuration(f.For)
		if err != nil {
			f.Wrong, f.Hint = "The length of time cannot be read.", "Write it as in 30m, 24h or 7d."
			return showForm(q, &v, f, http.StatusUnprocessableEntity)
		}
		asked.For = &d
	}
	done := "The session is revoked: every gateway refuses it within a second."
	if f.What == thisUser {
		session, err := q.API.SessionWithDenials(q.Context(), v.ID)
		if err != nil {
			return err
		}
		if session.User == "" {
			f.Wrong = "The session has no user."
			return showForm(q, &v, f, http.StatusUnprocessableEntity)
		}
		asked.User = session.User
		done = "All of the user's sessions are revoked, and signing in again is refused."
		if !f.Stay {
			asked.IssuedBefore = q.Now.UTC()
			done = "All of the user's sessions until now are revoked. Signing in again is possible."
		}
	} else {
		asked.SessionIDs = []string{v.ID.String()}
	}
	if _, err := q.API.Revoke(q.Context(), asked); err != nil {
		p := web.Problem(err)
		if p.Status >= http.StatusInternalServerError || p.Status == http.StatusForbidden || p.Status == http.StatusUnauthorized {
			return err
		}
		f.Wrong, f.Hint = sentence(p.Detail), p.Hint
		return showForm(q, &v, f, http.StatusUnprocessableEntity)
	}
	return q.Done(address(v.ID), done)
}

// allow takes an entry off the denylist that refuses the session.
func allow(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	if err := q.API.RemoveDenial(q.Context(), q.PathValue("name")); err != nil {
		return err
	}
	return q.Done(address(v.ID), "The entry is off the denylist: what it refused passes again.")
}

// limitOf is the address of the form of a limit that counts by what this session has.
func limitOf(s *wire.Session) string {
	query := url.Values{"key": {"session"}}
	if s.User != "" {
		query.Set("key", "user")
	}
	return web.Address("/limits/new", query)
}

// exportOf is the address of a file of the session's exchanges.
func exportOf(id seshat.SessionID, format string) string {
	return web.Address("/api/v1/exports/exchanges", url.Values{"format": {format}, "session": {id.String()}, "order": {"oldest"}})
}

// explorerOf is the address of the explorer with the session's exchanges.
func explorerOf(id seshat.SessionID) string {
	return web.Address("/explorer", url.Values{"filter": {"session:" + id.String()}, "since": {whole}})
}

// revoked reports whether an entry of the denylist is about the session itself.
func revoked(s *wire.Session) bool {
	return slices.ContainsFunc(s.Denials, func(d seshat.Denial) bool { return d.Session == s.ID })
}
