package rule

import (
	"cmp"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
)

// Compile turns resources into a ruleset. It is pure: equal resources give equal rulesets, in whatever order they come.
// Everything that is wrong is reported at once, with the field it is in and "Kind/name" as the file; there is no
// ruleset when there are faults. Resources that are disabled are validated and left out.
func Compile(resources []seshat.Resource) (*Ruleset, seshat.Faults) {
	var faults seshat.Faults
	c := compiler{faults: &faults, set: &Ruleset{byID: map[seshat.RuleID]*Rule{}}, names: map[string]bool{}, counts: map[seshat.Kind]int{}}
	for i := range resources {
		c.add(&resources[i])
	}
	c.sort()
	c.checkMasks()
	if len(faults) > 0 {
		return nil, faults
	}
	return c.set, nil
}

type compiler struct {
	faults *seshat.Faults
	set    *Ruleset
	names  map[string]bool
	counts map[seshat.Kind]int
}

func (c *compiler) add(r *seshat.Resource) {
	at := place{faults: c.faults, file: string(r.Kind) + "/" + r.Metadata.Name}
	if r.Metadata.Name == "" {
		at.child("metadata.name").fault("a lower-case DNS label", "no name")
	}
	if c.names[at.file] {
		at.child("metadata.name").fault("names are unique within their kind", "there are two resources called %s", at.file)
		return
	}
	c.names[at.file] = true
	if c.counts[r.Kind]++; c.counts[r.Kind] == MaxResources+1 {
		at.fault("merge rules that differ in scope only", "more than %d resources of kind %s", MaxResources, r.Kind)
	}
	if r.Spec == nil {
		at.child("spec").fault("", "no spec")
		return
	}
	if kind := seshat.KindOf(r.Spec); kind != r.Kind {
		at.child("kind").fault("", "kind %q with the spec of a %s", r.Kind, kind)
		return
	}
	name, spec := r.Metadata.Name, at.child("spec")
	switch s := r.Spec.(type) {
	case *seshat.SessionRuleSpec:
		if compiled := c.rule(at, r, s); on(s.Enabled) {
			c.set.rules = append(c.set.rules, compiled)
		}
	case *seshat.ContextParameterSpec:
		if compiled := compileParameter(spec, name, s); on(s.Enabled) {
			c.set.parameters = append(c.set.parameters, compiled)
		}
	case *seshat.FlowSpec:
		if compiled := compileFlow(spec, name, s); on(s.Enabled) {
			c.set.flows = append(c.set.flows, compiled)
		}
	case *seshat.MaskRuleSpec:
		if compiled := compileMask(spec, name, s); on(s.Enabled) {
			c.set.masks = append(c.set.masks, compiled)
		}
	case *seshat.LimitSpec:
		if compiled := compileLimit(spec, name, s); on(s.Enabled) {
			c.set.limits = append(c.set.limits, compiled)
		}
	case *seshat.JWTValidationSpec:
		if compiled := compileValidation(spec, name, s); on(s.Enabled) {
			c.set.validations = append(c.set.validations, compiled)
		}
	case *seshat.SettingsSpec:
		checkSettings(at, name, s)
		c.set.settings = *s
	default:
		at.child("kind").fault("", "unknown kind %q", r.Kind)
	}
}

func on(enabled *bool) bool { return enabled == nil || *enabled }

func (c *compiler) rule(at place, r *seshat.Resource, spec *seshat.SessionRuleSpec) *Rule {
	out := &Rule{ID: seshat.RuleIDFor(r.Metadata.Name), Name: r.Metadata.Name, Priority: DefaultPriority}
	if r.Metadata.UID != "" {
		id, err := seshat.ParseRuleID(r.Metadata.UID)
		if err != nil {
			at.child("metadata.uid").fault("leave it out to derive one from the name", "%q is %v", r.Metadata.UID, err)
		}
		out.ID = id
	}
	if other := c.set.byID[out.ID]; other != nil {
		at.child("metadata.uid").fault("UIDs are unique", "it is the UID of SessionRule/%s as well", other.Name)
	}
	c.set.byID[out.ID] = out
	if spec.Priority != nil {
		out.Priority = *spec.Priority
	}
	at = at.child("spec")
	out.Scope = compileScope(at.child("scope"), &spec.Scope)
	out.IdleTimeout = positive(at.child("idleTimeout"), spec.IdleTimeout)
	out.AbsoluteLifetime = positive(at.child("absoluteLifetime"), spec.AbsoluteLifetime)
	list := at.child("identifiers")
	if len(spec.Identifiers) == 0 {
		list.fault("add at least one", "a session rule without identifiers finds nothing")
	}
	list.limit(len(spec.Identifiers), MaxIdentifiers, "identifiers")
	for i := range spec.Identifiers {
		out.Identifiers = append(out.Identifiers, compileIdentifier(list.item(i), i, &spec.Identifiers[i]))
	}
	return out
}

func positive(at place, d *seshat.Duration) time.Duration {
	if d == nil {
		return 0
	}
	if *d <= 0 {
		at.fault("leave it out for no end", "a duration must be positive")
	}
	return time.Duration(*d)
}

func (c *compiler) sort() {
	slices.SortFunc(c.set.rules, func(a, b *Rule) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(c.set.parameters, func(a, b *Parameter) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.set.flows, func(a, b *Flow) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.set.masks, func(a, b *Mask) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.set.limits, func(a, b *Limit) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.set.validations, func(a, b *Validation) int { return cmp.Compare(a.Name, b.Name) })
	enabled := make(map[seshat.RuleID]*Rule, len(c.set.rules))
	for _, r := range c.set.rules {
		enabled[r.ID] = r
	}
	c.set.byID = enabled
}

// checkMasks reports identifiers whose value, or whose expiry, a mask rule would remove before they could see it, and
// tokens that could not be validated for the same reason.
func (c *compiler) checkMasks() {
	for _, m := range c.set.masks {
		for _, v := range c.set.validations {
			if m.Scope.overlaps(&v.Scope) && m.covers(&v.Token) {
				at := place{faults: c.faults, file: string(seshat.KindJWTValidation) + "/" + v.Name}.child("spec").child("token")
				at.fault("change the scope of one of them", "a masked parameter cannot be validated: MaskRule/%s removes %s", m.Name, v.Token.String())
			}
		}
		for _, r := range c.set.rules {
			if !m.Scope.overlaps(&r.Scope) {
				continue
			}
			at := place{faults: c.faults, file: string(seshat.KindSessionRule) + "/" + r.Name}.child("spec").child("identifiers")
			for i := range r.Identifiers {
				m.check(at.item(i), &r.Identifiers[i])
			}
		}
	}
}

func (m *Mask) check(at place, id *Identifier) {
	const hint = "change the identifier or the scope of the mask rule"
	if slices.ContainsFunc(id.Probes, func(s Selector) bool { return m.covers(&s) }) {
		at.fault(hint, "a masked parameter cannot be an identifier: MaskRule/%s removes %s", m.Name, id.Probes[0].String())
	}
	if e := id.Expiration; e != nil && !e.JWT && m.covers(&e.Selector) {
		at.child("expiration.attribute").fault(hint, "a masked parameter cannot be an expiry: MaskRule/%s removes %s", m.Name, e.Selector.String())
	}
}
