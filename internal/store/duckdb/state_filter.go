package duckdb

import (
	"context"
	"database/sql"
	"hash/maphash"
	"sync"

	"github.com/seshat-project/seshat"
)

// stateFilter says which keys may have state: most keys that correlation asks for are new, and the table need not be
// read to say so. It is a list of Bloom filters, each made for twice as many keys as the ones before, up to
// filterBytes; from there on it tells fewer apart. Keys are not taken out of it, but compaction makes it anew.
//
// It is safe for concurrent use: who loads state does not wait for a batch that is being written.
type stateFilter struct {
	mu      sync.RWMutex
	seed    maphash.Seed
	filters []bloomFilter
}

type bloomFilter struct {
	bits        []uint64
	keys, holds int64
}

// Size of a filter: with bloomBits bits a key and bloomProbes probes, one of 150,000 keys that have no state is looked
// for in vain, so that a batch of new keys mostly asks nothing.
const (
	bloomBits   = 32
	bloomProbes = 8
	bloomLeast  = 1 << 17 // keys; 512 KB
	// filterBytes is for two million keys at full sharpness. With eight million one of fifty is looked for in vain,
	// which is still cheap.
	filterBytes = 8 << 20
)

func newStateFilter(keys int64) *stateFilter {
	f := &stateFilter{seed: maphash.MakeSeed()}
	f.extend(keys)
	return f
}

// extend makes room for more keys, if there may be more.
func (f *stateFilter) extend(keys int64) {
	room := int64(filterBytes)
	for i := range f.filters {
		room -= int64(len(f.filters[i].bits)) * 8
	}
	keys = min(max(keys, bloomLeast), room*8/bloomBits)
	if keys >= bloomLeast {
		f.filters = append(f.filters, bloomFilter{bits: make([]uint64, keys*bloomBits/64), holds: keys})
		return
	}
	last := &f.filters[len(f.filters)-1]
	last.holds = 1 << 62
}

func loadStateFilter(ctx context.Context, conn *sql.Conn, rows int64) (*stateFilter, error) {
	f := newStateFilter(rows)
	if rows == 0 {
		return f, nil
	}
	return f, readKeys(ctx, conn, "SELECT DISTINCT key FROM state WHERE value IS NOT NULL", f)
}

// replace makes f what other is.
func (f *stateFilter) replace(other *stateFilter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seed, f.filters = other.seed, other.filters
}

// add adds a key, unless the filter has it, and reports whether it did.
func (f *stateFilter) add(key seshat.Digest) (added bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.has(key) {
		return false
	}
	last := &f.filters[len(f.filters)-1]
	if last.keys >= last.holds {
		f.extend(2 * last.holds)
		last = &f.filters[len(f.filters)-1]
	}
	last.keys++
	last.probe(maphash.Bytes(f.seed, key[:]), func(word *uint64, mask uint64) bool {
		*word |= mask
		return true
	})
	return true
}

// mayHave reports whether key may have state; when not, it has none.
func (f *stateFilter) mayHave(key seshat.Digest) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.has(key)
}

// choose returns those of keys that may have state.
func (f *stateFilter) choose(keys []seshat.Digest) []seshat.Digest {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var chosen []seshat.Digest
	for _, key := range keys {
		if f.has(key) {
			chosen = append(chosen, key)
		}
	}
	return chosen
}

func (f *stateFilter) has(key seshat.Digest) bool {
	h := maphash.Bytes(f.seed, key[:])
	for i := range f.filters {
		filter := &f.filters[i]
		if filter.keys > 0 && filter.probe(h, func(word *uint64, mask uint64) bool { return *word&mask != 0 }) {
			return true
		}
	}
	return false
}

// probe calls each with the place of every bit of a hash until it returns false, and reports whether it never did.
func (b *bloomFilter) probe(h uint64, each func(word *uint64, mask uint64) bool) bool {
	step := h>>32 | h<<32 | 1
	n := uint64(len(b.bits)) * 64
	for range bloomProbes {
		at := h % n
		if !each(&b.bits[at/64], 1<<(at%64)) {
			return false
		}
		h += step
	}
	return true
}
