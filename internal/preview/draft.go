package preview

import (
	"encoding/json"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// draft is what is tried, compiled: the rules without and with it.
type draft struct {
	before, after *rule.Ruleset
	// own has the session rules of the draft alone, with the mask rules that would be in force: what is asked why something
	// was not found.
	own *rule.Ruleset
	// added are the names of the resources of the draft, by kind; removed and missing those that it leaves out.
	added            map[string]bool
	removed, missing []string
	disabled         []string
	changes          bool
}

func keyOf(r *seshat.Resource) string { return string(r.Kind) + "/" + r.Metadata.Name }

// newDraft compiles the rules with and without the draft. What is in force and has a fault cannot be told from what the
// draft does wrong; it is compiled first.
func newDraft(in *Input) (*draft, error) {
	d := &draft{added: map[string]bool{}}
	before := make([]seshat.Resource, 0, len(in.InForce))
	for i := range in.InForce {
		before = append(before, hiding(&in.InForce[i]))
	}
	var faults seshat.Faults
	if d.before, faults = rule.Compile(before); len(faults) > 0 {
		return nil, faults
	}
	after := slices.Clone(before)
	for i := range in.Add {
		added := hiding(&in.Add[i])
		key := keyOf(&added)
		at := slices.IndexFunc(after, func(r seshat.Resource) bool { return keyOf(&r) == key })
		switch {
		case at < 0:
			after, d.changes = append(after, added), true
		case d.added[key]:
			after = append(after, added) // twice in the draft, which is a fault
		default:
			d.changes = d.changes || !same(&after[at], &added)
			after[at] = added
		}
		d.added[key] = true
		if switchedOff(added.Spec) {
			d.disabled = append(d.disabled, key)
		}
	}
	for _, key := range in.Remove {
		at := slices.IndexFunc(after, func(r seshat.Resource) bool { return keyOf(&r) == key })
		if at < 0 {
			d.missing = append(d.missing, key)
			continue
		}
		after, d.changes = slices.Delete(after, at, at+1), true
		d.removed = append(d.removed, key)
	}
	if d.after, faults = rule.Compile(after); len(faults) > 0 {
		return nil, faults
	}
	off := false
	own := []seshat.Resource{{
		APIVersion: seshat.APIVersion, Kind: seshat.KindSettings, Metadata: seshat.Metadata{Name: "default"},
		Spec: &seshat.SettingsSpec{BuiltIn: &off, AutoIdentifier: &off},
	}}
	for i := range after {
		if after[i].Kind == seshat.KindMaskRule || after[i].Kind == seshat.KindSessionRule && d.added[keyOf(&after[i])] {
			own = append(own, after[i])
		}
	}
	if d.own, faults = rule.Compile(own); len(faults) > 0 {
		return nil, faults
	}
	return d, nil
}

// hiding is a resource whose identifiers let nothing be shown. What they find stays the same.
func hiding(r *seshat.Resource) seshat.Resource {
	out := *r
	spec, ok := r.Spec.(*seshat.SessionRuleSpec)
	if !ok || spec == nil {
		return out
	}
	changed := *spec
	changed.Identifiers = slices.Clone(spec.Identifiers)
	for i := range changed.Identifiers {
		changed.Identifiers[i].Obfuscate = nil
	}
	out.Spec = &changed
	return out
}

func same(a, b *seshat.Resource) bool {
	one, err := json.Marshal(a)
	if err != nil {
		return false
	}
	two, err := json.Marshal(b)
	return err == nil && string(one) == string(two)
}

func switchedOff(spec seshat.Spec) bool {
	var enabled *bool
	switch s := spec.(type) {
	case *seshat.SessionRuleSpec:
		enabled = s.Enabled
	case *seshat.ContextParameterSpec:
		enabled = s.Enabled
	case *seshat.FlowSpec:
		enabled = s.Enabled
	case *seshat.MaskRuleSpec:
		enabled = s.Enabled
	case *seshat.LimitSpec:
		enabled = s.Enabled
	case *seshat.JWTValidationSpec:
		enabled = s.Enabled
	}
	return enabled != nil && !*enabled
}

// has reports whether the draft has a resource of this kind and name.
func (d *draft) has(kind seshat.Kind, name string) bool { return d.added[string(kind)+"/"+name] }
