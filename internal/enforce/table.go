package enforce

import (
	"math/bits"
	"sync"
)

// table is what an enforcer remembers under 128-bit keys: a hash table with open addressing, in shards with a lock each.
// Every entry lapses. Lapsed entries are reclaimed when a shard has no room, before it grows; a shard that may not grow
// any more and is full of entries that have not lapsed gives up the one of a few neighbours that is worth least.
type table[V any] struct {
	shards []shard[V]
	most   int // entries of a shard
	// worth says how much is lost with an entry; nil takes the time for which it would still be kept.
	worth func(e *entry[V], now uint32) uint64
}

// entry is one slot. It is free when expires is 0, and lapsed from expires on.
type entry[V any] struct {
	key     hash
	expires uint32 // seconds since 1970
	value   V
}

type shard[V any] struct {
	mu      sync.Mutex
	entries []entry[V]
	used    int    // slots that are not free
	evicted uint64 // entries that were given up before they lapsed
	refused uint64 // entries that were not made since every neighbour was worth more
	swept   uint32 // when lapsed entries were last dropped from a shard that may not grow
	_       [4]byte
}

const (
	// shardBits gives 256 shards: with one lock each, two of 64 busy cores meet in one of some hundred requests.
	shardBits = 8
	// maxLoad, in eighths, is how full a shard may be. At three quarters a key is found within two or three slots.
	maxLoad = 6
	// growth, in eighths, is what a shard grows to: less than double, so that a table of any size is at least 55 %
	// full.
	growth = 11
	// leastSlots is the size of a shard's first allocation.
	leastSlots = 16
	// neighbours is how many slots are looked at for one to give up.
	neighbours = 8
	// sweepInterval, in seconds, is how often a shard that may not grow is swept: it costs some 100 µs.
	sweepInterval = 10
	// priceless is the worth of what is never given up.
	priceless = ^uint64(0)
)

func newTable[V any](most int, worth func(*entry[V], uint32) uint64) *table[V] {
	t := &table[V]{shards: make([]shard[V], 1<<shardBits), most: max(most>>shardBits, leastSlots), worth: worth}
	if t.worth == nil {
		t.worth = func(e *entry[V], now uint32) uint64 { return uint64(e.expires - now) }
	}
	return t
}

// spread mixes a key: keys of other origin than [sip] may have bits that never change, such as the version of a UUID.
func spread(k hash) uint64 {
	hi, lo := bits.Mul64(k[0]^0x9e3779b97f4a7c15, k[1]^0xd1b54a32d192ed03)
	return hi ^ lo
}

// lock returns the shard of a key, locked, and the key's place in it.
func (t *table[V]) lock(k hash) (*shard[V], uint64) {
	h := spread(k)
	s := &t.shards[h>>(64-shardBits)]
	s.mu.Lock()
	return s, h << shardBits
}

func (s *shard[V]) home(h uint64) int {
	i, _ := bits.Mul64(h, uint64(len(s.entries)))
	return int(i) //nolint:gosec // below the length
}

// find returns the entry of k, or nil when there is none or it lapsed. It is valid until the shard is unlocked.
func (s *shard[V]) find(k hash, h uint64, now uint32) *entry[V] {
	if len(s.entries) == 0 {
		return nil
	}
	for i := s.home(h); ; {
		e := &s.entries[i]
		if e.expires == 0 {
			return nil
		}
		if e.key == k {
			if e.expires <= now {
				return nil
			}
			return e
		}
		if i++; i == len(s.entries) {
			i = 0
		}
	}
}

// put returns the entry of k, and makes it when there is none. It is nil when there is no room. The caller sets expires
// of an entry that is fresh.
func (t *table[V]) put(s *shard[V], k hash, h uint64, now uint32) (e *entry[V], fresh bool) {
	if s.used*8 >= len(s.entries)*maxLoad && s.find(k, h, now) == nil {
		t.resize(s, now)
	}
	lapsed := -1
	for i, n := s.home(h), 0; n < len(s.entries); n++ {
		e := &s.entries[i]
		switch {
		case e.expires == 0:
			if lapsed >= 0 {
				return take(&s.entries[lapsed], k)
			}
			if s.used*8 >= len(s.entries)*maxLoad { // it could not grow
				return t.displace(s, k, h, now)
			}
			s.used++
			return take(e, k)
		case e.key == k:
			if e.expires > now {
				return e, false
			}
			return take(e, k)
		case lapsed < 0 && e.expires <= now:
			lapsed = i
		}
		if i++; i == len(s.entries) {
			i = 0
		}
	}
	return nil, false // never: a shard always has free slots
}

func take[V any](e *entry[V], k hash) (*entry[V], bool) {
	*e = entry[V]{key: k, expires: 1}
	return e, true
}

// displace gives k the slot of the neighbour that is worth least.
func (t *table[V]) displace(s *shard[V], k hash, h uint64, now uint32) (*entry[V], bool) {
	var victim *entry[V]
	least := priceless
	for i, n := s.home(h), 0; n < neighbours; n++ {
		e := &s.entries[i]
		if e.expires == 0 { // what is behind a free slot is not found from here
			if victim == nil && n == 0 && s.used*8 < len(s.entries)*(maxLoad+1) {
				s.used++
				return take(e, k)
			}
			break
		}
		if worth := t.worth(e, now); worth < least {
			victim, least = e, worth
		}
		if i++; i == len(s.entries) {
			i = 0
		}
	}
	if victim == nil {
		s.refused++
		return nil, false
	}
	s.evicted++
	return take(victim, k)
}

// resize drops lapsed entries, and makes room when there are few.
func (t *table[V]) resize(s *shard[V], now uint32) {
	if len(s.entries) >= t.most {
		if now-s.swept < sweepInterval {
			return
		}
		s.swept = now
	}
	live := 0
	for i := range s.entries {
		if s.entries[i].expires > now {
			live++
		}
	}
	size := len(s.entries)
	if live*8 >= size*(maxLoad-1) {
		size = min(max(size*growth/8, leastSlots), t.most)
	}
	if size <= len(s.entries) && live == s.used {
		return // nothing to gain
	}
	old := s.entries
	s.entries, s.used = make([]entry[V], size), live
	for i := range old {
		if old[i].expires <= now {
			continue
		}
		at := s.home(spread(old[i].key) << shardBits)
		for s.entries[at].expires != 0 {
			if at++; at == size {
				at = 0
			}
		}
		s.entries[at] = old[i]
	}
}

// size is what a table holds.
type size struct {
	entries, slots   int
	evicted, refused uint64
}

func (t *table[V]) size() (out size) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		out.entries += s.used
		out.slots += len(s.entries)
		out.evicted += s.evicted
		out.refused += s.refused
		s.mu.Unlock()
	}
	return out
}
