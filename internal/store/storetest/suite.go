package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// Open opens an empty store whose clock stands at now. It lives until the end of the test.
type Open func(t testing.TB, now time.Time) store.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("Empty", func(t *testing.T) { testEmpty(t, open) })
	t.Run("Exchange", func(t *testing.T) { testExchange(t, open) })
	t.Run("Session", func(t *testing.T) { testSession(t, open) })
	t.Run("Readmitted", func(t *testing.T) { testReadmitted(t, open) })
	t.Run("Merge", func(t *testing.T) { testMerge(t, open) })
	t.Run("Known", func(t *testing.T) { testKnown(t, open) })
	t.Run("State", func(t *testing.T) { testState(t, open) })
	t.Run("Position", func(t *testing.T) { testPosition(t, open) })
	t.Run("FindSessions", func(t *testing.T) { testFindSessions(t, open) })
	t.Run("Pages", func(t *testing.T) { testPages(t, open) })
	t.Run("Retention", func(t *testing.T) { testRetention(t, open) })
	t.Run("Filters", func(t *testing.T) { testFilters(t, open) })
	t.Run("Counts", func(t *testing.T) { testCounts(t, open) })
	t.Run("CountFilters", func(t *testing.T) { testCountFilters(t, open) })
	t.Run("Splits", func(t *testing.T) { testSplits(t, open) })
	t.Run("Aggregates", func(t *testing.T) { testAggregates(t, open) })
	t.Run("Facets", func(t *testing.T) { testFacets(t, open) })
	t.Run("Histogram", func(t *testing.T) { testHistogram(t, open) })
}

func parse(t testing.TB, text string, fields *filter.Fields, now time.Time) filter.Expr {
	t.Helper()
	e, err := filter.Parse(text, fields, now)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return e
}

// Commit stores a batch or fails the test.
func Commit(t testing.TB, s store.Store, batches ...*store.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := s.Commit(context.Background(), b); err != nil {
			t.Fatalf("Commit: %v", err)
		}
	}
}

// now is the clock of the suite: within the made-up traffic, so that every state occurs.
var now = Start.Add(30 * time.Minute) //nolint:gochecknoglobals // a constant, but for its type

func testEmpty(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	if span, err := s.Span(ctx); err != nil || span != (store.Span{}) {
		t.Errorf("Span = %+v, %v; want nothing", span, err)
	}
	if sessions := Sessions(t, s, store.Query{Now: now}); len(sessions) != 0 {
		t.Errorf("Sessions = %v; want none", sessions)
	}
	if exchanges := Exchanges(t, s, store.Query{}); len(exchanges) != 0 {
		t.Errorf("Exchanges = %v; want none", exchanges)
	}
	if _, err := s.Session(ctx, seshat.SessionID{1}); seshat.KindOfError(err) != seshat.ErrorNotFound {
		t.Errorf("Session = %v; want not found", err)
	}
	for _, id := range []string{"", "e1", "00000000000000ff"} {
		if _, err := s.Exchange(ctx, id); seshat.KindOfError(err) != seshat.ErrorNotFound {
			t.Errorf("Exchange(%q) = %v; want not found", id, err)
		}
	}
	if links, err := s.Lineage(ctx, seshat.SessionID{1}); err != nil || len(links) != 0 {
		t.Errorf("Lineage = %v, %v; want none", links, err)
	}
	if position, err := s.Position(ctx, "x"); err != nil || position != nil {
		t.Errorf("Position = %q, %v; want none", position, err)
	}
	if state, err := s.LoadState(ctx, []seshat.Digest{{1}}); err != nil || len(state) != 0 {
		t.Errorf("LoadState = %v, %v; want none", state, err)
	}
	if known, err := s.Known(ctx, []seshat.ExchangeKey{1}, []time.Time{Start}); err != nil || len(known) != 1 || known[0] {
		t.Errorf("Known = %v, %v; want [false]", known, err)
	}
	if n, err := s.DropBefore(ctx, now); err != nil || n != 0 {
		t.Errorf("DropBefore = %d, %v; want 0", n, err)
	}
	Commit(t, s, &store.Batch{StoredAt: now})
}

// queries are asked of both stores.
func queries(t testing.TB) map[string]store.Query {
	some := seshat.SessionID{}
	return map[string]store.Query{
		"all":          {Now: now},
		"first three":  {Now: now, Limit: 3},
		"oldest first": {Now: now, OldestFirst: true},
		"since":        {Now: now, Since: Start.Add(10 * time.Minute)},
		"until":        {Now: now, Until: Start.Add(10 * time.Minute)},
		"between":      {Now: now, Since: Start.Add(5 * time.Minute), Until: Start.Add(15 * time.Minute), Limit: 5, OldestFirst: true},
		"light":        {Now: now, Light: true},
		"one session":  {Now: now, Session: some},
		"filtered":     {Now: now, Filter: parse(t, "status:>=400", filter.Sessions(), now)},
	}
}

func testSplits(t *testing.T, open Open) {
	for seed := range uint64(2) {
		whole, split, twin := open(t, now), open(t, now), memory.New(func() time.Time { return now })
		batch := NewTraffic(seed, 6).Batch(200)
		Commit(t, whole, batch)
		Commit(t, twin, batch)
		Commit(t, split, Split(batch, seed)...)
		for what, q := range queries(t) {
			Equal(t, whole, twin, "one batch, "+what, q)
			Equal(t, split, twin, "many batches, "+what, q)
		}
		compareRest(t, split, twin, batch)
		compareRest(t, whole, twin, batch)
	}
}

// compareRest compares what is not a list of sessions or exchanges.
func compareRest(t testing.TB, got, want store.Store, batch *store.Batch) {
	t.Helper()
	ctx := context.Background()
	var keys []seshat.Digest
	for i := range 24 {
		keys = append(keys, seshat.Digest{byte(i), 1})
	}
	equal(t, "LoadState", got, want, func(s store.Store) (map[seshat.Digest][]byte, error) { return s.LoadState(ctx, keys) })
	equal(t, "Span", got, want, func(s store.Store) (store.Span, error) { return s.Span(ctx) })
	for _, x := range batch.Exchanges[:20] {
		equal(t, "Session", got, want, func(s store.Store) (*seshat.Session, error) { return s.Session(ctx, x.Session) })
		equal(t, "Lineage", got, want, func(s store.Store) ([]seshat.Link, error) { return s.Lineage(ctx, x.Session) })
		equal(t, "Exchange by key", got, want, func(s store.Store) (*seshat.Assigned, error) { return s.Exchange(ctx, Key(x.Key)) })
		equal(t, "Exchanges of a session", got, want, func(s store.Store) ([]seshat.Assigned, error) {
			return Exchanges(t, s, store.Query{Session: x.Session, Limit: 7}), nil
		})
	}
}
