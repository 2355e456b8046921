package duckdb

import (
	"context"
	"database/sql"
	"errors"
)

// sliceBits says how many numbers of sessions make a slice: 2^15 roll-up rows take some 10 MB while they are added up.
const sliceBits = 15

// sessionSlice counts the rows of the table sessions whose numbers lie in one slice.
type sessionSlice struct {
	rows    int64
	garbage int64 // of them, those that compaction would remove
}

// due reports whether a slice is worth compacting: when half of its rows could go, but not for less than it has
// numbers. So it costs a constant share of writing, and readers never add up more than twice what there has to be.
func (slice *sessionSlice) due() bool {
	return slice.garbage >= max(1<<sliceBits, slice.rows/2)
}

// sessionSlices counts rows by the slice of their number.
type sessionSlices map[int64]*sessionSlice

// wrote counts a row that was written, after others of the same number or as the first.
func (slices sessionSlices) wrote(number int64, again bool) {
	slice := slices[number>>sliceBits]
	if slice == nil {
		slice = &sessionSlice{}
		slices[number>>sliceBits] = slice
	}
	slice.rows++
	if again {
		slice.garbage++
	}
}

// due is the slice that is most worth compacting; false when none is.
func (slices sessionSlices) due() (int64, bool) {
	worst, found := int64(0), false
	for n, slice := range slices {
		if slice.due() && (!found || slice.garbage > slices[worst].garbage) {
			worst, found = n, true
		}
	}
	return worst, found
}

// loadSessionSlices counts what is stored. Numbers are given out one after the other, so that rows beyond the range of
// numbers of a slice are garbage.
func loadSessionSlices(ctx context.Context, conn *sql.Conn) (_ sessionSlices, err error) {
	slices := make(sessionSlices)
	rows, err := conn.QueryContext(ctx, `SELECT session_no >> ?, count(*), greatest(count(*) - (max(session_no) - min(session_no) + 1), 0)
		FROM sessions GROUP BY 1`, sliceBits)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int64
		slice := &sessionSlice{}
		if err := rows.Scan(&n, &slice.rows, &slice.garbage); err != nil {
			return nil, err
		}
		slices[n] = slice
	}
	return slices, rows.Err()
}

// compactSessions adds up the roll-up rows of the slice that needs it most, if one does.
func (s *Store) compactSessions(ctx context.Context) error {
	if n, due := s.writer.slices.due(); due {
		return s.compactSlice(ctx, n)
	}
	return nil
}

// sliceSQL selects the rows of a slice: those with a number from $1 up to, but not including, $2.
const sliceSQL = "session_no >= $1 AND session_no < $2"

func (s *Store) compactSlice(ctx context.Context, n int64) error {
	slice := s.writer.slices[n]
	slice.garbage = 0 // also when it fails: then it is due when as much was added again
	from, to := n<<sliceBits, (n+1)<<sliceBits
	var rows int64
	err := s.transaction(ctx, func() error {
		var err error
		_, rows, err = s.rewrite(ctx, "sessions", sliceSQL, `
			SELECT session_no, session_id, stored_day, first_seen, last_seen, exchanges, errors, environment,
				facts.version, facts.previous_id, facts."user", facts.roles, facts.ended_at, facts.ended_by,
				facts.expires_at, facts.idle_timeout, facts.identified_by, facts.origin, facts.confidence, refused
			FROM (SELECT session_no, any_value(session_id) AS session_id, max(stored_day) AS stored_day,
					min(first_seen) AS first_seen, max(last_seen) AS last_seen,
					sum(exchanges)::BIGINT AS exchanges, sum(errors)::BIGINT AS errors, sum(refused)::BIGINT AS refused, min(environment) AS environment,
					max_by({'version': version, 'previous_id': previous_id, 'user': "user", 'roles': roles,
						'ended_at': ended_at, 'ended_by': ended_by, 'expires_at': expires_at,
						'idle_timeout': idle_timeout, 'identified_by': identified_by, 'origin': origin,
						'confidence': confidence}, version) AS facts
				FROM sessions WHERE `+sliceSQL+` GROUP BY session_no)
			ORDER BY session_no`, from, to)
		if err != nil {
			return err
		}
		_, _, err = s.rewrite(ctx, "session_values", sliceSQL, `
			SELECT session_no, kind, value, sum(exchanges)::BIGINT FROM session_values WHERE `+sliceSQL+`
			GROUP BY session_no, kind, value ORDER BY session_no, kind, value`, from, to)
		return err
	})
	if err == nil {
		slice.rows = rows
	}
	return err
}
