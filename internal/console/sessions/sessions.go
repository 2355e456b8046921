// Package sessions is the pages of the console that show the list of sessions.
package sessions

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// Register serves the pages.
func Register(site *web.Site) {
	site.Handle("GET /sessions", list)
	site.Handle("GET /sessions/rows", more)
}

// pageSize is how many sessions are loaded at a time: some screens of them.
const pageSize = 60

// view is everything that the address of the page says.
type view struct {
	Filter string
	Range  ui.Range
	Sort   string
	Cursor string
}

func parse(query url.Values) view {
	return view{Filter: query.Get("filter"), Range: ui.ParseRange(query, ui.DefaultRange), Sort: query.Get("sort"), Cursor: query.Get("cursor")}
}

func (v *view) list() *client.List {
	return &client.List{Filter: v.Filter, Since: v.Range.Since, Until: v.Range.Until, Sort: v.Sort, Limit: pageSize, Cursor: v.Cursor}
}

// address is the address of the view, or of the rows behind a cursor.
func (v *view) address(path, cursor string) string {
	query := url.Values{}
	v.Range.Set(query)
	for name, text := range map[string]string{"filter": v.Filter, "sort": v.Sort, "cursor": cursor} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return web.Address(path, query)
}

func (v *view) bar() ui.FilterBar {
	return ui.FilterBar{ID: "search", Action: "/sessions", Dataset: "sessions", Filter: v.Filter, Range: v.Range, Example: "user:alice state:active"}
}

func list(q *web.Request) error {
	v := parse(q.URL.Query())
	bar := v.bar()
	page, err := q.API.SessionPage(q.Context(), v.list())
	status := http.StatusOK
	if err != nil {
		p := web.Problem(err)
		if p.Status >= http.StatusInternalServerError || p.Column == 0 {
			return err
		}
		bar.Wrong, bar.Hint, bar.Column, status, page = p.Detail, p.Hint, p.Column, p.Status, &wire.Page[wire.Session]{}
	}
	return q.PageStatus(status, ui.Page{
		Title: "Sessions", Section: ui.SectionSessions, Scripts: []string{"filter.js", "brush.js"},
	}, listPage(&v, bar, page))
}

func more(q *web.Request) error {
	v := parse(q.URL.Query())
	page, err := q.API.SessionPage(q.Context(), v.list())
	if err != nil {
		return err
	}
	return q.Render(rows(&v, page))
}

func who(s *wire.Session) string {
	if s.User != "" {
		return s.User
	}
	return "anonymous"
}

func first(list []string) string {
	switch len(list) {
	case 0:
		return "–"
	case 1:
		return list[0]
	default:
		return list[0] + " +" + strconv.Itoa(len(list)-1)
	}
}

func address(id seshat.SessionID) string { return "/sessions/" + id.String() }
