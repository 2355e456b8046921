package duckdb

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/seshat-project/seshat/internal/store"
)

// What is in the tail is moved into the tables, in one transaction, when there is enough of it, when somebody reads, and
// when the store is closed.
const (
	// settleExchanges are enough for the cost of a transaction to be lost among them; they hold some 15 MB until then.
	settleExchanges = 8192
	// settleBytes bounds the same by its size, for batches of few exchanges with much state.
	settleBytes = 32 << 20
	// wholeExchanges is from how many exchanges on a batch goes into the tables at once.
	wholeExchanges = 4096
)

// tailSource is the name under which the table positions has the generation of the tail that was moved last.
const tailSource = "seshat/tail"

// position is where a writer is in one source.
type position struct {
	source string
	value  []byte
}

// openTail reads what was committed last and is not in the tables.
func (s *Store) openTail(ctx context.Context) error {
	value, err := s.storedPosition(ctx, tailSource)
	if err != nil {
		return err
	}
	settled := uint64(0)
	if len(value) == 8 {
		settled = binary.LittleEndian.Uint64(value)
	}
	s.tail, err = openTail(s.dir, settled, func(b *store.Batch) error {
		s.pending.add(b, s.now())
		return nil
	})
	if err != nil {
		return err
	}
	_, err = s.storedSpan(ctx) // while nobody writes: from here on it is kept by adding up
	return err
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, batch *store.Batch) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Load() {
		return errClosed()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	const op = "store a batch"
	whole := len(batch.Exchanges) >= s.whole
	if s.tailFull(batch) || whole {
		if err := s.settle(ctx); err != nil { // so that it cannot grow without end
			return s.operational(op, err)
		}
	}
	if whole {
		var positions []position
		if batch.Source != "" {
			positions = append(positions, position{batch.Source, bytes.Clone(batch.Position)})
		}
		return s.operational(op, s.commit(ctx, batch, positions))
	}
	if err := s.tail.append(batch); err != nil {
		return s.operational(op, err)
	}
	s.pending.add(batch, s.now())
	return nil
}

// tailFull reports whether the tail has to be settled before a batch: numbers are of one day, and so is what is settled.
func (s *Store) tailFull(batch *store.Batch) bool {
	p := &s.pending.batch // which only who holds write changes
	return len(p.Exchanges) >= settleExchanges || s.tail.size >= settleBytes ||
		!s.pending.empty() && !day(p.StoredAt).Equal(day(batch.StoredAt))
}

// settle moves what is in the tail into the tables. The caller holds write.
func (s *Store) settle(ctx context.Context) error {
	if s.pending.empty() {
		return nil
	}
	positions := []position{{tailSource, binary.LittleEndian.AppendUint64(nil, s.tail.generation)}}
	for source, value := range s.pending.positions {
		positions = append(positions, position{source, value})
	}
	if err := s.commit(ctx, &s.pending.batch, positions); err != nil {
		return err
	}
	s.pending.reset()
	if err := s.tail.begin(s.tail.generation + 1); err != nil {
		// What is in the file is in the tables, and known to be: the next append tries again.
		s.tail.size, s.tail.generation = 0, s.tail.generation+1
		s.logOnce(ctx, "the file of what was committed last could not be emptied", err)
	}
	return nil
}

// fresh makes what was committed visible to a reader. What cannot be moved into the tables, because the disk is full,
// is not lost: it stays in the tail, and readers see what there was before.
func (s *Store) fresh(ctx context.Context) error {
	if age := s.pending.age(s.now()); s.pending.empty() || age < s.staleness {
		return nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Load() {
		return errClosed()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		s.logOnce(ctx, "what was committed last cannot be shown yet", s.operational("store what was committed", err))
	}
	return nil
}

// storedPosition is the position of a source in the tables.
func (s *Store) storedPosition(ctx context.Context, source string) ([]byte, error) {
	var position []byte
	err := s.db.QueryRowContext(ctx, `SELECT (SELECT position FROM positions WHERE source = ? ORDER BY batch_no DESC LIMIT 1)`,
		store.Text(source)).Scan(&position)
	return position, err
}

// Position implements [store.Store].
func (s *Store) Position(ctx context.Context, source string) ([]byte, error) {
	if position, ok := s.pending.position(source); ok {
		return position, nil
	}
	position, err := s.storedPosition(ctx, source)
	return position, s.operational("read the position of "+source, err)
}
