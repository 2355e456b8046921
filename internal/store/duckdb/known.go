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

// Known implements [store.Store]. Rows lie in the order of their time, so a range of times that nothing was stored
// in costs no more than a look at the statistics.
func (s *Store) Known(ctx context.Context, keys []seshat.ExchangeKey, times []time.Time) ([]bool, error) {
	known := make([]bool, len(keys))
	if len(keys) == 0 {
		return known, nil
	}
	places := make(map[seshat.ExchangeKey][]int, len(keys))
	first, last := times[0], times[0]
	var list strings.Builder
	for i, key := range keys {
		if times[i].Before(first) {
			first = times[i]
		}
		if times[i].After(last) {
			last = times[i]
		}
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatUint(uint64(key), 10))
		places[key] = append(places[key], i)
	}
	first, last = store.Time(first), store.Time(last)
	// Whether there is anything in the range is known at once; only then are the keys worth sending.
	var some bool
	err := s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM exchanges WHERE time BETWEEN ? AND ?)", first, last).Scan(&some)
	if err != nil || !some {
		return known, s.operational("look for known exchanges", err)
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
	return known, s.operational("look for known exchanges", err)
}

// Position implements [store.Store].
func (s *Store) Position(ctx context.Context, source string) ([]byte, error) {
	var position []byte
	err := s.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&position) },
		"SELECT position FROM positions WHERE source = ? ORDER BY batch_no DESC LIMIT 1", store.Text(source))
	return position, s.operational("read the position of "+source, err)
}

// Span implements [store.Store].
func (s *Store) Span(ctx context.Context) (store.Span, error) {
	s.spanMutex.Lock()
	defer s.spanMutex.Unlock()
	if s.span != nil {
		return *s.span, nil
	}
	var span store.Span
	var first, last sql.NullTime
	err := s.db.QueryRowContext(ctx, "SELECT min(time), max(time), count(*) FROM exchanges").
		Scan(&first, &last, &span.Exchanges)
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
