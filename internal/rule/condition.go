package rule

import "github.com/seshat-project/seshat"

// Condition is a compiled condition.
//
// It speaks of the fields of its location whose key matches. Without a value match, or with "exists", it holds when
// there is such a field; with "notExists" when there is none. A positive operator holds when it holds for the value
// of any such field. A negative one (notEquals, notContains, notMatches) holds when no such field violates it, and so
// also when there is none.
type Condition struct{ Selector }

// Wants reports whether the condition asks for the absence of fields, or of values.
func (c *Condition) Wants() (absent bool) {
	return c.Key.Op() == OpNotExists || c.Value.Negative()
}

func compileConditions(at place, side seshat.Side, list []seshat.Condition) []Condition {
	at.limit(len(list), MaxConditions, "conditions")
	out := make([]Condition, 0, len(list))
	for i := range list {
		c, here := &list[i], at.item(i)
		s := compileSelector(here, compileSide(here.child("in"), c.In, side), c.In != "", &c.Extract, toCheck)
		if s.Key.Op() == OpNotExists && c.Value != nil {
			here.fault("remove one of them", "a key that does not exist has no value")
		}
		out = append(out, Condition{s})
	}
	return out
}
