package duckdb

import (
	"context"
	"time"
)

// DropBefore implements [store.Store]. What belongs to a session stays as long as one of its exchanges does.
func (s *Store) DropBefore(ctx context.Context, before time.Time) (int64, error) {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed {
		return 0, errClosed()
	}
	before = day(before)
	const op = "drop what is older than the retention"
	defer s.forgetSpan()
	defer s.memberCache.written()
	s.writer.forget() // the rows that it remembers may go
	var dropped int64
	err := s.tidy(ctx, func() error {
		result, err := s.conn.ExecContext(context.WithoutCancel(ctx), "DELETE FROM exchanges WHERE stored_day < ?", before)
		if err != nil {
			return err
		}
		if dropped, err = result.RowsAffected(); err != nil {
			return err
		}
		for _, statement := range []string{
			"DELETE FROM identities WHERE stored_day < $1",
			"DELETE FROM contexts WHERE stored_day < $1",
			"DELETE FROM endpoints WHERE stored_day < $1",
			"DELETE FROM agents WHERE stored_day < $1",
			"DELETE FROM state WHERE stored_day < $1",
			// The counts of a dropped day go; its row stays, since facts and links of the session hang on it.
			`UPDATE sessions SET first_seen = NULL, last_seen = NULL, exchanges = 0, errors = 0, environment = NULL
				WHERE stored_day < $1 AND exchanges > 0`,
			"DELETE FROM session_values WHERE session_no IN (SELECT session_no FROM sessions WHERE stored_day < $1)",
		} {
			if _, err := s.conn.ExecContext(context.WithoutCancel(ctx), statement, before); err != nil {
				return err
			}
		}
		// A session lives while it, or one that was merged into it, has an exchange; so does every step between.
		alive := rollupsOf(true) + `, alive AS (SELECT session FROM rollups GROUP BY session HAVING sum(exchanges) > 0)
			SELECT session_id FROM rollups WHERE session IN (SELECT session FROM alive)`
		for _, statement := range []string{
			"CREATE OR REPLACE TEMP TABLE alive AS " + alive,
			"DELETE FROM merges WHERE session_id NOT IN (SELECT session_id FROM alive)",
			"DELETE FROM sessions WHERE session_id NOT IN (SELECT session_id FROM alive)",
			"DELETE FROM links WHERE session_no NOT IN (SELECT session_no FROM sessions)",
			"DROP TABLE alive",
		} {
			if _, err := s.conn.ExecContext(context.WithoutCancel(ctx), statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, s.operational(op, err)
	}
	_, err = s.conn.ExecContext(ctx, "CHECKPOINT data")
	return dropped, s.operational(op, err)
}
