package duckdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"hash/maphash"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// addState appends the changed state. The newest row of a key counts; one without a value deletes it.
func (w *writer) addState(b *bulk, records []store.StateRecord) {
	if len(records) == 0 {
		return
	}
	a := b.appender("state")
	if a == nil {
		return
	}
	// Of several records of one key the last counts, and only one row of a batch may have it.
	last := make(map[seshat.Digest]int, len(records))
	for i := range records {
		last[records[i].Key] = i
	}
	for i := range records {
		r := &records[i]
		if last[r.Key] != i {
			continue
		}
		var value any
		if r.Value != nil {
			value = r.Value
		}
		// A key that was there before makes the row before it garbage, and so is a row that deletes.
		if w.states.mayHave(r.Key) {
			w.garbage.state++
		}
		if value == nil {
			w.garbage.state++
		} else {
			w.states.add(r.Key)
		}
		b.append(a, engineUUID(r.Key), w.batch, w.day, value)
	}
	w.rows.state += int64(len(last))
}

// LoadState implements [store.Store].
func (s *Store) LoadState(ctx context.Context, keys []seshat.Digest) (map[seshat.Digest][]byte, error) {
	s.write.Lock()
	if s.closed {
		s.write.Unlock()
		return nil, errClosed()
	}
	wanted := make([]seshat.Digest, 0, len(keys))
	for _, key := range keys {
		if s.writer.states.mayHave(key) {
			wanted = append(wanted, key)
		}
	}
	s.write.Unlock()
	found := make(map[seshat.Digest][]byte, len(wanted))
	if len(wanted) == 0 {
		return found, nil
	}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var key seshat.Digest
		var value []byte
		if err := rows.Scan(scanUUID(&key), &value); err != nil {
			return err
		}
		found[key] = value
		return nil
	}, `SELECT key, newest.value FROM (
			SELECT key, max_by({'value': value}, batch_no) AS newest FROM state
			WHERE key IN (SELECT unnest(string_split(?, ','))::UUID) GROUP BY key)
		WHERE newest.value IS NOT NULL`, uuidList(wanted))
	return found, s.operational("load the state of correlation", err)
}

// stateFilter is a Bloom filter over the keys that have state: most keys that correlation asks for are new, and the
// table need not be read to say so. Keys are never taken out; the next opening starts afresh.
type stateFilter struct {
	seed  maphash.Seed
	bits  []uint64
	count int
}

// Size of the filter: with stateFilterBits bits a key and stateFilterProbes probes, one of a hundred keys that have
// no state is looked for in the table. When more keys come than it was made for, it is still correct, and slower.
const (
	stateFilterBits   = 10
	stateFilterProbes = 7
	stateFilterLeast  = 1 << 20 // keys; 1.25 MB
)

func newStateFilter(keys int64) *stateFilter {
	bits := max(2*keys, stateFilterLeast) * stateFilterBits
	return &stateFilter{seed: maphash.MakeSeed(), bits: make([]uint64, (bits+63)/64)}
}

func loadStateFilter(ctx context.Context, conn *sql.Conn, rows int64) (*stateFilter, error) {
	f := newStateFilter(rows)
	if rows == 0 {
		return f, nil
	}
	result, err := conn.QueryContext(ctx, "SELECT DISTINCT key FROM state WHERE value IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer func() { _ = result.Close() }()
	var key seshat.Digest
	scan := scanUUID(&key)
	for result.Next() {
		if err := result.Scan(scan); err != nil {
			return nil, err
		}
		f.add(key)
	}
	return f, result.Err()
}

// probes calls each with the place of every bit of key until it returns false.
func (f *stateFilter) probes(key seshat.Digest, each func(word, mask uint64) bool) bool {
	h := maphash.Bytes(f.seed, key[:])
	step := binary.LittleEndian.Uint64(key[8:]) | 1
	n := uint64(len(f.bits)) * 64
	for range stateFilterProbes {
		at := h % n
		if !each(at/64, 1<<(at%64)) {
			return false
		}
		h += step
	}
	return true
}

func (f *stateFilter) add(key seshat.Digest) {
	f.probes(key, func(word, mask uint64) bool {
		f.bits[word] |= mask
		return true
	})
	f.count++
}

func (f *stateFilter) mayHave(key seshat.Digest) bool {
	return f.count > 0 && f.probes(key, func(word, mask uint64) bool { return f.bits[word]&mask != 0 })
}
