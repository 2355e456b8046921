package rules

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// readRule reads what is written, and reports whether it is a rule.
func (d *draft) readRule() bool {
	if d.asYAML {
		return d.parse()
	}
	d.rule = ReadRule(d.form)
	if d.rule.Metadata.Name == "" {
		d.form.Fault("metadata.name", "it has no name", "lower-case letters, digits and hyphens")
	}
	if d.rule.Metadata.Name == reserved && !d.exists() {
		d.form.Fault("metadata.name", "this name is the address of another page", "take another")
	}
	if len(d.rule.Spec.(*seshat.SessionRuleSpec).Identifiers) == 0 { //nolint:forcetypeassert // it was just made
		d.form.Fault(listIdentifiers, "a session rule without identifiers finds nothing", "add at least one")
	}
	return len(d.form.Faults()) == 0
}

// check finds what is wrong with the draft, as saving it would.
func (d *draft) check(q *web.Request) {
	if !d.readRule() && d.asYAML {
		return
	}
	text, err := resource.Marshal([]seshat.Resource{*d.rule}, resource.FormatJSON)
	if err != nil {
		d.add(seshat.Faults{{Message: err.Error()}})
		return
	}
	if err = q.API.Registry().Validate(q.Context(), text); err != nil && !d.asYAML {
		d.refused(err)
		err = d.rest(q)
	}
	if err == nil && len(d.form.Faults()) == 0 && q.Viewer.Can(mayWrite) {
		_, err = d.apply(q, true)
		if errors.Is(err, kv.ErrConflict) && d.exists() {
			err = nil // it is said when the rule is saved
		}
	}
	d.refused(err)
}

// rest finds what is wrong with the rest of a rule whose name or list of identifiers is no such thing: the API looks no
// further then.
func (d *draft) rest(q *web.Request) error {
	whole := *d.rule
	whole.Metadata.Name = "draft"
	spec := *whole.Spec.(*seshat.SessionRuleSpec) //nolint:forcetypeassert // forms make no others
	if len(spec.Identifiers) == 0 {
		spec.Identifiers = []seshat.Identifier{{Cookie: "draft"}}
	}
	whole.Spec = &spec
	text, err := resource.Marshal([]seshat.Resource{whole}, resource.FormatJSON)
	if err != nil {
		return err
	}
	return q.API.Registry().Validate(q.Context(), text)
}

// apply stores the draft if the rule is still what it was made of.
func (d *draft) apply(q *web.Request, dry bool) (resource.Outcome, error) {
	outcomes, err := q.API.Registry().Apply(q.Context(), []resource.Parsed{{Resource: *d.rule}}, resource.ApplyOptions{
		DryRun: dry, Expected: map[string]kv.Revision{resource.Key(seshat.KindSessionRule, d.rule.Metadata.Name): d.revision},
	})
	if err != nil {
		return resource.Outcome{}, err
	}
	return outcomes[0], nil
}

// add says what is wrong with the draft: beside controls, or with the line of the text.
func (d *draft) add(faults seshat.Faults) {
	for _, one := range faults {
		if strings.Contains(one.File, "/") {
			d.others = append(d.others, one)
			continue
		}
		if !d.asYAML {
			d.addToForm(one)
			continue
		}
		if parsed, wrong := resource.Parse(yamlName, []byte(d.yaml)); len(wrong) == 0 && len(parsed) == 1 {
			one.Line, one.Column = parsed[0].Place(one.Field)
		}
		d.faults = append(d.faults, one)
	}
}

// addToForm leaves out what only repeats that something within it is wrong.
func (d *draft) addToForm(one seshat.Fault) {
	one.File, one.Line, one.Column = "", 0, 0 // nobody can look there
	for _, known := range d.form.Faults() {
		if rest, ok := strings.CutPrefix(known.Field, one.Field); ok && rest != "" && one.Field != "" {
			return
		}
	}
	d.form.AddFaults(seshat.Faults{one})
}

// refused says why a draft was not taken.
func (d *draft) refused(err error) {
	var faults seshat.Faults
	switch {
	case err == nil:
	case errors.As(err, &faults):
		d.add(faults)
	case errors.Is(err, kv.ErrConflict) && !d.exists():
		d.add(seshat.Faults{{Field: "metadata.name", Message: "there is a session rule of this name already", Hint: "take another name, or edit that one"}})
	default:
		d.problem = web.Problem(err)
	}
}

func (d *draft) save(q *web.Request) error {
	if !d.readRule() {
		d.check(q) // for everything else that is wrong
		d.toFaults()
		return d.show(q, http.StatusUnprocessableEntity)
	}
	outcome, err := d.apply(q, false)
	switch {
	case err == nil:
		return q.Redirect(address(outcome.Name) + "?saved=" + strings.ReplaceAll(string(outcome.Action), " ", "-"))
	case errors.Is(err, client.ErrSignedOut):
		return err
	case d.exists() && (errors.Is(err, kv.ErrConflict) || errors.Is(err, kv.ErrNotFound)):
		if err := d.changed(q); err != nil {
			return err
		}
		return d.show(q, http.StatusConflict)
	}
	d.refused(err)
	if d.problem != nil && d.problem.Status >= http.StatusInternalServerError {
		return err
	}
	d.toFaults()
	return d.show(q, http.StatusUnprocessableEntity)
}

// changed finds out what somebody else did to the rule since the form was opened. Saving once more replaces that.
func (d *draft) changed(q *web.Request) error {
	registry := q.API.Registry()
	d.conflict = &conflict{}
	history, err := registry.History(q.Context(), seshat.KindSessionRule, d.name)
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	if len(history) == 0 {
		d.conflict.deleted, d.revision = true, kv.None
		return nil
	}
	now := &history[len(history)-1]
	d.conflict.by = wire.DiffSide{Revision: uint64(now.Revision), Action: string(now.Action), By: now.By, At: now.At}
	if d.conflict.deleted = now.Resource == nil; !d.conflict.deleted {
		key := resource.Key(seshat.KindSessionRule, d.name)
		yours, err := resource.Diff(key+", as it is", key+", yours", now.Resource, d.rule)
		if err != nil {
			return err
		}
		d.conflict.yours = yours.Unified
	}
	// The revision that the form was made of may be so old that it is not kept; then nothing is said of it.
	if theirs, err := registry.Diff(q.Context(), seshat.KindSessionRule, d.name, d.revision, now.Revision); err == nil {
		d.conflict.theirs = theirs.Unified
	}
	d.revision = now.Revision
	if d.conflict.deleted {
		d.revision = kv.None
	}
	return nil
}
