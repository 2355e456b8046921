package pipeline

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/journal"
)

// Defaults and bounds of [PublisherConfig].
const (
	// defaultMaxBatchBytes is when a batch is complete before its time: appending costs the same up to here, and an entry
	// of the log has a bound.
	defaultMaxBatchBytes = 256 << 10
	// defaultMaxDelay is how long the first exchange of a batch waits for others: at 3,000 a second, 150 share the cost
	// of one entry, and nobody who looks at sessions sees the delay.
	defaultMaxDelay = 50 * time.Millisecond
	// groupDelay is the same where answers wait for the journal.
	groupDelay = 2 * time.Millisecond
	// defaultMaxQueueBytes is how much waits while the log is slow: some forty seconds of 3,000 exchanges a second.
	defaultMaxQueueBytes = 64 << 20
)

// PublisherConfig says how exchanges get into the journal.
type PublisherConfig struct {
	// Source identifies this process; see [journal.NewSource].
	Source uint64
	// MaxBatchBytes is when a batch is complete; 256 KiB when it is 0.
	MaxBatchBytes int
	// MaxDelay is how long an exchange waits for its batch to be complete; 50 ms when it is 0. With FailClosed it is at
	// most 2 ms.
	MaxDelay time.Duration
	// MaxQueueBytes bounds what waits for the log; 64 MiB when it is 0. What comes beyond it is dropped and counted.
	MaxQueueBytes int
	// Hold is for how long an exchange that goes on keeps those that started after it waiting, so that they can be put in
	// order; the default lateness of correlation when it is 0.
	Hold time.Duration
	// FailClosed makes Append wait until the exchange is in the log, and fail when it does not get there.
	FailClosed bool
	// Acknowledged is called, when it is set, for each batch that is in the log, with how long that took.
	Acknowledged func(took time.Duration, exchanges int)
	// Now is the clock of the exchanges; time.Now when nil.
	Now func() time.Time
}

// Publisher puts observations into the journal, in batches. It is safe for concurrent use; [Publisher.Run] must run.
//
// A source tells the others what they need not wait for: each batch says from when on its later exchanges start. Between
// batches it says so again only where somebody may be waiting: once what was appended last can be overtaken by nothing
// any more; at most once a second while an exchange is on its way; and a last time, that nobody need wait for it, after
// it has had nothing to do for 300 ms. When the first exchange after that begins, it says that it is back.
type Publisher struct {
	log    journal.Log
	config PublisherConfig
	base   uint64 // of the keys
	keys   atomic.Uint64
	begun  inFlight
	// away says that the others were told not to wait, and returned that they must be told otherwise.
	away, returned atomic.Bool
	wake           chan struct{}
	packed         []byte // the batch that is being sent; of the goroutine that sends

	mu      sync.Mutex
	filling *outgoing   // nil when nothing was added since the last cut
	ready   []*outgoing // complete ones, in order
	newest  *outgoing   // the one that was completed last
	queued  int         // bytes in filling, ready and the one that is being sent
	spare   []*journal.Writer
	number  uint64 // of the batch that was completed last
	told    int64  // the watermark of the batch that was completed last, in nanoseconds
	latest  int64  // the time of the newest exchange that was appended, in nanoseconds
	active  time.Time
	spoke   time.Time // when a batch was completed last
	closed  bool
	stats   PublisherStats
}

// PublisherStats are what a publisher has done so far.
type PublisherStats struct {
	Appended     int64 // exchanges that were taken
	Acknowledged int64 // of them, those that are in the log
	Dropped      int64 // exchanges that were not taken, or that the log did not take
	Batches      int64 // in the log
	QueueBytes   int   // what waits for the log now
	// AckLatency is how long the log took for the last batch.
	AckLatency time.Duration
	// LastError is why the log did not take the batch that was tried last; nil when it did.
	LastError error
	// FailingSince is when it began not to; zero when it takes batches.
	FailingSince time.Time
}

// outgoing is a batch on its way.
type outgoing struct {
	writer *journal.Writer
	began  time.Time
	id     string
	data   []byte // when it is complete
	count  int
	done   chan struct{} // closed when it is in the log, or dropped; only where somebody waits for it
	err    error         // why it was dropped
}

// ErrPublisherClosed is returned for what comes after the publisher has ended.
var ErrPublisherClosed = errors.New("the publisher of exchanges has ended")

// NewPublisher returns a publisher to a log.
func NewPublisher(log journal.Log, config PublisherConfig) *Publisher {
	config.MaxBatchBytes = min(cmp.Or(config.MaxBatchBytes, defaultMaxBatchBytes), journal.MaxEntry)
	config.MaxDelay = cmp.Or(config.MaxDelay, defaultMaxDelay)
	config.MaxQueueBytes = cmp.Or(config.MaxQueueBytes, defaultMaxQueueBytes)
	config.Hold = min(cmp.Or(config.Hold, correlate.DefaultLateness), longestHold)
	if config.FailClosed {
		config.MaxDelay = min(config.MaxDelay, groupDelay)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	p := &Publisher{log: log, config: config, base: mix(config.Source), wake: make(chan struct{}, 1)}
	p.away.Store(true)
	return p
}

// Ticket is an exchange that has begun. The zero value stands for one that nobody waits for.
type Ticket struct{ slot int64 }

// Begin notes that an exchange has begun, so that those that started later wait for it. Every ticket must be given to
// Append or Abandon, once.
func (p *Publisher) Begin(start time.Time) Ticket {
	t := p.begun.begin(start)
	p.back()
	return t
}

// back has the others told that there is something to wait for again.
func (p *Publisher) back() {
	if p.away.Load() && p.away.CompareAndSwap(true, false) {
		p.returned.Store(true)
		p.signal()
	}
}

// Abandon notes that an exchange is not to be waited for: it will not be appended, or, like a stream that goes on for
// hours, long after those that started later. It is then appended with the zero ticket.
func (p *Publisher) Abandon(t Ticket) { p.begun.end(t) }

func (p *Publisher) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Append puts an exchange into the journal, and gives it its key. It keeps nothing of o. Without FailClosed it never
// waits, and returns nil: what cannot be taken is dropped and counted. With FailClosed it returns nil when the exchange
// is in the log. After an error the exchange is most likely not there: an answer of the log may have got lost.
func (p *Publisher) Append(ctx context.Context, t Ticket, o *seshat.Observation) error {
	if o.ID == "" {
		o.Key = seshat.ExchangeKey(mix(p.base + p.keys.Add(1)))
	} else {
		o.Key = ownKey(o)
	}
	p.mu.Lock()
	batch, err := p.add(o)
	p.begun.end(t) // after o is in the batch, so that no watermark can overtake it
	p.mu.Unlock()
	if !p.config.FailClosed {
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case <-batch.done:
		return batch.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the journal: %w", ctx.Err())
	}
}

var (
	errQueueFull = errors.New("the journal is too slow: too much waits for it")
	errTooLarge  = errors.New("the exchange has more parts than an entry of the journal can hold")
)

// add adds o to the batch that is being filled. The lock is held.
func (p *Publisher) add(o *seshat.Observation) (*outgoing, error) {
	if p.closed {
		p.stats.Dropped++
		return nil, ErrPublisherClosed
	}
	if p.queued >= p.config.MaxQueueBytes {
		p.stats.Dropped++
		return nil, errQueueFull
	}
	b := p.fill()
	size := b.writer.Size()
	if b.writer.Add(o); b.writer.Size() > journal.MaxEntry {
		b.writer.Undo(size)
		if b.writer.Count() == 0 {
			p.stats.Dropped++
			return nil, errTooLarge
		}
		p.cut(false)
		return p.add(o)
	}
	p.stats.Appended++
	p.added(b, size, o.Time)
	if b.writer.Size() >= p.config.MaxBatchBytes {
		p.cut(false)
	}
	return b, nil
}

// fill returns the batch that is being filled. The lock is held.
func (p *Publisher) fill() *outgoing {
	if p.filling != nil {
		return p.filling
	}
	b := &outgoing{began: time.Now()}
	if n := len(p.spare); n > 0 {
		b.writer, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		b.writer = &journal.Writer{}
	}
	if p.config.FailClosed {
		b.done = make(chan struct{})
	}
	p.filling = b
	p.signal()
	return b
}

// Revoke tells correlation that a session was revoked by a person or an engine.
func (p *Publisher) Revoke(session seshat.SessionID, at time.Time) {
	p.tell(at, func(w *journal.Writer) { w.Revoke(journal.Revocation{Session: session, Time: at}) })
}

// Readmit tells correlation that the revocation of a session was taken back, or has lapsed.
func (p *Publisher) Readmit(session seshat.SessionID, at time.Time) {
	p.tell(at, func(w *journal.Writer) { w.Readmit(journal.Revocation{Session: session, Time: at}) })
}

func (p *Publisher) tell(at time.Time, what func(*journal.Writer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	b := p.fill()
	size := b.writer.Size()
	what(b.writer)
	p.added(b, size, at)
}

// added notes that a batch of a size before has got something of a time. The lock is held.
func (p *Publisher) added(b *outgoing, size int, at time.Time) {
	p.queued += b.writer.Size() - size
	p.latest = max(p.latest, at.UnixNano())
	p.active = time.Now()
	if p.away.Load() {
		p.away.Store(false) // the batch itself tells the others
	}
}

// Healthy returns why the log takes nothing, and nil when it does.
func (p *Publisher) Healthy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrPublisherClosed
	}
	return p.stats.LastError
}

// Stats returns what was done so far.
func (p *Publisher) Stats() PublisherStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.QueueBytes = p.queued
	return stats
}

// Flush returns when everything that was appended before is in the log, or was dropped.
func (p *Publisher) Flush(ctx context.Context) error {
	p.mu.Lock()
	if p.filling != nil {
		p.cut(false)
	}
	last := p.newest
	var done chan struct{}
	if last != nil {
		if last.done == nil {
			last.done = make(chan struct{})
		}
		done = last.done
	}
	p.mu.Unlock()
	if done == nil {
		return nil
	}
	p.signal()
	select {
	case <-done:
		return last.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the journal: %w", ctx.Err())
	}
}

// ownKey is the key of an exchange that has an ID of its own: the same however often its source reads it, and the same as
// in an import.
func ownKey(o *seshat.Observation) seshat.ExchangeKey {
	text := make([]byte, 0, 1+seshat.MaxExchangeID+12)
	text = append(append(text, 'i'), o.ID...)
	text = binary.LittleEndian.AppendUint64(text, uint64(o.Time.Unix()))
	text = binary.LittleEndian.AppendUint32(text, uint32(o.Time.Nanosecond()))
	return seshat.ExchangeKey(xxh3.Hash(text))
}

// mix spreads x over all 64 bits so that different numbers stay different (the finalizer of SplitMix64, by Steele, Lea
// and Flood): the keys of one source never meet, and those of two sources no more often than random numbers would.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
