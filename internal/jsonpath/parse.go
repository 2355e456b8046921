package jsonpath

import (
	"fmt"
	"unicode/utf8"
)

// parser is a recursive descent over RFC 9535, appendix A.
type parser struct {
	src   string
	pos   int
	depth int
	// warnings are of the whole query.
	warnings []*SyntaxError
}

func parseQuery(src string) (q *query, warnings []*SyntaxError, err error) {
	p := &parser{src: src}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			q, warnings, err = nil, nil, f.err
		}
	}()
	if len(src) > MaxExpression {
		p.fail(MaxExpression, "the expression is too long", fmt.Sprintf("at most %d bytes", MaxExpression))
	}
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRuneInString(src[i:])
		if r == utf8.RuneError && size == 1 {
			p.fail(i, "the expression is not valid UTF-8 here", "")
		}
		i += size
	}
	if p.peek() != '$' {
		hint := `a path starts with "$", as in $.user.id`
		if p.skipSpace(); p.pos > 0 {
			p.fail(0, "the expression starts with white space", hint)
		}
		p.fail(0, `expected "$", found `+p.found(0), hint)
	}
	q = p.query()
	if p.pos < len(src) {
		switch at := p.pos; {
		case isSpace(src[at]):
			p.fail(at, "white space after the end of the path", "remove it")
		default:
			p.fail(at, `expected ".", ".." or "[", found `+p.found(at),
				`names with other characters than letters, digits and "_" are written ['like-this']`)
		}
	}
	return q, p.warnings, nil
}

// peek returns the byte at the position, or 0 at the end. No grammar rule wants a 0.
func (p *parser) peek() byte { return p.peekAt(p.pos) }

func (p *parser) peekAt(i int) byte {
	if i < len(p.src) {
		return p.src[i]
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *parser) skipSpace() {
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
}

// enter and leave bound the recursion.
func (p *parser) enter() {
	if p.depth++; p.depth > MaxNesting {
		p.fail(p.pos, "the expression is nested too deeply", fmt.Sprintf("at most %d levels", MaxNesting))
	}
}

func (p *parser) leave() { p.depth-- }

// query reads "$" or "@" and the segments behind it. White space behind the last segment is left alone.
func (p *parser) query() *query {
	q := &query{relative: p.peek() == '@'}
	p.pos++
	for {
		before := p.pos
		p.skipSpace()
		if c := p.peek(); c != '.' && c != '[' {
			p.pos = before
			return q
		}
		q.segments = append(q.segments, p.segment())
	}
}

func (p *parser) segment() segment {
	if p.peek() == '[' {
		return segment{selectors: p.bracketed()}
	}
	var seg segment
	p.pos++
	if p.peek() == '.' {
		seg.descendant = true
		p.pos++
	}
	switch c := p.peek(); {
	case c == '*':
		p.pos++
		seg.selectors = []selector{{kind: selectWildcard}}
	case c == '[' && seg.descendant:
		seg.selectors = p.bracketed()
	case isNameFirst(c):
		start := p.pos
		for p.pos < len(p.src) && (isNameFirst(p.src[p.pos]) || isDigit(p.src[p.pos])) {
			p.pos++
		}
		seg.selectors = []selector{{kind: selectName, name: p.src[start:p.pos]}}
	default:
		hint := `write ['name'] for a name that has other characters than letters, digits and "_" or starts with a digit`
		switch {
		case c == '[':
			hint = `remove the "." before "["`
		case isSpace(c):
			hint = `no white space after "."`
		}
		p.fail(p.pos, `expected a name or "*" after ".", found `+p.found(p.pos), hint)
	}
	return seg
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNameFirst accepts all bytes of characters from U+0080 on, as the grammar does.
func isNameFirst(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func (p *parser) bracketed() []selector {
	p.enter()
	defer p.leave()
	open := p.pos
	p.pos++
	var list []selector
	for {
		p.skipSpace()
		list = append(list, p.selector())
		p.skipSpace()
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return list
		case 0:
			p.fail(p.pos, fmt.Sprintf(`"[" at column %d is not closed`, utf8.RuneCountInString(p.src[:open])+1), `add "]"`)
		default:
			p.fail(p.pos, `expected "," or "]", found `+p.found(p.pos), "")
		}
	}
}

func (p *parser) selector() selector {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return selector{kind: selectName, name: p.stringLiteral()}
	case c == '*':
		p.pos++
		return selector{kind: selectWildcard}
	case c == '?':
		p.pos++
		p.skipSpace()
		return selector{kind: selectFilter, filter: p.logicalOr()}
	case c == ':' || c == '-' || isDigit(c):
		return p.indexOrSlice()
	default:
		hint := "a selector is 'name', *, an index such as 0 or -1, a slice such as 0:5, or a filter such as ?@.a == 1"
		if isNameFirst(c) {
			hint = "put the name in quotes"
		}
		p.fail(p.pos, "expected a selector, found "+p.found(p.pos), hint)
		panic("unreachable")
	}
}

func (p *parser) indexOrSlice() selector {
	var s slice
	if p.peek() != ':' {
		s.start, s.hasStart = p.integer(), true
		after := p.pos
		p.skipSpace()
		if p.peek() != ':' {
			p.pos = after
			return selector{kind: selectIndex, index: s.start}
		}
	}
	p.pos++
	p.skipSpace()
	if c := p.peek(); c == '-' || isDigit(c) {
		s.end, s.hasEnd = p.integer(), true
		p.skipSpace()
	}
	if p.peek() == ':' {
		p.pos++
		after := p.pos
		p.skipSpace()
		if c := p.peek(); c == '-' || isDigit(c) {
			s.step, s.hasStep = p.integer(), true
		} else {
			p.pos = after
		}
	}
	return selector{kind: selectSlice, slice: s}
}
