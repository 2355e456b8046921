package duckdb

import (
	"context"
	"database/sql"
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
		there := w.states.mayHave(r.Key)
		if there {
			w.garbage.state++
		}
		switch {
		case value == nil:
			w.garbage.state++
		case !there:
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
	// Which row of a key is the newest is found here: grouping a few rows costs the engine more than handing them over.
	newest := make(map[seshat.Digest]int64, len(wanted))
	var key seshat.Digest
	var batch int64
	scanKey := scanUUID(&key)
	err := s.query(ctx, func(rows *sql.Rows) error {
		var value []byte
		if err := rows.Scan(scanKey, &batch, &value); err != nil {
			return err
		}
		if before, ok := newest[key]; ok && before > batch {
			return nil
		}
		newest[key] = batch
		delete(found, key)
		if value != nil {
			found[key] = value
		}
		return nil
	}, `SELECT key, batch_no, value FROM state WHERE key IN (SELECT unnest(string_split(?, ','))::UUID)`, uuidList(wanted))
	return found, s.operational("load the state of correlation", err)
}

// stateFilter says which keys may have state: most keys that correlation asks for are new, and the table need not be
// read to say so. It is a list of Bloom filters, each made for twice as many keys as the one before. Keys are never
// taken out; the next opening starts afresh.
type stateFilter struct {
	seed    maphash.Seed
	filters []bloomFilter
}

type bloomFilter struct {
	bits        []uint64
	keys, holds int
}

// Size of a filter: with bloomBits bits a key and bloomProbes probes, one of 150,000 keys that have no state is looked
// for in vain, so that a batch of new keys mostly asks nothing.
const (
	bloomBits   = 32
	bloomProbes = 8
	bloomLeast  = 1 << 18 // keys; 1 MB
)

func newStateFilter(keys int) *stateFilter {
	f := &stateFilter{seed: maphash.MakeSeed()}
	f.extend(max(2*keys, bloomLeast))
	return f
}

func (f *stateFilter) extend(keys int) {
	f.filters = append(f.filters, bloomFilter{bits: make([]uint64, (keys*bloomBits+63)/64), holds: keys})
}

func loadStateFilter(ctx context.Context, conn *sql.Conn, rows int64) (*stateFilter, error) {
	f := newStateFilter(int(rows))
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

// add adds a key that the filter does not have.
func (f *stateFilter) add(key seshat.Digest) {
	last := &f.filters[len(f.filters)-1]
	if last.keys >= last.holds {
		f.extend(2 * last.holds)
		last = &f.filters[len(f.filters)-1]
	}
	last.keys++
	f.probe(last, key, func(word *uint64, mask uint64) bool {
		*word |= mask
		return true
	})
}

func (f *stateFilter) mayHave(key seshat.Digest) bool {
	for i := range f.filters {
		filter := &f.filters[i]
		if filter.keys > 0 && f.probe(filter, key, func(word *uint64, mask uint64) bool { return *word&mask != 0 }) {
			return true
		}
	}
	return false
}

// probe calls each with the place of every bit of key until it returns false.
func (f *stateFilter) probe(filter *bloomFilter, key seshat.Digest, each func(word *uint64, mask uint64) bool) bool {
	h := maphash.Bytes(f.seed, key[:])
	step := h>>32 | h<<32 | 1
	n := uint64(len(filter.bits)) * 64
	for range bloomProbes {
		at := h % n
		if !each(&filter.bits[at/64], 1<<(at%64)) {
			return false
		}
		h += step
	}
	return true
}
