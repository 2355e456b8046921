package identify

import (
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// Explanation says how the identity of one exchange came about. Its field names in JSON are stable. It owns its
// memory, and holds no secret: values are masked unless their identifier says "obfuscate: false".
type Explanation struct {
	Method      string `json:"method"`
	URL         string `json:"url"` // as scopes see it, without query
	Environment string `json:"environment,omitempty"`
	Service     string `json:"service,omitempty"`
	// Masks are the mask rules in scope: what they hide does not exist for anything below.
	Masks []string `json:"masks,omitempty"`
	// Rules are all session rules, in the order in which they are tried.
	Rules []RuleTrace `json:"rules"`
	// BuiltIn are the identifiers of the built-in set whose names occur in the exchange.
	BuiltIn []IdentifierTrace `json:"builtIn"`
	// IDs are what was found, as in the exchange's identity.
	IDs        []IDTrace        `json:"ids"`
	Grouping   int              `json:"grouping"` // index in IDs
	Reason     string           `json:"reason"`   // why that one
	Parameters []ParameterTrace `json:"parameters,omitempty"`
	Flows      []string         `json:"flows,omitempty"`
}

// RuleTrace is what happened to one session rule.
type RuleTrace struct {
	Name     string `json:"name"`
	ID       string `json:"id"`
	Priority int    `json:"priority"`
	InScope  bool   `json:"inScope"`
	// Scope says why the rule is not in scope: another environment, another service or another URL.
	Scope       string            `json:"scope"`
	Identifiers []IdentifierTrace `json:"identifiers,omitempty"`
}

// IdentifierTrace is what happened to one identifier.
type IdentifierTrace struct {
	Name       string           `json:"name"`
	Index      int              `json:"index"`
	Conditions []ConditionTrace `json:"conditions,omitempty"`
	Places     []PlaceTrace     `json:"places,omitempty"`
	Outcome    string           `json:"outcome"`
}

// ConditionTrace is what a condition found.
type ConditionTrace struct {
	Where string   `json:"where"`
	Asks  string   `json:"asks"`
	Found []string `json:"found"` // masked
	Held  bool     `json:"held"`
}

// PlaceTrace is what an identifier found at one place.
type PlaceTrace struct {
	Where  string       `json:"where"`
	Fields []FieldTrace `json:"fields,omitempty"` // those whose name matches, in order, up to the one that was taken
}

// FieldTrace is what became of one field.
type FieldTrace struct {
	Key     string      `json:"key,omitempty"`
	Value   string      `json:"value"` // masked
	Steps   []StepTrace `json:"steps,omitempty"`
	Outcome string      `json:"outcome"`
}

// StepTrace is one transformation.
type StepTrace struct {
	Transformation string `json:"transformation"`
	Result         string `json:"result,omitempty"` // masked
	Failed         string `json:"failed,omitempty"` // why it does not apply
}

// IDTrace is a client session ID that was found.
type IDTrace struct {
	Name      string     `json:"name"`
	Index     int        `json:"index"`
	Origin    string     `json:"origin"`
	Kind      string     `json:"kind"`
	Side      string     `json:"side"`
	Where     string     `json:"where"`
	Key       string     `json:"key,omitempty"`
	Value     string     `json:"value"` // masked
	Deleted   bool       `json:"deleted,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
	Lifetime  string     `json:"lifetime,omitempty"`
}

// ParameterTrace is a context parameter that was found. Values of users and roles are shown, others are masked.
type ParameterTrace struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Weak  bool   `json:"weak,omitempty"`
}

// Explain identifies x and says how. It runs the same code as [Worker.Identify] and so comes to the same answer; it
// also tries what Identify can see at a glance to find nothing, to be able to say why.
func (w *Worker) Explain(x *seshat.Exchange) Explanation {
	var out seshat.Identity
	t := &tracer{out: Explanation{Rules: []RuleTrace{}, BuiltIn: []IdentifierTrace{}, IDs: []IDTrace{}}} // no null in JSON
	w.trace = t
	w.begin(x)
	defer func() { w.trace, w.x = nil, nil }()

	e := &t.out
	e.Method, e.URL = cloneString(x.Request.Method), cloneString(w.url)
	e.Environment, e.Service = cloneString(x.Environment), cloneString(x.Service)
	for _, m := range w.masks {
		e.Masks = append(e.Masks, m.Name)
	}
	w.identify(&out)
	t.finish(&out)
	return t.out
}

// explainRules is ownRules for an exchange that is being explained: it also names the rules out of scope.
func (w *Worker) explainRules(out *seshat.Identity) {
	for i, r := range w.engine.rules.Rules() {
		refusal := r.Scope.Check(w.x.Environment, w.x.Service, w.url)
		w.trace.rule(r, refusal)
		if refusal != rule.InScope {
			continue
		}
		for j := range w.engine.own[i] {
			w.trace.identifier(&w.engine.own[i][j])
			w.evaluate(&w.engine.own[i][j], out)
		}
	}
}

func (t *tracer) finish(out *seshat.Identity) {
	e := &t.out
	for i := range out.IDs {
		e.IDs = append(e.IDs, describeID(&out.IDs[i]))
	}
	e.Grouping = out.Grouping
	e.Reason = reason(out)
	for i := range out.Parameters {
		p := &out.Parameters[i]
		e.Parameters = append(e.Parameters, describeParameter(p))
	}
	for _, f := range out.Flows {
		e.Flows = append(e.Flows, f.Name)
	}
}

func describeID(id *seshat.FoundID) IDTrace {
	out := IDTrace{
		Name: id.Name, Index: id.Index, Origin: id.Origin.String(), Kind: id.Kind.String(), Side: id.Side.String(),
		Where: rule.LocationName(id.Where), Key: cloneString(id.Key), Value: shown(string(id.Value), id.Clear),
		Deleted: id.Deleted,
	}
	if id.Origin == seshat.OriginFallback {
		out.Value = cloneString(string(id.Value)) // an address is no secret of the client's
	}
	if !id.ExpiresAt.IsZero() {
		at := id.ExpiresAt
		out.ExpiresAt = &at
	}
	if id.Lifetime != 0 {
		out.Lifetime = id.Lifetime.String()
	}
	return out
}

func describeParameter(p *seshat.FoundParameter) ParameterTrace {
	out := ParameterTrace{Name: p.Name, Type: "plain", Weak: p.Weak, Value: shown(p.Value, false)}
	switch p.Type {
	case seshat.ParameterUser:
		out.Type = "user"
	case seshat.ParameterRole:
		out.Type = "role"
	case seshat.ParameterPlain:
	}
	if p.Type != seshat.ParameterPlain && !p.Hash {
		out.Value = cloneString(p.Value)
	}
	return out
}

// reason says why the grouping ID is the one.
func reason(out *seshat.Identity) string {
	id := &out.IDs[out.Grouping]
	switch {
	case id.Origin == seshat.OriginFallback && len(out.IDs) > 0 && out.IDs[0].Origin == seshat.OriginFallback:
		return "nothing was found by rules or the built-in set, so the " + id.Name + " groups the exchange"
	case id.Origin == seshat.OriginFallback:
		return "all that was found is deleted by the response, so the " + id.Name + " groups the exchange"
	case id.Side == seshat.InResponse:
		return "the request carried no ID; this is the first that the response gave"
	case out.Grouping == 0:
		return "it is the first in order, and was found in the request"
	default:
		return "it is the first in order that was found in the request"
	}
}

// shown is how a value that may be a secret is shown; plain says that this one is none.
func shown(value string, plain bool) string {
	if plain {
		return cloneString(value)
	}
	return protect.Mask(value)
}
