package recent

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// The bounds of what is kept, unless they are set otherwise.
const (
	// DefaultExchanges is enough to see what a rule finds and what sessions come of it, and few enough to try a draft on all
	// of them while somebody waits.
	DefaultExchanges = 5_000
	// DefaultBytes is some 6 KiB for each of them: exchanges with tokens and small bodies.
	DefaultBytes = 32 << 20
	// DefaultPerSecond is how many exchanges are taken in a second, at some microsecond each. With them, 5,000 are the last
	// 25 seconds at least.
	DefaultPerSecond = 200
)

// calmSeconds is for how long little has to come before more clients are kept.
const calmSeconds = 5

// cutLevel marks a time in which not even all exchanges of the clients that are kept were.
const cutLevel = 64

// Bounds say how much is kept.
type Bounds struct {
	Exchanges int // 0 keeps nothing
	Bytes     int64
	PerSecond int
}

// DefaultBounds returns the documented bounds.
func DefaultBounds() Bounds {
	return Bounds{Exchanges: DefaultExchanges, Bytes: DefaultBytes, PerSecond: DefaultPerSecond}
}

// Ring keeps the last exchanges. Its methods may be called at the same time; a nil Ring keeps nothing.
//
// At most PerSecond exchanges of a second are taken. When more come, the part of the clients that is kept is halved, at
// once and as often as it takes; when little comes, it is doubled. A request of a client that is not kept costs a hash of
// address and user agent and no lock.
type Ring struct {
	seed   maphash.Seed
	off    atomic.Bool
	level  atomic.Uint32
	second atomic.Int64 // the Unix time of the last exchange, in seconds

	mu      sync.Mutex
	bounds  Bounds
	entries []*entry // oldest first, from head on, and around
	head    int
	count   int
	bytes   int64
	taken   int // in this second
	calm    int // seconds in which little came
	peak    uint8
}

// NewRing returns a ring. The seed is what clients are chosen by.
func NewRing(b Bounds, seed maphash.Seed) *Ring {
	r := &Ring{seed: seed}
	r.Use(b)
	return r
}

// Use sets other bounds. What is beyond them is dropped.
func (r *Ring) Use(b Bounds) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off.Store(b.Exchanges <= 0)
	r.bounds = b
	for r.count > 0 && (r.count > b.Exchanges || r.bytes > b.Bytes) {
		r.drop()
	}
	kept := make([]*entry, 0, r.count)
	for i := range r.count {
		kept = append(kept, r.at(i))
	}
	r.entries, r.head = kept, 0
}

// Add takes an exchange that is over, if there is room in its second, without what the mask rules of rules hide. Nothing of
// x is kept.
func (r *Ring) Add(x *seshat.Exchange, rules *rule.Ruleset) {
	if r == nil || r.off.Load() {
		return
	}
	if second := x.Time.Unix(); second > r.second.Load() || second < r.second.Load()-clockBack {
		r.turn(second)
	}
	client := clientOf(r.seed, x)
	if !keeps(uint8(r.level.Load()), client) { //nolint:gosec // at most maxLevel
		return
	}
	if !r.admit(client) {
		return
	}
	e := newEntry(x, rules, client)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e == nil {
		r.peak = cutLevel
		return
	}
	r.push(e)
}

// clockBack is how far the time may go back without that somebody has set the clock: requests end in another order than
// they begin.
const clockBack = 600

// turn begins another second.
func (r *Ring) turn(second int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.second.Load()
	if second <= before && second >= before-clockBack {
		return // somebody was faster
	}
	r.second.Store(second)
	passed := int(min(max(second-before, 1), calmSeconds))
	if r.taken >= r.bounds.PerSecond/4 {
		passed--
		r.calm = 0
	}
	r.taken = 0
	if r.calm += passed; r.calm >= calmSeconds && r.level.Load() > 0 {
		r.level.Store(r.level.Load() - 1)
		r.calm = 0
	}
}

// admit counts one exchange of a client, and reports whether it is kept. Where there is no room for it, fewer clients are
// kept, until it is not of one of them or there is.
func (r *Ring) admit(client uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.taken >= r.bounds.PerSecond {
		level := r.level.Load()
		if level == maxLevel {
			r.peak = cutLevel
			return false
		}
		level++
		r.level.Store(level)
		r.peak = max(r.peak, uint8(level)) //nolint:gosec // at most maxLevel
		r.taken -= r.bounds.PerSecond / 2  // of those that are left about as many have come
		if !keeps(uint8(level), client) {  //nolint:gosec // see above
			return false
		}
	}
	r.taken++
	return true
}

// push adds an entry at the end.
func (r *Ring) push(e *entry) {
	if r.bounds.Exchanges <= 0 || int64(e.size) > r.bounds.Bytes {
		return
	}
	e.level = max(r.peak, uint8(r.level.Load())) //nolint:gosec // at most maxLevel
	r.peak = 0
	for r.count > 0 && (r.count >= r.bounds.Exchanges || r.bytes+int64(e.size) > r.bounds.Bytes) {
		r.drop()
	}
	if r.count == len(r.entries) {
		r.grow()
	}
	r.entries[(r.head+r.count)%len(r.entries)] = e
	r.count++
	r.bytes += int64(e.size)
}

// grow makes room for more entries, up to the bound.
func (r *Ring) grow() {
	const first = 64
	larger := make([]*entry, min(max(2*len(r.entries), first), r.bounds.Exchanges))
	for i := range r.count {
		larger[i] = r.at(i)
	}
	r.entries, r.head = larger, 0
}

func (r *Ring) at(i int) *entry { return r.entries[(r.head+i)%len(r.entries)] }

// drop removes the oldest entry.
func (r *Ring) drop() {
	e := r.at(0)
	r.entries[r.head] = nil
	r.head = (r.head + 1) % len(r.entries)
	r.count--
	r.bytes -= int64(e.size)
}

// Source says what a ring has.
type Source struct {
	Bounds
	Kept      int
	KeptBytes int64
	// Since and Until are the times of the oldest and the newest exchange.
	Since, Until time.Time
	// Share is the part of the clients whose exchanges are taken now, from 0 to 1.
	Share float64
	// Whole says that there is every exchange of each client in a snapshot, from the first exchange of it on.
	Whole bool
}

// Source says what the ring has.
func (r *Ring) Source() Source {
	_, source := r.snapshot()
	return source
}

// Snapshot returns the newest exchanges, at most limit of them, in the order of their time. They belong to the ring, and
// must not be changed. Where not all clients were kept all the time, those are left out of which some exchanges were not,
// unless that is most of what there is.
func (r *Ring) Snapshot(limit int) ([]*seshat.Exchange, Source) {
	kept, source := r.snapshot()
	kept = kept[max(0, len(kept)-max(limit, 0)):]
	out := make([]*seshat.Exchange, len(kept))
	for i, e := range kept {
		out[i] = &e.Exchange
	}
	return out, source
}

func (r *Ring) snapshot() ([]*entry, Source) {
	if r == nil {
		return nil, Source{}
	}
	r.mu.Lock()
	source := Source{
		Bounds: r.bounds, Kept: r.count, KeptBytes: r.bytes, Share: 1 / float64(uint(1)<<r.level.Load()),
	}
	kept := make([]*entry, r.count)
	for i := range kept {
		kept[i] = r.at(i)
	}
	highest := r.peak
	r.mu.Unlock()

	for _, e := range kept {
		highest = max(highest, e.level)
	}
	whole := make([]*entry, 0, len(kept))
	for _, e := range kept {
		if keeps(highest, e.client) {
			whole = append(whole, e)
		}
	}
	if source.Whole = 2*len(whole) >= len(kept); source.Whole {
		kept = whole
	}
	slices.SortStableFunc(kept, func(a, b *entry) int { return a.Time.Compare(b.Time) })
	if len(kept) > 0 {
		source.Since, source.Until = kept[0].Time, kept[len(kept)-1].Time
	}
	return kept, source
}
