package identify

import (
	"math/bits"
	"slices"

	"github.com/seshat-project/seshat/internal/rule"
)

// nameTable knows the names that identifiers look for in one view, so that one pass over its fields tells which
// identifiers can find something. It is filled, then frozen.
type nameTable struct {
	fold     bool
	entries  []*nameEntry
	patterns []namePattern // of the built-in set, in its order
	index    []namePlace   // open addressing
	shift    uint8
	// filter has, by length, a bit for each last character of a name. Most names in traffic end here.
	filter [filterLengths]uint32
}

// namePlace is a place of the index: its entry is the one before position, and none when that is 0.
type namePlace struct {
	hash     uint32
	position int32
}

// filterLengths is how many lengths the filter tells apart. A power of two.
const filterLengths = 64

// nameEntry is what is known of one name.
type nameEntry struct {
	name    string
	slot    int   // noSlot when no rule of a user's asks for it
	builtIn []int // the identifiers of the built-in set that take this name
}

// namePattern is an identifier of the built-in set that takes names by another operator than equals.
type namePattern struct {
	key     *rule.Matcher
	builtIn int
}

func (t *nameTable) same(a, b string) bool {
	return a == b || t.fold && rule.EqualFoldASCII(a, b)
}

// add returns the entry of name, which it makes if there is none. Only before freeze.
func (t *nameTable) add(name string) *nameEntry {
	for _, e := range t.entries {
		if t.same(e.name, name) {
			return e
		}
	}
	e := &nameEntry{name: name, slot: noSlot}
	t.entries = append(t.entries, e)
	return e
}

// freeze builds the index. A name that no identifier of the built-in set takes exactly may still be one of its
// patterns' names; that is decided here, once, for all names that are known.
func (t *nameTable) freeze() {
	for _, e := range t.entries {
		if len(e.builtIn) == 0 {
			e.builtIn = t.byPattern(e.name)
		}
	}
	if len(t.entries) == 0 {
		return
	}
	const load = 4 // places for each entry: names that are not in the table mostly meet a free place at once
	size := 1 << bits.Len(uint(len(t.entries)*load))
	t.shift = uint8(32 - bits.Len(uint(size-1))) //nolint:gosec // below 32
	t.index = make([]namePlace, size)
	for n, e := range t.entries {
		if e.name == "" {
			continue
		}
		h := nameHash(e.name)
		i := h >> t.shift
		for t.index[i].position != 0 {
			i = (i + 1) & uint32(size-1) //nolint:gosec // a small power of two
		}
		t.index[i] = namePlace{hash: h, position: int32(n + 1)} //nolint:gosec // bounded by the limits of a ruleset
		t.filter[len(e.name)%filterLengths] |= lastBit(e.name)
	}
}

func lastBit(name string) uint32 { return 1 << (name[len(name)-1] & 31) }

// find returns the entry of name, or nil.
func (t *nameTable) find(name string) *nameEntry {
	if len(t.index) == 0 || name == "" || t.filter[len(name)%filterLengths]&lastBit(name) == 0 {
		return nil
	}
	h := nameHash(name)
	mask := uint32(len(t.index) - 1) //nolint:gosec // a small power of two
	for i := h >> t.shift; t.index[i].position != 0; i = (i + 1) & mask {
		if t.index[i].hash != h {
			continue
		}
		if e := t.entries[t.index[i].position-1]; t.same(e.name, name) {
			return e
		}
	}
	return nil
}

// byPattern returns the first identifier of the built-in set whose pattern takes name. Names of noise are taken by none.
func (t *nameTable) byPattern(name string) []int {
	if len(t.patterns) == 0 || isNoise(name) {
		return nil
	}
	i := slices.IndexFunc(t.patterns, func(p namePattern) bool { return p.key.Match(name) })
	if i < 0 {
		return nil
	}
	return []int{t.patterns[i].builtIn}
}

// nameHash looks at the length and four characters, without their case. Names that differ in those only by accident
// share a place, which costs one comparison.
func nameHash(s string) uint32 {
	n := len(s)
	h := uint32(n)<<5 ^ uint32(s[n*3/4]|0x20) //nolint:gosec // its low bits are enough
	h = h<<5 ^ uint32(s[0]|0x20)
	h = h<<5 ^ uint32(s[n-1]|0x20)
	h = h<<5 ^ uint32(s[n>>1]|0x20)
	return h * 0x9E3779B1
}

// nameCache remembers, for names that are in no table, which identifier of the built-in set takes them. Clients use
// few names, and patterns are slow. It belongs to one worker.
type nameCache struct {
	places [cachePlaces]cachedName
}

type cachedName struct {
	name  string
	view  viewID
	entry *nameEntry // nil when no pattern takes it
}

const (
	// cachePlaces is how many names are remembered at most. A power of two.
	cachePlaces = 512
	// maxCachedName is how long a name may be to be remembered: together they bound the memory of a cache to 64 KB.
	maxCachedName = 64
)

func (c *nameCache) lookup(t *nameTable, v viewID, name string) *nameEntry {
	if len(name) > maxCachedName {
		return c.decide(t, name)
	}
	h := uint32(2166136261)
	for i := 0; i < len(name); i++ { // FNV-1a: unlike nameHash it must tell apart names of one shape, such as _ga_1 and _ga_2
		h = (h ^ uint32(name[i])) * 16777619
	}
	h ^= uint32(v)
	p := &c.places[(h^h>>16)&(cachePlaces-1)]
	if p.name != name || p.view != v {
		entry := c.decide(t, name)
		*p = cachedName{name: cloneString(name), view: v, entry: entry}
	}
	return p.entry
}

func (c *nameCache) decide(t *nameTable, name string) *nameEntry {
	taken := t.byPattern(name)
	if taken == nil {
		return nil
	}
	return &nameEntry{slot: noSlot, builtIn: taken}
}
