package jsonpath

import "fmt"

// call reads the arguments of the function called name and checks their types (RFC 9535, section 2.4.3).
func (p *parser) call(name string, at int) any {
	p.enter()
	defer p.leave()
	want := 1
	switch name {
	case "length", "count", "value":
	case "match", "search":
		want = 2
	default:
		p.fail(at, "there is no such function", "functions are length, count, match, search and value")
	}
	args, places := p.arguments()
	if len(args) != want {
		p.fail(at, fmt.Sprintf("%s takes %d argument(s), not %d", name, want, len(args)), "")
	}
	switch name {
	case "length":
		return &lengthCall{p.valueArgument(args[0], places[0])}
	case "count":
		return &countCall{p.nodesArgument(args[0], places[0])}
	case "value":
		return &valueCall{p.nodesArgument(args[0], places[0])}
	default:
		call := &matchCall{
			search:  name == "search",
			text:    p.valueArgument(args[0], places[0]),
			pattern: p.valueArgument(args[1], places[1]),
		}
		if lit, ok := call.pattern.(*literal); ok {
			call.compiled = compileRegexp(lit.constant.text, lit.constant.kind, call.search)
			if call.compiled.re == nil {
				p.warn(places[1], "this is not an I-Regexp (RFC 9485), so that it never matches",
					`there is no \d, \w, \s, \b or (?:…), no lazy quantifier, and a backslash in a query is written \\`)
			}
		}
		return call
	}
}

func (p *parser) arguments() (args []any, places []int) {
	open := p.pos
	p.pos++
	p.skipSpace()
	if p.peek() == ')' {
		p.pos++
		return nil, nil
	}
	for {
		p.skipSpace()
		places = append(places, p.pos)
		if c := p.peek(); c == '!' || c == '(' {
			p.logicalArgument(p.pos)
		}
		args = append(args, p.primary())
		p.skipSpace()
		switch c := p.peek(); c {
		case ',':
			p.pos++
		case ')':
			p.pos++
			return args, places
		case 0:
			p.fail(open, `"(" is not closed`, `add ")"`)
		case '=', '!', '<', '>', '&', '|':
			p.logicalArgument(p.pos)
		default:
			p.fail(p.pos, `expected "," or ")", found `+p.found(p.pos), "")
		}
	}
}

func (p *parser) logicalArgument(at int) {
	p.fail(at, "no function takes a logical expression", "arguments are literals, queries and functions")
}

// valueArgument takes what has one value: a literal, a singular query, a function that gives a value.
func (p *parser) valueArgument(x any, at int) operand {
	switch x := x.(type) {
	case *query:
		if !x.singular() {
			p.fail(at, "the query can select several nodes where one value is needed", "use names and indexes only, or value(...)")
		}
		return &singularOperand{x}
	case operand:
		return x
	default:
		p.fail(at, "the function gives true or false where a value is needed", "")
		panic("unreachable")
	}
}

func (p *parser) nodesArgument(x any, at int) *query {
	q, ok := x.(*query)
	if !ok {
		p.fail(at, "a query is needed here", "such as @.a or $..b")
	}
	return q
}
