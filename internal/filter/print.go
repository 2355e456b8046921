package filter

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

func (e *And) String() string {
	terms := make([]string, len(e.Exprs))
	for i, inner := range e.Exprs {
		terms[i] = inner.String()
		if _, ok := inner.(*Or); ok {
			terms[i] = "(" + terms[i] + ")"
		}
	}
	return strings.Join(terms, " ")
}

func (e *Or) String() string {
	terms := make([]string, len(e.Exprs))
	for i, inner := range e.Exprs {
		terms[i] = inner.String()
	}
	return strings.Join(terms, " OR ")
}

func (e *Not) String() string {
	switch e.Expr.(type) {
	case *And, *Or:
		return "-(" + e.Expr.String() + ")"
	}
	return "-" + e.Expr.String()
}

func (e *Term) String() string {
	name := e.Field.Name
	if e.Attribute != nil {
		name += "." + strings.Join(e.Attribute, "*")
	}
	if len(e.Tests) == 1 {
		return name + ":" + e.Tests[0].print(e.Field.Type)
	}
	tests := make([]string, len(e.Tests))
	for i := range e.Tests {
		tests[i] = e.Tests[i].print(e.Field.Type)
	}
	return name + ":(" + strings.Join(tests, ",") + ")"
}

func (e *Text) String() string {
	word := append(Pattern{}, e.Pattern[1:len(e.Pattern)-1]...)
	text, plain := word.escaped()
	if !plain || strings.HasPrefix(text, "-") || strings.Contains(text, ":") {
		return `"` + text + `"`
	}
	return text
}

// String is the written form of p as a value.
func (p Pattern) String() string {
	text, plain := p.escaped()
	if plain {
		return text
	}
	return `"` + text + `"`
}

// escaped is the written form of p with escapes, and whether it needs no quotes around it.
func (p Pattern) escaped() (text string, plain bool) {
	var b strings.Builder
	plain = true
	for i, part := range p {
		if i > 0 {
			b.WriteByte('*')
		}
		for _, r := range part {
			switch r {
			case '"', '\\', '*':
				b.WriteByte('\\')
			case '(', ')', ',', '<', '>', '=':
				plain = false
			default:
				plain = plain && !unicode.IsSpace(r) && !unicode.IsControl(r)
			}
			b.WriteRune(r)
		}
	}
	switch text = b.String(); strings.ToLower(text) {
	case "", "and", "or", "not":
		plain = false
	}
	return text, plain
}

func (t *Test) print(kind Type) string {
	switch t.Op {
	case OpExists:
		return "*"
	case OpMatch:
		if kind == TypeEndpoint {
			return Pattern(t.Value.Endpoint.Parts()).String()
		}
		return t.Value.Pattern.String()
	case OpLess:
		return "<" + t.Value.print(kind)
	case OpLessEqual:
		return "<=" + t.Value.print(kind)
	case OpGreater:
		return ">" + t.Value.print(kind)
	case OpGreaterEqual:
		return ">=" + t.Value.print(kind)
	case OpRange:
		return t.Value.print(kind) + ".." + t.High.print(kind)
	default:
		return t.Value.print(kind)
	}
}

func (v *Value) print(kind Type) string {
	switch kind {
	case TypeNumber, TypeBytes:
		return strconv.FormatFloat(v.Number, 'f', -1, 64)
	case TypeDuration:
		return v.Duration.String()
	case TypeTime:
		return v.Time.Format(time.RFC3339Nano)
	case TypeIP:
		if v.IP.IsSingleIP() {
			return v.IP.Addr().String()
		}
		return v.IP.String()
	default:
		return Pattern{v.Text}.String()
	}
}
