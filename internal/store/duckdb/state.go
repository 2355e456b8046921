package duckdb

import (
	"context"
	"database/sql"

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
		there := w.states.mayHave(r.Key)
		switch {
		case r.Value == nil && !there:
			continue // there is nothing to delete
		case r.Value == nil:
			w.garbage += 2 // the row that deletes, and the one that it deletes
			b.append(a, engineUUID(r.Key), w.batch, w.day, nil)
		default:
			if there {
				w.garbage++ // the row before it
			} else {
				w.states.add(r.Key)
			}
			if w.round != nil {
				w.round.filter.add(r.Key)
			}
			b.append(a, engineUUID(r.Key), w.batch, w.day, r.Value)
		}
		w.stateRows++
	}
}

// LoadState implements [store.Store].
func (s *Store) LoadState(ctx context.Context, keys []seshat.Digest) (map[seshat.Digest][]byte, error) {
	if s.closed.Load() {
		return nil, errClosed()
	}
	found := make(map[seshat.Digest][]byte)
	wanted := s.states.choose(s.pending.loadState(keys, found))
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
