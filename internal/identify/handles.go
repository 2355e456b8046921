package identify

import (
	"time"

	"github.com/seshat-project/seshat"
)

// A server that sets a random cookie for itself, one that scripts cannot read, has something to recognise by it: a
// session under a name that nobody knows, the steps of a sign-in, a refresh token. Such handles are recorded as
// transactions, whatever they are called. They join what they were given out for and nothing else: correlation pays
// no attention to one that it has not seen given out, so that a cookie of another kind which happens to look like a
// handle costs a digest and decides nothing.

const (
	// maxHandles is how many handles of one message are recorded.
	maxHandles = 8
	// handleLifetime is how long a handle may live. Cookies that live longer recognise a device or a person.
	handleLifetime = 45 * 24 * time.Hour
	// handleCharacters is how many different characters a value has at least that was drawn at random: of 16
	// hexadecimal digits, fewer than 7 differ once in 1,500 times.
	handleCharacters = 7
)

func handles() entry {
	return entry{
		name: "cookie:handle", in: both, at: seshat.LocationCookie, key: matches("."), least: tokenLength,
		kind: seshat.KindTransaction, handles: true,
	}
}

// isHandle reports whether the cookie at index i of view may be a handle.
func (w *Worker) isHandle(view viewID, i int, value string) bool {
	if view == viewResponseCookie {
		c := &w.setCookies[i]
		now := w.responseTime()
		if value == "" || c.Deleted(now) {
			return true // of which the request's value decides
		}
		if !c.HTTPOnly {
			return false
		}
		if ends := c.ExpiresAt(now); !ends.IsZero() && ends.Sub(now) > handleLifetime {
			return false
		}
	}
	return isRandom(value)
}

// isRandom reports whether value may have been drawn at random or made by a cipher: letters and digits, many different
// ones, and none of the punctuation that data has when it is written into a cookie.
func isRandom(value string) bool {
	if len(value) < tokenLength {
		return false
	}
	var seen [256 / 64]uint64
	letters, digits, different := false, false, 0
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			letters = letters || c != 'T' && c != 'Z' // those are all that a time has, 2026-01-02T15:04:05Z
		case '0' <= c && c <= '9':
			digits = true
		case c <= ' ' || c > '~', c == '"', c == '{', c == '}', c == '&', c == '|', c == ',', c == ';', c == '/' && i == 0:
			return false
		}
		if bit := uint64(1) << (c & 63); seen[c>>6]&bit == 0 {
			seen[c>>6] |= bit
			different++
		}
	}
	return letters && digits && different >= handleCharacters
}
