package api

import (
	"context"
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

// addUp reads the numbers of an overview.
func addUp(ctx context.Context, r store.Reader, subset *store.Subset, o *overview) error {
	fields := filter.Sessions()
	exchanges := store.Measure{Kind: store.MeasureSum, Field: fields.Lookup("exchanges")}
	errs := store.Measure{Kind: store.MeasureSum, Field: fields.Lookup("errors")}
	all, err := r.Aggregate(ctx, store.AggregateQuery{Subset: *subset, Measures: []store.Measure{exchanges, errs}, Limit: 1})
	if err != nil {
		return err
	}
	if o.Sessions = all.Rows; all.Rows > 0 {
		o.Exchanges, o.Errors = int64(all.Groups[0].Numbers[0]), int64(all.Groups[0].Numbers[1])
	}
	by, err := dimensions("overview", []string{"state", "identified_by", "service"}, store.DatasetSessions)
	if err != nil {
		return err
	}
	facets, err := r.Facets(ctx, store.FacetQuery{Subset: *subset, By: by, Limit: mostShown + 1}) // one may be those without a name
	if err != nil {
		return err
	}
	for i, to := range []*[]named{&o.States, &o.IdentifiedBy, &o.Services} {
		*to = namesOf(len(facets.Facets[i].Values), func(n int) (store.Value, int64) {
			return facets.Facets[i].Values[n].Value, facets.Facets[i].Values[n].Count
		})
	}
	users, err := r.Aggregate(ctx, store.AggregateQuery{
		Subset: *subset, By: []store.Dimension{{Field: fields.Lookup("user")}}, Measures: []store.Measure{exchanges},
		Order: store.Order{Descending: true}, Limit: mostShown + 1,
	})
	if err != nil {
		return err
	}
	o.Users = namesOf(len(users.Groups), func(n int) (store.Value, int64) {
		return users.Groups[n].Values[0], int64(users.Groups[n].Numbers[0])
	})
	return nil
}

// namesOf are the values that are names, and not the lack of one.
func namesOf(n int, value func(int) (store.Value, int64)) []named {
	out := make([]named, 0, n)
	for i := range n {
		if v, count := value(i); !v.Absent && len(out) < mostShown {
			out = append(out, named{v.Text, count})
		}
	}
	return out
}
