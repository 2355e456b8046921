package duckdb

import (
	"context"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// asksActive reports whether an expression selects active sessions only.
func asksActive(e filter.Expr) bool {
	switch e := e.(type) {
	case *filter.And:
		for _, part := range e.Exprs {
			if asksActive(part) {
				return true
			}
		}
	case *filter.Term:
		if e.Field.Name != "state" {
			return false
		}
		for i := range e.Tests {
			if e.Tests[i].Op != filter.OpEqual || e.Tests[i].Value.Text != string(seshat.StateActive) {
				return false
			}
		}
		return true
	}
	return false
}

// activeSince is the time since which every session that is active was seen: see [store.StateOf].
func (s *Store) activeSince(ctx context.Context, now time.Time) (time.Time, error) {
	var idle int64
	err := s.queryRow(ctx, []any{&idle}, "SELECT coalesce(max(idle_timeout), 0) FROM sessions")
	longest := max(time.Duration(idle)*time.Microsecond, store.DefaultIdleTimeout)
	return store.Time(now).Add(-longest), err
}
