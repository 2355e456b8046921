package protect

import "strings"

const (
	// maxInterned is how many strings are kept for reuse. Hosts, endpoints, user agents and names of ordinary traffic
	// are fewer. When they are not, because somebody invents them, the table is emptied and starts anew.
	maxInterned = 8192
)

// interner keeps one copy of strings that come again and again, so that an observation need not have its own.
type interner struct {
	kept map[string]string // text as it was sent -> clean copy
}

// internBytes is intern for text in memory that is used again.
func (in *interner) internBytes(b []byte, limit int) string {
	if copied, ok := in.kept[string(b)]; ok && len(copied) <= limit { // without a copy, which the compiler sees to
		return copied
	}
	return in.intern(string(b), limit)
}

// intern returns a clean copy of s, of at most limit bytes. One s must always come with the same limit, or a
// smaller limit must be good enough.
func (in *interner) intern(s string, limit int) string {
	if s == "" {
		return ""
	}
	if copied, ok := in.kept[s]; ok && len(copied) <= limit {
		return copied
	}
	copied := clean(s, limit)
	if len(s) > limit { // rare, and perhaps huge
		return strings.Clone(copied)
	}
	if in.kept == nil || len(in.kept) >= maxInterned {
		in.kept = make(map[string]string)
	}
	own := strings.Clone(s)
	if copied == s {
		copied = own
	}
	in.kept[own] = copied
	return copied
}
