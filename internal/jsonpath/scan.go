package jsonpath

import (
	"bytes"
	"unicode/utf8"
)

// The scanner goes over the bytes of a document without making values of them. It checks what it must to find its
// way and no more: on valid JSON it finds what the decoder would, on anything else it stays within bounds and
// returns something or nothing. Functions take the place of a token's first byte and return the place behind it, or
// a negative number when there is no such token.

// none says that a document does not have what was looked for.
const none = -1

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// shortString is up to how many bytes of a string are looked at one by one: names and most values end within, and a
// call of bytes.IndexByte pays only beyond.
const shortString = 24

// skipString skips the string whose opening quote is at i.
func skipString(b []byte, i int) int {
	i++
	for end := min(i+shortString, len(b)); i < end; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	for start := i; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return none
		}
		i += n
		// The quote closes the string unless an odd number of backslashes stands before it.
		backslashes := i
		for backslashes > start && b[backslashes-1] == '\\' {
			backslashes--
		}
		i++
		if (i-1-backslashes)&1 == 0 {
			return i
		}
	}
	return none
}

// scanString skips the string whose opening quote is at i, and checks its characters. It says whether there are
// escapes, which it does not check.
func scanString(b []byte, i int) (end int, escaped, ok bool) {
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped, true
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			return i, escaped, false
		}
	}
	return i, escaped, false
}

// skipValue skips the value at i. Brackets are counted and not matched by kind.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return none
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipContainer(b, i)
	case ',', ':', ']', '}':
		return none
	}
	for i < len(b) {
		switch b[i] {
		case ',', ':', ']', '}', ' ', '\t', '\n', '\r', '"', '{', '[':
			return i
		}
		i++
	}
	return none // a literal that the end cuts off may go on
}

// structure says of each byte whether it opens or closes something. It is a string because that can be a constant.
const structure = "" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

const (
	quotes = 1 + iota
	opens
	closes
)

func skipContainer(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch structure[b[i]] {
		case 0:
			i++
		case quotes:
			if i = skipString(b, i); i < 0 {
				return none
			}
		case opens:
			depth++
			i++
		case closes:
			i++
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return none
}

// locate returns the place of the value that the steps of a singular query lead to.
func locate(b []byte, steps []step) int {
	i := skipSpace(b, 0)
	for s := range steps {
		if i >= len(b) {
			return none
		}
		if steps[s].named {
			i = findMember(b, i, steps[s].name)
		} else {
			i = findElement(b, i, steps[s].index)
		}
		if i < 0 {
			return none
		}
	}
	return i
}

// findMember returns the place of the value of the first member called name of the object at i.
func findMember(b []byte, i int, name string) int {
	members := memberScanner{data: b, pos: i}
	for members.next() {
		if nameIs(members.name, name) {
			return members.value
		}
		if !members.skip() {
			return none
		}
	}
	return none
}

// findElement returns the place of the element at index of the array at i. For an index from the end the array is
// gone through twice.
func findElement(b []byte, i int, index int64) int {
	if index < 0 {
		elements := elementScanner{data: b, pos: i}
		for elements.next() {
			index++
			if !elements.skip() {
				return none
			}
		}
		if index < 0 || !elements.closed {
			return none
		}
		// The index was counted up by the length, so it now counts from the start.
	}
	elements := elementScanner{data: b, pos: i}
	for elements.next() {
		if index == 0 {
			return elements.value
		}
		index--
		if !elements.skip() {
			return none
		}
	}
	return none
}

// memberScanner goes over the members of an object. After next, the caller sets pos behind the value, or calls skip.
type memberScanner struct {
	data    []byte
	pos     int
	name    []byte // between the quotes, with escapes
	value   int    // place of the member's value
	started bool
	closed  bool
}

func (m *memberScanner) next() bool {
	b := m.data
	i := skipSpace(b, m.pos)
	if i >= len(b) {
		return false
	}
	switch {
	case !m.started && b[i] == '{':
		m.started = true
		i = skipSpace(b, i+1)
		if i < len(b) && b[i] == '}' {
			m.closed = true
			m.pos = i + 1
			return false
		}
	case m.started && b[i] == ',':
		i = skipSpace(b, i+1)
	default:
		m.closed = m.started && b[i] == '}'
		m.pos = i + 1
		return false
	}
	if i >= len(b) || b[i] != '"' {
		return false
	}
	end := skipString(b, i)
	if end < 0 {
		return false
	}
	m.name = b[i+1 : end-1]
	i = skipSpace(b, end)
	if i >= len(b) || b[i] != ':' {
		return false
	}
	m.value = skipSpace(b, i+1)
	m.pos = m.value
	return m.value < len(b)
}

func (m *memberScanner) skip() bool {
	m.pos = skipValue(m.data, m.value)
	return m.pos >= 0
}

// elementScanner goes over the elements of an array, as memberScanner does over members.
type elementScanner struct {
	data    []byte
	pos     int
	value   int
	started bool
	closed  bool
}

func (e *elementScanner) next() bool {
	b := e.data
	i := skipSpace(b, e.pos)
	if i >= len(b) {
		return false
	}
	switch {
	case !e.started && b[i] == '[':
		e.started = true
		i = skipSpace(b, i+1)
		if i < len(b) && b[i] == ']' {
			e.closed = true
			e.pos = i + 1
			return false
		}
	case e.started && b[i] == ',':
		i = skipSpace(b, i+1)
	default:
		e.closed = e.started && b[i] == ']'
		e.pos = i + 1
		return false
	}
	e.value = i
	e.pos = i
	return i < len(b)
}

func (e *elementScanner) skip() bool {
	e.pos = skipValue(e.data, e.value)
	return e.pos >= 0
}

// nameIs reports whether raw, a name with its escapes, is name.
func nameIs(raw []byte, name string) bool {
	if string(raw) == name {
		// A backslash in name is a character, in raw the start of an escape.
		return bytes.IndexByte(raw, '\\') < 0
	}
	if len(raw) <= len(name) || bytes.IndexByte(raw, '\\') < 0 {
		return false
	}
	return escapedNameIs(raw, name)
}

func escapedNameIs(raw []byte, name string) bool {
	var buffer [utf8.UTFMax]byte
	for i := 0; i < len(raw); {
		piece := raw[i : i+1]
		size := 1
		if raw[i] == '\\' {
			r, n, ok := unescape(raw, i)
			if !ok {
				return false
			}
			size = n
			piece = utf8.AppendRune(buffer[:0], r)
		}
		if len(name) < len(piece) || name[:len(piece)] != string(piece) {
			return false
		}
		name = name[len(piece):]
		i += size
	}
	return name == ""
}
