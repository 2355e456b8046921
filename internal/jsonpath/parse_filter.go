package jsonpath

import "strings"

// logicalOr reads a logical expression: terms of || of terms of &&.
func (p *parser) logicalOr() expr {
	p.enter()
	defer p.leave()
	var terms []expr
	for {
		switch term := p.logicalAnd().(type) {
		case *orExpr: // from parentheses that change nothing
			terms = append(terms, term.terms...)
		default:
			terms = append(terms, term)
		}
		if !p.operator("||") {
			break
		}
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return &orExpr{terms}
}

func (p *parser) logicalAnd() expr {
	var terms []expr
	for {
		switch term := p.basic().(type) {
		case *andExpr:
			terms = append(terms, term.terms...)
		default:
			terms = append(terms, term)
		}
		if !p.operator("&&") {
			break
		}
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return &andExpr{terms}
}

// operator reads op with the white space around it. Without op, nothing is read.
func (p *parser) operator(op string) bool {
	before := p.pos
	p.skipSpace()
	if !strings.HasPrefix(p.src[p.pos:], op) {
		if c := p.peek(); c == op[0] {
			p.fail(p.pos, `expected "`+op+`", found `+p.found(p.pos), "")
		}
		p.pos = before
		return false
	}
	p.pos += len(op)
	p.skipSpace()
	return true
}

// basic reads a comparison, a test, or either in parentheses.
func (p *parser) basic() expr {
	at := p.pos
	if p.peek() == '!' {
		p.pos++
		p.skipSpace()
		if p.peek() == '(' {
			return &notExpr{p.parenthesized()}
		}
		operandAt := p.pos
		x := p.primary()
		if op, opAt := p.comparison(); op != "" {
			p.fail(opAt, `"!" cannot stand before a comparison`, "put the comparison in parentheses: !(@.a == 1)")
		}
		return &notExpr{p.test(x, operandAt)}
	}
	if p.peek() == '(' {
		x := p.parenthesized()
		if op, opAt := p.comparison(); op != "" {
			p.fail(opAt, "a parenthesized expression cannot be compared", "remove the parentheses")
		}
		return x
	}
	left := p.primary()
	op, _ := p.comparison()
	if op == "" {
		return p.test(left, at)
	}
	p.skipSpace()
	rightAt := p.pos
	right := p.primary()
	return &compareExpr{op: op, left: p.comparable(left, at), right: p.comparable(right, rightAt)}
}

func (p *parser) parenthesized() expr {
	open := p.pos
	p.pos++
	p.skipSpace()
	x := p.logicalOr()
	p.skipSpace()
	if p.peek() != ')' {
		if p.pos >= len(p.src) {
			p.fail(open, `"(" is not closed`, `add ")"`)
		}
		p.fail(p.pos, `expected ")", found `+p.found(p.pos), "")
	}
	p.pos++
	return x
}

// comparison reads a comparison operator with the white space before it. Without one, nothing is read.
func (p *parser) comparison() (op string, at int) {
	before := p.pos
	p.skipSpace()
	at = p.pos
	for _, op := range [...]string{"==", "!=", "<=", ">=", "<", ">"} {
		if strings.HasPrefix(p.src[p.pos:], op) {
			p.pos += len(op)
			if p.peek() == '=' {
				p.fail(p.pos, `"`+op+`=" is not an operator`, "== compares for equality, values and types")
			}
			return op, at
		}
	}
	switch p.peek() {
	case '=':
		p.fail(at, `"=" is not an operator`, `write "=="`)
	case '!':
		p.fail(at, `"!" is not an operator`, `write "!="`)
	}
	p.pos = before
	return "", at
}

// primary reads a literal, a query or a function call.
func (p *parser) primary() any {
	switch c := p.peek(); {
	case c == '$' || c == '@':
		return p.query()
	case c == '\'' || c == '"':
		return &literal{item{kind: kindString, text: p.stringLiteral()}}
	case c == '-' || isDigit(c):
		return &literal{item{kind: kindNumber, text: p.numberLiteral()}}
	case isNameFirst(c):
		start := p.pos
		for p.pos < len(p.src) && (isNameFirst(p.src[p.pos]) || isDigit(p.src[p.pos])) {
			p.pos++
		}
		word := p.src[start:p.pos]
		if p.peek() == '(' {
			return p.call(word, start)
		}
		switch word {
		case "true":
			return &literal{item{kind: kindTrue}}
		case "false":
			return &literal{item{kind: kindFalse}}
		case "null":
			return &literal{item{kind: kindNull}}
		}
		p.fail(start, "unexpected name", `write @.name for a member, 'name' for a string, and true, false and null in lower case`)
	}
	p.fail(p.pos, "expected a value, @, $ or a function, found "+p.found(p.pos), "")
	panic("unreachable")
}

// test turns a primary into a logical expression, as existence or as the result of a function.
func (p *parser) test(x any, at int) expr {
	switch x := x.(type) {
	case *query:
		return &existsExpr{x}
	case *matchCall:
		return x
	case *literal:
		p.fail(at, "a literal is not a test", "compare it with something")
	default:
		p.fail(at, "the function gives a value, which is not a test", "compare it: length(@.a) > 0")
	}
	panic("unreachable")
}

// comparable turns a primary into one side of a comparison.
func (p *parser) comparable(x any, at int) operand {
	switch x := x.(type) {
	case *query:
		if !x.singular() {
			p.fail(at, "the query can select several nodes, so it cannot be compared",
				"use names and indexes only, or value(...) or count(...)")
		}
		return &singularOperand{x}
	case operand:
		return x
	default:
		p.fail(at, "the function gives true or false, which cannot be compared", "use it as a test: ?match(@.a, 'x')")
		panic("unreachable")
	}
}
