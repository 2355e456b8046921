package store

import (
	"context"
	"io"

	"github.com/seshat-project/seshat"
)

// Reader is the half of [Store] that looks. Commands have it of the store itself, or of a running instance. Its methods
// mean what they mean there.
type Reader interface {
	Sessions(ctx context.Context, q Query, yield func(*seshat.Session) bool) error
	Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error)
	FindSessions(ctx context.Context, prefix string, limit int) ([]seshat.SessionID, error)
	Lineage(ctx context.Context, id seshat.SessionID) ([]seshat.Link, error)
	Exchanges(ctx context.Context, q Query, yield func(*seshat.Assigned) bool) error
	Exchange(ctx context.Context, id string) (*seshat.Assigned, error)
	Span(ctx context.Context) (Span, error)
	Aggregate(ctx context.Context, q AggregateQuery) (*Aggregates, error)
	Facets(ctx context.Context, q FacetQuery) (*Facets, error)
	Histogram(ctx context.Context, q HistogramQuery) (*Histogram, error)
	Export(ctx context.Context, what Dataset, format string, q Query, path string) (rows int64, err error)
	io.Closer
}

var _ Reader = Store(nil)
