package rule

import (
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// ScopeIndex finds, among many scopes, those that may hold for an exchange without looking at the others. It is
// immutable. Scopes with services are found by the service, those whose URLs start with something literal by that,
// the rest are always candidates.
type ScopeIndex struct {
	scopes   []*Scope
	always   Bits
	services map[string]Bits
	prefixes []prefixNode // sorted by text
	words    int
}

// prefixNode is one literal URL prefix. parent is the longest other prefix that it starts with, -1 for none.
type prefixNode struct {
	text   string
	parent int
	scopes []int
}

// NewScopeIndex makes an index of scopes. Their positions are what [ScopeIndex.Find] speaks of.
func NewScopeIndex(scopes []*Scope) *ScopeIndex {
	x := &ScopeIndex{scopes: scopes, services: map[string]Bits{}, words: (len(scopes) + 63) / 64}
	x.always = make(Bits, x.words)
	byPrefix := map[string][]int{}
	for i, s := range scopes {
		switch prefixes := s.allPrefixes(); {
		case prefixes != nil:
			for _, p := range prefixes {
				if !slices.Contains(byPrefix[p], i) {
					byPrefix[p] = append(byPrefix[p], i)
				}
			}
		case len(s.services) > 0:
			for _, name := range s.services {
				if x.services[name] == nil {
					x.services[name] = make(Bits, x.words)
				}
				x.services[name].Set(i)
			}
		default:
			x.always.Set(i)
		}
	}
	for text, list := range byPrefix {
		x.prefixes = append(x.prefixes, prefixNode{text: text, parent: -1, scopes: list})
	}
	slices.SortFunc(x.prefixes, func(a, b prefixNode) int { return strings.Compare(a.text, b.text) })
	for i := range x.prefixes {
		for j := i - 1; j >= 0; j = x.prefixes[j].parent {
			if strings.HasPrefix(x.prefixes[i].text, x.prefixes[j].text) {
				x.prefixes[i].parent = j
				break
			}
		}
	}
	return x
}

// allPrefixes returns the literal prefixes of all URLs of s; nil when s has no URLs or one of them has none.
func (s *Scope) allPrefixes() []string {
	var out []string
	for i := range s.urls {
		if s.urls[i].prefixes == nil {
			return nil
		}
		out = append(out, s.urls[i].prefixes...)
	}
	return out
}

// NeedsURL reports whether any scope asks for the URL.
func (x *ScopeIndex) NeedsURL() bool {
	return slices.ContainsFunc(x.scopes, func(s *Scope) bool { return len(s.urls) > 0 })
}

// Find appends to found the positions of the scopes that hold for the exchange, in ascending order. scratch is
// memory that is used meanwhile and returned for the next call.
func (x *ScopeIndex) Find(environment, service, url string, found []int, scratch Bits) ([]int, Bits) {
	if len(x.scopes) == 0 {
		return found, scratch
	}
	scratch = append(scratch[:0], x.always...)
	if len(x.services) > 0 {
		for i, w := range x.services[service] {
			scratch[i] |= w
		}
	}
	if len(x.prefixes) > 0 {
		// All prefixes of url are ancestors of its predecessor: between a prefix of url and url itself, in order, are
		// only texts that start with that prefix.
		i := sort.Search(len(x.prefixes), func(i int) bool { return x.prefixes[i].text > url }) - 1
		for ; i >= 0; i = x.prefixes[i].parent {
			if strings.HasPrefix(url, x.prefixes[i].text) {
				for _, s := range x.prefixes[i].scopes {
					scratch.Set(s)
				}
			}
		}
	}
	for w, word := range scratch {
		for ; word != 0; word &= word - 1 {
			i := w<<6 + bits.TrailingZeros64(word)
			if x.scopes[i].Check(environment, service, url) == InScope {
				found = append(found, i)
			}
		}
	}
	return found, scratch
}

// Bits is a set of small numbers.
type Bits []uint64

// Set adds i, which must be within the set's size.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (i & 63) }

// Has reports whether i is in b.
func (b Bits) Has(i int) bool { return b[i>>6]>>(i&63)&1 == 1 }
