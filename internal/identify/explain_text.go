package identify

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes e for a person at a terminal. An error is one of out's.
func (e *Explanation) WriteText(out io.Writer) error {
	var p textPrinter
	p.line(0, "%s %s", e.Method, e.URL)
	p.line(0, "environment %s, service %s", orNone(e.Environment), orNone(e.Service))
	for _, m := range e.Masks {
		p.line(0, "mask rule %s is in scope: what it hides does not exist for anything below", m)
	}
	p.line(0, "")
	p.line(0, "Session rules, in the order in which they are tried")
	if len(e.Rules) == 0 {
		p.line(1, "none")
	}
	for i := range e.Rules {
		r := &e.Rules[i]
		p.line(1, "%s (priority %d): %s", r.Name, r.Priority, r.Scope)
		for j := range r.Identifiers {
			p.identifier(2, fmt.Sprintf("identifier %d", r.Identifiers[j].Index), &r.Identifiers[j])
		}
	}
	p.line(0, "")
	p.line(0, "Built-in set")
	if len(e.BuiltIn) == 0 {
		p.line(1, "no name that it knows occurs")
	}
	for i := range e.BuiltIn {
		p.identifier(1, e.BuiltIn[i].Name, &e.BuiltIn[i])
	}
	p.line(0, "")
	p.ids(e)
	p.context(e)
	_, err := io.WriteString(out, p.String())
	return err
}

// textPrinter indents.
type textPrinter struct{ strings.Builder }

func (p *textPrinter) line(indent int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		p.WriteString(strings.Repeat("  ", indent))
	}
	p.WriteString(text)
	p.WriteByte('\n')
}

func (p *textPrinter) identifier(indent int, name string, t *IdentifierTrace) {
	p.line(indent, "%s: %s", name, t.Outcome)
	for _, c := range t.Conditions {
		sign, verdict := "✓", "holds"
		if !c.Held {
			sign, verdict = "✗", "does not hold"
		}
		seen := "nothing"
		if len(c.Found) > 0 {
			seen = strings.Join(c.Found, ", ")
		}
		p.line(indent+1, "%s condition %s %s: %s, found %s", sign, c.Where, c.Asks, verdict, seen)
	}
	for _, place := range t.Places {
		if len(place.Fields) == 0 {
			p.line(indent+1, "%s: not there", place.Where)
			continue
		}
		p.line(indent+1, "%s", place.Where)
		for i := range place.Fields {
			p.field(indent+2, &place.Fields[i])
		}
	}
}

func (p *textPrinter) field(indent int, f *FieldTrace) {
	name := f.Key
	if name != "" {
		name += " = "
	}
	p.line(indent, "%s%s: %s", name, orEmpty(f.Value), f.Outcome)
	for _, s := range f.Steps {
		if s.Failed != "" {
			p.line(indent+1, "✗ %s: %s", s.Transformation, s.Failed)
			continue
		}
		p.line(indent+1, "→ %s: %s", s.Transformation, s.Result)
	}
}

func (p *textPrinter) ids(e *Explanation) {
	p.line(0, "Client session IDs")
	for i := range e.IDs {
		id := &e.IDs[i]
		sign := " "
		if i == e.Grouping {
			sign = "*"
		}
		notes := id.Kind
		if id.Deleted {
			notes += ", deleted"
		}
		if id.ExpiresAt != nil {
			notes += ", expires " + id.ExpiresAt.UTC().Format("2006-01-02 15:04:05Z")
		}
		if id.Lifetime != "" {
			notes += ", lasts " + id.Lifetime
		}
		where := id.Side + " " + id.Where
		if id.Key != "" {
			where += " " + id.Key
		}
		p.line(0, "%s %s[%d] %s in %s (%s)", sign, id.Name, id.Index, orEmpty(id.Value), where, notes)
	}
	if e.Grouping < len(e.IDs) {
		p.line(0, "The session is that of %s: %s.", e.IDs[e.Grouping].Name, e.Reason)
	}
}

func (p *textPrinter) context(e *Explanation) {
	for i := range e.Parameters {
		v := &e.Parameters[i]
		weak := ""
		if v.Weak {
			weak = " (stated by the client; counts if the exchange succeeds)"
		}
		p.line(0, "%s %s = %s%s", v.Type, v.Name, v.Value, weak)
	}
	if len(e.Flows) > 0 {
		p.line(0, "flows: %s", strings.Join(e.Flows, ", "))
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func orEmpty(s string) string {
	if s == "" {
		return "(empty)"
	}
	return s
}
