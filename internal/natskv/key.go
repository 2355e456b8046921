package natskv

import (
	"strings"
)

// NATS allows letters, digits and "-/_=." in a key, and gives "." a meaning: it separates tokens, which must not be
// empty. "/" becomes ".", so that a watch can be limited to a folder by the server; every other byte outside letters,
// digits, "-" and "_" becomes "=" and two hexadecimal digits; and an empty segment becomes a single "=".

const hexDigits = "0123456789ABCDEF"

// encodeKey turns a key of the contract into a key of NATS.
func encodeKey(key string) string {
	var b strings.Builder
	b.Grow(len(key) + 8)
	empty := true
	for i := range len(key) {
		c := key[i]
		if c == '/' {
			if empty {
				b.WriteByte('=')
			}
			b.WriteByte('.')
			empty = true
			continue
		}
		empty = false
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('=')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	if empty {
		b.WriteByte('=')
	}
	return b.String()
}

// decodeKey is the inverse of encodeKey. It reports false for keys that were not made by it.
func decodeKey(encoded string) (string, bool) {
	segments := strings.Split(encoded, ".")
	for i, segment := range segments {
		if segment == "=" {
			segments[i] = ""
			continue
		}
		decoded, ok := decodeSegment(segment)
		if !ok {
			return "", false
		}
		segments[i] = decoded
	}
	key := strings.Join(segments, "/")
	return key, encodeKey(key) == encoded
}

func decodeSegment(segment string) (string, bool) {
	if segment == "" {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		if segment[i] != '=' {
			b.WriteByte(segment[i])
			continue
		}
		if i+2 >= len(segment) {
			return "", false
		}
		high, low := strings.IndexByte(hexDigits, segment[i+1]), strings.IndexByte(hexDigits, segment[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		b.WriteByte(byte(high<<4 | low)) //nolint:gosec // two digits below 16
		i += 2
	}
	return b.String(), true
}

// filterFor is the narrowest pattern of the server that covers the keys with the given prefix.
func filterFor(prefix string) string {
	end := strings.LastIndexByte(prefix, '/')
	if end < 0 {
		return ">"
	}
	return encodeKey(prefix[:end]) + ".>"
}
