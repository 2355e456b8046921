// Package overview is the page of the console that shows how things are now.
package overview

import (
	"context"
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
	site.Handle("GET /{$}", show)
	site.Handle("GET /overview/top", topParts)
	site.Handle("GET /overview/events", events)
}

const (
	// step is how many seconds a bar of the chart stands for: ninety bars.
	step = 10
	// topTime is the time that the lists of the greatest are about, and topRows how long they are.
	topTime = "1h"
	topRows = 8
)

func show(q *web.Request) error {
	var (
		rates  *wire.Rates
		status *wire.Status
		both   errgroup.Group
	)
	both.Go(func() (err error) {
		rates, err = q.API.Rates(q.Context(), step)
		return err
	})
	both.Go(func() (err error) {
		status, err = q.API.Status(q.Context())
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	return q.Page(ui.Page{
		Title: "Overview", Section: ui.SectionOverview, Scripts: []string{"overview.js"}, Actions: live(),
	}, page(rates, status))
}

// top are the greatest of the last hour.
type top struct {
	users, endpoints, identifiers, origins *wire.Facet
	total                                  int64
}

func topParts(q *web.Request) error {
	facets, err := q.API.FacetsOf(q.Context(), store.DatasetExchanges, &client.Count{
		Since: topTime, Fields: []string{"user", "endpoint", "identifier", "origin"}, Limit: topRows,
	})
	if err != nil {
		return err
	}
	t := top{total: facets.Total}
	for i := range facets.Facets {
		switch f := &facets.Facets[i]; f.Field {
		case "user":
			t.users = f
		case "endpoint":
			t.endpoints = f
		case "identifier":
			t.identifiers = f
		case "origin":
			t.origins = f
		}
	}
	return q.Render(topLists(&t))
}

// shares are the values of a facet as lines with bars; each leads to the explorer.
func shares(f *wire.Facet, absent string) []ui.Share {
	var out []ui.Share
	if f == nil {
		return nil
	}
	for _, v := range f.Values {
		name := v.Value
		if v.Absent {
			name = absent
		}
		s := ui.Share{Name: name, Count: v.Count}
		if v.Filter != "" {
			s.URL = explorer(v.Filter)
		}
		out = append(out, s)
	}
	return out
}

func explorer(filter string) string {
	return web.Address("/explorer", map[string][]string{"filter": {filter}, "since": {topTime}})
}

// chart is the exchanges of the last quarter of an hour.
func chart(r *wire.Rates) *ui.Histogram {
	s := &r.Series
	columns := [][]int64{s.Status.ServerError, s.Status.ClientError, s.Status.Redirection, s.Status.Successful, s.Status.None}
	h := &ui.Histogram{Width: time.Duration(s.StepSeconds) * time.Second, Unit: "exchanges", Height: 150, Series: ui.StatusSeries()}
	for i := range s.Exchanges {
		b := ui.Bucket{Start: s.From.Add(time.Duration(i) * h.Width), Counts: make([]int64, len(columns))}
		for c := range columns {
			if i < len(columns[c]) {
				b.Counts[c] = columns[c][i]
			}
		}
		h.Buckets = append(h.Buckets, b)
	}
	h.URL = func(since, until time.Time) string {
		return web.Address("/explorer", map[string][]string{"since": {since.UTC().Format(time.RFC3339)}, "until": {until.UTC().Format(time.RFC3339)}})
	}
	return h
}

// perSecond is a series as a line: counts by second, without the last element, which is not complete.
func perSecond(counts []int64, seconds int) []float64 {
	if len(counts) > 0 {
		counts = counts[:len(counts)-1]
	}
	out := make([]float64, len(counts))
	for i, n := range counts {
		out[i] = float64(n) / float64(max(1, seconds))
	}
	return out
}

// sum adds up series element by element.
func sum(series ...[]int64) []int64 {
	var out []int64
	for _, s := range series {
		for i, n := range s {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] += n
		}
	}
	return out
}

// share is a part of a whole, 0 when there is none.
func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// follow calls each with what is new, until the client goes away.
func follow(ctx context.Context, c *client.Client, each func(*wire.StreamEvent) error) error {
	return c.FollowOverview(ctx, step, func(e *wire.StreamEvent) (bool, error) {
		err := each(e)
		return err == nil, err
	})
}
