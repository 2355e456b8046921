package manage

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// sheet is a form as it is shown.
type sheet struct {
	form     *editor.Form
	name     string      // of the resource that it is about; empty for a new one
	revision kv.Revision // the one that the form was made of; [kv.None] for a new one
	readOnly bool
	others   seshat.Faults // of resources that would not work any more
	problem  *wire.Problem // what is wrong with all of it
	// other is the revision that somebody else made meanwhile, and what it changed; nil when nobody did.
	other *wire.ResourceDiff
	trial *trial
	// stored is the resource that the form shows as it is stored, and about what is said of it; nil of forms that were sent.
	stored *resource.Stored
	about  templ.Component
}

// trial is what came of trying a draft.
type trial struct {
	preview *wire.Preview
	problem *wire.Problem
	faults  seshat.Faults
	name    string
	yaml    string
}

// begin shows the form of a new resource.
func (p *Pages) begin(q *web.Request) error {
	f := editor.New(nil)
	f.PutMetadata(&seshat.Metadata{Name: q.Param("name"), Description: q.Param("description")})
	f.PutFlag(fieldEnabled, nil, true)
	p.Begin(f, q.URL.Query())
	return p.show(q, http.StatusOK, &sheet{form: f})
}

// edit shows the form of a resource that there is.
func (p *Pages) edit(q *web.Request) error {
	one, err := q.API.Registry().Get(q.Context(), p.Kind, q.PathValue("name"))
	if err != nil {
		return missing(err)
	}
	f := p.Draft(one.Resource)
	if len(f.Lost()) > 0 {
		return q.Redirect(p.At(one.Name, "yaml") + "?only") // saving the form would lose it
	}
	s := &sheet{form: f, name: one.Name, revision: one.Revision, stored: &one}
	if p.About != nil {
		if s.about, err = p.About(q, p, &one); err != nil {
			return err
		}
	}
	return p.show(q, http.StatusOK, s)
}

// action is where the form is sent.
func (s *sheet) action(p *Pages) string {
	if s.revision == kv.None {
		return p.New
	}
	return p.At(s.name)
}

// show shows a form. Nothing of the API is asked for but what a page of a resource shows anyway.
func (p *Pages) show(q *web.Request, status int, s *sheet) error {
	s.readOnly = !q.Viewer.Can(mayWrite)
	page := p.page("New " + p.One)
	if s.name != "" {
		page.Title, page.Heading = s.name+", "+p.One, s.name
	}
	if s.stored != nil {
		page.Subtitle = "Revision " + RevisionText(s.stored.Revision) + ", " + string(s.stored.Action) + " by " + s.stored.By + ", " + ui.Stamp(s.stored.At) + " UTC"
	}
	return q.PageStatus(status, page, formPage(p, s))
}

// sent is a form that was sent: to be saved, to be tried, or to have a line more or less.
func (p *Pages) sent(q *web.Request) error {
	if err := q.ParseForm(); err != nil {
		return usage("read the form", "it cannot be read")
	}
	s := &sheet{name: q.PathValue("name")}
	s.form, s.revision = read(q.PostForm, s.name)
	if s.name != "" && s.revision == kv.None { // not a form of ours: what it would replace is not known
		return usage("save "+s.name, "the form does not say which revision it was made of")
	}
	switch button := q.PostForm.Get("do"); button {
	case "", "save":
		return p.save(q, s)
	case "try":
		return p.try(q, s)
	default:
		s.form.Do(button, p.Most)
		return p.show(q, http.StatusOK, s)
	}
}

func usage(op, what string) error {
	return &seshat.Error{Kind: seshat.ErrorUsage, Op: op, Err: errors.New(what), Hint: "open the page anew"}
}

func (p *Pages) save(q *web.Request, s *sheet) error {
	r, faults := p.Resource(s.form)
	if len(faults) > 0 {
		return p.show(q, http.StatusUnprocessableEntity, s)
	}
	outcome, err := apply(q, r, s.revision)
	if err != nil {
		return p.refused(q, s, err)
	}
	return q.Done(p.At(r.Metadata.Name), said(&outcome))
}

// apply stores a resource if it still has a revision.
func apply(q *web.Request, r *seshat.Resource, expected kv.Revision) (resource.Outcome, error) {
	outcomes, err := q.API.Registry().Apply(q.Context(), []resource.Parsed{{Resource: *r}}, resource.ApplyOptions{
		Expected: map[string]kv.Revision{resource.Key(r.Kind, r.Metadata.Name): expected},
	})
	if err != nil {
		return resource.Outcome{}, err
	}
	return outcomes[0], nil
}

func said(o *resource.Outcome) string {
	switch o.Action {
	case resource.ActionCreated:
		return o.Name + " is there, and in force in every gateway within a second."
	case resource.ActionUnchanged:
		return "Nothing was different: " + o.Name + " stays as it was."
	case resource.ActionUpdated, resource.ActionDeleted, resource.ActionRolledBack:
		return o.Name + " is saved, and in force in every gateway within a second."
	default:
		return o.Name + " is saved."
	}
}

// refused shows a form again, with why it was not taken.
func (p *Pages) refused(q *web.Request, s *sheet, err error) error {
	var faults seshat.Faults
	switch {
	case errors.As(err, &faults):
		own, others := byResource(faults)
		s.form.AddFaults(own)
		s.others = others
		return p.show(q, http.StatusUnprocessableEntity, s)
	case errors.Is(err, kv.ErrConflict) && s.revision == kv.None:
		s.form.Fault("metadata.name", "there is one of this name already", "take another name, or change that one")
		return p.show(q, http.StatusConflict, s)
	case errors.Is(err, kv.ErrConflict), errors.Is(err, kv.ErrNotFound):
		return p.changed(q, s)
	}
	problem := web.Problem(err)
	if problem.Status >= http.StatusInternalServerError || errors.Is(err, client.ErrSignedOut) {
		return err
	}
	s.problem = problem
	return p.show(q, problem.Status, s)
}

// changed shows what somebody else changed since the form was made, for whoever sent it to decide.
func (p *Pages) changed(q *web.Request, s *sheet) error {
	registry := q.API.Registry()
	now, err := registry.Get(q.Context(), p.Kind, s.name)
	if errors.Is(err, kv.ErrNotFound) {
		s.problem = &wire.Problem{
			Title: "It was deleted meanwhile", Status: http.StatusConflict, Detail: "Somebody deleted it since this form was opened.",
			Hint: "saving once more makes it anew",
		}
		s.revision = kv.None
		return p.show(q, http.StatusConflict, s)
	}
	if err != nil {
		return err
	}
	if s.other, err = registry.Diff(q.Context(), p.Kind, s.name, s.revision, now.Revision); err != nil {
		// The revision that the form was made of may be so old that it is not kept.
		s.other = &wire.ResourceDiff{To: wire.DiffSide{Revision: uint64(now.Revision), By: now.By, At: now.At, Action: string(now.Action)}}
	}
	s.revision = now.Revision // saving once more replaces what is there now
	return p.show(q, http.StatusConflict, s)
}

// try shows what a draft does to the last exchanges. Nothing is stored.
func (p *Pages) try(q *web.Request, s *sheet) error {
	s.trial = &trial{name: s.form.Metadata().Name}
	values := maps.Clone(s.form.Values)
	if s.trial.name == "" {
		s.trial.name = "draft"
		values.Set("metadata.name", s.trial.name)
	}
	values.Set(fieldEnabled, "on") // of one that is switched off there would be nothing to see
	r, faults := p.Resource(editor.New(values))
	if len(faults) == 0 {
		faults = s.trial.run(q, r)
	}
	s.trial.faults = faults
	if q.Fragment() {
		return q.Render(trialPart(p, s.trial))
	}
	s.form.AddFaults(faults)
	return p.show(q, http.StatusOK, s)
}

func (t *trial) run(q *web.Request, r *seshat.Resource) seshat.Faults {
	if yaml, err := resource.Marshal([]seshat.Resource{*r}, resource.FormatYAML); err == nil {
		t.yaml = string(yaml)
	}
	text, err := resource.Marshal([]seshat.Resource{*r}, resource.FormatJSON)
	if err == nil {
		t.preview, err = q.API.Preview(q.Context(), &wire.PreviewRequest{Resources: []json.RawMessage{text}})
	}
	if err == nil {
		return nil
	}
	var faults seshat.Faults
	if errors.As(err, &faults) {
		return faults
	}
	t.problem = web.Problem(err)
	return nil
}
