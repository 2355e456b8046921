package protect

import (
	"encoding/hex"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/httpfield"
)

const (
	// shortestToken is the shortest path segment that is looked at as if it could be a token.
	shortestToken = 20
	// segmentDigits is how many hexadecimal digits stand for a masked segment: 48 bits tell a session's objects apart,
	// and are of no use without the key.
	segmentDigits = 12
	segmentMark   = "~"
)

// maskPath returns path with its secret segments and the values of its path parameters replaced. Secret are segments
// that are or hold a client session ID, as found says, and those that suspect holds for.
func (o *Observer) maskPath(path string, holdsSecret bool, suspect func(segment string) bool) (masked string, found bool) {
	var b strings.Builder
	for path != "" {
		segment, rest, more := strings.Cut(path, "/")
		name, parameters, _ := strings.Cut(segment, ";")
		digest, isID := seshat.Digest{}, false
		if holdsSecret {
			digest, isID = o.idIn(name)
		}
		found = found || isID
		if !isID && suspect(name) {
			digest = o.hasher.HashLabelled(labelPathSegment, name)
		}
		if !digest.IsZero() {
			var digits [2 * len(digest)]byte
			hex.Encode(digits[:], digest[:])
			b.WriteString(segmentMark)
			b.Write(digits[:segmentDigits])
		} else {
			b.WriteString(name)
		}
		for parameters != "" {
			var parameter string
			parameter, parameters, _ = strings.Cut(parameters, ";")
			key, _, hasValue := strings.Cut(parameter, "=")
			b.WriteByte(';')
			switch {
			case hasValue && !o.holdsSecret(key):
				b.WriteString(key + "=*")
			case parameter != "":
				b.WriteByte('*')
			}
		}
		if more {
			b.WriteByte('/')
		}
		path = rest
	}
	return b.String(), found
}

// idIn returns the digest of the client session ID that a segment is or holds, as it is or decoded.
func (o *Observer) idIn(segment string) (digest seshat.Digest, ok bool) {
	decoded, _ := httpfield.UnescapePath(segment, &o.scratch)
	for i := range o.secrets {
		if s := &o.secrets[i]; contains(segment, s.value) || contains(decoded, s.value) {
			return s.digest, true
		}
	}
	return seshat.Digest{}, false
}

// isToken reports whether a segment looks like a token, whatever it is for. UUIDs and numbers commonly name objects.
func isToken(segment string) bool {
	return len(segment) >= shortestToken && (strings.HasPrefix(segment, "eyJ") || endpoint.IsRandom(segment) ||
		holdsCode(segment) && endpoint.IsValue(segment)) // what a template shows is a name, and no secret
}

// holdsCode reports whether letters and figures follow each other in segment without a separator for as long as a token
// is, with figures between the letters. A word and a number, such as screenshot20260102030405, is not one.
func holdsCode(segment string) bool {
	length, turns, was := 0, 0, byte(0)
	for i := 0; i < len(segment); i++ {
		kind := byte('a')
		switch c := segment[i]; {
		case c-'0' < 10:
			kind = '0'
		case c|0x20-'a' >= 26:
			length, turns, was = 0, 0, 0
			continue
		}
		if length++; was != 0 && was != kind {
			turns++
		}
		if was = kind; length >= shortestToken && turns >= 2 {
			return true
		}
	}
	return false
}

// holdsSecret reports whether a secret of the exchange is in path, as it is or decoded. It may also say so of a
// secret that is shorter than a segment it occurs in.
func (o *Observer) holdsSecret(path string) bool {
	if len(o.secrets) == 0 {
		return false
	}
	decoded, _ := httpfield.UnescapePath(path, &o.scratch)
	for i := range o.secrets {
		if value := o.secrets[i].value; strings.Contains(path, value) || strings.Contains(decoded, value) {
			return true
		}
	}
	return false
}

// contains reports whether text is value or, if value is not too short for that to say anything, holds it.
func contains(text, value string) bool {
	return text == value || len(value) >= shortestSecret && strings.Contains(text, value)
}

func hasLongSegment(path string) bool {
	for len(path) >= shortestToken {
		end := strings.IndexByte(path, '/')
		if end < 0 {
			return true
		}
		if end >= shortestToken {
			return true
		}
		path = path[end+1:]
	}
	return false
}
