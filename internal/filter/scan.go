package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner cuts a filter into words and values. What ends a word depends on where it stands, so the parser asks for
// what it expects instead of reading a stream of tokens.
type scanner struct {
	input string
	pos   int // offset of the next byte
}

// atom is a word or a value as it was written.
type atom struct {
	pos     int
	pattern Pattern // split at the wildcards, escapes resolved
	text    string  // escapes resolved; wildcards are "*"
	quoted  bool
	escaped bool // an escape was used, so it is not a keyword
}

func (s *scanner) peek() rune {
	if s.pos >= len(s.input) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s.input[s.pos:])
	return r
}

func (s *scanner) atEnd() bool { return s.pos >= len(s.input) }

func (s *scanner) skipSpace() {
	for !s.atEnd() {
		r, size := utf8.DecodeRuneInString(s.input[s.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		s.pos += size
	}
}

// take consumes prefix if it is next.
func (s *scanner) take(prefix string) bool {
	if strings.HasPrefix(s.input[s.pos:], prefix) {
		s.pos += len(prefix)
		return true
	}
	return false
}

// fieldName consumes a field's name and the colon behind it, if that is what comes next.
func (s *scanner) fieldName() (name string, pos int, found bool) {
	for i := s.pos; i < len(s.input); i++ {
		switch c := s.input[i]; {
		case c == ':' && i > s.pos:
			name, pos = s.input[s.pos:i], s.pos
			s.pos = i + 1
			return name, pos, true
		case !isNameByte(c):
			return "", 0, false
		}
	}
	return "", 0, false
}

// isNameByte reports whether c can be in the name of a field or of an attribute. Bytes beyond ASCII can, so that
// their error is an unknown field rather than a puzzling word.
func isNameByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= utf8.RuneSelf:
		return true
	}
	return strings.IndexByte("_.-*/@$", c) >= 0
}

// value consumes a word or a quoted text. In a list, a comma ends it.
func (s *scanner) value(inList bool) (atom, *Error) {
	a := atom{pos: s.pos}
	if s.take(`"`) {
		a.quoted = true
	}
	var text, part strings.Builder
	for {
		if s.atEnd() {
			if a.quoted {
				return a, errorAt(s.input, a.pos, "the quote is not closed", `add a " at its end, or write \" for the character`)
			}
			break
		}
		r, size := utf8.DecodeRuneInString(s.input[s.pos:])
		if a.quoted && r == '"' {
			s.pos += size
			break
		}
		if !a.quoted && endsWord(r, inList) {
			if r == '(' || r == '"' {
				return a, errorAt(s.input, s.pos, "unexpected "+string(r)+" within a word", "put the value in quotes, or a space before it")
			}
			break
		}
		s.pos += size
		switch r {
		case '*':
			a.pattern = append(a.pattern, part.String())
			part.Reset()
			text.WriteByte('*')
			continue
		case '\\':
			a.escaped = true
			if s.atEnd() {
				return a, errorAt(s.input, s.pos-1, "nothing follows the backslash", `write \\ for a backslash`)
			}
			r, size = utf8.DecodeRuneInString(s.input[s.pos:])
			s.pos += size
		}
		part.WriteRune(r)
		text.WriteRune(r)
	}
	a.pattern = append(a.pattern, part.String()).collapse()
	a.text = text.String()
	return a, nil
}

func endsWord(r rune, inList bool) bool {
	return unicode.IsSpace(r) || r == '(' || r == ')' || r == '"' || inList && r == ','
}

// boundary reports a fault when something sticks to what was just read.
func (s *scanner) boundary(inList bool) *Error {
	if s.atEnd() {
		return nil
	}
	r := s.peek()
	if unicode.IsSpace(r) || r == ')' || inList && r == ',' {
		return nil
	}
	return errorAt(s.input, s.pos, "unexpected "+string(r), "put a space between terms")
}
