package live

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
)

// The bounds of a [Feed].
const (
	// maxKept is how many of the newest exchanges can be read, and read again after a connection broke: some batches of the
	// recorder, which has up to 8192 in one, so that a reader that is on time has them all. It is three seconds of 10,000
	// exchanges a second, and five minutes of 100. The ring itself has 1 MB.
	maxKept = 1 << 15
	// maxKeptBytes is what these exchanges may have in memory: 1 KB each are usual.
	maxKeptBytes = 32 << 20
	// maxQueued is how many exchanges wait to be worked on. More come only if the process hardly runs at all; they are
	// counted as left out.
	maxQueued = 4 << 13
	// linger is for how long exchanges are kept after the last one who followed has gone: who lost the connection comes
	// back within that, and nobody else needs them.
	linger = 2 * time.Minute
)

// Feed gives what was committed to those who follow. It is safe for concurrent use.
type Feed struct {
	run     string // tells the positions of this run from those of another
	now     func() time.Time
	done    chan struct{}
	closing sync.Once

	incoming struct {
		sync.Mutex
		batches []batch
		queued  int    // exchanges in batches
		next    uint64 // number of the next exchange
		working bool   // a goroutine takes batches
	}

	mu    sync.Mutex
	rates *Rates
	// kept are the exchanges numbered from first to before next, each at its number modulo the size; nil while nobody
	// follows.
	kept        []seshat.Assigned
	first, next uint64
	bytes       int
	subscribers map[*Subscription]struct{}
	left        time.Time // when the last one who followed has gone
}

// batch is what was committed together.
type batch struct {
	first     uint64 // the number of its first exchange
	exchanges []seshat.Assigned
	events    []seshat.Event
}

// NewFeed returns a feed that follows nothing yet. Now is its clock; time.Now when nil.
func NewFeed(now func() time.Time) *Feed {
	if now == nil {
		now = time.Now
	}
	f := &Feed{
		run: newRun(), now: now, done: make(chan struct{}), rates: NewRates(now()), first: 1, next: 1,
		subscribers: map[*Subscription]struct{}{},
	}
	f.incoming.next = 1
	return f
}

// Publish gives a batch to those who follow. It never waits for them. What it gets must not be changed any more; it is a
// pipeline.Committed.
func (f *Feed) Publish(exchanges []seshat.Assigned, events []seshat.Event) {
	in := &f.incoming
	in.Lock()
	defer in.Unlock()
	first := in.next
	in.next += uint64(len(exchanges))
	if in.queued > 0 && in.queued+len(exchanges) > maxQueued {
		return // the gap in the numbers tells
	}
	in.batches = append(in.batches, batch{first, exchanges, events})
	in.queued += len(exchanges)
	if !in.working {
		in.working = true
		go f.work()
	}
}

// work takes what was published, until there is no more.
func (f *Feed) work() {
	in := &f.incoming
	for {
		in.Lock()
		if len(in.batches) == 0 {
			in.batches, in.working = nil, false
			in.Unlock()
			return
		}
		b := in.batches[0]
		in.batches[0] = batch{}
		in.batches = in.batches[1:]
		in.queued -= len(b.exchanges)
		in.Unlock()
		f.take(&b)
	}
}

// take takes one batch in.
func (f *Feed) take(b *batch) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if missed := b.first - f.next; missed > 0 {
		f.rates.Missed(missed)
		f.forget()
		f.first, f.next = b.first, b.first
	}
	f.rates.Add(now, b.exchanges, b.events)
	if len(f.subscribers) == 0 && (f.kept == nil || now.Sub(f.left) > linger) {
		f.kept = nil
		f.next += uint64(len(b.exchanges))
		f.first, f.bytes = f.next, 0
		return
	}
	for i := range b.exchanges {
		f.keep(&b.exchanges[i])
	}
	for s := range f.subscribers {
		s.wake()
	}
}

// keep puts an exchange into the ring, in the place of the oldest when it is full.
func (f *Feed) keep(x *seshat.Assigned) {
	f.bytes += weight(x.Observation)
	if f.next-f.first == maxKept {
		f.drop()
	}
	for f.bytes > maxKeptBytes && f.next > f.first {
		f.drop()
	}
	f.kept[f.next%maxKept] = *x
	f.next++
}

// drop drops the oldest exchange of the ring.
func (f *Feed) drop() {
	oldest := &f.kept[f.first%maxKept]
	f.bytes -= weight(oldest.Observation)
	*oldest = seshat.Assigned{}
	f.first++
}

// forget empties the ring.
func (f *Feed) forget() {
	clear(f.kept)
	f.first, f.bytes = f.next, 0
}

// weight is about what an observation has in memory, in bytes.
func weight(o *seshat.Observation) int {
	const fixed, perID, perParameter = 480, 320, 96 // their structs, and the texts that most have
	return fixed + len(o.Path) + len(o.Endpoint) + len(o.UserAgent) + len(o.Host) + len(o.ID) + perID*len(o.IDs) + parametersWeight(o) +
		perParameter*len(o.Parameters)
}

func parametersWeight(o *seshat.Observation) int {
	n := 0
	for i := range o.Parameters {
		n += len(o.Parameters[i].Value)
	}
	return n
}

// Rates returns what the last quarter of an hour adds up to, in steps of some seconds; see [Rates.Snapshot].
func (f *Feed) Rates(ask Ask) *Snapshot {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.rates.Snapshot(now, ask)
	out.Position = Position{f.run, f.next}
	return out
}

// Began is when counting began.
func (f *Feed) Began() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rates.began
}

// Acting returns what limits and other rules did; see [Rates.Acting].
func (f *Feed) Acting() []Acting {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rates.Acting(now)
}

// Done is closed when the feed ends: those who follow end too.
func (f *Feed) Done() <-chan struct{} { return f.done }

// Close ends those who follow. What is published afterwards counts in the rates.
func (f *Feed) Close() { f.closing.Do(func() { close(f.done) }) }

// newRun names a run: a start of the process.
func newRun() string {
	var b [runBytes]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
