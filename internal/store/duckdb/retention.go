package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"time"
)

// DropBefore implements [store.Store]. What belongs to a session stays as long as one of its exchanges does.
//
// It goes slice by slice, each in a transaction of its own: first the exchanges of a range of sessions with their
// counts, then what only they held up, then the sessions that have none left. Wherever it is interrupted, the answers
// are right, and the next call goes on.
func (s *Store) DropBefore(ctx context.Context, before time.Time) (int64, error) {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Load() {
		return 0, errClosed()
	}
	const op = "drop what is older than the retention"
	if err := s.settle(ctx, true); err != nil { // dropping may make the room that it lacks
		s.logOnce(ctx, "what was committed last could not be moved into the tables", s.operational(op, err))
	}
	before = day(before)
	var old bool
	err := s.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM exchanges WHERE stored_day < $1)
		OR EXISTS (SELECT 1 FROM sessions WHERE stored_day < $1) OR EXISTS (SELECT 1 FROM state WHERE stored_day < $1)`, before).Scan(&old)
	if err != nil || !old {
		return 0, s.operational(op, err)
	}
	defer func() {
		s.forgetSpan()
		_, _ = s.storedSpan(context.WithoutCancel(ctx)) // while nobody writes; who needs it tries again
	}()
	defer s.memberCache.written()
	s.writer.forget() // the rows that it remembers may go
	dropped, err := s.dropExchanges(ctx, before)
	if err == nil {
		err = s.dropDays(ctx, before)
	}
	if err == nil {
		err = s.dropDead(ctx)
	}
	err = errors.Join(err, s.writer.count(context.WithoutCancel(ctx), s.conn))
	if err == nil {
		err = s.checkpoint(ctx)
	}
	return dropped, s.operational(op, err)
}

// runs executes statements in one transaction, and returns how many rows the first one touched.
func (s *Store) runs(ctx context.Context, args []any, statements ...string) (rows int64, err error) {
	err = s.transaction(ctx, func() error {
		for i, statement := range statements {
			result, err := s.conn.ExecContext(context.WithoutCancel(ctx), statement, args...)
			if err != nil {
				return err
			}
			if i == 0 {
				if rows, err = result.RowsAffected(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return rows, err
}

// dropExchanges drops the exchanges that were stored before a day. Numbers belong to one day, so a range of numbers
// has its exchanges and their counts. The rows of sessions stay, since facts and links hang on them.
func (s *Store) dropExchanges(ctx context.Context, before time.Time) (dropped int64, err error) {
	var first, last sql.NullInt64
	err = s.conn.QueryRowContext(ctx, "SELECT min(session_no), max(session_no) FROM sessions WHERE stored_day < ? AND exchanges > 0",
		before).Scan(&first, &last)
	if err != nil || !first.Valid {
		return 0, err
	}
	const width = 2 << sliceBits
	for from := first.Int64; from <= last.Int64; from += width {
		rows, err := s.runs(ctx, []any{from, from + width, before},
			"DELETE FROM exchanges WHERE "+sliceSQL+" AND stored_day < $3",
			"DELETE FROM session_values WHERE session_no IN (SELECT session_no FROM sessions WHERE "+sliceSQL+" AND stored_day < $3)",
			`UPDATE sessions SET first_seen = NULL, last_seen = NULL, exchanges = 0, errors = 0, refused = 0, environment = NULL
				WHERE `+sliceSQL+" AND stored_day < $3 AND exchanges > 0")
		dropped += rows
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

// dropDays drops what the exchanges of the days before a day referred to, and state that did not change since.
func (s *Store) dropDays(ctx context.Context, before time.Time) error {
	for _, table := range []string{"identities", "contexts", "endpoints", "agents", "state"} {
		if _, err := s.runs(ctx, []any{before}, "DELETE FROM "+table+" WHERE stored_day < ?"); err != nil {
			return err
		}
	}
	return nil
}

// deadSlice is about how many rows of sessions are looked through at once.
const deadSlice = 200_000

// dropDead drops the sessions that have no exchange left. A session lives while it, or one that was merged into it,
// has an exchange, and so does every step between: so all rows of one session go together.
func (s *Store) dropDead(ctx context.Context) error {
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return err
	}
	var rows uint64
	if err := s.conn.QueryRowContext(ctx, "SELECT count(*) FROM sessions").Scan(&rows); err != nil {
		return err
	}
	slices := bits.Len64(rows / deadSlice)
	for n := range uint64(1) << slices {
		low, high := uuidSlice(n, slices)
		_, err := s.runs(ctx, nil,
			"CREATE OR REPLACE TEMP TABLE dead AS "+rollupsOf(merges)+`SELECT session_no, session_id FROM rollups
				WHERE session IN (SELECT session FROM rollups WHERE session BETWEEN '`+uuidText(low)+"'::UUID AND '"+uuidText(high)+`'::UUID
					GROUP BY session HAVING sum(exchanges) = 0)`,
			"DELETE FROM links WHERE session_no IN (SELECT session_no FROM dead)",
			"DELETE FROM merges WHERE session_id IN (SELECT session_id FROM dead)",
			"DELETE FROM sessions WHERE session_no IN (SELECT session_no FROM dead)",
			"DROP TABLE dead")
		if err != nil {
			return err
		}
	}
	return nil
}
