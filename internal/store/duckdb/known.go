package duckdb

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Known implements [store.Store]. What is new is mostly later than everything there is, so that nothing has to be looked
// for; and rows lie in the order of their time, so a range of times that nothing was stored in costs no more than a look
// at the statistics.
func (s *Store) Known(ctx context.Context, keys []seshat.ExchangeKey, times []time.Time) ([]bool, error) {
	const op = "look for known exchanges"
	known := make([]bool, len(keys))
	if s.pending.has(keys, known) {
		return known, nil
	}
	span, err := s.storedSpan(ctx)
	if err != nil {
		return nil, s.operational(op, err)
	}
	places := make(map[seshat.ExchangeKey][]int)
	var first, last time.Time
	var list strings.Builder
	for i, key := range keys {
		at := store.Time(times[i])
		if known[i] || span.Exchanges == 0 || at.After(span.Last) || at.Before(span.First) {
			continue
		}
		if len(places) == 0 || at.Before(first) {
			first = at
		}
		if len(places) == 0 || at.After(last) {
			last = at
		}
		if len(places) > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatUint(uint64(key), 10))
		places[key] = append(places[key], i)
	}
	if len(places) == 0 {
		return known, nil
	}
	// Whether there is anything in the range is known at once; only then are the keys worth sending.
	var some bool
	err = s.queryRow(ctx, []any{&some}, "SELECT EXISTS (SELECT 1 FROM exchanges WHERE time BETWEEN ? AND ?)", first, last)
	if err != nil || !some {
		return known, s.operational(op, err)
	}
	err = s.query(ctx, func(rows *sql.Rows) error {
		var key uint64
		if err := rows.Scan(&key); err != nil {
			return err
		}
		for _, i := range places[seshat.ExchangeKey(key)] {
			known[i] = true
		}
		return nil
	}, `SELECT key FROM exchanges WHERE time BETWEEN ? AND ?
		AND key IN (SELECT unnest(string_split(?, ','))::UBIGINT)`, first, last, list.String())
	return known, s.operational(op, err)
}

// Span implements [store.Store].
func (s *Store) Span(ctx context.Context) (store.Span, error) {
	if err := s.fresh(ctx); err != nil {
		return store.Span{}, err
	}
	return s.storedSpan(ctx)
}

// storedSpan is the span of what is in the tables.
func (s *Store) storedSpan(ctx context.Context) (store.Span, error) {
	s.spanMutex.Lock()
	defer s.spanMutex.Unlock()
	if s.span != nil {
		return *s.span, nil
	}
	var span store.Span
	var first, last sql.NullTime
	err := s.queryRow(ctx, []any{&first, &last, &span.Exchanges}, "SELECT min(time), max(time), count(*) FROM exchanges")
	if err != nil {
		return span, s.operational("read what is stored", err)
	}
	span.First, span.Last = first.Time, last.Time
	s.span = &span
	return span, nil
}

// forgetSpan has the span read anew: exchanges were stored or dropped.
func (s *Store) forgetSpan() {
	s.spanMutex.Lock()
	defer s.spanMutex.Unlock()
	s.span = nil
}

// extendSpan adds exchanges that were stored to the span, if it is known.
func (s *Store) extendSpan(exchanges []seshat.Assigned) {
	s.spanMutex.Lock()
	defer s.spanMutex.Unlock()
	if s.span == nil {
		return
	}
	for i := range exchanges {
		at := store.Time(exchanges[i].Time)
		if s.span.Exchanges == 0 || at.Before(s.span.First) {
			s.span.First = at
		}
		if s.span.Exchanges == 0 || at.After(s.span.Last) {
			s.span.Last = at
		}
		s.span.Exchanges++
	}
}
