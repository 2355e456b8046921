package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"

	"github.com/seshat-project/seshat"
)

// stateRound is a walk over all state, slice by slice of its keys, which drops what newer state replaced.
type stateRound struct {
	slice  uint64 // the next one
	bits   int    // there are 2^bits slices, told apart by the first bits of the key
	filter *stateFilter
}

const (
	// A round is due when half of the rows could go, but not for less than stateGarbage.
	stateGarbage = 100_000
	// stateSlice is about how many rows a slice has; with some 100 bytes a row it takes 10 MB while it is in work.
	stateSlice = 100_000
)

// compactState does one slice of the round, and begins one where it is due.
func (s *Store) compactState(ctx context.Context) error {
	w := s.writer
	if w.round == nil {
		if w.garbage < max(stateGarbage, w.stateRows/2) {
			return nil
		}
		w.garbage = 0                                                                                                      // what comes from now on counts for the next round
		w.round = &stateRound{bits: bits.Len64(uint64(w.stateRows / stateSlice)), filter: newStateFilter(w.stateRows / 2)} //nolint:gosec // not negative
	}
	err := s.compactStateSlice(ctx, w.round)
	if err != nil || w.round.done() {
		if err == nil {
			w.states.replace(w.round.filter)
		}
		w.round = nil
	}
	return err
}

func (r *stateRound) done() bool { return r.slice == 1<<r.bits }

// uuidSlice is the least and the greatest value of a slice of all 128-bit values, of which there are 2^bits.
func uuidSlice(slice uint64, bits int) (low, high seshat.Digest) {
	for i := range high {
		high[i] = 0xff
	}
	for i := range bits {
		bit := byte(0x80) >> (i % 8)
		if slice>>(bits-1-i)&1 == 1 {
			low[i/8] |= bit
		} else {
			high[i/8] &^= bit
		}
	}
	return low, high
}

func (s *Store) compactStateSlice(ctx context.Context, r *stateRound) error {
	const within = "key BETWEEN $1::UUID AND $2::UUID"
	low, high := uuidSlice(r.slice, r.bits)
	last := r.slice+1 == 1<<r.bits
	var before, after int64
	err := s.transaction(ctx, func() error {
		var err error
		before, after, err = s.rewrite(ctx, "state", within, `
			SELECT key, batch_no, stored_day, value FROM state WHERE `+within+`
			QUALIFY row_number() OVER (PARTITION BY key ORDER BY batch_no DESC) = 1 AND value IS NOT NULL
			ORDER BY key`, uuidText(low), uuidText(high))
		if err != nil {
			return err
		}
		if err := readKeys(ctx, s.conn, "SELECT key FROM rewritten", r.filter); err != nil || !last {
			return err
		}
		_, _, err = s.rewrite(ctx, "positions", "true", `
			SELECT source, max(batch_no), max_by(position, batch_no) FROM positions GROUP BY source`)
		return err
	})
	if err != nil {
		return err
	}
	s.writer.stateRows += after - before
	r.slice++
	return nil
}

// readKeys adds the keys that a query yields to a filter.
func readKeys(ctx context.Context, conn *sql.Conn, query string, filter *stateFilter) (err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var key seshat.Digest
	scan := scanUUID(&key)
	for rows.Next() {
		if err := rows.Scan(scan); err != nil {
			return err
		}
		filter.add(key)
	}
	return rows.Err()
}
