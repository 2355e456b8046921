package filter

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Parse reads a filter over the fields of one dataset. Relative times count from now. A blank input selects
// everything: the expression is nil, and so is the error. Any other error is an [*Error].
func Parse(input string, fields *Fields, now time.Time) (Expr, error) {
	if len(input) > MaxLength {
		return nil, errorAt(input, MaxLength, fmt.Sprintf("the filter is longer than %d bytes", MaxLength), "")
	}
	for i, r := range input {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(input[i:]); size == 1 {
				return nil, errorAt(input, i, "the filter is not valid UTF-8", "")
			}
		}
	}
	p := &parser{scanner: scanner{input: input}, fields: fields, now: now.UTC()}
	p.skipSpace()
	if p.atEnd() {
		return nil, nil
	}
	expr, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.atEnd() { // only a parenthesis ends an expression early
		return nil, errorAt(input, p.pos, "there is no ( for this )", "")
	}
	return expr, nil
}

type parser struct {
	scanner
	fields *Fields
	now    time.Time
	depth  int
	tests  int
}

// or reads expressions joined by OR. It leaves the scanner at a closing parenthesis or at the end.
func (p *parser) or() (Expr, *Error) {
	var exprs []Expr
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		if inner, ok := e.(*Or); ok {
			exprs = append(exprs, inner.Exprs...)
		} else {
			exprs = append(exprs, e)
		}
		if !p.keyword("OR") {
			break
		}
	}
	if len(exprs) == 1 {
		return exprs[0], nil
	}
	return &Or{exprs}, nil
}

// and reads expressions joined by AND or by nothing.
func (p *parser) and() (Expr, *Error) {
	var exprs []Expr
	for {
		e, err := p.unary()
		if err != nil {
			return nil, err
		}
		if inner, ok := e.(*And); ok {
			exprs = append(exprs, inner.Exprs...)
		} else {
			exprs = append(exprs, e)
		}
		if p.keyword("AND") {
			continue
		}
		if p.atEnd() || p.peek() == ')' || p.atKeyword("OR") > 0 {
			break
		}
	}
	if len(exprs) == 1 {
		return exprs[0], nil
	}
	return &And{exprs}, nil
}

func (p *parser) unary() (Expr, *Error) {
	p.skipSpace()
	start := p.pos
	negated := p.keyword("NOT")
	if !negated && p.peek() == '-' {
		p.pos++
		negated = true
	}
	if !negated {
		return p.primary()
	}
	if err := p.enter(start); err != nil {
		return nil, err
	}
	e, err := p.unary()
	if err != nil {
		return nil, err
	}
	p.depth--
	if inner, ok := e.(*Not); ok {
		return inner.Expr, nil
	}
	return &Not{e}, nil
}

func (p *parser) enter(pos int) *Error {
	if p.depth++; p.depth > MaxDepth {
		return errorAt(p.input, pos, fmt.Sprintf("groups and negations nest deeper than %d", MaxDepth), "")
	}
	return nil
}

func (p *parser) primary() (Expr, *Error) {
	p.skipSpace()
	start := p.pos
	for _, word := range []string{"AND", "OR"} {
		if p.atKeyword(word) > 0 {
			return nil, errorAt(p.input, start, "a term is missing before "+word, `to search for the word, write "`+strings.ToLower(word)+`"`)
		}
	}
	switch {
	case p.atEnd():
		return nil, errorAt(p.input, start, "a term is missing at the end", "")
	case p.peek() == ')':
		return nil, errorAt(p.input, start, "a term is missing before )", "")
	case p.take("("):
		return p.group(start)
	}
	if name, pos, found := p.fieldName(); found {
		return p.term(name, pos)
	}
	return p.word()
}

func (p *parser) group(start int) (Expr, *Error) {
	if err := p.enter(start); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, errorAt(p.input, start, "the ( is not closed", "")
	}
	p.depth--
	return e, p.after()
}

// after checks that a primary expression is not glued to the next, and skips to it.
func (p *parser) after() *Error {
	if err := p.boundary(false); err != nil {
		return err
	}
	p.skipSpace()
	return nil
}

// word reads a bare word or a quoted text without a field.
func (p *parser) word() (Expr, *Error) {
	a, err := p.value(false)
	if err != nil {
		return nil, err
	}
	if !a.quoted {
		if i := strings.IndexAny(a.text, "<>="); i > 0 && p.fields.Lookup(a.text[:i]) != nil {
			return nil, errorAt(p.input, a.pos, "a field's name is followed by a colon",
				fmt.Sprintf("write %s:%s", a.text[:i], a.text[i:]))
		}
	}
	pattern := a.pattern.lower().contains()
	if pattern.matchesAll() {
		return nil, errorAt(p.input, a.pos, "the word is empty", "an empty filter selects everything; field:* selects what has a value")
	}
	if err := p.count(a.pos); err != nil {
		return nil, err
	}
	return &Text{Fields: p.fields.freeText(), Pattern: pattern}, p.after()
}

func (p *parser) count(pos int) *Error {
	if p.tests++; p.tests > MaxTests {
		return errorAt(p.input, pos, fmt.Sprintf("the filter has more than %d values", MaxTests), "")
	}
	return nil
}

// keyword consumes word, in any case, if it stands here by itself, and the space around it.
func (p *parser) keyword(word string) bool {
	n := p.atKeyword(word)
	p.pos += n
	if n > 0 {
		p.skipSpace()
	}
	return n > 0
}

// atKeyword returns the length of word if it stands here by itself, else 0.
func (p *parser) atKeyword(word string) int {
	rest := p.input[p.pos:]
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return 0
	}
	after := scanner{input: rest, pos: len(word)}
	if !after.atEnd() && !endsWord(after.peek(), false) {
		return 0
	}
	return len(word)
}
