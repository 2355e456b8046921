// Package explorer is the pages of the console that show exchanges: one by one, what they add up to, and live.
package explorer

import (
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/store"
)

// Register serves the pages.
func Register(site *web.Site) {
	site.Handle("GET /explorer", list)
	site.Handle("GET /explorer/rows", more)
	site.Handle("GET /explorer/numbers", histogram)
	site.Handle("GET /explorer/facets", facets)
	site.Handle("GET /explorer/groups", groups)
	site.Handle("GET /explorer/groups/table", groupTable)
	site.Handle("GET /explorer/attributes", attributes)
	site.Handle("GET /explorer/attributes/values", attributeValues)
	site.Handle("GET /explorer/live", tail)
	site.Handle("GET /explorer/live/events", tailEvents)
}

// path is the page of the list.
const path = "/explorer"

// buckets is how many bars the histogram should have.
const buckets = 90

// facetFields are counted beside the list, in two questions so that each is answered soon.
func facetFields() []string {
	return []string{"status", "method", "endpoint", "user", "service", "environment", "identifier", "origin", "verdict", "flow", "ip"}
}

// facetValues is how many values of a field are listed.
const facetValues = 8

// head is a page of the explorer; title names the tab.
func head(title string) ui.Page {
	return ui.Page{Title: title + ", explorer", Heading: "Explorer", Section: ui.SectionExplorer, Scripts: []string{"filter.js", "brush.js", "place.js", "rows.js"}, Styles: []string{"session.css", "explorer.css"}}
}

// wrong shows a mistake in the filter in its bar. Every other error is for the page of errors.
func wrong(bar *ui.FilterBar, err error) (status int, other error) {
	p := web.Problem(err)
	if p.Column == 0 {
		return 0, err
	}
	bar.Wrong, bar.Hint, bar.Column = p.Detail, p.Hint, p.Column
	return p.Status, nil
}

func list(q *web.Request) error {
	v := parse(q.URL.Query())
	bar := v.bar(path)
	status := http.StatusOK
	page, err := q.API.ExchangePage(q.Context(), v.list())
	if err != nil {
		if status, err = wrong(&bar, err); err != nil {
			return err
		}
		page = nil
	}
	saved, err := q.API.Views(q.Context())
	if err != nil {
		return err
	}
	p := head("Exchanges")
	p.Actions = actions(&v, web.ViewLinks(saved, "explorer"))
	return q.PageStatus(status, p, listPage(&v, bar, page))
}

func more(q *web.Request) error {
	v := parse(q.URL.Query())
	page, err := q.API.ExchangePage(q.Context(), v.list())
	if err != nil {
		return err
	}
	return q.Render(rows(&v, chosen(v.Columns), page))
}

func histogram(q *web.Request) error {
	v := parse(q.URL.Query())
	c := v.count()
	c.Buckets = buckets
	h, err := q.API.HistogramOf(q.Context(), store.DatasetExchanges, c)
	if err != nil {
		return err
	}
	chart := web.HistogramOf(h, "exchanges")
	chart.Form = formID
	chart.URL = func(since, until time.Time) string {
		return v.address(path, "since", since.UTC().Format(time.RFC3339Nano), "until", until.UTC().Format(time.RFC3339Nano))
	}
	return q.Render(numbers(chart, h.Total))
}

func facets(q *web.Request) error {
	v := parse(q.URL.Query())
	fields := facetFields()
	half := len(fields) / 2
	var (
		found [2]*wire.Facets
		both  errgroup.Group
	)
	for i, some := range [][]string{fields[:half], fields[half:]} {
		both.Go(func() (err error) {
			c := v.count()
			c.Fields, c.Limit = some, facetValues
			found[i], err = q.API.FacetsOf(q.Context(), store.DatasetExchanges, c)
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return err
	}
	return q.Render(facetPanel(&v, append(found[0].Facets, found[1].Facets...)))
}

// count is the view as a question of numbers.
func (v *view) count() *client.Count {
	return &client.Count{Filter: v.Filter, Since: v.Range.Since, Until: v.Range.Until}
}
