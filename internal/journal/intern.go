package journal

import "github.com/zeebo/xxh3"

// interned is how many texts a decoder remembers. Hosts, endpoints, methods and user agents repeat without end; a
// few thousand different ones cover nearly all of a window of traffic. A power of two.
const interned = 2048

// longestInterned is up to how many bytes texts are worth looking up. User agents are the longest that repeat.
const longestInterned = 512

// texts makes equal texts share their memory. It forgets: a text takes the place of another whose hash ends in the
// same bits, so that its size is fixed whatever the input holds.
type texts struct{ recent [interned]string }

func (t *texts) intern(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if t == nil || len(b) > longestInterned {
		return string(b)
	}
	place := &t.recent[xxh3.Hash(b)%interned]
	if *place != string(b) {
		*place = string(b)
	}
	return *place
}
