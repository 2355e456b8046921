package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// Hasher makes keyed digests for the "hash" transformation.
type Hasher interface {
	// Hash returns the digest of value, which it does not keep. It is safe for concurrent use.
	Hash(value []byte) seshat.Digest
}

// Engine is a ruleset made ready for identification. It is immutable and safe for concurrent use; the memory that
// identification works in belongs to its workers.
type Engine struct {
	rules  *rule.Ruleset
	hasher Hasher

	own     [][]identifier // of each rule of rules.Rules()
	builtIn []identifier
	flows   []builtInFlow
	// parameters are those of rules.Parameters(); context are the built-in ones.
	parameters, context []parameter

	tables [viewCount]nameTable
	slots  int // how many names there are in tables

	ruleScopes, parameterScopes, flowScopes, maskScopes *rule.ScopeIndex

	wanted     [2]wantedBodies // by side
	typeHidden bool            // a mask rule may hide Content-Type
	// readsResponses says that what is found in a request may depend on its response in any way; see ResponseAdds.
	readsResponses bool
}

// identifier is a compiled identifier with what looking for it quickly needs.
type identifier struct {
	*rule.Identifier
	rule   *rule.Rule // nil for the built-in set
	name   string
	id     seshat.RuleID
	origin seshat.Origin
	// slots are, of each probe, the slot of its name, or noSlot. An identifier has at most two; of one, both are the same.
	slots [2]int
	least int // as in entry
	token bool

	handles bool
}

// noSlot marks a probe that does not look for one name, so that it has to be tried.
const noSlot = -1

// New makes an engine. hasher may be nil if no rule hashes: a "hash" transformation then does not apply.
func New(rs *rule.Ruleset, hasher Hasher) *Engine {
	e := &Engine{rules: rs, hasher: hasher}
	for v := range e.tables {
		e.tables[v].fold = viewID(v) == viewRequestHeader || viewID(v) == viewResponseHeader //nolint:gosec // few
	}
	if rs.BuiltIn() {
		e.addBuiltIn()
	}
	for _, r := range rs.Rules() {
		list := make([]identifier, len(r.Identifiers))
		for i := range r.Identifiers {
			list[i] = e.plan(identifier{Identifier: &r.Identifiers[i], rule: r, name: r.Name, id: r.ID, origin: seshat.OriginRule})
		}
		e.own = append(e.own, list)
	}
	for _, p := range rs.Parameters() {
		e.parameters = append(e.parameters, e.planParameter(parameter{Parameter: p}))
	}
	for i := range e.context {
		e.context[i] = e.planParameter(e.context[i])
	}
	for v := range e.tables {
		e.tables[v].freeze()
	}
	e.ruleScopes = index(rs.Rules(), func(r *rule.Rule) *rule.Scope { return &r.Scope })
	e.parameterScopes = index(rs.Parameters(), func(p *rule.Parameter) *rule.Scope { return &p.Scope })
	e.flowScopes = index(rs.Flows(), func(f *rule.Flow) *rule.Scope { return &f.Scope })
	e.maskScopes = index(rs.Masks(), func(m *rule.Mask) *rule.Scope { return &m.Scope })
	for side := range e.wanted {
		e.wanted[side] = wantBodies(rs, seshat.Side(side)) //nolint:gosec // one of two
		for _, m := range rs.Masks() {
			e.typeHidden = e.typeHidden || m.Hides(seshat.Side(side), seshat.LocationHeader, "Content-Type") //nolint:gosec // see above
		}
	}
	e.readsResponses = readsResponses(e)
	return e
}

// Ruleset returns the ruleset that e was made of.
func (e *Engine) Ruleset() *rule.Ruleset { return e.rules }

// Identify is [Worker.Identify] with a worker of its own. It allocates; callers with many exchanges keep a worker.
func (e *Engine) Identify(x *seshat.Exchange, out *seshat.Identity) { e.NewWorker().Identify(x, out) }

func index[T any](list []*T, scope func(*T) *rule.Scope) *rule.ScopeIndex {
	scopes := make([]*rule.Scope, len(list))
	for i := range list {
		scopes[i] = scope(list[i])
	}
	return rule.NewScopeIndex(scopes)
}

// plan gives each probe of id that looks for one name the slot of that name.
func (e *Engine) plan(id identifier) identifier {
	id.slots = [2]int{noSlot, noSlot}
	for i := range id.Probes {
		id.slots[1] = e.slotOf(&id.Probes[i])
		if i == 0 {
			id.slots[0] = id.slots[1]
		}
	}
	return id
}

func (e *Engine) planParameter(p parameter) parameter {
	p.slot = e.slotOf(&p.Selector)
	return p
}

// slotOf returns the slot of the one name that s looks for, or noSlot.
func (e *Engine) slotOf(s *rule.Selector) int {
	v := viewOf(s)
	name, ok := s.Key.Exact()
	if !ok || !v.eager() {
		return noSlot
	}
	entry := e.tables[v].add(name)
	if entry.slot == noSlot {
		entry.slot = e.slots
		e.slots++
	}
	return entry.slot
}
