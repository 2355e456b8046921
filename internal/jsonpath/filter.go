package jsonpath

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// expr is a logical expression of a filter.
type expr interface {
	test(e *evaluator, current *item) bool
	print(b *printer)
}

// operand is what has a value in a filter. The value is nil for the special result Nothing.
type operand interface {
	value(e *evaluator, current *item) *item
	print(b *printer)
}

type (
	orExpr     struct{ terms []expr }
	andExpr    struct{ terms []expr }
	notExpr    struct{ x expr }
	existsExpr struct{ query *query }

	compareExpr struct {
		op          string
		left, right operand
	}

	literal         struct{ constant item }
	singularOperand struct{ query *query }
	lengthCall      struct{ arg operand }
	countCall       struct{ query *query }
	valueCall       struct{ query *query }

	matchCall struct {
		search        bool
		text, pattern operand
		compiled      *compiledRegexp // set when the pattern is a literal
	}
)

func (x *orExpr) test(e *evaluator, current *item) bool {
	for _, term := range x.terms {
		if term.test(e, current) {
			return true
		}
	}
	return false
}

func (x *andExpr) test(e *evaluator, current *item) bool {
	for _, term := range x.terms {
		if !term.test(e, current) {
			return false
		}
	}
	return true
}

func (x *notExpr) test(e *evaluator, current *item) bool { return !x.x.test(e, current) }

func (x *existsExpr) test(e *evaluator, current *item) bool {
	found := false
	e.each(x.query, current, func(*item) bool {
		found = true
		return false
	})
	return found
}

func (x *compareExpr) test(e *evaluator, current *item) bool {
	left, right := x.left.value(e, current), x.right.value(e, current)
	switch x.op {
	case "==":
		return e.equal(left, right)
	case "!=":
		return !e.equal(left, right)
	case "<":
		return e.less(left, right)
	case ">":
		return e.less(right, left)
	case "<=":
		return e.less(left, right) || e.equal(left, right)
	default: // ">="
		return e.less(right, left) || e.equal(left, right)
	}
}

func (x *literal) value(*evaluator, *item) *item { return &x.constant }

func (x *singularOperand) value(e *evaluator, current *item) *item {
	at := current
	if !x.query.relative {
		at = e.root
	}
	for _, seg := range x.query.segments {
		if s := &seg.selectors[0]; s.kind == selectName {
			at = e.member(at, s.name)
		} else {
			at = at.element(s.index)
		}
		if at == nil {
			return nil
		}
	}
	return at
}

func (x *lengthCall) value(e *evaluator, current *item) *item {
	switch v := x.arg.value(e, current); {
	case v == nil:
		return nil
	case v.kind == kindString:
		e.spend(len(v.text) / 16)
		return number(utf8.RuneCountInString(v.text))
	case v.kind == kindArray || v.kind == kindObject:
		return number(len(v.kids))
	default:
		return nil
	}
}

func (x *countCall) value(e *evaluator, current *item) *item {
	n := 0
	e.each(x.query, current, func(*item) bool {
		n++
		return true
	})
	return number(n)
}

func (x *valueCall) value(e *evaluator, current *item) *item {
	var only *item
	n := 0
	e.each(x.query, current, func(it *item) bool {
		only = it
		n++
		return n < 2
	})
	if n != 1 {
		return nil
	}
	return only
}

func number(n int) *item { return &item{kind: kindNumber, text: strconv.Itoa(n)} }

func (x *matchCall) test(e *evaluator, current *item) bool {
	text := x.text.value(e, current)
	if text == nil || text.kind != kindString {
		return false
	}
	re := x.compiled
	if re == nil {
		pattern := x.pattern.value(e, current)
		if pattern == nil || pattern.kind != kindString {
			return false
		}
		re = e.regexp(pattern.text, x.search)
	}
	// The work of a match is bounded by the product of text and states.
	if re.re == nil || !e.spend(1+len(text.text)*re.size/16) {
		return false
	}
	return re.re.MatchString(text.text)
}

// less is the order of RFC 9535, section 2.3.5.2.2: of two numbers or two strings. Strings are in the order of their
// characters, which is the order of their UTF-8 bytes.
func (e *evaluator) less(a, b *item) bool {
	if a == nil || b == nil || a.kind != b.kind || !e.spend(1+(len(a.text)+len(b.text))/64) {
		return false
	}
	switch a.kind {
	case kindNumber:
		return compareNumbers(a.text, b.text) < 0
	case kindString:
		return strings.Compare(a.text, b.text) < 0
	default:
		return false
	}
}

// equal compares values deeply. Two Nothings are equal.
func (e *evaluator) equal(a, b *item) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.kind != b.kind || !e.spend(1+(len(a.text)+len(b.text))/64) {
		return false
	}
	switch a.kind {
	case kindNumber:
		return compareNumbers(a.text, b.text) == 0
	case kindString:
		return a.text == b.text
	case kindArray:
		if len(a.kids) != len(b.kids) {
			return false
		}
		for i := range a.kids {
			if !e.equal(&a.kids[i], &b.kids[i]) {
				return false
			}
		}
		return true
	case kindObject:
		return e.equalObjects(a, b)
	default:
		return true
	}
}

// equalObjects compares members whatever their order. Of members of one name, the first counts.
func (e *evaluator) equalObjects(a, b *item) bool {
	if len(a.kids) != len(b.kids) {
		return false
	}
	for i := range a.kids {
		name := a.kids[i].name
		other := e.member(b, name)
		if other == nil || !e.equal(e.member(a, name), other) {
			return false
		}
	}
	return true
}
