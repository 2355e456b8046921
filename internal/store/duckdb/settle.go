package duckdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/seshat-project/seshat/internal/store"
)

// What is in the tail is moved into the tables, in one transaction, when there is enough of it, when somebody reads, and
// when the store is closed.
const (
	// settleExchanges are enough for the cost of a transaction to be lost among them; they hold some 25 MB until then.
	settleExchanges = 16384
	// settleBytes bounds the same by its size, for batches of few exchanges with much state.
	settleBytes = 32 << 20
	// carriedState and carriedBytes are how much of the state of correlation stays in the tail when the rest is moved into
	// the tables. That of clients that are there right now changes with every batch: it is written to the tables once
	// and not a hundred times. It takes some 10 MB of memory, and a megabyte or two of each generation of the file.
	carriedState = 30_000
	carriedBytes = 4 << 20
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
	// What is settled is of one day, as numbers are. A batch that goes into the tables at once comes behind all the rest.
	if all := whole || !s.pending.empty() && !day(s.pending.batch.StoredAt).Equal(day(batch.StoredAt)); all || s.tailFull() {
		if err := s.settle(ctx, all); err != nil { // so that it cannot grow without end
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

// tailFull reports whether there is enough to be moved into the tables.
func (s *Store) tailFull() bool {
	return len(s.pending.batch.Exchanges) >= settleExchanges || s.tail.file.size >= settleBytes
}

// settle moves what is in the tail into the tables; the state of correlation with it if all is to go, or if there is much
// of it. The caller holds write.
func (s *Store) settle(ctx context.Context, all bool) error {
	p := s.pending
	if p.empty() || p.settled() && !all && s.tail.file.size < settleBytes {
		return nil
	}
	batch := p.batch // which only who holds write changes
	keep := !all && len(batch.State) <= carriedState && p.stateBytes <= carriedBytes
	var carried *store.Batch
	if keep {
		carried = p.carried(s.states)
		batch.State = nil
	}
	if err := s.tail.prepare(carried); err != nil {
		return err
	}
	positions := []position{{tailSource, binary.LittleEndian.AppendUint64(nil, s.tail.file.generation)}}
	for source, value := range p.positions {
		positions = append(positions, position{source, value})
	}
	if err := s.commit(ctx, &batch, positions); err != nil {
		return errors.Join(err, s.tail.discard())
	}
	p.reset(keep)
	if err := s.tail.adopt(); err != nil { // the next append tries again
		s.logOnce(ctx, "the file of what was committed last could not be replaced", err)
	}
	return nil
}

// fresh makes what was committed visible to a reader. What cannot be moved into the tables, because the disk is full,
// is not lost: it stays in the tail, and readers see what there was before.
func (s *Store) fresh(ctx context.Context) error {
	if age := s.pending.age(s.now()); s.pending.settled() || age < s.staleness {
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
	if err := s.settle(ctx, false); err != nil {
		s.logOnce(ctx, "what was committed last cannot be shown yet", s.operational("store what was committed", err))
	}
	return nil
}

// storedPosition is the position of a source in the tables.
func (s *Store) storedPosition(ctx context.Context, source string) ([]byte, error) {
	var position []byte
	err := s.queryRow(ctx, []any{&position}, `SELECT (SELECT position FROM positions WHERE source = ? ORDER BY batch_no DESC LIMIT 1)`,
		store.Text(source))
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
