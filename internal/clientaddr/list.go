package clientaddr

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

func equalFold(a, b string) bool { return httpfield.EqualFold(a, b) }

func indexByte(s string, c byte) int { return strings.IndexByte(s, c) }

// trim removes optional white space from both ends.
func trim(s string) string { return strings.Trim(s, " \t") }

// backwards reads the elements of a list field from the last line's end to the first line's beginning. What a trusted proxy
// wrote is at the end; so nothing that a client wrote before it can change how it is read.
type backwards struct {
	header []seshat.Field
	name   string
	quoted bool   // elements may hold quoted strings
	line   int    // of header; what is before it has not been read
	rest   string // of the line, what has not been read
	open   bool   // rest is to be read
}

func newBackwards(header []seshat.Field, name string, quoted bool) backwards {
	return backwards{header: header, name: name, quoted: quoted, line: len(header)}
}

// next returns the element before the last one that was returned. Empty elements are skipped (RFC 9110, section 5.6.1).
func (b *backwards) next() (element string, ok bool) {
	for {
		if !b.open && !b.previousLine() {
			return "", false
		}
		if comma := b.lastComma(); comma >= 0 {
			element, b.rest = b.rest[comma+1:], b.rest[:comma]
		} else {
			element, b.open = b.rest, false
		}
		if element = trim(element); element != "" {
			return element, true
		}
	}
}

func (b *backwards) previousLine() bool {
	for b.line > 0 {
		b.line--
		if equalFold(b.header[b.line].Name, b.name) {
			b.rest, b.open = b.header[b.line].Value, true
			return true
		}
	}
	return false
}

// lastComma returns the position of the last comma of b.rest that is not within a quoted string, or -1. Read backwards, a
// quoted string is as clear as forwards: it begins at a quote with no backslash before it, and nothing but a backslash
// makes a quote part of the string.
func (b *backwards) lastComma() int {
	if !b.quoted {
		return strings.LastIndexByte(b.rest, ',')
	}
	inside := false
	for i := len(b.rest) - 1; i >= 0; i-- {
		switch b.rest[i] {
		case '"':
			if !inside || !escaped(b.rest, i) {
				inside = !inside
			}
		case ',':
			if !inside {
				return i
			}
		}
	}
	return -1
}

// escaped reports whether an odd number of backslashes stands before position i.
func escaped(s string, i int) bool {
	n := 0
	for i > n && s[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// count returns how many elements a list field has, over all its lines.
func count(header []seshat.Field, name string) int {
	n := 0
	for b := newBackwards(header, name, false); ; n++ {
		if _, ok := b.next(); !ok {
			return n
		}
	}
}
