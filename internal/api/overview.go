package api

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

type overviewInput struct {
	Filter string `query:"filter" maxLength:"8192" doc:"An expression of the filter language, about sessions."`
	Since  string `query:"since" maxLength:"64" doc:"From when; the last 24 hours when it is absent, all for everything."`
	Until  string `query:"until" maxLength:"64"`
}

// overview is what the sessions of a time add up to.
type overview struct {
	Stored       wire.Span `json:"stored" doc:"Everything that is stored, whatever was asked for."`
	Since        time.Time `json:"since,omitzero"`
	Until        time.Time `json:"until,omitzero"`
	Sessions     int64     `json:"sessions"`
	Exchanges    int64     `json:"exchanges" doc:"Of these sessions, also outside the time."`
	Errors       int64     `json:"errors"`
	States       []named   `json:"states" nullable:"false"`
	IdentifiedBy []named   `json:"identified_by" nullable:"false" doc:"The most frequent first, at most 20."`
	Users        []named   `json:"users" nullable:"false" doc:"By exchanges, at most 20."`
	Services     []named   `json:"services" nullable:"false" doc:"By sessions, at most 20."`
}

// named is how many there are of a name.
type named struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// mostShown is how many names of a kind are shown.
const mostShown = 20

func (s *server) registerOverview() {
	register(s, s.operation("GET", "/api/v1/overview", "get-overview", tagSessions, "Count the sessions of a time"), s.getOverview)
}

func (s *server) getOverview(ctx context.Context, in *overviewInput) (*output[overview], error) {
	now := s.Now()
	if in.Since == "" {
		in.Since = "24h"
	}
	subset, err := (&SubsetInput{Filter: in.Filter, Since: in.Since, Until: in.Until}).subset(store.DatasetSessions, now)
	if err != nil {
		return nil, err
	}
	span, err := s.Store.Span(ctx)
	if err != nil {
		return nil, err
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	out := &output[overview]{overview{Stored: newSpan(span), Since: subset.Since, Until: subset.Until}}
	return out, addUp(ctx, reader, &subset, &out.Body)
}

// addUp reads the numbers of an overview: three questions at once, none of which keeps all processors busy.
func addUp(ctx context.Context, r store.Reader, subset *store.Subset, o *overview) error {
	fields := filter.Sessions()
	dimension := func(name string) store.Dimension { return store.Dimension{Field: fields.Lookup(name)} }
	sum := func(name string) store.Measure {
		return store.Measure{Kind: store.MeasureSum, Field: fields.Lookup(name)}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	ask := func(question func() error) {
		all.Go(func() {
			if err := question(); err != nil {
				cancel(err) // the others need not go on
			}
		})
	}
	ask(func() error { // there are a handful of states, and of names no more than rules
		kinds, err := r.Aggregate(ctx, store.AggregateQuery{
			Subset: *subset, By: []store.Dimension{dimension("state"), dimension("identified_by")},
			Measures: []store.Measure{sum("exchanges"), sum("errors")},
		})
		if err != nil {
			return err
		}
		o.addKinds(kinds)
		return nil
	})
	ask(func() error {
		services, err := r.Facets(ctx, store.FacetQuery{Subset: *subset, By: []store.Dimension{dimension("service")}, Limit: mostShown + 1})
		if err != nil {
			return err
		}
		counts := map[string]int64{}
		for _, v := range services.Facets[0].Values { // one may be those without a service
			counts[v.Text] += v.Count
		}
		o.Services = top(counts)
		return nil
	})
	ask(func() error {
		users, err := r.Aggregate(ctx, store.AggregateQuery{
			Subset: *subset, By: []store.Dimension{dimension("user")}, Measures: []store.Measure{sum("exchanges")},
			Order: store.Order{Descending: true}, Limit: mostShown + 1,
		})
		if err != nil {
			return err
		}
		counts := map[string]int64{}
		for i := range users.Groups {
			counts[users.Groups[i].Values[0].Text] += int64(users.Groups[i].Numbers[0])
		}
		o.Users = top(counts)
		return nil
	})
	all.Wait()
	return context.Cause(ctx)
}

// addKinds adds up the groups by state and by what identified them.
func (o *overview) addKinds(kinds *store.Aggregates) {
	states, identifiers := map[string]int64{}, map[string]int64{}
	for i := range kinds.Groups {
		g := &kinds.Groups[i]
		states[g.Values[0].Text] += g.Count
		identifiers[g.Values[1].Text] += g.Count
		o.Exchanges += int64(g.Numbers[0])
		o.Errors += int64(g.Numbers[1])
	}
	o.Sessions, o.States, o.IdentifiedBy = kinds.Rows, top(states), top(identifiers)
}

// top are the names that count most, without those that have none.
func top(counts map[string]int64) []named {
	delete(counts, "")
	out := make([]named, 0, len(counts))
	for name, n := range counts {
		out = append(out, named{name, n})
	}
	slices.SortFunc(out, func(a, b named) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out[:min(len(out), mostShown)]
}
