package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/journal"
)

// position is an entry of the journal, and what is in it: a journal that lost its end, by a power failure, has others under
// the same sequences.
type position struct {
	sequence       journal.Sequence
	source, number uint64
}

// positionVersion is the version of the position in the store; see docs/formats/journal.md.
const positionVersion = 1

const trimTimeout = 5 * time.Second

var errBadPosition = errors.New("the position in the journal cannot be read")

// low is the oldest entry of which something is not on its way to the store.
func (rec *recording) low() journal.Sequence {
	if oldest := rec.window.Oldest(); oldest != 0 {
		return journal.Sequence(oldest)
	}
	return rec.high.sequence + 1
}

// cut is the position of the transaction that is made now, and what follows when it is written.
func (rec *recording) cut() ([]byte, func(context.Context)) {
	low, high, began := rec.low(), rec.high.sequence, rec.began
	out := []byte{positionVersion}
	out = binary.AppendUvarint(out, uint64(low))
	out = binary.AppendUvarint(out, uint64(high))
	out = binary.AppendUvarint(out, rec.high.source)
	out = binary.AppendUvarint(out, rec.high.number)
	out = rec.window.AppendState(out)
	rec.marked = high
	rec.begun = append(rec.begun, low-1)
	var done journal.Sequence
	if time.Since(rec.trimmed) >= rec.config.TrimEvery {
		rec.trimmed = time.Now()
		done = min(low-1, max(high, 1)-1) // the last entry stays, to be known again
	}
	return out, func(ctx context.Context) {
		rec.mu.Lock()
		rec.stats.LastCommit = time.Since(began)
		rec.mu.Unlock()
		if done > 0 {
			rec.trim(ctx, done)
		}
	}
}

func (rec *recording) trim(ctx context.Context, upTo journal.Sequence) {
	ctx, cancel := context.WithTimeout(ctx, trimTimeout)
	defer cancel()
	if err := rec.log.Trim(ctx, upTo); err != nil && ctx.Err() == nil {
		rec.config.Logger.Warn("the journal could not be trimmed", "error", err) // the next time it is trimmed further
	}
}

// savedPosition is a position as it was stored.
type savedPosition struct {
	low    journal.Sequence
	high   position
	window []byte
}

func parsePosition(saved []byte) (p savedPosition, err error) {
	if len(saved) == 0 || saved[0] != positionVersion {
		return p, errBadPosition
	}
	saved = saved[1:]
	var fields [4]uint64
	for i := range fields {
		n, size := binary.Uvarint(saved)
		if size <= 0 {
			return p, errBadPosition
		}
		fields[i], saved = n, saved[size:]
	}
	p.low, p.high = journal.Sequence(fields[0]), position{journal.Sequence(fields[1]), fields[2], fields[3]}
	p.window = saved
	return p, nil
}

// restore goes on from a position: it reads the entries of which something waited once more, and leaves out what is stored.
func (rec *recording) restore(ctx context.Context, saved []byte) error {
	p, err := parsePosition(saved)
	if err == nil {
		err = rec.window.RestoreState(p.window)
	}
	if err != nil {
		return &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "go on with the journal", Err: err,
			Hint: "the data directory was damaged or written by a newer version",
		}
	}
	last, err := rec.last(ctx)
	if err != nil {
		return err
	}
	held, found, err := rec.reread(ctx, &p, last)
	if err != nil {
		return err
	}
	if !found {
		// It lost its end, by a power failure, or was replaced: what it has now under known sequences may be new.
		rec.config.Logger.Warn("the journal is not the one that was read; it is read from its beginning, and what is stored is left out",
			"read", p.high.sequence, "entries", last)
		rec.window = correlate.NewWindow(rec.using.lateness)
		rec.checked = last
		return nil
	}
	for chunk := range slices.Chunk(held, batchSize) {
		known, err := rec.known(ctx, chunk)
		if err != nil {
			return err
		}
		for i := range chunk {
			if !known[i] {
				rec.window.Hold(&chunk[i])
			}
		}
	}
	rec.high, rec.marked = p.high, p.high.sequence
	rec.settled(rec.low() - 1)
	return nil
}

// rereadTimeout is how long the journal may take to give the entries of which something waited: some ten seconds of traffic.
const rereadTimeout = 30 * time.Second

// reread returns the exchanges of the entries of which something waited. It reports whether the last of them is the one
// that was read before.
func (rec *recording) reread(ctx context.Context, p *savedPosition, last journal.Sequence) (held []correlate.Item, found bool, err error) {
	if p.high.sequence == 0 {
		return nil, true, nil
	}
	if last < p.high.sequence {
		return nil, false, nil
	}
	reading, cancel := context.WithTimeout(ctx, rereadTimeout)
	defer cancel()
	decoder := journal.NewDecoder()
	enough := errors.New("enough")
	seen := map[seshat.ExchangeKey]struct{}{} // a batch may be there twice
	err = rec.log.Read(reading, min(p.low, p.high.sequence)-1, func(sequence journal.Sequence, data []byte) error {
		at := position{sequence: sequence}
		if e := decode(decoder, sequence, data); e.batch != nil {
			at.source, at.number = e.batch.Source, e.batch.Number
			for _, o := range e.batch.Observations {
				if _, twice := seen[o.Key]; !twice {
					seen[o.Key] = struct{}{}
					held = append(held, correlate.Item{Time: o.Time, Sequence: uint64(sequence), Observation: o})
				}
			}
		}
		if sequence < p.high.sequence {
			return nil
		}
		found = at == p.high
		return enough
	})
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	if !errors.Is(err, enough) && !errors.Is(err, context.DeadlineExceeded) {
		return nil, false, err
	}
	return held, found, nil
}

// known returns which exchanges are stored.
func (rec *recording) known(ctx context.Context, items []correlate.Item) ([]bool, error) {
	keys := make([]seshat.ExchangeKey, len(items))
	times := make([]time.Time, len(items))
	for i := range items {
		keys[i], times[i] = items[i].Observation.Key, items[i].Time
	}
	return rec.store.Known(ctx, keys, times)
}

// leaveOutKnown removes the exchanges that are stored from a batch.
func (rec *recording) leaveOutKnown(ctx context.Context, b *journal.Batch) error {
	items := make([]correlate.Item, len(b.Observations))
	for i, o := range b.Observations {
		items[i] = correlate.Item{Time: o.Time, Observation: o}
	}
	known, err := rec.known(ctx, items)
	if err != nil {
		return err
	}
	fresh := b.Observations[:0]
	for i, o := range b.Observations {
		if !known[i] {
			fresh = append(fresh, o)
		}
	}
	rec.mu.Lock()
	rec.stats.Duplicates += int64(len(known) - len(fresh))
	rec.mu.Unlock()
	b.Observations = fresh
	return nil
}

// last is the newest entry of the journal, however long it takes to say so.
func (rec *recording) last(ctx context.Context) (journal.Sequence, error) {
	pause := firstRetry
	for {
		last, err := rec.log.Last(ctx)
		if err == nil {
			rec.worked("the journal")
			return last, nil
		}
		if ctx.Err() == nil {
			rec.failed("the journal", err)
		}
		if !sleep(ctx, pause) {
			return 0, ctx.Err()
		}
		pause = min(2*pause, lastRetry)
	}
}
