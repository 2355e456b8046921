package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/journal"
	journalmemory "github.com/seshat-project/seshat/internal/journal/memory"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// faulty is a log that fails or hangs when it is told to.
type faulty struct {
	*journalmemory.Log
	mu      sync.Mutex
	err     error         // of appends; with lost, after they were made
	lost    bool          // the entry is there, and its acknowledgement gets lost
	stalled chan struct{} // appends wait until it is closed
	calls   int
}

func newFaulty() *faulty { return &faulty{Log: journalmemory.New(journalmemory.Options{})} }

func (f *faulty) set(err error, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.lost = err, lost
}

func (f *faulty) stall(stalled chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stalled = stalled
}

func (f *faulty) Append(ctx context.Context, id string, data []byte) (journal.Sequence, error) {
	f.mu.Lock()
	f.calls++
	err, lost, stalled := f.err, f.lost, f.stalled
	f.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if err != nil && !lost {
		return 0, err
	}
	sequence, appendErr := f.Log.Append(ctx, id, data)
	if err != nil {
		return 0, err
	}
	return sequence, appendErr
}

// batches reads everything that a log holds.
func batches(t *testing.T, l journal.Log) []*journal.Batch {
	t.Helper()
	last, err := l.Last(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var out []*journal.Batch
	if last == 0 {
		return nil
	}
	enough := errors.New("enough")
	err = l.Read(context.Background(), 0, func(sequence journal.Sequence, data []byte) error {
		b, err := journal.NewDecoder().DecodeBatch(data)
		if err != nil {
			return err
		}
		if out = append(out, b); sequence == last {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	return out
}

// told is what the batches of a log say, one word for each: how many exchanges and whether the source left.
func told(t *testing.T, l journal.Log) string {
	t.Helper()
	words := ""
	for _, b := range batches(t, l) {
		switch {
		case b.Away:
			words += fmt.Sprintf("%d-away ", len(b.Observations))
		default:
			words += fmt.Sprintf("%d ", len(b.Observations))
		}
	}
	return words
}

// publish runs a publisher while f works with it, in a bubble of fake time.
func publish(t *testing.T, l journal.Log, config pipeline.PublisherConfig, f func(t *testing.T, p *pipeline.Publisher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		config.Source = journal.NewSource(1, 2)
		p := pipeline.NewPublisher(l, config)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { p.Run(ctx) })
		f(t, p)
		cancel()
		running.Wait()
	})
}

func observed() *seshat.Observation {
	return &seshat.Observation{Time: time.Now(), Method: "GET", Host: "shop.example", Path: "/", Status: 200}
}

// pass is an exchange that takes a while.
func pass(t *testing.T, p *pipeline.Publisher, takes time.Duration) {
	t.Helper()
	o := observed()
	ticket := p.Begin(o.Time)
	time.Sleep(takes)
	if err := p.Append(t.Context(), ticket, o); err != nil {
		t.Error(err)
	}
}

func TestPublisherSharesEntries(t *testing.T) {
	l := newFaulty()
	publish(t, l, pipeline.PublisherConfig{}, func(t *testing.T, p *pipeline.Publisher) {
		for range 100 {
			pass(t, p, time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if s := p.Stats(); s.Appended != 100 || s.Acknowledged != 100 || s.Dropped != 0 || s.QueueBytes != 0 || s.Batches > 8 {
			t.Errorf("%+v: want 100 exchanges in a few batches, and nothing left", s)
		}
	})
	keys := map[seshat.ExchangeKey]bool{}
	var before time.Time
	number := uint64(0)
	for _, b := range batches(t, l) {
		if number++; b.Number != number {
			t.Errorf("batch %d has number %d", number, b.Number)
		}
		for _, o := range b.Observations {
			if keys[o.Key] {
				t.Errorf("key %x comes twice", o.Key)
			}
			keys[o.Key] = true
			if o.Time.Before(before) {
				t.Errorf("an exchange of %s after a watermark of %s", o.Time, before)
			}
		}
		before = b.Watermark
	}
	if len(keys) != 100 {
		t.Errorf("%d exchanges in the log", len(keys))
	}
}

// TestPublisherTellsWhatToWaitFor: when it comes back, when what it appended can be put in order, and when it is idle.
func TestPublisherTellsWhatToWaitFor(t *testing.T) {
	l := newFaulty()
	publish(t, l, pipeline.PublisherConfig{}, func(t *testing.T, p *pipeline.Publisher) {
		time.Sleep(time.Minute)
		if got := told(t, l); got != "" {
			t.Errorf("before the first exchange: %s", got)
		}
		pass(t, p, time.Millisecond)
		time.Sleep(40 * time.Millisecond)
		pass(t, p, 0)
		time.Sleep(200 * time.Millisecond)
		all := batches(t, l)
		last := all[len(all)-1]
		if o := all[1].Observations[1]; !last.Watermark.After(o.Time) {
			t.Errorf("the last watermark is %s, and the exchange of %s can still be overtaken", last.Watermark, o.Time)
		}
		time.Sleep(time.Hour)
		if got := told(t, l); got != "0 2 0 0-away " {
			t.Errorf("around two exchanges: %s, want that it is back, the exchanges, how far it is, and that it is away", got)
		}
	})
	if got := told(t, l); got != "0 2 0 0-away 0-away " {
		t.Errorf("at the end: %s", got)
	}
}

// TestPublisherHolds: an exchange that goes on holds the watermark back, until it is too old.
func TestPublisherHolds(t *testing.T) {
	l := newFaulty()
	publish(t, l, pipeline.PublisherConfig{Hold: 3 * time.Second}, func(t *testing.T, p *pipeline.Publisher) {
		slow := observed()
		ticket := p.Begin(slow.Time)
		for second := range 6 {
			pass(t, p, time.Millisecond)
			time.Sleep(time.Second)
			all := batches(t, l)
			watermark := all[len(all)-1].Watermark
			if held := !watermark.After(slow.Time); held != (second < 3) {
				t.Errorf("after %d seconds: held %v", second+1, held)
			}
		}
		if err := p.Append(t.Context(), ticket, slow); err != nil {
			t.Error(err)
		}
		abandoned := p.Begin(time.Now())
		p.Abandon(abandoned)
		time.Sleep(time.Second)
		all := batches(t, l)
		if !all[len(all)-1].Away {
			t.Error("an abandoned exchange is waited for")
		}
	})
}

func TestPublisherDropsWhatTheLogDoesNotTake(t *testing.T) {
	l := newFaulty()
	const most = 64 << 10
	publish(t, l, pipeline.PublisherConfig{MaxQueueBytes: most, MaxBatchBytes: 8 << 10}, func(t *testing.T, p *pipeline.Publisher) {
		stalled := make(chan struct{})
		l.stall(stalled)
		for range 5000 {
			pass(t, p, 0)
		}
		time.Sleep(time.Minute)
		s := p.Stats()
		if s.Dropped == 0 || s.Appended+s.Dropped != 5000 || s.QueueBytes > most+1<<10 || s.Acknowledged != 0 {
			t.Errorf("while the log hangs: %+v", s)
		}
		if p.Healthy() == nil || s.FailingSince.IsZero() {
			t.Error("a publisher whose log hangs is healthy")
		}
		close(stalled)
		time.Sleep(time.Minute)
		if after := p.Stats(); after.Acknowledged != s.Appended || after.QueueBytes != 0 || p.Healthy() != nil || !after.FailingSince.IsZero() {
			t.Errorf("after it went on: %+v, %v", after, p.Healthy())
		}
	})
	n := 0
	for _, b := range batches(t, l) {
		n += len(b.Observations)
	}
	if s := l.Len(); n == 0 || n == 5000 {
		t.Errorf("%d exchanges in %d entries", n, s)
	}
}

// TestPublisherTriesAgain: an entry whose acknowledgement got lost is not added twice.
func TestPublisherTriesAgain(t *testing.T) {
	l := newFaulty()
	publish(t, l, pipeline.PublisherConfig{}, func(t *testing.T, p *pipeline.Publisher) {
		l.set(errors.New("no answer"), true)
		pass(t, p, 0)
		time.Sleep(30 * time.Second)
		if p.Healthy() == nil {
			t.Error("healthy without an answer")
		}
		l.set(nil, false)
		time.Sleep(30 * time.Second)
		if s := p.Stats(); s.Acknowledged != 1 || s.Dropped != 0 || p.Healthy() != nil {
			t.Errorf("%+v", s)
		}
	})
	if l.calls < 10 {
		t.Errorf("only %d attempts", l.calls)
	}
	n := 0
	for _, b := range batches(t, l) {
		n += len(b.Observations)
	}
	if n != 1 {
		t.Errorf("%d exchanges in the log", n)
	}
}

func TestPublisherFailsClosed(t *testing.T) {
	l := newFaulty()
	publish(t, l, pipeline.PublisherConfig{FailClosed: true}, func(t *testing.T, p *pipeline.Publisher) {
		var all sync.WaitGroup
		start := time.Now()
		for range 50 {
			all.Go(func() { pass(t, p, 0) })
		}
		all.Wait()
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("50 exchanges waited %s for the log", took)
		}
		if s := p.Stats(); s.Acknowledged != 50 || s.Batches > 5 {
			t.Errorf("%+v: want 50 in a few batches", s)
		}
		for _, failure := range []error{journal.ErrFull, errors.New("broken")} {
			l.set(failure, false)
			start = time.Now()
			if err := p.Append(t.Context(), p.Begin(start), observed()); !errors.Is(err, failure) {
				t.Errorf("appended to a log that fails: %v", err)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("the answer waited %s", took)
			}
			if !errors.Is(p.Healthy(), failure) {
				t.Errorf("healthy: %v", p.Healthy())
			}
			l.set(nil, false)
			time.Sleep(5 * time.Second) // nothing is appended, and it is seen all the same
			if err := p.Healthy(); err != nil {
				t.Errorf("a log that takes entries again: %v", err)
			}
		}
		stalled := make(chan struct{})
		l.stall(stalled)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := p.Append(ctx, pipeline.Ticket{}, observed()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited longer than it may: %v", err)
		}
		close(stalled)
		l.stall(nil)
		pass(t, p, 0)
	})
}

func TestPublisherFlushesAndEnds(t *testing.T) {
	l := newFaulty()
	var p *pipeline.Publisher
	publish(t, l, pipeline.PublisherConfig{MaxDelay: time.Hour}, func(t *testing.T, running *pipeline.Publisher) {
		p = running
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		pass(t, p, 0)
		if err := p.Flush(t.Context()); err != nil || p.Stats().Acknowledged != 1 {
			t.Errorf("flushed: %v, %+v", err, p.Stats())
		}
		pass(t, p, 0)
		p.Revoke(seshat.SessionID{1}, time.Now())
	})
	if s := p.Stats(); s.Acknowledged != 2 || s.QueueBytes != 0 {
		t.Errorf("at the end: %+v", s)
	}
	all := batches(t, l)
	if last := all[len(all)-1]; !last.Away || len(last.Revocations) != 1 {
		t.Errorf("the last batch is %+v", last)
	}
	if err := p.Append(context.Background(), pipeline.Ticket{}, observed()); err != nil || p.Stats().Dropped != 1 {
		t.Errorf("after the end: %v, %+v", err, p.Stats())
	}
}

// TestPublisherAfterTheClockWasSetBack: the watermark follows, and nothing hangs.
func TestPublisherAfterTheClockWasSetBack(t *testing.T) {
	l := newFaulty()
	var back atomic.Int64
	clock := func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }
	publish(t, l, pipeline.PublisherConfig{Now: clock}, func(t *testing.T, p *pipeline.Publisher) {
		pass(t, p, 0)
		time.Sleep(10 * time.Second)
		back.Store(int64(time.Hour))
		o := observed()
		o.Time = clock()
		if err := p.Append(t.Context(), p.Begin(o.Time), o); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		all := batches(t, l)
		if last := all[len(all)-1]; !last.Away || last.Watermark.After(clock()) || last.Watermark.Before(o.Time) {
			t.Errorf("the last batch is of %s, away: %v; the clock shows %s", last.Watermark, last.Away, clock())
		}
	})
}

// TestPublisherUnderLoad is for the race detector, and for what must hold of watermarks whatever runs when.
func TestPublisherUnderLoad(t *testing.T) {
	l := newFaulty()
	p := pipeline.NewPublisher(l, pipeline.PublisherConfig{Source: 7, MaxBatchBytes: 4 << 10, MaxDelay: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	var running, all sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	const workers, each = 8, 500
	for range workers {
		all.Go(func() {
			for i := range each {
				o := observed()
				ticket := p.Begin(o.Time)
				switch i % 10 {
				case 0:
					p.Abandon(ticket)
					continue
				case 1:
					_ = p.Flush(ctx)
				}
				_ = p.Append(ctx, ticket, o)
				_, _ = p.Stats(), p.Healthy()
			}
		})
	}
	all.Wait()
	cancel()
	running.Wait()
	if s := p.Stats(); s.Acknowledged != workers*each*9/10 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
	var watermark time.Time
	for i, b := range batches(t, l) {
		for _, o := range b.Observations {
			// A start may be announced late by what beginSlack allows; a loaded machine may take longer than that.
			if o.Time.Before(watermark.Add(-time.Second)) {
				t.Errorf("batch %d: an exchange of %s after a watermark of %s", i, o.Time, watermark)
			}
		}
		watermark = b.Watermark
	}
}
