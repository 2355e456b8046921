package duckdb

import (
	"context"
	"log/slog"
)

// Tidying goes slice by slice, one with a commit, each in a transaction of its own: it needs as little memory as
// storing does, no commit waits long for it, and whenever it is interrupted, what is done stays done.

// compact tidies one slice, where that is due. What it cannot do is not lost, so it fails nobody: it is logged, and
// tried again when as much was written again.
func (s *Store) compact(ctx context.Context) {
	err := s.compactSessions(ctx)
	if err == nil {
		err = s.compactState(ctx)
	}
	if err != nil {
		s.logOnce(ctx, "the store could not be compacted: nothing is lost, but reading gets slower", s.operational("compact the store", err))
	}
}

// logOnce tells the log of an error that fails no call. What keeps going wrong is told once.
func (s *Store) logOnce(ctx context.Context, message string, err error) {
	if s.logged[message] {
		return
	}
	s.logged[message] = true
	s.log.LogAttrs(ctx, slog.LevelWarn, message, slog.Any("error", err))
}

// rewrite replaces those rows of a table that meet a condition by what the query makes of them, and returns how many
// there were and how many there are.
func (s *Store) rewrite(ctx context.Context, table, where, query string, args ...any) (before, after int64, err error) {
	if _, err := s.conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE rewritten AS "+query, args...); err != nil {
		return 0, 0, err
	}
	for _, step := range []struct {
		statement string
		args      []any
		rows      *int64
	}{
		{"DELETE FROM " + table + " WHERE " + where, args, &before},
		{"INSERT INTO " + table + " SELECT * FROM rewritten", nil, &after},
	} {
		result, err := s.conn.ExecContext(ctx, step.statement, step.args...)
		if err != nil {
			return 0, 0, err
		}
		if *step.rows, err = result.RowsAffected(); err != nil {
			return 0, 0, err
		}
	}
	return before, after, nil
}
