package duckdb

import (
	"bytes"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// pending is the content of the tail, as one batch: what was committed and is not in the tables yet. Of what is said
// several times only the last is kept. It is changed by the one who holds [Store.write]; who asks holds mu.
type pending struct {
	mu    sync.RWMutex
	batch store.Batch
	known map[seshat.ExchangeKey]struct{}
	facts map[seshat.SessionID]int // into batch.Sessions
	state map[seshat.Digest]int    // into batch.State
	// stateBytes is how long the values of state are, together.
	stateBytes int
	positions  map[string][]byte
	since      time.Time // when the first of what readers do not see was committed; zero when there is nothing
}

func newPending() *pending {
	p := &pending{}
	p.reset(false)
	return p
}

// reset empties p but for the state, if that is to stay. Its memory is let go: it may be much.
func (p *pending) reset(keepState bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.batch.State
	p.batch = store.Batch{StoredAt: p.batch.StoredAt}
	p.known, p.facts, p.positions = make(map[seshat.ExchangeKey]struct{}), make(map[seshat.SessionID]int), make(map[string][]byte)
	p.since = time.Time{}
	if keepState {
		p.batch.State = state
		return
	}
	p.state, p.stateBytes = make(map[seshat.Digest]int), 0
}

// carried is what is left of p when all but the state was moved into the tables. Deletions of what the tables do not
// have are done with.
func (p *pending) carried(stored *stateFilter) *store.Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.batch.State[:0:0]
	for i := range p.batch.State {
		if r := &p.batch.State[i]; r.Value != nil || stored.mayHave(r.Key) {
			p.state[r.Key] = len(kept)
			kept = append(kept, *r)
		} else {
			delete(p.state, r.Key)
		}
	}
	p.batch.State = kept
	return &store.Batch{StoredAt: p.batch.StoredAt, State: kept}
}

// settled reports whether readers see everything: state is none of their business.
func (p *pending) settled() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.since.IsZero()
}

func (p *pending) empty() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.since.IsZero() && len(p.batch.State) == 0 && len(p.positions) == 0
}

// age is how long ago the first of it was committed; 0 when there is nothing.
func (p *pending) age(now time.Time) time.Duration {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.since.IsZero() {
		return 0
	}
	return max(now.Sub(p.since), 0)
}

// add adds a batch, of which everything but the texts and the values of state is kept.
func (p *pending) add(b *store.Batch, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch.StoredAt = b.StoredAt
	if p.since.IsZero() && len(b.Exchanges)+len(b.Sessions)+len(b.Links) > 0 {
		p.since = now
	}
	p.batch.Exchanges = append(p.batch.Exchanges, b.Exchanges...)
	for i := range b.Exchanges {
		p.known[b.Exchanges[i].Key] = struct{}{}
	}
	for i := range b.Sessions {
		p.addFacts(&b.Sessions[i])
	}
	p.batch.Links = append(p.batch.Links, b.Links...)
	for i := range b.State {
		r := &b.State[i]
		p.stateBytes += len(r.Value)
		if at, ok := p.state[r.Key]; ok {
			p.stateBytes -= len(p.batch.State[at].Value)
			p.batch.State[at] = *r
			continue
		}
		p.state[r.Key] = len(p.batch.State)
		p.batch.State = append(p.batch.State, *r)
	}
	if b.Source != "" {
		p.positions[b.Source] = bytes.Clone(b.Position)
	}
}

// addFacts keeps the newest facts of a session; those that say that it was merged stay beside newer ones that do not.
func (p *pending) addFacts(f *seshat.SessionFacts) {
	at, ok := p.facts[f.ID]
	if !ok {
		p.facts[f.ID] = len(p.batch.Sessions)
		p.batch.Sessions = append(p.batch.Sessions, *f)
		return
	}
	before := &p.batch.Sessions[at]
	switch {
	case f.Version < before.Version && f.MergedInto.IsZero():
	case f.Version >= before.Version && (before.MergedInto.IsZero() || !f.MergedInto.IsZero()):
		*before = *f
	default:
		if f.Version >= before.Version {
			p.facts[f.ID] = len(p.batch.Sessions)
		}
		p.batch.Sessions = append(p.batch.Sessions, *f)
	}
}

// has reports which of keys are among it.
func (p *pending) has(keys []seshat.ExchangeKey, known []bool) (all bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	all = true
	for i, key := range keys {
		if _, ok := p.known[key]; ok {
			known[i] = true
		} else {
			all = false
		}
	}
	return all
}

// loadState adds the state that it has of keys to found, and returns the keys that it says nothing of.
func (p *pending) loadState(keys []seshat.Digest, found map[seshat.Digest][]byte) []seshat.Digest {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if len(p.state) == 0 {
		return keys
	}
	var others []seshat.Digest
	for _, key := range keys {
		at, ok := p.state[key]
		if !ok {
			others = append(others, key)
			continue
		}
		if value := p.batch.State[at].Value; value != nil {
			found[key] = append([]byte{}, value...)
		}
	}
	return others
}

// position is the position of a source; false when it has none.
func (p *pending) position(source string) ([]byte, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	position, ok := p.positions[source]
	return append([]byte(nil), position...), ok
}
