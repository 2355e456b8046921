package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
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
	States       []counted `json:"states" nullable:"false"`
	IdentifiedBy []counted `json:"identified_by" nullable:"false" doc:"The most frequent first, at most 20."`
	Users        []counted `json:"users" nullable:"false" doc:"By exchanges, at most 20."`
	Services     []counted `json:"services" nullable:"false" doc:"By sessions, at most 20."`
	// Partial says that not all sessions were counted.
	Partial bool `json:"partial,omitempty" doc:"There are more sessions than are counted."`
}

type counted struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

const (
	// mostCounted is how many sessions an overview adds up: some seconds of work.
	mostCounted = 1_000_000
	// mostNames is how many different names of one kind are counted; a scanner can make up more than fit into memory.
	mostNames = 100_000
	// mostShown is how many of them are shown.
	mostShown = 20
)

func (s *server) registerOverview() {
	register(s, s.operation("GET", "/api/v1/overview", "get-overview", tagSessions, "Count the sessions of a time"), s.getOverview)
}

func (s *server) getOverview(ctx context.Context, in *overviewInput) (*output[overview], error) {
	now := s.Now()
	if in.Since == "" {
		in.Since = "24h"
	}
	q := store.Query{Now: now, Limit: mostCounted + 1}
	var err error
	if q.Filter, err = filter.Parse(in.Filter, filter.Sessions(), now); err != nil {
		return nil, err
	}
	if q.Since, err = parseTime("since", in.Since, now); err != nil {
		return nil, err
	}
	if q.Until, err = parseTime("until", in.Until, now); err != nil {
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
	out := &output[overview]{overview{Stored: newSpan(span), Since: q.Since, Until: q.Until}}
	o := &out.Body
	states, identifiers, users, services := counts{}, counts{}, counts{}, counts{}
	err = reader.Sessions(ctx, q, func(one *seshat.Session) bool {
		if o.Partial = o.Sessions == mostCounted; o.Partial {
			return false
		}
		o.Sessions++
		o.Exchanges += one.Exchanges
		o.Errors += one.Errors
		states.add(string(one.State), 1)
		identifiers.add(one.IdentifiedBy, 1)
		users.add(one.User, one.Exchanges)
		for _, service := range one.Services {
			services.add(service, 1)
		}
		return true
	})
	o.States, o.IdentifiedBy, o.Users, o.Services = states.top(), identifiers.top(), users.top(), services.top()
	return out, err
}

// counts are how often names occur.
type counts map[string]int64

func (c counts) add(name string, n int64) {
	if _, known := c[name]; name != "" && (known || len(c) < mostNames) {
		c[name] += n
	}
}

func (c counts) top() []counted {
	out := make([]counted, 0, len(c))
	for name, n := range c {
		out = append(out, counted{name, n})
	}
	slices.SortFunc(out, func(a, b counted) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out[:min(len(out), mostShown)]
}
