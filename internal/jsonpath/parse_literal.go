package jsonpath

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxInteger is the largest integer of I-JSON (RFC 7493), which bounds indexes and slices.
const maxInteger = 1<<53 - 1

// integer reads an index or a bound of a slice.
func (p *parser) integer() int64 {
	start := p.pos
	negative := p.peek() == '-'
	if negative {
		p.pos++
	}
	if !isDigit(p.peek()) {
		p.fail(p.pos, `expected a digit after "-", found `+p.found(p.pos), "")
	}
	if p.peek() == '0' && (negative || isDigit(p.peekAt(p.pos+1))) {
		p.fail(start, "an index has no leading zero and no negative zero", "")
	}
	var n int64
	for isDigit(p.peek()) {
		n = n*10 + int64(p.peek()-'0')
		if n > maxInteger {
			p.fail(start, "the integer is out of range", "between -(2^53-1) and 2^53-1")
		}
		p.pos++
	}
	if negative {
		return -n
	}
	return n
}

// numberLiteral reads a number of a filter and returns it as it is written.
func (p *parser) numberLiteral() string {
	end, ok := scanNumber(p.src, p.pos)
	if !ok {
		p.fail(p.pos, "this is not a number", "numbers are written as in JSON: -1, 0.5, 1e3")
	}
	text := p.src[p.pos:end]
	p.pos = end
	return text
}

// stringLiteral reads a string in single or double quotes.
func (p *parser) stringLiteral() string {
	open := p.pos
	quote := p.src[open]
	p.pos++
	var b strings.Builder
	for {
		if p.pos >= len(p.src) {
			p.fail(open, "the string is not closed", "add "+string(rune(quote)))
		}
		switch c := p.src[p.pos]; {
		case c == quote:
			p.pos++
			return b.String()
		case c == '\\':
			p.escape(&b, quote)
		case c < 0x20:
			p.fail(p.pos, "a control character in a string", `write it as an escape, such as \n or \u0000`)
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
}

// escape reads one escape sequence. Only the quote that encloses the string can be escaped.
func (p *parser) escape(b *strings.Builder, quote byte) {
	at := p.pos
	p.pos++
	c := p.peek()
	p.pos++
	switch c {
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case '/', '\\':
		b.WriteByte(c)
	case 'u':
		b.WriteRune(p.unicodeEscape(at))
	case quote:
		b.WriteByte(c)
	default:
		p.fail(at, "this escape is not known", `known are \b \f \n \r \t \/ \\ \uXXXX and the enclosing quote`)
	}
}

func (p *parser) unicodeEscape(at int) rune {
	const hint = `\u has four hexadecimal digits; a character above U+FFFF is a pair such as \uD83D\uDE00`
	high, ok := hex4(p.src, p.pos)
	if !ok {
		p.fail(at, "the escape is incomplete", hint)
	}
	p.pos += 4
	if !utf16.IsSurrogate(high) {
		return high
	}
	if p.peek() == '\\' && p.peekAt(p.pos+1) == 'u' {
		if low, ok := hex4(p.src, p.pos+2); ok {
			if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
				p.pos += 6
				return r
			}
		}
	}
	p.fail(at, "half of a surrogate pair", hint)
	panic("unreachable")
}

// hex4 reads four hexadecimal digits at i.
func hex4[T string | []byte](s T, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
