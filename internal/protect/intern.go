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
	// latest are texts that are clean as they are, by their looks: most come again before another takes their place.
	latest [latestTexts]string
}

// latestTexts is how many texts are found without looking them up: one request has some twenty. A power of two.
const latestTexts = 64

// look is the place of a text in latest. It only needs to tell the texts of one request apart.
func look[T string | []byte](s T) int {
	return (len(s)*7 + int(s[0])*3 + int(s[len(s)/2])*5 + int(s[len(s)-1])) % latestTexts
}

// internBytes is intern for text in memory that is used again.
func (in *interner) internBytes(b []byte, limit int) string {
	if len(b) > 0 && len(b) <= limit { // the conversions make no copies: the compiler sees to it
		if place := look(b); in.latest[place] == string(b) {
			return in.latest[place]
		}
	}
	if copied, ok := in.kept[string(b)]; ok && len(copied) <= limit {
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
	place := look(s)
	if s == in.latest[place] && len(s) <= limit {
		return in.latest[place]
	}
	if copied, ok := in.kept[s]; ok && len(copied) <= limit {
		if copied == s {
			in.latest[place] = copied
		}
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
