// Package store is the contract between Seshat and the place where it keeps what it saw: exchanges, sessions,
// their lineage, and the state that correlation needs to go on. The engines behind it (duckdb) pass the suite in
// storetest.
package store

import (
	"context"
	"io"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// Store keeps and finds. It is safe for concurrent use; there is one writer at a time. Times are kept in
// microseconds and read as UTC. Text that is not valid UTF-8 is kept with U+FFFD in place of what is wrong.
//
// Of a client session ID of origin fallback only the fact is kept: what it was made of, address and user agent, is
// in the row anyway, so its digest reads as zero and its masked form is made anew (see [FallbackMasked]). So it is
// with links to one, for as long as the exchange of the link is stored and has the link's time.
type Store interface {
	// Commit writes a batch whole or not at all. When it returns nil, the batch survives kill -9. The store may keep
	// what the batch points to, observations and values of state, which must not be changed any more.
	Commit(ctx context.Context, batch *Batch) error
	// Known returns which of keys are stored already. Times are the event times of the keys, in the same order:
	// they narrow the search. The result has one element for each key.
	Known(ctx context.Context, keys []seshat.ExchangeKey, times []time.Time) ([]bool, error)
	// LoadState returns the correlation state under keys; keys that have none are absent from the result.
	LoadState(ctx context.Context, keys []seshat.Digest) (map[seshat.Digest][]byte, error)
	// Position returns the position that the newest batch of source carried; nil when there was none.
	Position(ctx context.Context, source string) ([]byte, error)

	// Sessions calls yield for each session that q asks for, in its order, until yield returns false.
	Sessions(ctx context.Context, q Query, yield func(*seshat.Session) bool) error
	// Session returns one session by its ID, or by the ID of one that was merged into it.
	// A [seshat.Error] of kind ErrorNotFound when there is none.
	Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error)
	// FindSessions returns the IDs of sessions whose text form starts with prefix, at most limit.
	FindSessions(ctx context.Context, prefix string, limit int) ([]seshat.SessionID, error)
	// Lineage returns the links of a session and of those merged into it, oldest first.
	Lineage(ctx context.Context, id seshat.SessionID) ([]seshat.Link, error)
	// Exchanges calls yield for each exchange that q asks for, until yield returns false. The row may not be kept.
	// Its session is the one that the exchange's session was merged into, if it was.
	Exchanges(ctx context.Context, q Query, yield func(*seshat.Assigned) bool) error
	// Exchange returns the exchange whose own ID or key (16 hexadecimal digits) is id.
	Exchange(ctx context.Context, id string) (*seshat.Assigned, error)
	// Span returns the event times of the oldest and the newest exchange, and how many there are.
	Span(ctx context.Context) (Span, error)
	// Aggregate groups what q asks for, and returns numbers about each group.
	Aggregate(ctx context.Context, q AggregateQuery) (*Aggregates, error)
	// Facets returns the most frequent values of several dimensions at once.
	Facets(ctx context.Context, q FacetQuery) (*Facets, error)
	// Histogram counts what q asks for over time.
	Histogram(ctx context.Context, q HistogramQuery) (*Histogram, error)
	// Export writes what q asks for in one of the formats that the engine writes itself (parquet, csv) to the file.
	Export(ctx context.Context, what Dataset, format string, q Query, path string) (rows int64, err error)
	// DropBefore removes the exchanges that were stored on days before day, and what only they held up.
	DropBefore(ctx context.Context, day time.Time) (exchanges int64, err error)
	io.Closer
}

// Dataset is what can be exported.
type Dataset string

// The datasets.
const (
	DatasetSessions  Dataset = "sessions"
	DatasetExchanges Dataset = "exchanges"
)

// Span is the extent of what is stored.
type Span struct {
	First, Last time.Time // event times; zero when nothing is stored
	Exchanges   int64
}

// Query selects, orders and bounds.
type Query struct {
	Filter filter.Expr // nil selects everything
	// Since (included) and Until (excluded) bound the event time of an exchange; zero does not bound. A session is
	// within them when the span from its first exchange to its last touches them.
	Since, Until time.Time
	// Now is the time by which active and idle sessions are told apart.
	Now   time.Time
	Limit int // 0 is no limit
	// OldestFirst turns the order round; the default is newest first: sessions by last seen and then ID, exchanges
	// by time and then key, so that the order is the same however the rows were written.
	OldestFirst bool
	// Session narrows exchanges to one session, and those merged into it.
	Session seshat.SessionID
	// Light leaves out what is dear to read and not asked for: the IDs, device, parameters, flows and verdicts of
	// exchanges.
	Light bool
}

// Batch is what is written together. The start and the end of a session are kept as its facts, not as events.
type Batch struct {
	Exchanges []seshat.Assigned
	Sessions  []seshat.SessionFacts // changed by the batch
	Links     []seshat.Link
	State     []StateRecord
	// StoredAt is the time that retention counts from.
	StoredAt time.Time
	// Position is where the writer is in its source, kept per source: the journal sequence, or an import's progress.
	// It is written when Source is not empty. Sources that begin with "seshat/" are the store's own.
	Source   string
	Position []byte
}

// StateRecord is one piece of correlation state. A nil Value deletes it.
type StateRecord struct {
	Key   seshat.Digest
	Value []byte
}
