package http1

import (
	"encoding/binary"
	"math/bits"
)

// What a byte may be part of.
const (
	tokenChar  = 1 << iota // RFC 9110, section 5.6.2
	targetChar             // visible ASCII but "#"; see parseTarget
	nameChar               // of a registered name as a host: letters, digits, "-", ".", "_", "~"
	hexChar
)

var chars = [256]uint8{
	'!': tokenChar | targetChar, '"': targetChar, '$': tokenChar | targetChar, '%': tokenChar | targetChar,
	'&': tokenChar | targetChar, '\'': tokenChar | targetChar, '(': targetChar, ')': targetChar,
	'*': tokenChar | targetChar, '+': tokenChar | targetChar, ',': targetChar, '-': tokenChar | targetChar | nameChar,
	'.': tokenChar | targetChar | nameChar, '/': targetChar, '#': tokenChar,
	'0': digit, '1': digit, '2': digit, '3': digit, '4': digit, '5': digit, '6': digit, '7': digit, '8': digit, '9': digit,
	':': targetChar, ';': targetChar, '<': targetChar, '=': targetChar, '>': targetChar, '?': targetChar, '@': targetChar,
	'A': letter | hexChar, 'B': letter | hexChar, 'C': letter | hexChar, 'D': letter | hexChar, 'E': letter | hexChar,
	'F': letter | hexChar, 'G': letter, 'H': letter, 'I': letter, 'J': letter, 'K': letter, 'L': letter, 'M': letter,
	'N': letter, 'O': letter, 'P': letter, 'Q': letter, 'R': letter, 'S': letter, 'T': letter, 'U': letter, 'V': letter,
	'W': letter, 'X': letter, 'Y': letter, 'Z': letter,
	'[': targetChar, '\\': targetChar, ']': targetChar, '^': tokenChar | targetChar, '_': tokenChar | targetChar | nameChar,
	'`': tokenChar | targetChar,
	'a': letter | hexChar, 'b': letter | hexChar, 'c': letter | hexChar, 'd': letter | hexChar, 'e': letter | hexChar,
	'f': letter | hexChar, 'g': letter, 'h': letter, 'i': letter, 'j': letter, 'k': letter, 'l': letter, 'm': letter,
	'n': letter, 'o': letter, 'p': letter, 'q': letter, 'r': letter, 's': letter, 't': letter, 'u': letter, 'v': letter,
	'w': letter, 'x': letter, 'y': letter, 'z': letter,
	'{': targetChar, '|': tokenChar | targetChar, '}': targetChar, '~': tokenChar | targetChar | nameChar,
}

const (
	letter = tokenChar | targetChar | nameChar
	digit  = letter | hexChar
)

// control returns the index of the first control character of b at or after i, HTAB included, or len(b) when there is
// none. It looks at eight bytes at once: values are most of a head.
func control(b []byte, i int) int {
	const (
		ones   = 0x0101010101010101
		highs  = 0x80 * ones
		spaces = 0x20 * ones
		dels   = 0x7f * ones
	)
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		y := x ^ dels
		// A byte below 0x20 borrows, and so does one of y that is 0. The lowest that does is exact.
		if found := ((x-spaces)&^x | (y-ones)&^y) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
		i += 8
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == 0x7f {
			return i
		}
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// equalFold compares with lower, which is in lower case, whatever the case of the ASCII letters of s.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// trim removes optional white space from both ends (RFC 9110, section 5.6.3).
func trim(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}
