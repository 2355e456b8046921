package api

import (
	"context"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// noStore is the store of a process that leaves recording to another one.
type noStore struct{}

func (noStore) Sessions(context.Context, store.Query, func(*seshat.Session) bool) error {
	return unavailable("read sessions")
}

func (noStore) Session(context.Context, seshat.SessionID) (*seshat.Session, error) {
	return nil, unavailable("read a session")
}

func (noStore) FindSessions(context.Context, string, int) ([]seshat.SessionID, error) {
	return nil, unavailable("find sessions")
}

func (noStore) Lineage(context.Context, seshat.SessionID) ([]seshat.Link, error) {
	return nil, unavailable("read a lineage")
}

func (noStore) Exchanges(context.Context, store.Query, func(*seshat.Assigned) bool) error {
	return unavailable("read exchanges")
}

func (noStore) Exchange(context.Context, string) (*seshat.Assigned, error) {
	return nil, unavailable("read an exchange")
}

func (noStore) Span(context.Context) (store.Span, error) {
	return store.Span{}, unavailable("read what is stored")
}

func (noStore) Export(context.Context, store.Dataset, string, store.Query, string) (int64, error) {
	return 0, unavailable("export")
}

func (noStore) Aggregate(context.Context, store.AggregateQuery) (*store.Aggregates, error) {
	return nil, unavailable("aggregate")
}

func (noStore) Facets(context.Context, store.FacetQuery) (*store.Facets, error) {
	return nil, unavailable("count values")
}

func (noStore) Histogram(context.Context, store.HistogramQuery) (*store.Histogram, error) {
	return nil, unavailable("count over time")
}

func (noStore) Close() error { return nil }
