package recent

import (
	"slices"
	"sync"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// Sample takes all exchanges of some clients out of recorded traffic, which comes as fast as it can be read: as many
// clients as fit into the bounds of a ring. Its methods may be called at the same time; a nil Sample takes nothing.
type Sample struct {
	ring *Ring

	mu      sync.Mutex
	bounds  Bounds
	level   uint8
	cut     bool
	entries []*entry
	bytes   int64
}

// NewSample returns a sample for the ring, or nil when it keeps nothing.
func (r *Ring) NewSample() *Sample {
	if r == nil || r.off.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Sample{ring: r, bounds: r.bounds}
}

// Add takes an exchange, as [Ring.Add] does. Nothing of x is kept.
func (s *Sample) Add(x *seshat.Exchange, rules *rule.Ruleset) {
	if s == nil {
		return
	}
	client := clientOf(s.ring.seed, x)
	s.mu.Lock()
	level := s.level
	s.mu.Unlock()
	if !keeps(level, client) {
		return
	}
	e := newEntry(x, rules, client)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !keeps(s.level, client): // since it was asked
		return
	case e == nil:
		s.cut = true
		return
	}
	s.entries = append(s.entries, e)
	s.bytes += int64(e.size)
	for len(s.entries) > s.bounds.Exchanges || s.bytes > s.bounds.Bytes {
		s.thin()
	}
}

// thin halves the clients. Where that would leave next to nothing, because nearly all comes from one of them, the newer
// half of the exchanges is kept in place of that.
func (s *Sample) thin() {
	const least = 8 // the part that has to be left
	left := 0
	for _, e := range s.entries {
		if keeps(s.level+1, e.client) {
			left++
		}
	}
	drop := func(e *entry) bool { return !keeps(s.level, e.client) }
	if s.level < maxLevel && left >= len(s.entries)/least && left > 0 {
		s.level++
	} else {
		s.cut = true
		half, i := (len(s.entries)+1)/2, 0
		drop = func(*entry) bool { i++; return i <= half }
	}
	s.entries = slices.DeleteFunc(s.entries, drop)
	s.bytes = 0
	for _, e := range s.entries {
		s.bytes += int64(e.size)
	}
}

// Finish puts the sample into its ring, where it pushes out what is there longest. Nothing may be added any more.
func (s *Sample) Finish() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.entries, func(a, b *entry) int { return a.Time.Compare(b.Time) })
	s.ring.mu.Lock()
	defer s.ring.mu.Unlock()
	level := s.level
	if s.cut {
		level = cutLevel
	}
	for _, e := range s.entries {
		s.ring.peak = max(s.ring.peak, level)
		s.ring.push(e)
	}
	s.entries = nil
}
