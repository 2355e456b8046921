// Package sessions is the pages of the console that show the list of sessions.
package sessions

import (
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/store"
)

// Register serves the pages.
func Register(site *web.Site) {
	site.Handle("GET /sessions", list)
	site.Handle("GET /sessions/rows", more)
	site.Handle("GET /sessions/numbers", numbers)
}

// buckets is how many bars the histogram should have: as many as can be pointed at.
const buckets = 90

func list(q *web.Request) error {
	v := parse(q.URL.Query())
	bar := v.bar()
	page, err := q.API.SessionPage(q.Context(), v.list())
	status := http.StatusOK
	if err != nil {
		p := web.Problem(err)
		if p.Column == 0 {
			return err
		}
		bar.Wrong, bar.Hint, bar.Column, status, page = p.Detail, p.Hint, p.Column, p.Status, nil
	}
	saved, err := q.API.Views(q.Context())
	if err != nil {
		return err
	}
	return q.PageStatus(status, ui.Page{
		Title: "Sessions", Section: ui.SectionSessions, Scripts: []string{"filter.js", "brush.js", "place.js"}, Actions: actions(&v, saved),
	}, listPage(&v, bar, page))
}

// more answers with the rows behind a cursor.
func more(q *web.Request) error {
	v := parse(q.URL.Query())
	page, err := q.API.SessionPage(q.Context(), v.list())
	if err != nil {
		return err
	}
	return q.Render(rows(&v, chosen(v.Columns), page))
}

// numbers answers with the histogram and the facets of the list. They are asked for by themselves, so that the list does
// not wait for them.
func numbers(q *web.Request) error {
	v := parse(q.URL.Query())
	count := client.Count{Filter: v.Filter, Since: v.Range.Since, Until: v.Range.Until}
	var (
		histogram *wire.Histogram
		facets    *wire.Facets
		both      errgroup.Group
	)
	both.Go(func() (err error) {
		c := count
		c.Buckets = buckets
		histogram, err = q.API.HistogramOf(q.Context(), store.DatasetSessions, &c)
		return err
	})
	both.Go(func() (err error) {
		c := count
		c.Fields, c.Limit = []string{"state", "identified_by", "user"}, 6
		facets, err = q.API.FacetsOf(q.Context(), store.DatasetSessions, &c)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	chart := web.HistogramOf(histogram, "sessions last seen")
	chart.Form = "search"
	chart.URL = func(since, until time.Time) string {
		return v.address("/sessions", "since", since.UTC().Format(time.RFC3339), "until", until.UTC().Format(time.RFC3339))
	}
	return q.Render(numbersPart(&v, chart, histogram.Total, facets))
}

func who(s *wire.Session) string {
	if s.User != "" {
		return s.User
	}
	return "anonymous"
}

// first is the first of several values, and how many more there are.
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

// listed is how many values a session lists. No list is longer than the store's bound.
func listed(list []string) string {
	if len(list) >= store.MaxListed {
		return strconv.Itoa(store.MaxListed) + "+"
	}
	return strconv.Itoa(len(list))
}

// moved reports whether a session came from several addresses with several user agents: a telephone that changes its network
// keeps its user agent, and whoever has somebody else's cookie seldom does.
func moved(s *wire.Session) bool { return len(s.IPs) > 1 && len(s.UserAgents) > 1 }

func address(id seshat.SessionID) string { return "/sessions/" + id.String() }

// facetName is what a field is called on the page.
func facetName(field string) string {
	switch field {
	case "state":
		return "State"
	case "identified_by":
		return "Identified by"
	case "user":
		return "User"
	default:
		return field
	}
}

func facetValue(v wire.FacetValue, field string) string {
	switch {
	case !v.Absent:
		return v.Value
	case field == "user":
		return "anonymous"
	default:
		return "none"
	}
}
