package enforce

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jwt"
	"github.com/seshat-project/seshat/internal/rule"
)

// rules are limits and validations made ready. They are immutable.
type rules struct {
	limits      []*limit
	limitScopes *rule.ScopeIndex
	byTag       map[uint32]*limit // as counts are shared

	validations      []*validation
	validationScopes *rule.ScopeIndex

	needsURL bool
}

// limit is a limit made ready.
type limit struct {
	*rule.Limit
	span
	id       sip    // hash of what makes two limits count the same
	tag      uint32 // names the limit among processes; 0 for one that is not shared
	byAlone  bool   // the key is the address and nothing else
	byValue  bool   // a context parameter is part of the key
	by       string
	reason   string
	counters *counters
}

// validation is a validation made ready.
type validation struct {
	*rule.Validation
	id       hash // of what makes two validations accept the same tokens
	by       string
	source   KeySource // nil for keys of the rule itself
	keys     atomic.Pointer[generation]
	counters *counters
}

// generation is a key set under a number that no other one has.
type generation struct {
	set    *jwt.KeySet
	number uint32
}

// Use puts the limits and validations of rules in force; counts of limits that did not change go on. Keys has the
// source of keys of each validation that has an address, by its name. A validation without its source accepts nothing.
func (e *Enforcer) Use(set *rule.Ruleset, keys map[string]KeySource) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := &rules{byTag: map[uint32]*limit{}}
	scopes := make([]*rule.Scope, 0, len(set.Limits()))
	for _, l := range set.Limits() {
		made := e.newLimit(l)
		made.counters = e.countersOf(made.by)
		next.limits = append(next.limits, made)
		next.byTag[made.tag] = made
		scopes = append(scopes, &l.Scope)
	}
	next.limitScopes = rule.NewScopeIndex(scopes)
	scopes = nil
	for _, v := range set.Validations() {
		made := e.newValidation(v, keys[v.Name])
		made.counters = e.countersOf(made.by)
		next.validations = append(next.validations, made)
		scopes = append(scopes, &v.Scope)
	}
	next.validationScopes = rule.NewScopeIndex(scopes)
	next.needsURL = next.limitScopes.NeedsURL() || next.validationScopes.NeedsURL()
	idle := e.config.FallbackIdleTimeout
	if set := set.Settings().FallbackIdleTimeout; set != nil {
		idle = time.Duration(*set)
	}
	e.idle.Store(ceilSeconds(int64(idle)))
	e.rules.Store(next)
	e.dropCounters(next)
}

func (e *Enforcer) newLimit(l *rule.Limit) *limit {
	out := &limit{Limit: l, span: newSpan(l.Count, l.Window, l.For), by: string(seshat.KindLimit) + "/" + l.Name}
	out.id = e.base
	out.id.text("limit")
	out.id.text(l.Name)
	out.id.word(uint64(l.Window)) //nolint:gosec // only to tell windows apart
	for _, k := range l.Keys {
		out.id.text(k.String())
		out.byValue = out.byValue || k.Kind == rule.KeyParameter
	}
	out.byAlone = len(l.Keys) == 1 && l.Keys[0].Kind == rule.KeyIP
	id := out.id
	out.tag = max(uint32(id.sum()[0]), 1) //nolint:gosec // a part of it is meant
	out.reason = "over " + strconv.Itoa(l.Count) + " in " + seshat.Duration(l.Window).String()
	return out
}

func (e *Enforcer) newValidation(v *rule.Validation, source KeySource) *validation {
	out := &validation{Validation: v, source: source, by: string(seshat.KindJWTValidation) + "/" + v.Name}
	id := e.base
	id.text("validation")
	id.text(v.Name)
	id.text(v.JWKSURL)
	for _, list := range [][]string{v.Policy.Issuers, v.Policy.Audiences, v.Policy.Types} {
		id.word(uint64(len(list)))
		for _, s := range list {
			id.text(s)
		}
	}
	out.id = id.sum()
	if v.JWKSURL == "" {
		out.source = nil
		out.keys.Store(&generation{v.Keys, e.generation.Add(1)})
	}
	return out
}

// current is the keys of a validation with their number.
func (v *validation) current(e *Enforcer) *generation {
	last := v.keys.Load()
	if v.JWKSURL == "" {
		return last
	}
	var set *jwt.KeySet
	if v.source != nil {
		set = v.source.Current()
	}
	if last != nil && last.set == set {
		return last
	}
	next := &generation{set, e.generation.Add(1)}
	if !v.keys.CompareAndSwap(last, next) {
		return v.keys.Load()
	}
	return next
}

// inScope reports whether a request is at one of the endpoints, and meets the conditions.
func inScope(r *Request, endpoints endpoints, conditions []rule.Condition) bool {
	if len(endpoints) == 0 && len(conditions) == 0 {
		return true
	}
	return r.Reader != nil && (len(endpoints) == 0 || r.Reader.AtEndpoint(r.Exchange, endpoints)) &&
		(len(conditions) == 0 || r.Reader.Holds(r.Exchange, conditions))
}
