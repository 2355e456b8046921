package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// tracer writes down what happens while an exchange is identified. Its methods are called by the evaluation itself,
// in the order of what happens; the evaluation does not depend on it.
type tracer struct {
	out     Explanation
	current *IdentifierTrace // the identifier that is being evaluated; nil between identifiers
	clear   bool             // its values may be shown
}

const (
	outcomeNothing   = "nothing at this place"
	outcomeCondition = "a condition does not hold"
	outcomeValue     = "the value does not match"
	outcomeUnusable  = "a transformation does not apply"
	outcomeLength    = "the value is empty or too long"
	outcomeHolder    = "a placeholder, not an ID"
	outcomeShape     = "it does not look like an ID"
	outcomeFound     = "found"
	outcomeDeleted   = "deleted by the response"
)

// maxShownFields is how many values of a condition are shown.
const maxShownFields = 5

func (t *tracer) rule(r *rule.Rule, refusal rule.Refusal) {
	t.current = nil
	t.out.Rules = append(t.out.Rules, RuleTrace{
		Name: r.Name, ID: r.ID.String(), Priority: r.Priority, InScope: refusal == rule.InScope, Scope: refusal.String(),
	})
}

func (t *tracer) identifier(id *identifier) {
	r := &t.out.Rules[len(t.out.Rules)-1]
	r.Identifiers = append(r.Identifiers, IdentifierTrace{Name: id.name, Index: id.Index, Outcome: outcomeNothing})
	t.current, t.clear = &r.Identifiers[len(r.Identifiers)-1], id.Clear
}

func (t *tracer) builtIn(id *identifier) {
	t.out.BuiltIn = append(t.out.BuiltIn, IdentifierTrace{Name: id.name, Index: id.Index, Outcome: outcomeNothing})
	t.current, t.clear = &t.out.BuiltIn[len(t.out.BuiltIn)-1], id.Clear
}

func (t *tracer) condition(w *Worker, c *rule.Condition, held bool) {
	trace := ConditionTrace{Where: c.String(), Asks: c.Value.String(), Found: []string{}, Held: held}
	if c.Key.Op() == rule.OpNotExists {
		trace.Asks = c.Key.String()
	}
	fields := w.fields(&c.Selector)
	for i := range fields {
		if c.Key.Match(fields[i].Name) && len(trace.Found) < maxShownFields {
			trace.Found = append(trace.Found, shown(fields[i].Value, t.clear || harmless(c.Location)))
		}
	}
	t.current.Conditions = append(t.current.Conditions, trace)
	if !held {
		t.current.Outcome = outcomeCondition
	}
}

// harmless reports whether values at l are never secrets.
func harmless(l seshat.Location) bool {
	switch l {
	case seshat.LocationStatus, seshat.LocationClientIP, seshat.LocationUserAgent, seshat.LocationJA4:
		return true
	default:
		return false
	}
}

func (t *tracer) probe(s *rule.Selector) {
	t.current.Places = append(t.current.Places, PlaceTrace{Where: s.String()})
}

func (t *tracer) place() *PlaceTrace { return &t.current.Places[len(t.current.Places)-1] }

func (t *tracer) lastField() *FieldTrace {
	fields := t.place().Fields
	return &fields[len(fields)-1]
}

// field begins the story of one field whose name matches.
func (t *tracer) field(s *rule.Selector, f *seshat.Field) {
	p := t.place()
	p.Fields = append(p.Fields, FieldTrace{
		Key: cloneString(f.Name), Value: shown(f.Value, t.clear || harmless(s.Location)), Outcome: outcomeValue,
	})
	t.outcome(outcomeValue)
}

func (t *tracer) step(transformation *rule.Transformation, result, reason string) {
	if t.current == nil || len(t.current.Places) == 0 || len(t.place().Fields) == 0 {
		return
	}
	step := StepTrace{Transformation: transformation.String(), Failed: reason}
	if reason == "" {
		step.Result = shown(result, t.clear)
	}
	f := t.lastField()
	f.Steps = append(f.Steps, step)
}

func (t *tracer) unusable(outcome string) {
	t.lastField().Outcome = outcome
	t.outcome(outcome)
}

func (t *tracer) found(id *seshat.FoundID) {
	outcome := outcomeFound
	if id.Deleted {
		outcome = outcomeDeleted
	}
	t.lastField().Outcome = outcome
	t.outcome(outcome)
}

// outcome notes what became of the identifier; nothing that comes later takes back that it found something.
func (t *tracer) outcome(s string) {
	if t.current.Outcome != outcomeFound {
		t.current.Outcome = s
	}
}
