package filter

import (
	"fmt"
	"strings"

	"github.com/seshat-project/seshat/internal/endpoint"
)

// term reads what follows "name:".
func (p *parser) term(name string, pos int) (Expr, *Error) {
	t := &Term{}
	if err := p.resolve(t, name, pos); err != nil {
		return nil, err
	}
	if p.take("(") {
		if err := p.list(t); err != nil {
			return nil, err
		}
	} else if err := p.test(t, false); err != nil {
		return nil, err
	}
	return t, p.after()
}

// resolve finds the field called name, which may be of a family ("attr.<name>").
func (p *parser) resolve(t *Term, name string, pos int) *Error {
	if t.Field = p.fields.Lookup(name); t.Field != nil {
		if t.Field.Family {
			return errorAt(p.input, pos, t.Field.Name+" needs the name of an attribute",
				fmt.Sprintf("write %s.<name>:<value>; the name may have wildcards", t.Field.Name))
		}
		return nil
	}
	if family, rest, found := strings.Cut(name, "."); found && rest != "" {
		if t.Field = p.fields.Lookup(family); t.Field != nil && t.Field.Family {
			t.Attribute = Pattern(strings.Split(rest, "*")).collapse()
			return nil
		}
	}
	return errorAt(p.input, pos, fmt.Sprintf("%s have no field %q", p.fields.Dataset, name), p.fieldHint(name))
}

func (p *parser) fieldHint(name string) string {
	for _, other := range []*Fields{Exchanges(), Sessions()} {
		if other.Dataset != p.fields.Dataset && other.Lookup(name) != nil {
			return "it is a field of " + other.Dataset
		}
	}
	if near := p.fields.nearest(name); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return `to search for the text, put it in quotes`
}

// list reads the values of "field:(a, b c)" up to the closing parenthesis.
func (p *parser) list(t *Term) *Error {
	start := p.pos - 1
	for {
		p.skipSpace()
		switch {
		case p.atEnd():
			return errorAt(p.input, start, "the list is not closed", "")
		case p.peek() == ')' && len(t.Tests) == 0:
			return errorAt(p.input, start, "the list is empty", "")
		case p.take(")"):
			return nil
		}
		if len(t.Tests) > 0 && p.keyword("OR") { // the alternatives of a list may be joined by OR
			continue
		}
		if err := p.test(t, true); err != nil {
			return err
		}
		if err := p.boundary(true); err != nil {
			return err
		}
		p.skipSpace()
		p.take(",")
	}
}

// test reads one comparison: an operator and a value, a range, a value with wildcards, or "*".
func (p *parser) test(t *Term, inList bool) *Error {
	pos := p.pos
	if err := p.count(pos); err != nil {
		return err
	}
	op := ""
	for _, candidate := range []string{">=", "<=", ">", "<", "="} {
		if p.take(candidate) {
			op = candidate
			break
		}
	}
	a, err := p.value(inList)
	if err != nil {
		return err
	}
	if a.text == "" {
		return p.missingValue(t.Field, a, op)
	}
	if op != "" && op != "=" && !t.Field.Type.ordered() {
		hint := fmt.Sprintf(`to look for the character, write %s:"%s%s"`, t.Field.Name, op, a.text)
		if _, number := parseNumber(a.text); number && t.Field.CountedBy != "" {
			hint = fmt.Sprintf("%s:%s%s asks how many different ones there are", t.Field.CountedBy, op, a.text)
		}
		return errorAt(p.input, pos, fmt.Sprintf("%s is %s and has no order", t.Field.Name, t.Field.Type), hint)
	}
	if op == "" && a.pattern.matchesAll() {
		t.Tests = append(t.Tests, Test{Op: OpExists})
		return nil
	}
	test, fault := p.typed(t.Field, op, a)
	if fault != nil {
		return errorAt(p.input, a.pos, fault.message, fault.hint)
	}
	t.Tests = append(t.Tests, test)
	return nil
}

func (p *parser) missingValue(f *Field, a atom, op string) *Error {
	if !a.quoted && p.atEnd() || !a.quoted && op != "" {
		return errorAt(p.input, a.pos, fmt.Sprintf("a value is missing after %q", f.Name+":"+op), "for example "+f.Example)
	}
	return errorAt(p.input, a.pos, "the value is empty", fmt.Sprintf("%s:* has a value, -%s:* has none", f.Name, f.Name))
}

// fault is what is wrong with a value. The parser knows where it is.
type fault struct{ message, hint string }

// typed makes the test that a field's type makes of an operator and a value.
func (p *parser) typed(f *Field, op string, a atom) (Test, *fault) {
	switch f.Type {
	case TypeText:
		return textTest(f, op, a), nil
	case TypeEnum:
		return enumTest(f, a)
	case TypeIP:
		return ipTest(a)
	case TypeEndpoint:
		pattern := a.pattern
		if op == "=" {
			pattern = Pattern{a.text}
		}
		e, err := endpoint.NewPattern(pattern)
		if err != nil {
			message, hint := endpoint.Complaint(err)
			return Test{}, &fault{message, hint}
		}
		if e.String() == "*" {
			return Test{Op: OpExists}, nil // any text is what there is
		}
		return Test{Op: OpMatch, Value: Value{Endpoint: e}}, nil
	default:
		test, bad := p.orderedTest(f, op, a)
		if of := p.fields.counts(f); bad != nil && of != nil && op == "" && !strings.Contains(a.text, "..") {
			bad.hint = fmt.Sprintf("%s is how many there are; to look for one, write %s:%s", f.Name, of.Name, a.pattern)
		}
		return test, bad
	}
}

func textTest(f *Field, op string, a atom) Test {
	pattern := a.pattern
	if op == "=" {
		pattern = Pattern{a.text}
	}
	if f.Fold {
		pattern = pattern.lower()
	}
	if literal, ok := pattern.Literal(); ok {
		return Test{Op: OpEqual, Value: Value{Text: literal}}
	}
	return Test{Op: OpMatch, Value: Value{Pattern: pattern}}
}

func enumTest(f *Field, a atom) (Test, *fault) {
	text := strings.ToLower(a.text)
	for _, v := range f.Values {
		if v == text {
			return Test{Op: OpEqual, Value: Value{Text: v}}, nil
		}
	}
	hint := "one of " + strings.Join(f.Values, ", ")
	if near := nearestOf(text, f.Values); near != "" {
		hint = fmt.Sprintf("did you mean %q? It is %s", near, hint)
	}
	return Test{}, &fault{fmt.Sprintf("%s is never %q", f.Name, a.text), hint}
}
