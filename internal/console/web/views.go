package web

import (
	"errors"
	"net/url"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/kv"
)

// ViewLinks are the saved views of a page.
func ViewLinks(saved []wire.SavedView, page string) []ui.ViewLink {
	var out []ui.ViewLink
	for i := range saved {
		if v := &saved[i]; v.Page == page {
			out = append(out, ui.ViewLink{ID: v.ID, Name: v.Name, URL: viewAddress(v.Page, v.Query), Owner: v.Owner, Own: v.Own, Shared: v.Shared})
		}
	}
	return out
}

// viewAddress is the address of a page with a query that somebody sent: of this page, whatever the query is.
func viewAddress(page, query string) string {
	values, err := url.ParseQuery(query)
	if err != nil || (page != "sessions" && page != "explorer") {
		values, page = nil, "sessions"
	}
	return Address("/"+page, values)
}

// registerViews serves what the menu of saved views sends.
func (s *Site) registerViews() {
	s.Handle("POST /views", func(q *Request) error {
		v, err := q.API.AddView(q.Context(), &wire.ViewContent{
			Name: q.PostFormValue("name"), Page: q.PostFormValue("page"), Query: q.PostFormValue("query"), Shared: q.PostFormValue("shared") == "true",
		})
		if err != nil {
			return err
		}
		return q.Done(viewAddress(v.Page, v.Query), "The view is saved.")
	})
	s.Handle("POST /views/delete", func(q *Request) error {
		err := q.API.DeleteView(q.Context(), q.PostFormValue("id"), kv.Any)
		var known *seshat.Error
		if err != nil && (!errors.As(err, &known) || known.Kind != seshat.ErrorNotFound) {
			return err
		}
		return q.Done(viewAddress(q.PostFormValue("page"), q.PostFormValue("query")), "The view is deleted.")
	})
}
