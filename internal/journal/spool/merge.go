package spool

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat"
)

// fanIn is how many runs are merged at a time: each takes an open file and two blocks of memory (16 MB in all).
const fanIn = 64

// Merge calls yield for each observation, in order, with its key. The observation may be kept. An error of yield ends the
// merge and is returned as it is. Nothing can be added or merged again afterwards.
func (s *Spool) Merge(yield func(*seshat.Observation) error) error {
	for len(s.runs) > fanIn {
		if err := s.mergeRuns(); err != nil {
			return err
		}
	}
	s.sort()
	keys := keyGiver{}
	return s.merge(s.runs, true, func(k *key, encoded []byte) error {
		o, _, err := s.decoder.Decode(encoded)
		if err != nil {
			return s.failed(err)
		}
		o.Key = keys.give(k, o)
		return yield(o)
	})
}

// mergeRuns merges the oldest runs into one.
func (s *Spool) mergeRuns() error {
	old := s.runs[:fanIn]
	if err := s.writeRun(func(w *runWriter) error { return s.merge(old, false, w.write) }); err != nil {
		return err
	}
	s.runs = s.runs[fanIn:]
	return remove(old)
}

// cursor stands at one observation of a run.
type cursor interface {
	key() *key
	observation() []byte // encoded; it may be longer than the observation
	next() error         // io.EOF behind the last
}

// memoryCursor is the run in memory.
type memoryCursor struct {
	s *Spool
	i int
}

func (c *memoryCursor) key() *key           { return &c.s.entries[c.i].key }
func (c *memoryCursor) observation() []byte { return c.s.encoded(&c.s.entries[c.i]) }
func (c *memoryCursor) next() error {
	if c.i++; c.i >= len(c.s.entries) {
		return io.EOF
	}
	return nil
}

// merge merges the runs in files, and the one in memory where that is asked for.
func (s *Spool) merge(files []string, withMemory bool, give func(*key, []byte) error) (err error) {
	var heap cursorHeap
	if withMemory {
		if err := heap.add(&memoryCursor{s, -1}); err != nil {
			return err
		}
	}
	for _, name := range files {
		run, openErr := openRun(name)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, run.close()) }()
		if err := heap.add(run); err != nil {
			return err
		}
	}
	heap.order()
	for len(heap) > 0 {
		first := heap[0]
		if err := give(first.key(), first.observation()); err != nil {
			return err
		}
		switch err := first.next(); {
		case errors.Is(err, io.EOF):
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		case err != nil:
			return err
		}
		heap.sink(0)
	}
	return nil
}

// cursorHeap is a binary heap with the least key first. Unlike container/heap it replaces the first without
// removing and adding it: with input that is nearly in order, the same run stays first for long, at one or two comparisons.
type cursorHeap []cursor

// add adds a run at its first observation, unless it is empty.
func (h *cursorHeap) add(c cursor) error {
	err := c.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		*h = append(*h, c)
	}
	return err
}

func (h cursorHeap) order() {
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
}

func (h cursorHeap) sink(i int) {
	for {
		least := 2*i + 1
		if least >= len(h) {
			return
		}
		if right := least + 1; right < len(h) && h[right].key().compare(h[least].key()) < 0 {
			least = right
		}
		if h[i].key().compare(h[least].key()) <= 0 {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// keyGiver derives the keys of observations that come in order.
type keyGiver struct {
	seconds     int64
	nanoseconds uint32
	// seen counts the equal records of each source at the time in work.
	seen map[record]uint64
	text []byte
}

type record struct {
	content uint64
	source  uint32
}

// give derives the key of an observation from its own ID and time. One without an ID gets it from its content and from
// how many equal ones its source had before it at that time: the same file twice has the same keys, and equal lines
// of one file have different ones. The kind of key is part of it, so that the two never meet.
func (g *keyGiver) give(k *key, o *seshat.Observation) seshat.ExchangeKey {
	if o.ID != "" {
		g.text = append(append(g.text[:0], 'i'), o.ID...)
		g.text = binary.LittleEndian.AppendUint64(g.text, uint64(k.seconds)) //nolint:gosec // any 64 bits do
		g.text = binary.LittleEndian.AppendUint32(g.text, k.nanoseconds)
		return seshat.ExchangeKey(xxh3.Hash(g.text))
	}
	if g.seen == nil || k.seconds != g.seconds || k.nanoseconds != g.nanoseconds {
		g.seconds, g.nanoseconds = k.seconds, k.nanoseconds
		if len(g.seen) > 1<<10 {
			g.seen = nil // clearing a map costs what it has grown to
		}
		if g.seen == nil {
			g.seen = make(map[record]uint64)
		}
		clear(g.seen)
	}
	r := record{k.content, k.source}
	occurrence := g.seen[r]
	g.seen[r]++
	g.text = append(g.text[:0], 'c')
	g.text = binary.LittleEndian.AppendUint64(g.text, k.content)
	g.text = binary.LittleEndian.AppendUint64(g.text, occurrence)
	return seshat.ExchangeKey(xxh3.Hash(g.text))
}
