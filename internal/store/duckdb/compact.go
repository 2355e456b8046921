package duckdb

import (
	"context"
)

// Compaction is due when half of a table's rows could go, but not for less than compactLeast rows: so it costs a
// constant share of writing, and readers never add up more than twice what there has to be.
const compactLeast = 100_000

// compact adds roll-up rows of one number up, and drops state that newer state replaced, where that is due.
func (s *Store) compact(ctx context.Context) error {
	w := s.writer
	if w.garbage.sessions >= max(compactLeast, w.rows.sessions/2) {
		if err := s.compactSessions(ctx); err != nil {
			return err
		}
	}
	if w.garbage.state >= max(compactLeast, w.rows.state/2) {
		return s.compactState(ctx)
	}
	return nil
}

// rewrite replaces the rows of a table by what the query makes of them.
func (s *Store) rewrite(ctx context.Context, table, query string) error {
	for _, statement := range []string{
		"CREATE OR REPLACE TEMP TABLE rewritten AS " + query,
		"DELETE FROM " + table,
		"INSERT INTO " + table + " SELECT * FROM rewritten",
		"DROP TABLE rewritten",
	} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) compactSessions(ctx context.Context) error {
	s.writer.garbage.sessions = 0 // also when it fails: then it is due when as much was added again
	err := s.tidy(ctx, func() error {
		err := s.rewrite(ctx, "sessions", `
			SELECT session_no, session_id, stored_day, first_seen, last_seen, exchanges, errors, environment,
				facts.version, facts.previous_id, facts."user", facts.roles, facts.ended_at, facts.ended_by,
				facts.expires_at, facts.idle_timeout, facts.identified_by, facts.origin, facts.confidence
			FROM (SELECT session_no, any_value(session_id) AS session_id, max(stored_day) AS stored_day,
					min(first_seen) AS first_seen, max(last_seen) AS last_seen,
					sum(exchanges)::BIGINT AS exchanges, sum(errors)::BIGINT AS errors, min(environment) AS environment,
					max_by({'version': version, 'previous_id': previous_id, 'user': "user", 'roles': roles,
						'ended_at': ended_at, 'ended_by': ended_by, 'expires_at': expires_at,
						'idle_timeout': idle_timeout, 'identified_by': identified_by, 'origin': origin,
						'confidence': confidence}, version) AS facts
				FROM sessions GROUP BY session_no)
			ORDER BY session_no`)
		if err != nil {
			return err
		}
		return s.rewrite(ctx, "session_values", `
			SELECT session_no, kind, value, sum(exchanges)::BIGINT FROM session_values
			GROUP BY session_no, kind, value ORDER BY session_no, kind, value`)
	})
	if err != nil {
		return err
	}
	return s.conn.QueryRowContext(ctx, "SELECT count(*) FROM sessions").Scan(&s.writer.rows.sessions)
}

func (s *Store) compactState(ctx context.Context) error {
	s.writer.garbage.state = 0
	err := s.tidy(ctx, func() error {
		err := s.rewrite(ctx, "state", `
			SELECT key, batch_no, stored_day, value FROM state
			QUALIFY row_number() OVER (PARTITION BY key ORDER BY batch_no DESC) = 1 AND value IS NOT NULL
			ORDER BY key`)
		if err != nil {
			return err
		}
		return s.rewrite(ctx, "positions", `
			SELECT source, max(batch_no), max_by(position, batch_no) FROM positions GROUP BY source`)
	})
	if err != nil {
		return err
	}
	return s.conn.QueryRowContext(ctx, "SELECT count(*) FROM state").Scan(&s.writer.rows.state)
}
