package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

// The two halves of the log. What nobody needs to be signed in for cannot push out what somebody has done.
const (
	eventPrefix   = "event/"
	attemptPrefix = "attempt/"
)

const (
	// DefaultMax is how many events are kept: all are in memory, in some 500 bytes each. A team that changes something,
	// or reveals something, two hundred times a day has them for half a year.
	DefaultMax = 40_000
	// DefaultMaxAttempts is how many of those who were not signed in are kept.
	DefaultMaxAttempts = 5_000
	// DefaultMaxAge is how long they are kept: a year, and a month to look at it.
	DefaultMaxAge = 400 * 24 * time.Hour

	// slack is by which part of the bound there may be more before the oldest are removed: not one by one.
	slack = 64
	// sweepEvery is how often what is too old is removed.
	sweepEvery = time.Hour
	// sweepTime bounds one round of it.
	sweepTime = time.Minute
	// writeTime is what writing one entry may take. Whoever waits for it is told that it was not done.
	writeTime = 5 * time.Second
)

// Options bound the log.
type Options struct {
	Max, MaxAttempts int
	MaxAge           time.Duration
	Now              func() time.Time
	// Logger is told each event too, for those who collect logs.
	Logger *slog.Logger
}

// Log is the audit log. Its methods may be called at the same time.
type Log struct {
	options  Options
	events   half
	attempts half
	full     chan struct{}
	mu       sync.Mutex
	last     time.Time // of the newest ID of this process
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// half is one of the two.
type half struct {
	*mirror.Mirror[*Event]
	max int

	mu  sync.Mutex
	ids []string // in order
}

// Open reads the log that is in store, and follows it until Close.
func Open(ctx context.Context, store kv.Store, o Options) (*Log, error) {
	o.Max, o.MaxAttempts, o.MaxAge = cmp.Or(o.Max, DefaultMax), cmp.Or(o.MaxAttempts, DefaultMaxAttempts), cmp.Or(o.MaxAge, DefaultMaxAge)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Log{options: o, full: make(chan struct{}, 1)}
	l.events.max, l.attempts.max = o.Max, o.MaxAttempts
	if err := l.events.open(ctx, store, eventPrefix); err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	if err := l.attempts.open(ctx, store, attemptPrefix); err != nil {
		l.events.Close()
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.running.Go(func() { l.keep(running) })
	return l, nil
}

func (h *half) open(ctx context.Context, store kv.Store, prefix string) error {
	m, err := mirror.Open(ctx, store, prefix, mirror.Codec[*Event]{Encode: encode, Decode: decode(prefix)}, h.changed)
	h.Mirror = m
	return err
}

// changed keeps the order of the entries. Nearly all of them come last.
func (h *half) changed(id string, before, after *mirror.Item[*Event]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, found := slices.BinarySearch(h.ids, id)
	switch {
	case before == nil && after != nil && !found:
		h.ids = slices.Insert(h.ids, at, id)
	case after == nil && found:
		h.ids = slices.Delete(h.ids, at, at+1)
	}
}

// Close ends following. The store stays open.
func (l *Log) Close() {
	l.stop()
	l.running.Wait()
	l.events.Close()
	l.attempts.Close()
}

// Entry is an event that has begun.
type Entry struct {
	log      *Log
	half     *half
	event    Event
	revision kv.Revision
}

// Begin writes that something is about to be done. When that fails it must not be done: the error is of kind
// [seshat.ErrorUnavailable].
func (l *Log) Begin(ctx context.Context, e Event) (*Entry, error) {
	e.Outcome = Begun
	return l.write(ctx, e)
}

// Record writes what has no end of its own. As with Begin, what cannot be written must not be done.
func (l *Log) Record(ctx context.Context, e Event) error {
	_, err := l.write(ctx, e)
	return err
}

func (l *Log) write(ctx context.Context, e Event) (*Entry, error) {
	// Whoever asked may be gone: what is to be written is written all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	e.Time = l.options.Now().UTC()
	e.ID = newID(l.next(e.Time))
	e.clean()
	h := &l.events
	if e.Means == MeansNone {
		h = &l.attempts
	}
	// The entry is kept apart from what the mirror has, which nobody may change.
	kept := e
	revision, err := h.Put(ctx, e.ID, &kept, kv.None)
	if err != nil {
		l.options.Logger.ErrorContext(ctx, "nothing can be written to the audit log", "error", err)
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "write the audit log", Err: errors.New("it cannot be written, so nothing was done"),
			Hint: "is the disk of the data directory full?",
		}
	}
	if h.Len() > h.max+h.max/slack {
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
	if e.Outcome != Begun {
		l.tell(ctx, &e)
	}
	return &Entry{log: l, half: h, event: e, revision: revision}, nil
}

// End writes what became of it. Change, if it is not nil, completes the event. That the end cannot be written is logged:
// what was done cannot be undone, and that it began is in the log.
func (e *Entry) End(ctx context.Context, outcome Outcome, change func(*Event)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	ended := e.event
	if change != nil {
		change(&ended)
	}
	ended.ID, ended.Time, ended.Means, ended.Outcome = e.event.ID, e.event.Time, e.event.Means, outcome
	ended.clean()
	if _, err := e.half.Put(ctx, ended.ID, &ended, e.revision); err != nil {
		e.log.options.Logger.ErrorContext(ctx, "the end of an entry of the audit log cannot be written", "id", ended.ID, "error", err)
	}
	e.log.tell(ctx, &ended)
}

func (l *Log) tell(ctx context.Context, e *Event) {
	l.options.Logger.InfoContext(ctx, "audit", "id", e.ID, "by", e.By, "means", string(e.Means), "token", e.Token, "address", e.Address,
		"action", e.Action, "subject", e.Subject, "before", e.Before, "after", e.After, "outcome", string(e.Outcome), "detail", e.Detail)
}

// next is the time that an ID is made of: what is written later comes later, also where the clock stands still.
func (l *Log) next(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !now.After(l.last) {
		now = l.last.Add(time.Nanosecond)
	}
	l.last = now
	return now
}

// randomBytes of an ID tell apart what happens in two processes in one nanosecond.
const randomBytes = 4

// newID is an ID whose order is that of time.
func newID(at time.Time) string {
	random := make([]byte, randomBytes)
	_, _ = rand.Read(random) // never fails
	return fmt.Sprintf("%016x", uint64(at.UnixNano())) + hex.EncodeToString(random)
}

// keep removes what is too old or too much, until ctx is done.
func (l *Log) keep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		l.sweep(ctx, &l.events)
		l.sweep(ctx, &l.attempts)
		select {
		case <-ticker.C:
		case <-l.full:
		case <-ctx.Done():
			return
		}
	}
}

// sweep removes the oldest entries. What cannot be removed is tried again.
func (l *Log) sweep(ctx context.Context, h *half) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	oldest := newID(l.options.Now().Add(-l.options.MaxAge))
	h.mu.Lock()
	end, _ := slices.BinarySearch(h.ids, oldest)
	end = max(end, len(h.ids)-h.max)
	gone := slices.Clone(h.ids[:max(end, 0)])
	h.mu.Unlock()
	for _, id := range gone {
		// Another process may be removing it as well.
		if err := h.Delete(ctx, id, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
			l.options.Logger.WarnContext(ctx, "the audit log cannot be shortened", "error", err)
			return
		}
	}
}
