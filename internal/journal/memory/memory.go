// Package memory keeps a journal in memory: the twin that says what the engines have to do. It is for tests, and for
// processes whose journal may be lost.
package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
)

// ErrClosed is returned by calls after Close.
var ErrClosed = errors.New("the journal is closed")

// remembered is how long the id of an entry is known, as the contract says.
const remembered = 2 * time.Minute

// Options bound a log.
type Options struct {
	// MaxBytes is how much data the log takes; 0 is no bound.
	MaxBytes int64
	// DropOldest makes room by removing the oldest entries, in place of taking no more.
	DropOldest bool
	// Now is the clock by which ids are forgotten; time.Now when nil.
	Now func() time.Time
}

// Log implements [journal.Log].
type Log struct {
	options Options

	mu      sync.Mutex
	entries []entry // without gaps in their sequences
	last    journal.Sequence
	bytes   int64
	ids     map[string]entryID
	// readers are those that wait; their channels are closed when an entry is added or the log is closed.
	readers map[chan struct{}]struct{}
	closed  bool
}

type entry struct {
	sequence journal.Sequence
	data     []byte
}

type entryID struct {
	sequence journal.Sequence
	at       time.Time
}

var _ journal.Log = (*Log)(nil)

// New returns an empty log.
func New(o Options) *Log {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Log{options: o, ids: map[string]entryID{}, readers: map[chan struct{}]struct{}{}}
}

// Append implements [journal.Log].
func (l *Log) Append(ctx context.Context, id string, data []byte) (journal.Sequence, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(data) > journal.MaxEntry {
		return 0, fmt.Errorf("append %d bytes: an entry has at most %d", len(data), journal.MaxEntry)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, ErrClosed
	}
	now := l.options.Now()
	if known, ok := l.ids[id]; ok && id != "" && now.Sub(known.at) < remembered {
		return known.sequence, nil
	}
	size := int64(len(data))
	if most := l.options.MaxBytes; most > 0 && l.bytes+size > most {
		if !l.options.DropOldest || size > most {
			return 0, journal.ErrFull
		}
		for l.bytes+size > most {
			l.drop(1)
		}
	}
	l.last++
	l.entries = append(l.entries, entry{l.last, bytes.Clone(data)})
	l.bytes += size
	if id != "" {
		for old, known := range l.ids {
			if now.Sub(known.at) >= remembered {
				delete(l.ids, old)
			}
		}
		l.ids[id] = entryID{l.last, now}
	}
	l.tell()
	return l.last, nil
}

func (l *Log) tell() {
	for grown := range l.readers {
		close(grown)
	}
	clear(l.readers)
}

func (l *Log) drop(n int) {
	for i := range n {
		l.bytes -= int64(len(l.entries[i].data))
	}
	l.entries = l.entries[n:]
}

// Read implements [journal.Log].
func (l *Log) Read(ctx context.Context, after journal.Sequence, f func(journal.Sequence, []byte) error) error {
	for {
		found, grown, err := l.next(after)
		switch {
		case ctx.Err() != nil && found.sequence != 0:
			return ctx.Err()
		case err != nil:
			return err
		case found.sequence != 0:
			if err := f(found.sequence, found.data); err != nil {
				return err
			}
			after = found.sequence
			continue
		}
		select {
		case <-grown:
		case <-ctx.Done():
			l.mu.Lock()
			delete(l.readers, grown)
			l.mu.Unlock()
			return ctx.Err()
		}
	}
}

// next returns the first entry after a sequence, if there is one, and what tells of new ones.
func (l *Log) next(after journal.Sequence) (entry, chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return entry{}, nil, ErrClosed
	}
	if n := len(l.entries); n > 0 && l.entries[n-1].sequence > after {
		at := 0
		if first := l.entries[0].sequence; after >= first {
			at = int(after - first + 1)
		}
		return l.entries[at], nil, nil
	}
	grown := make(chan struct{})
	l.readers[grown] = struct{}{}
	return entry{}, grown, nil
}

// Last implements [journal.Log].
func (l *Log) Last(ctx context.Context) (journal.Sequence, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, ErrClosed
	}
	return l.last, nil
}

// Trim implements [journal.Log].
func (l *Log) Trim(ctx context.Context, upTo journal.Sequence) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	n := 0
	for n < len(l.entries) && l.entries[n].sequence <= upTo {
		n++
	}
	l.drop(n)
	return nil
}

// Len is how many entries the log holds.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Close implements [journal.Log].
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.tell()
	}
	return nil
}
