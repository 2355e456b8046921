package filter

import "strings"

// Row is what an expression is evaluated over.
type Row interface {
	// Values calls yield for each value that the row has for the field, until yield returns false. A value that is
	// absent (an empty text, a status 0, an address that is not known) is not yielded. Name is the attribute's
	// name when the field is a family, and empty otherwise.
	Values(field *Field, yield func(name string, v Value) bool)
}

// Match reports whether the row passes. A nil expression passes every row.
func Match(e Expr, row Row) bool {
	switch e := e.(type) {
	case *And:
		for _, inner := range e.Exprs {
			if !Match(inner, row) {
				return false
			}
		}
		return true
	case *Or:
		for _, inner := range e.Exprs {
			if Match(inner, row) {
				return true
			}
		}
		return false
	case *Not:
		return !Match(e.Expr, row)
	case *Term:
		return e.match(row)
	case *Text:
		return e.match(row)
	default:
		return true
	}
}

func (e *Term) match(row Row) bool {
	passed := false
	row.Values(e.Field, func(name string, v Value) bool {
		if e.Attribute != nil && !e.Attribute.Match(name) {
			return true
		}
		for i := range e.Tests {
			if e.Tests[i].Match(e.Field, &v) {
				passed = true
				break
			}
		}
		return !passed
	})
	return passed
}

func (e *Text) match(row Row) bool {
	passed := false
	for _, field := range e.Fields {
		row.Values(field, func(_ string, v Value) bool {
			passed = e.Pattern.Match(strings.ToLower(v.Text))
			return !passed
		})
		if passed {
			return true
		}
	}
	return false
}

// Match reports whether v, a value of field, passes the test.
func (t *Test) Match(field *Field, v *Value) bool {
	switch t.Op {
	case OpExists:
		return true
	case OpMatch:
		if field.Type == TypeEndpoint {
			return t.Value.Endpoint.MatchName(v.Text)
		}
		return t.Value.Pattern.Match(field.fold(v.Text))
	case OpEqual:
		switch field.Type {
		case TypeText, TypeEnum:
			return t.Value.Text == field.fold(v.Text)
		case TypeIP:
			return t.Value.IP.Contains(v.IP.Addr().Unmap())
		default:
			return compare(field.Type, *v, t.Value) == 0
		}
	case OpLess:
		return compare(field.Type, *v, t.Value) < 0
	case OpLessEqual:
		return compare(field.Type, *v, t.Value) <= 0
	case OpGreater:
		return compare(field.Type, *v, t.Value) > 0
	case OpGreaterEqual:
		return compare(field.Type, *v, t.Value) >= 0
	case OpRange:
		return compare(field.Type, *v, t.Value) >= 0 && compare(field.Type, *v, t.High) <= 0
	default:
		return false
	}
}

func (f *Field) fold(text string) string {
	if f.Fold {
		return strings.ToLower(text)
	}
	return text
}
