package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/store"
)

// Committer does the last two steps: it correlates observations that come in order, and stores them in batches.
// While one batch is written the next one is correlated. It belongs to one goroutine.
type Committer struct {
	store      store.Store
	correlator *correlate.Correlator
	now        func() time.Time

	waiting []*seshat.Observation
	// revoked are the sessions that are revoked between the exchanges that wait.
	revoked []revocation
	// live is what a recorder adds; nil for an import.
	live *live
	// committed is told what was stored; nil when nobody wants to know.
	committed Committed
	// recent are the keys of the batch that is being written: the store may not know them yet.
	recent  map[seshat.ExchangeKey]struct{}
	writing chan error // nil when nothing is being written
	written Counts     // of the batch that is being written
	counts  Counts     // of what is stored
}

// revocation is the revocation of a session, or the end of one, after so many of the exchanges that wait.
type revocation struct {
	after      int
	session    seshat.SessionID
	at         time.Time
	readmitted bool
}

// Committed is told of a batch after it was stored, in order, with the sessions that began and ended in it. It must not wait:
// the next batch does. It must not change what it gets, and may keep it: nobody else changes it either.
type Committed func(exchanges []seshat.Assigned, events []seshat.Event)

// live is what distinguishes the commits of a recorder: hardly anything comes twice, so that the store is seldom asked; each
// has a position; and others are told what changed.
type live struct {
	source string
	// position returns the position of the batch that is made, and what to call in the goroutine that has written it.
	position func() (position []byte, stored func(context.Context))
	changed  func(*correlate.Changes)
	// wrote is called for each batch that is stored, in order.
	wrote func()
}

// Counts are what a committer has done so far.
type Counts struct {
	Stored     int64
	Duplicates int64
	Sessions   int64 // started, less those that turned out to belong to another one
}

// batchSize is how many exchanges are written together: enough that a transaction's fixed cost (some milliseconds)
// is lost among them, few enough that a batch and the one being written stay within some 10 MB.
const batchSize = 8192

// maxState is how many records of correlation state stay in memory, at some 200 bytes each. Beyond it all are
// dropped after they were stored, and what is needed again is loaded.
const maxState = 150_000

// NewCommitter returns a committer that writes to s. now is the clock that retention counts by.
func NewCommitter(s store.Store, correlator *correlate.Correlator, now func() time.Time) *Committer {
	return &Committer{store: s, correlator: correlator, now: now}
}

// Add takes the next observation. It may wait for an earlier batch to be written, and returns its error.
func (c *Committer) Add(ctx context.Context, o *seshat.Observation) error {
	c.waiting = append(c.waiting, o)
	if len(c.waiting) < batchSize {
		return nil
	}
	return c.commit(ctx)
}

// Revoke revokes a session after the exchanges that were added before.
func (c *Committer) Revoke(session seshat.SessionID, at time.Time) {
	c.revoked = append(c.revoked, revocation{after: len(c.waiting), session: session, at: at})
}

// Readmit takes the revocation of a session back after the exchanges that were added before.
func (c *Committer) Readmit(session seshat.SessionID) {
	c.revoked = append(c.revoked, revocation{after: len(c.waiting), session: session, readmitted: true})
}

// Flush writes what is waiting and returns when it is stored.
func (c *Committer) Flush(ctx context.Context) error {
	if len(c.waiting)+len(c.revoked) > 0 {
		if err := c.commit(ctx); err != nil {
			return err
		}
	}
	return c.settle()
}

// Counts returns what was stored so far, and what turned out to be stored already.
func (c *Committer) Counts() Counts { return c.counts }

// settle waits for the batch that is being written.
func (c *Committer) settle() error {
	if c.writing == nil {
		return nil
	}
	return c.wrote(<-c.writing)
}

// wrote takes the end of the batch that is being written.
func (c *Committer) wrote(err error) error {
	c.writing = nil
	if err == nil {
		c.counts.Stored += c.written.Stored
		c.counts.Sessions += c.written.Sessions
		if c.live != nil {
			c.live.wrote()
		}
	}
	return err
}

func (c *Committer) commit(ctx context.Context) error {
	fresh, err := c.fresh(ctx)
	if err != nil {
		return err
	}
	if err := c.load(ctx, fresh); err != nil {
		return err
	}
	batch := &store.Batch{StoredAt: c.now(), Exchanges: make([]seshat.Assigned, 0, len(fresh))}
	c.recent = make(map[seshat.ExchangeKey]struct{}, len(fresh))
	for i, o := range fresh {
		c.revoke(i)
		batch.Exchanges = append(batch.Exchanges, seshat.Assigned{Observation: o, Session: c.correlator.Process(o)})
		if c.live == nil || o.ID != "" {
			c.recent[o.Key] = struct{}{}
		}
	}
	c.revoke(len(fresh))
	changes := c.correlator.Flush()
	stored := func(context.Context) {}
	if c.live != nil {
		batch.Source = c.live.source
		batch.Position, stored = c.live.position()
		c.live.changed(&changes)
	}
	batch.Sessions, batch.Links = changes.Sessions, changes.Links
	batch.State = make([]store.StateRecord, len(changes.State))
	for i, record := range changes.State {
		batch.State[i] = store.StateRecord(record)
	}
	if err := c.settle(); err != nil {
		return err
	}
	c.written = countsOf(fresh, &changes)
	done := make(chan error, 1)
	c.writing = done
	go func() {
		err := c.store.Commit(ctx, batch)
		if err == nil {
			stored(ctx)
			if c.committed != nil {
				c.committed(batch.Exchanges, changes.Events)
			}
		}
		done <- err
	}()
	if c.correlator.Size() > maxState {
		if err := c.settle(); err != nil {
			return err
		}
		c.correlator.Forget()
	}
	return nil
}

// revoke revokes and readmits the sessions whose turn is after so many exchanges.
func (c *Committer) revoke(after int) {
	for len(c.revoked) > 0 && c.revoked[0].after <= after {
		if r := &c.revoked[0]; r.readmitted {
			c.correlator.Readmit(r.session)
		} else {
			c.correlator.Revoke(r.session, r.at)
		}
		c.revoked = c.revoked[1:]
	}
}

func countsOf(fresh []*seshat.Observation, changes *correlate.Changes) Counts {
	counts := Counts{Stored: int64(len(fresh)), Sessions: -int64(changes.Merged)}
	for i := range changes.Events {
		if changes.Events[i].Type == seshat.EventStart {
			counts.Sessions++
		}
	}
	return counts
}

// fresh takes what is waiting and leaves out what is stored already.
func (c *Committer) fresh(ctx context.Context) ([]*seshat.Observation, error) {
	if c.live != nil {
		return c.freshLive(ctx)
	}
	keys := make([]seshat.ExchangeKey, len(c.waiting))
	times := make([]time.Time, len(c.waiting))
	for i, o := range c.waiting {
		keys[i], times[i] = o.Key, o.Time
	}
	known, err := c.store.Known(ctx, keys, times)
	if err != nil {
		return nil, err
	}
	fresh := make([]*seshat.Observation, 0, len(c.waiting))
	seen := make(map[seshat.ExchangeKey]struct{}, len(c.waiting))
	for i, o := range c.waiting {
		_, twice := seen[o.Key]
		_, recent := c.recent[o.Key]
		if known[i] || twice || recent {
			c.counts.Duplicates++
			continue
		}
		seen[o.Key] = struct{}{}
		fresh = append(fresh, o)
	}
	clear(c.waiting)
	c.waiting = c.waiting[:0]
	return fresh, nil
}

// freshLive is fresh for a recorder. Nothing comes twice there but exchanges with an ID of their own: their source may read
// them again after a crash, as the follower of a log does. The store is asked about these only.
func (c *Committer) freshLive(ctx context.Context) ([]*seshat.Observation, error) {
	var places []int
	var keys []seshat.ExchangeKey
	var times []time.Time
	for i, o := range c.waiting {
		if o.ID != "" {
			places, keys, times = append(places, i), append(keys, o.Key), append(times, o.Time)
		}
	}
	var known []bool
	if len(places) > 0 {
		var err error
		if known, err = c.store.Known(ctx, keys, times); err != nil {
			return nil, err
		}
	}
	fresh := c.waiting
	c.waiting = make([]*seshat.Observation, 0, cap(fresh)) // the batch in work refers to none of it
	seen := make(map[seshat.ExchangeKey]struct{}, len(places))
	removed := 0
	for n, i := range places {
		_, twice := seen[keys[n]]
		_, recent := c.recent[keys[n]]
		seen[keys[n]] = struct{}{}
		if known[n] || twice || recent {
			fresh[i] = nil
			removed++
		}
	}
	if removed == 0 {
		return fresh, nil
	}
	c.counts.Duplicates += int64(removed)
	for i := range c.revoked {
		before := fresh[:c.revoked[i].after]
		c.revoked[i].after -= len(before) - countPresent(before)
	}
	return slices.DeleteFunc(fresh, func(o *seshat.Observation) bool { return o == nil }), nil
}

func countPresent(observations []*seshat.Observation) int {
	n := 0
	for _, o := range observations {
		if o != nil {
			n++
		}
	}
	return n
}

// load brings the state into memory that correlating the observations needs.
func (c *Committer) load(ctx context.Context, observations []*seshat.Observation) error {
	for i := range c.revoked {
		c.correlator.Want(c.revoked[i].session)
	}
	for {
		missing := c.correlator.Missing(observations)
		if len(missing) == 0 {
			return nil
		}
		state, err := c.store.LoadState(ctx, missing)
		if err != nil {
			return err
		}
		if err := c.correlator.Restore(state); err != nil {
			return &seshat.Error{
				Kind: seshat.ErrorUnsupported, Op: "load the state of sessions", Err: err,
				Hint: "the data directory was damaged or written by a newer version",
			}
		}
		observations = nil
	}
}
