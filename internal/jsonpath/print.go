package jsonpath

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// printer writes the canonical form of a query.
type printer struct{ strings.Builder }

func (b *printer) query(q *query) {
	if q.relative {
		b.WriteByte('@')
	} else {
		b.WriteByte('$')
	}
	for _, seg := range q.segments {
		b.segment(seg)
	}
}

func (b *printer) segment(seg segment) {
	if seg.descendant {
		b.WriteString("..")
	}
	if len(seg.selectors) == 1 {
		s := seg.selectors[0]
		if s.kind == selectWildcard || s.kind == selectName && isShorthand(s.name) {
			if !seg.descendant {
				b.WriteByte('.')
			}
			if s.kind == selectWildcard {
				b.WriteByte('*')
			} else {
				b.WriteString(s.name)
			}
			return
		}
	}
	b.WriteByte('[')
	for i, s := range seg.selectors {
		if i > 0 {
			b.WriteString(", ")
		}
		b.selector(s)
	}
	b.WriteByte(']')
}

func (b *printer) selector(s selector) {
	switch s.kind {
	case selectName:
		b.quoted(s.name)
	case selectWildcard:
		b.WriteByte('*')
	case selectIndex:
		b.integer(s.index)
	case selectSlice:
		if s.slice.hasStart {
			b.integer(s.slice.start)
		}
		b.WriteByte(':')
		if s.slice.hasEnd {
			b.integer(s.slice.end)
		}
		if s.slice.hasStep {
			b.WriteByte(':')
			b.integer(s.slice.step)
		}
	case selectFilter:
		b.WriteByte('?')
		s.filter.print(b)
	}
}

func (b *printer) integer(n int64) { b.WriteString(strconv.FormatInt(n, 10)) }

// isShorthand reports whether name can be written as .name.
func isShorthand(name string) bool {
	if name == "" || !isNameFirst(name[0]) {
		return false
	}
	for i := 1; i < len(name); i++ {
		if !isNameFirst(name[i]) && !isDigit(name[i]) {
			return false
		}
	}
	return true
}

// quoted writes a string as normalized paths have it (RFC 9535, section 2.7). The bytes of names that are not UTF-8
// become U+FFFD, because a path is text.
func (b *printer) quoted(s string) {
	b.WriteByte('\'')
	for _, r := range s {
		switch r {
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\'':
			b.WriteString(`\'`)
		case '\\':
			b.WriteString(`\\`)
		case utf8.RuneError:
			b.WriteRune(utf8.RuneError)
		default:
			if r < 0x20 {
				const digits = "0123456789abcdef"
				b.WriteString(`\u00`)
				b.WriteByte(digits[r>>4])
				b.WriteByte(digits[r&0xf])
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('\'')
}

func (x *orExpr) print(b *printer) {
	for i, term := range x.terms {
		if i > 0 {
			b.WriteString(" || ")
		}
		term.print(b)
	}
}

func (x *andExpr) print(b *printer) {
	for i, term := range x.terms {
		if i > 0 {
			b.WriteString(" && ")
		}
		b.enclosed(term)
	}
}

func (x *notExpr) print(b *printer) {
	b.WriteByte('!')
	switch x.x.(type) {
	case *existsExpr, *matchCall:
		x.x.print(b)
	default:
		b.WriteByte('(')
		x.x.print(b)
		b.WriteByte(')')
	}
}

// enclosed puts parentheses around what binds less tightly than &&.
func (b *printer) enclosed(x expr) {
	if _, or := x.(*orExpr); or {
		b.WriteByte('(')
		x.print(b)
		b.WriteByte(')')
		return
	}
	x.print(b)
}

func (x *existsExpr) print(b *printer) { b.query(x.query) }

func (x *compareExpr) print(b *printer) {
	x.left.print(b)
	b.WriteString(" " + x.op + " ")
	x.right.print(b)
}

func (x *singularOperand) print(b *printer) { b.query(x.query) }

func (x *literal) print(b *printer) {
	switch x.constant.kind {
	case kindNumber:
		b.WriteString(x.constant.text)
	case kindString:
		b.quoted(x.constant.text)
	case kindTrue:
		b.WriteString("true")
	case kindFalse:
		b.WriteString("false")
	default:
		b.WriteString("null")
	}
}

func (x *lengthCall) print(b *printer) {
	b.WriteString("length(")
	x.arg.print(b)
	b.WriteByte(')')
}

func (x *countCall) print(b *printer) {
	b.WriteString("count(")
	b.query(x.query)
	b.WriteByte(')')
}

func (x *valueCall) print(b *printer) {
	b.WriteString("value(")
	b.query(x.query)
	b.WriteByte(')')
}

func (x *matchCall) print(b *printer) {
	if x.search {
		b.WriteString("search(")
	} else {
		b.WriteString("match(")
	}
	x.text.print(b)
	b.WriteString(", ")
	x.pattern.print(b)
	b.WriteByte(')')
}
