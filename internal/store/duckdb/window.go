package duckdb

import (
	"context"
	"slices"
	"time"

	"github.com/seshat-project/seshat/internal/store"
)

// exchangeQuery is a condition over exchanges with its parameters.
type exchangeQuery struct {
	sql  string
	args []any
}

// within narrows a query to a window, and to what lies behind a row, in the order of q.
func (x exchangeQuery) within(w *timeWindows, last *exchangeRow, q store.Query) exchangeQuery {
	narrow := exchangeQuery{sql: "(" + x.sql + ") AND e.time >= ? AND e.time <= ?", args: append(slices.Clone(x.args), w.from, w.to)}
	if last == nil {
		return narrow
	}
	compare := "<"
	if q.OldestFirst {
		compare = ">"
	}
	// The first comparison says nothing new; it is the one that lets the engine skip what lies on the other side.
	narrow.sql += " AND e.time " + compare + "= ? AND (e.time " + compare + " ? OR e.key " + compare + " ?::UBIGINT)"
	narrow.args = append(narrow.args, last.Time, last.Time, unsigned(uint64(last.Key)))
	return narrow
}

// timeWindows cut the time that a query is about into pieces, in the order in which it wants exchanges. Rows lie in
// the order of their time, more or less, so a page is found in the first piece and the rest is never read; where
// nothing is found, the pieces grow.
type timeWindows struct {
	from, to    time.Time // of the window at hand, both included
	first, last time.Time // of what is left
	width       time.Duration
	oldestFirst bool
	done        bool
}

// Sizes of windows: the first holds about windowRows exchanges, and one in which little is found makes the next
// windowGrowth times wider.
const (
	windowRows   = 200_000
	windowFew    = 1_000
	windowGrowth = 8
)

func (s *Store) windows(ctx context.Context, q store.Query) (*timeWindows, error) {
	span, err := s.Span(ctx)
	if err != nil {
		return nil, err
	}
	w := &timeWindows{first: span.First, last: span.Last, oldestFirst: q.OldestFirst, done: span.Exchanges == 0}
	w.width = span.Last.Sub(span.First)
	if span.Exchanges > windowRows {
		w.width = time.Duration(float64(w.width) * windowRows / float64(span.Exchanges))
	}
	w.width = max(w.width, time.Millisecond)
	if since := store.Time(q.Since); since.After(w.first) {
		w.first = since
	}
	if until := store.Time(q.Until); !q.Until.IsZero() && until.Before(w.last) {
		w.last = until
	}
	if !q.Session.IsZero() { // its own bounds are narrower
		w.width = max(w.width, w.last.Sub(w.first))
	}
	w.done = w.done || w.last.Before(w.first)
	return w, nil
}

// next goes to the next window; false when there is none.
func (w *timeWindows) next() bool {
	if w.done {
		return false
	}
	if w.oldestFirst {
		w.from, w.to = w.first, w.first.Add(w.width)
		w.first = w.to.Add(time.Microsecond)
		w.done = w.first.After(w.last)
	} else {
		w.from, w.to = w.last.Add(-w.width), w.last
		w.last = w.from.Add(-time.Microsecond)
		w.done = w.last.Before(w.first)
	}
	return true
}

// grow makes the next window wider when the one at hand had few rows.
func (w *timeWindows) grow(rows int) {
	if rows < windowFew && w.width < time.Duration(1<<62)/windowGrowth {
		w.width *= windowGrowth
	}
}
