package identify

import (
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// evaluate tries one identifier and adds what it finds to out.
func (w *Worker) evaluate(id *identifier, out *seshat.Identity) {
	if w.trace == nil && !w.possible(id) {
		return
	}
	if !w.hold(id.Conditions) {
		return
	}
	for p := range id.Probes {
		if w.trace != nil {
			w.trace.probe(&id.Probes[p])
		}
		w.probe(id, p, out)
	}
}

// possible reports whether any name that id looks for was seen.
func (w *Worker) possible(id *identifier) bool {
	for _, slot := range id.slots {
		if slot == noSlot || w.first[slot].stamp == w.stamp {
			return true
		}
	}
	return false
}

// hold reports whether all conditions hold.
func (w *Worker) hold(list []rule.Condition) bool {
	for i := range list {
		held := w.holds(&list[i])
		if w.trace != nil {
			w.trace.condition(w, &list[i], held)
		}
		if !held {
			return false
		}
	}
	return true
}

// holds is the meaning of one condition; see [rule.Condition].
func (w *Worker) holds(c *rule.Condition) bool {
	fields := w.fields(&c.Selector)
	if c.Key.Op() == rule.OpNotExists {
		return len(fields) == 0
	}
	op, negative := c.Value.Op(), c.Value.Negative()
	for i := range fields {
		if !c.Key.Match(fields[i].Name) {
			continue
		}
		switch {
		case op == rule.OpExists:
			return true
		case op == rule.OpNotExists:
			return false
		case negative && !c.Value.Match(fields[i].Value):
			return false
		case !negative && c.Value.Match(fields[i].Value):
			return true
		}
	}
	return negative
}

// probe looks at one place and adds the first ID it finds there to out.
func (w *Worker) probe(id *identifier, p int, out *seshat.Identity) {
	s := &id.Probes[p]
	view := viewOf(s)
	if s.Members && len(w.memberFields(s.Side)) > 0 {
		view = viewRequestMembers
		if s.Side == seshat.InResponse {
			view = viewResponseMembers
		}
	}
	fields := w.fields(s)
	from := 0
	if slot := id.slots[p]; slot != noSlot {
		if w.first[slot].stamp != w.stamp {
			return
		}
		from = int(w.first[slot].index)
	}
	taken := 0
	for i := from; i < len(fields); i++ {
		if !w.takes(id, s, view, fields[i].Name) {
			continue
		}
		if id.handles && !w.isHandle(view, i, fields[i].Value) {
			continue
		}
		if w.take(id, s, view, i, &fields[i], out) {
			if taken++; !id.handles || taken == maxHandles {
				return
			}
		}
	}
}

// takes reports whether a field called name is one that s looks for. In the built-in set each name belongs to the
// identifier that the table of names gives it to, so that a pattern does not take what another one is for.
func (w *Worker) takes(id *identifier, s *rule.Selector, view viewID, name string) bool {
	if _, exact := s.Key.Exact(); exact || id.origin == seshat.OriginRule {
		return s.Key.Match(name)
	}
	entry := w.entry(&w.engine.tables[view], view, name)
	return entry != nil && slices.Contains(entry.builtIn, id.Index)
}

// take makes an ID of the field at index i of view, if its value matches and all transformations apply.
func (w *Worker) take(id *identifier, s *rule.Selector, view viewID, i int, f *seshat.Field, out *seshat.Identity) bool {
	if w.trace != nil {
		w.trace.field(s, f)
	}
	if view == viewResponseCookie && w.takesAway(i) {
		return w.takeDeleted(id, s, f, out)
	}
	if !s.Value.Match(f.Value) {
		return false
	}
	result, outcome := w.usable(id, f.Value)
	if outcome != "" {
		if w.trace != nil {
			w.trace.unusable(outcome)
		}
		return false
	}
	out.IDs = append(out.IDs, seshat.FoundID{})
	found := &out.IDs[len(out.IDs)-1]
	id.describe(found, s, f.Name)
	if view == viewRequestMembers || view == viewResponseMembers {
		found.Key = w.members[s.Side][i].path
	}
	found.Value = seshat.ClientSessionID(result.value)
	if result.token != nil {
		found.Token = result.token.claims
	}
	w.expire(id, found, &result, view, i)
	if w.trace != nil {
		w.trace.found(found)
	}
	return true
}

// usable applies the transformations of id to value. outcome says why the result is not an ID; it is empty when it is.
func (w *Worker) usable(id *identifier, value string) (result transformed, outcome string) {
	result, ok := w.transform(id.Transformations, value)
	switch {
	case !ok && len(id.Transformations) == 0:
		return result, outcomeLength
	case !ok:
		return result, outcomeUnusable
	case id.origin == seshat.OriginBuiltIn && isPlaceholder(result.value):
		return result, outcomeHolder
	case id.least > 0 && !isOpaque(result.value, id.least), id.token && (result.token == nil || result.token.raw != result.value):
		return result, outcomeShape
	}
	return result, ""
}

// takeDeleted records that the response takes a cookie away. The ID is what the request carried under its name.
func (w *Worker) takeDeleted(id *identifier, s *rule.Selector, f *seshat.Field, out *seshat.Identity) bool {
	value := ""
	cookies := w.views[viewRequestCookie].fields
	for i := range cookies {
		if cookies[i].Name != f.Name || !s.Value.Match(cookies[i].Value) || id.handles && !isRandom(cookies[i].Value) {
			continue
		}
		if result, outcome := w.usable(id, cookies[i].Value); outcome == "" {
			value = result.value
			break
		}
	}
	if value == "" && (s.Value != nil || id.handles) {
		return false // it cannot be told whether it is the cookie that is meant
	}
	out.IDs = append(out.IDs, seshat.FoundID{})
	found := &out.IDs[len(out.IDs)-1]
	id.describe(found, s, f.Name)
	found.Value, found.Deleted = seshat.ClientSessionID(value), true
	if w.trace != nil {
		w.trace.found(found)
	}
	return true
}

func (id *identifier) describe(found *seshat.FoundID, s *rule.Selector, name string) {
	found.Rule, found.Index, found.Name, found.Origin = id.id, id.Index, id.name, id.origin
	found.Kind, found.Clear = id.Kind, id.Clear
	found.Side, found.Where = s.Side, s.Location
	if found.Key = name; name == "" {
		found.Key = s.PathText
	}
}
