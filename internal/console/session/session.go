// Package session is the pages of the console that show the story of one session: who, from where, what happened, by which
// client session IDs, every exchange, and what can be done about it.
package session

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// Register serves the pages.
func Register(site *web.Site) {
	site.Handle("GET /sessions/{id}", show)
	site.Handle("GET /sessions/{id}/rows", more)
	site.Handle("GET /sessions/{id}/over", over)
	site.Handle("GET /sessions/{id}/later", later)
	site.Handle("GET /sessions/{id}/new", fresh)
	site.Handle("GET /sessions/{id}/exchanges/{key}", detail)
	site.Handle("GET /sessions/{id}/revoke", askRevoke)
	site.Handle("POST /sessions/{id}/revoke", revoke)
	site.Handle("POST /sessions/{id}/denials/{name}/remove", allow)
}

// pageSize is how many exchanges are loaded at a time: some screens of them.
const pageSize = 100

// view is everything that the address of the page says.
type view struct {
	ID          seshat.SessionID
	Filter      string
	Range       ui.Range // Since is all when it is the whole session
	NewestFirst bool
	At          string // key of an exchange that the list begins with
	Cursor      string
	Hold        string // key of the exchange that was read last before the cursor
}

// whole is the time of a page that shows all of a session.
const whole = "all"

func parse(q *web.Request) (view, error) {
	query := q.URL.Query()
	v := view{
		Filter: query.Get("filter"), Range: ui.ParseRange(query, whole), NewestFirst: query.Get("order") == "newest",
		At: query.Get("at"), Cursor: query.Get("cursor"), Hold: query.Get("hold"),
	}
	id, err := seshat.ParseSessionID(q.PathValue("id"))
	if err != nil {
		return v, &seshat.Error{Kind: seshat.ErrorNotFound, Err: errors.New("this is no session ID"), Hint: "the list of sessions has them"}
	}
	v.ID = id
	return v, nil
}

// zoomed reports whether the page shows a part of the session's time.
func (v *view) zoomed() bool { return v.since() != "" || v.Range.Until != "" }

func (v *view) since() string {
	if v.Range.Since == whole {
		return ""
	}
	return v.Range.Since
}

// list asks for exchanges of the view.
func (v *view) list() *client.List {
	return &client.List{
		Filter: v.Filter, Since: v.since(), Until: v.Range.Until, OldestFirst: !v.NewestFirst, Limit: pageSize, Cursor: v.Cursor,
	}
}

// query is the view as the query of an address, with some parameters changed; a value that is empty removes its parameter.
func (v *view) query(pairs ...string) url.Values {
	out := url.Values{}
	set := func(name, value string) {
		if value == "" {
			out.Del(name)
		} else {
			out.Set(name, value)
		}
	}
	set("filter", v.Filter)
	set("since", v.since())
	set("until", v.Range.Until)
	if v.NewestFirst {
		set("order", "newest")
	}
	set("at", v.At)
	for i := 0; i+1 < len(pairs); i += 2 {
		set(pairs[i], pairs[i+1])
	}
	return out
}

// address is the address of the page or of a part of it.
func (v *view) address(part string, pairs ...string) string {
	return web.Address(address(v.ID)+part, v.query(pairs...))
}

func (v *view) bar() ui.FilterBar {
	keep := url.Values{}
	if v.NewestFirst {
		keep.Set("order", "newest")
	}
	return ui.FilterBar{
		ID: "search", Action: address(v.ID), Dataset: "exchanges", Filter: v.Filter, Range: v.Range, Keep: keep, Unbounded: true,
		Example: `status:>=400 endpoint:"POST */login"`,
	}
}

// address is the address of the page of a session.
func address(id seshat.SessionID) string { return "/sessions/" + id.String() }

// anchor leads to an exchange in the list of its session.
func anchor(id seshat.SessionID, key string) string {
	return address(id) + "?at=" + url.QueryEscape(key) + "#x-" + url.PathEscape(key)
}

// refused reports whether an error is about what the form asked for, which is then said beside it.
func wrongFilter(err error) (column int, detail, hint string, status int, ok bool) {
	p := web.Problem(err)
	if p.Status >= http.StatusInternalServerError || p.Column == 0 {
		return 0, "", "", 0, false
	}
	return p.Column, p.Detail, p.Hint, p.Status, true
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }
