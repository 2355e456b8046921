package limits

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/filter"
)

// The permissions that the page looks at to know what to offer. The API decides.
const mayDeny = "denylist:write"

const (
	newDenial = "/limits/denylist/new"
	// entryPath, with a slash and a name behind it, is the address of an entry.
	entryPath = "/limits/denied"
)

func registerDenylist(site *web.Site) {
	site.Handle("GET "+listDenylist, denylist)
	site.Handle("GET "+newDenial, beginDenial)
	site.Handle("POST "+newDenial, deny)
	site.Handle("GET "+entryPath+"/{name}/remove", askRemove)
	site.Handle("POST "+entryPath+"/{name}/remove", remove)
}

// maxDenials is how many entries are shown at once: what somebody may read. A search finds the others; there may be 100,000.
const maxDenials = 200

// maxLive is up to how many entries the list is loaded again while somebody looks: the API sends all of them.
const maxLive = 1000

// denied is the denylist as it is shown.
type denied struct {
	rows       []seshat.Denial
	all, found int
	search     string
	did        *did
	now        time.Time
}

func (v *denied) here() string {
	if v.search == "" {
		return listDenylist
	}
	return web.Address(listDenylist, url.Values{"q": {v.search}})
}

func (v *denied) live() bool { return v.all <= maxLive }

func denylist(q *web.Request) error {
	all, err := q.API.Denials(q.Context())
	if err != nil {
		return err
	}
	v := &denied{all: len(all), search: strings.TrimSpace(q.Param("q")), did: ask(q), now: q.Now}
	v.rows = findDenials(all, v.search)
	v.found = len(v.rows)
	v.rows = v.rows[:min(len(v.rows), maxDenials)]
	return q.Page(ui.Page{
		Title: "Denylist", Heading: group, Section: ui.SectionLimits, Scripts: []string{"refresh.js"}, Styles: []string{"limits.css"}, Actions: denyButton(),
		Subtitle: "What every gateway refuses, until its time is over or it is taken back here.",
	}, denylistPage(v))
}

// findDenials returns the entries that have every word of a search in one of their texts.
func findDenials(all []seshat.Denial, search string) []seshat.Denial {
	words := strings.Fields(strings.ToLower(search))
	if len(words) == 0 {
		return all
	}
	var out []seshat.Denial
next:
	for i := range all {
		d := &all[i]
		texts := []string{d.Name, d.User, d.Issuer, d.Reason, d.By}
		if !d.Session.IsZero() {
			texts = append(texts, d.Session.String())
		}
		if d.ClientSessionID != (seshat.Digest{}) {
			texts = append(texts, d.ClientSessionID.String())
		}
		text := strings.ToLower(strings.Join(texts, "\n"))
		for _, word := range words {
			if !strings.Contains(text, word) {
				continue next
			}
		}
		out = append(out, *d)
	}
	return out
}

// What an entry is about, as the form calls it.
const (
	aboutUser     = "user"
	aboutSession  = "session"
	aboutClientID = "clientID"
	aboutBefore   = "before"
)

func abouts() []editor.Option {
	return []editor.Option{
		{Value: aboutUser, Name: "a user"},
		{Value: aboutSession, Name: "sessions"},
		{Value: aboutClientID, Name: "client session IDs"},
		{Value: aboutBefore, Name: "everything issued before a time"},
	}
}

func denialStatuses() []editor.Option {
	return []editor.Option{{Value: "401", Name: "401: asks to sign in again"}, {Value: "403", Name: "403: forbidden"}}
}

// beginDenial shows the form of a new entry; the address may say what it is about.
func beginDenial(q *web.Request) error {
	f := editor.New(nil)
	query := q.URL.Query()
	about := aboutUser
	switch {
	case query.Get("session") != "":
		about = aboutSession
	case query.Has("issued_before"):
		about = aboutBefore
	}
	f.PutLine("about", about)
	f.PutLine("user", query.Get("user"))
	f.PutLines("session", query["session"])
	f.PutLine("issued_before", query.Get("issued_before"))
	f.PutLine("issuer", query.Get("issuer"))
	f.PutLine("for", query.Get("for"))
	f.PutLine("status", "401")
	return showDenial(q, http.StatusOK, f, nil)
}

func showDenial(q *web.Request, status int, f *editor.Form, problem *wire.Problem) error {
	f.Values.Del("client_session_id") // secrets are not sent back
	return q.PageStatus(status, ui.Page{
		Title: "New entry of the denylist", Section: ui.SectionLimits, Styles: []string{"editor.css", "limits.css"},
		Crumbs: []ui.Crumb{{Name: group, URL: listLimits}, {Name: "Denylist", URL: listDenylist}},
	}, denialPage(f, problem))
}

func deny(q *web.Request) error {
	if err := q.ParseForm(); err != nil {
		return &seshat.Error{Kind: seshat.ErrorUsage, Op: "read the form", Err: errNoForm}
	}
	f := editor.New(q.PostForm)
	r := revocation(f)
	if len(f.Faults()) > 0 {
		return showDenial(q, http.StatusUnprocessableEntity, f, nil)
	}
	list, err := q.API.Revoke(q.Context(), r)
	if err != nil {
		p := web.Problem(err)
		if p.Status >= http.StatusInternalServerError || p.Status == http.StatusUnauthorized {
			return err
		}
		f.AddFaults(wrongs(p))
		return showDenial(q, p.Status, f, p)
	}
	text := "It is refused in every gateway within a second."
	if len(list) > 1 {
		text = ui.Count(len(list)) + " are refused in every gateway within a second."
	}
	return q.Done(listDenylist, text)
}

// wrongs are what the API says is wrong with members of the body, by the control of each.
func wrongs(p *wire.Problem) seshat.Faults {
	var out seshat.Faults
	for _, one := range p.Errors {
		name, _, _ := strings.Cut(strings.TrimPrefix(one.Location, "body."), "[")
		switch name {
		case "session_ids":
			name = "session"
		case "client_session_ids":
			name = "client_session_id"
		}
		out = append(out, seshat.Fault{Field: name, Message: one.Message})
	}
	return out
}

// revocation is what the form of an entry asks for. What is filled in and is not of what the entry is about was chosen before,
// and says nothing.
func revocation(f *editor.Form) *wire.Revocation {
	r := &wire.Revocation{Reason: strings.TrimSpace(f.Get("reason")), For: f.Duration("for"), Status: http.StatusUnauthorized}
	if f.Get("status") == "403" {
		r.Status = http.StatusForbidden
	}
	if r.For != nil && *r.For <= 0 {
		f.Fault("for", "it ends as soon as it begins", "leave it out to refuse for good")
	}
	switch f.Get("about") {
	case aboutUser:
		if r.User = strings.TrimSpace(f.Get("user")); r.User == "" {
			f.Fault("user", "no name", "as sessions show it")
		}
	case aboutSession:
		r.SessionIDs = f.Lines("session")
		for _, id := range r.SessionIDs {
			if _, err := seshat.ParseSessionID(id); err != nil {
				f.Fault("session", "a session ID is not one", "whole UUIDs, one a line")
				break
			}
		}
		if len(r.SessionIDs) == 0 {
			f.Fault("session", "no session", "whole IDs, one a line")
		}
	case aboutClientID:
		if r.ClientSessionIDs = f.Lines("client_session_id"); len(r.ClientSessionIDs) == 0 {
			f.Fault("client_session_id", "no client session ID", "as it is in traffic, one a line")
		}
	case aboutBefore:
		before(f, r)
	default:
		f.Fault("about", "it is not said what is refused", "")
	}
	return r
}

func before(f *editor.Form, r *wire.Revocation) {
	at, ok := readTime(f.Get("issued_before"))
	if !ok {
		f.Fault("issued_before", "not a time", "in UTC, such as 2026-03-01 12:00:00")
	}
	r.IssuedBefore, r.Issuer, r.User = at, strings.TrimSpace(f.Get("issuer")), strings.TrimSpace(f.Get("of"))
	if r.Issuer != "" && r.User != "" {
		f.Fault("issuer", "a user and an issuer exclude each other", "make two entries")
	}
}

// readTime reads a time as people and browsers write it, in UTC unless it says something else.
func readTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly,
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

func askRemove(q *web.Request) error {
	all, err := q.API.Denials(q.Context())
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Name == q.PathValue("name") {
			return q.Page(ui.Page{
				Title: "Take back " + all[i].Name, Section: ui.SectionLimits,
				Crumbs: []ui.Crumb{{Name: group, URL: listLimits}, {Name: "Denylist", URL: listDenylist}},
			}, removePage(&all[i]))
		}
	}
	return &seshat.Error{Kind: seshat.ErrorNotFound, Err: errNoEntry, Hint: "its time may be over, or somebody took it back"}
}

func remove(q *web.Request) error {
	name := q.PathValue("name")
	if err := q.API.RemoveDenial(q.Context(), name); err != nil {
		if web.Problem(err).Status == http.StatusNotFound {
			return q.Refused(listDenylist, name+" is not on the list any more.")
		}
		return err
	}
	return q.Done(listDenylist, name+" is taken back. What it named passes again within a second.")
}

// subject is what an entry is about: a word for it, its text, and the page of it.
func subject(d *seshat.Denial) (kind, text, page string) {
	switch {
	case !d.Session.IsZero():
		return "session", d.Session.String(), "/sessions/" + d.Session.String()
	case d.ClientSessionID != (seshat.Digest{}):
		return "client session ID", "digest " + d.ClientSessionID.String(), ""
	case d.User != "" && !d.IssuedBefore.IsZero():
		return "issued before", ui.Stamp(d.IssuedBefore) + " UTC, of user " + d.User, sessionsOf("user:" + filter.Pattern{d.User}.String())
	case d.User != "":
		return "user", d.User, sessionsOf("user:" + filter.Pattern{d.User}.String())
	case d.Issuer != "":
		return "issued before", ui.Stamp(d.IssuedBefore) + " UTC, by " + d.Issuer, ""
	default:
		return "issued before", ui.Stamp(d.IssuedBefore) + " UTC", sessionsOf("first_seen:<" + d.IssuedBefore.UTC().Format(time.RFC3339))
	}
}

// sessionsOf is the page of the sessions that a filter finds, of all time.
func sessionsOf(filter string) string {
	return web.Address("/sessions", url.Values{"filter": {filter}, "since": {"all"}})
}

// hit is the page of the sessions that something acted on, or would have.
func hit(by string) string {
	name := filter.Pattern{by}.String()
	return sessionsOf("verdict.by:" + name + " OR tag:" + name)
}
