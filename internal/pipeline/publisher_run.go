package pipeline

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// beginSlack is how long may pass between the moment that a source takes as the start of an exchange and
	// [Publisher.Begin].
	beginSlack = 50 * time.Millisecond
	// tick is how often a source that is not idle looks whether somebody waits for it.
	tick = 100 * time.Millisecond
	// heartbeat is how often it says how far it is while it appends nothing.
	heartbeat = time.Second
	// idleAfter is after how long without anything to do it says that nobody need wait for it.
	idleAfter = 300 * time.Millisecond
	// appendTimeout is how long the log may take for a batch before that counts as a failure. Then the batch is tried again:
	// the log knows it by its id, and the recorder by its number.
	appendTimeout = 5 * time.Second
	// firstRetry and lastRetry are the pauses between attempts; each is twice the one before.
	firstRetry = 20 * time.Millisecond
	lastRetry  = time.Second
	// failAfter is how long answers wait for a log that fails.
	failAfter = time.Second
	// probeEvery is how often a log that fails is tried when nothing waits for it.
	probeEvery = 500 * time.Millisecond
	// shutdownTimeout is how long the end waits for the log to take the rest.
	shutdownTimeout = 5 * time.Second
	// spareWriters is how many buffers are kept for the next batches: one is filled while one is sent.
	spareWriters = 4
)

// Run appends batches to the log until ctx is done. Then it appends the rest, says that nobody need wait for this source,
// and returns; what comes later is dropped.
func (p *Publisher) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		batch, wait := p.next()
		if batch != nil {
			p.send(ctx, batch)
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-p.wake:
		case <-ctx.Done():
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	p.finish(ctx)
}

// forever is how long a source that is away sleeps: until it is woken.
const forever = time.Hour

// next returns the next batch to send; nil when there is none, with how long to wait.
func (p *Publisher) next() (*outgoing, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if len(p.ready) == 0 && p.filling != nil {
		if wait := p.config.MaxDelay - now.Sub(p.filling.began); wait > 0 {
			return nil, wait
		}
		p.cut(false)
	}
	if len(p.ready) == 0 && p.speaks(now) {
		away := p.leaves(now)
		p.fill()
		p.cut(away)
	}
	if len(p.ready) > 0 {
		batch := p.ready[0]
		p.ready[0] = nil
		p.ready = p.ready[1:]
		return batch, 0
	}
	switch {
	case p.stats.LastError != nil:
		return nil, probeEvery
	case p.away.Load():
		return nil, forever
	default:
		return nil, tick
	}
}

// speaks reports whether there is something to say to the others. The lock is held.
func (p *Publisher) speaks(now time.Time) bool {
	quiet := now.Sub(p.spoke)
	switch {
	case p.returned.Swap(false):
		return true
	case p.stats.LastError != nil:
		return quiet >= probeEvery
	case p.away.Load() || quiet < tick:
		return false
	}
	watermark := p.watermark()
	switch {
	case p.latest >= p.told && watermark > p.latest: // what was appended last can be overtaken by nothing any more
		return true
	case watermark-p.told >= int64(heartbeat) && quiet >= heartbeat:
		return true
	default:
		return p.idle(now)
	}
}

// idle reports whether nothing is on its way, and was not for a while. The lock is held.
func (p *Publisher) idle(now time.Time) bool {
	clock := p.config.Now().UnixNano()
	_, busy := p.begun.oldest(clock-int64(p.config.Hold), clock)
	return !busy && now.Sub(p.active) >= idleAfter
}

// leaves reports whether the others can be told not to wait, and has it known that they were. The lock is held.
func (p *Publisher) leaves(now time.Time) bool {
	if !p.idle(now) {
		return false
	}
	p.away.Store(true)
	if !p.idle(now) { // something has begun, and may have seen the state of before
		p.away.Store(false)
		return false
	}
	return true
}

// watermark is from when on what is appended later starts, in nanoseconds. The lock is held.
func (p *Publisher) watermark() int64 {
	now := p.config.Now().UnixNano()
	watermark := now - int64(beginSlack)
	if oldest, busy := p.begun.oldest(now-int64(p.config.Hold), now); busy {
		watermark = min(watermark, oldest)
	}
	switch {
	case watermark >= p.told:
		return watermark
	case now < p.told: // the clock was set back, and starts are counted anew
		p.begun.reset()
		p.latest = min(p.latest, now)
		return now - int64(beginSlack)
	default:
		return p.told // something began late; a promise that was given cannot be taken back
	}
}

// cut completes the batch that is being filled. The lock is held.
func (p *Publisher) cut(away bool) {
	b := p.filling
	p.filling = nil
	if !away {
		p.returned.Store(false) // the batch itself says so
	}
	p.told = p.watermark()
	p.number++
	size := b.writer.Size()
	b.count = b.writer.Count()
	b.data = b.writer.Finish(p.config.Source, p.number, time.Unix(0, p.told), away)
	p.queued += len(b.data) - size
	b.id = strconv.FormatUint(p.config.Source, 16) + "-" + strconv.FormatUint(p.number, 10)
	p.spoke = time.Now()
	p.newest = b
	p.ready = append(p.ready, b)
}

// send appends a batch to the log, however long that takes; with FailClosed it gives up after a while.
func (p *Publisher) send(ctx context.Context, b *outgoing) {
	began, pause := time.Now(), firstRetry
	p.packed = journal.Pack(p.packed[:0], b.data) // not while the lock is held, and not on the way of a request
	for {
		attempt, cancel := context.WithTimeout(ctx, appendTimeout)
		if p.config.FailClosed {
			cancel()
			attempt, cancel = context.WithTimeout(ctx, failAfter)
		}
		start := time.Now()
		_, err := p.log.Append(attempt, b.id, p.packed)
		cancel()
		if err == nil {
			p.acknowledged(b, time.Since(start))
			return
		}
		if ctx.Err() != nil {
			p.again(b)
			return
		}
		p.failed(err)
		if p.config.FailClosed && (errors.Is(err, journal.ErrFull) || time.Since(began) >= failAfter) {
			p.drop(b, err)
			return
		}
		if !sleep(ctx, pause) {
			p.again(b)
			return
		}
		pause = min(2*pause, lastRetry)
	}
}

// sleep waits, and reports whether ctx is not done.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// again puts a batch back that is to be sent at the end.
func (p *Publisher) again(b *outgoing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append([]*outgoing{b}, p.ready...)
}

func (p *Publisher) acknowledged(b *outgoing, took time.Duration) {
	count := b.count
	p.mu.Lock()
	p.stats.Acknowledged += int64(count)
	p.stats.Batches++
	p.stats.AckLatency = took
	p.stats.LastError, p.stats.FailingSince = nil, time.Time{}
	p.release(b)
	p.mu.Unlock()
	if p.config.Acknowledged != nil {
		p.config.Acknowledged(took, count)
	}
}

func (p *Publisher) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.LastError = err
	if p.stats.FailingSince.IsZero() {
		p.stats.FailingSince = time.Now()
	}
}

func (p *Publisher) drop(b *outgoing, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Dropped += int64(b.count)
	b.err = err
	p.release(b)
}

// release takes a batch off the queue and tells who waits for it. The lock is held.
func (p *Publisher) release(b *outgoing) {
	p.queued -= len(b.data)
	if p.newest == b {
		p.newest = nil
	}
	if b.done != nil {
		close(b.done)
	}
	// A buffer that grew far beyond its bound, by one huge exchange, is left to the collector.
	if len(p.spare) < spareWriters && len(b.data) <= 2*p.config.MaxBatchBytes {
		b.writer.Reset()
		p.spare = append(p.spare, b.writer)
	}
	b.writer, b.data = nil, nil
}

// finish sends the rest and a last word, and closes the publisher.
func (p *Publisher) finish(ctx context.Context) {
	p.mu.Lock()
	p.closed = true
	p.fill()
	p.cut(true)
	rest := p.ready
	p.ready = nil
	p.mu.Unlock()
	for _, b := range rest {
		if ctx.Err() == nil {
			p.send(ctx, b)
		}
		p.mu.Lock()
		p.ready = nil
		p.mu.Unlock()
		if b.data != nil {
			p.drop(b, ErrPublisherClosed)
		}
	}
}
