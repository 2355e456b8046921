package rules

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// The steps of the form. Without scripts all of them are shown one beneath the other.
const (
	stepScope = iota + 1
	stepIdentifiers
	stepReview
)

// draft is a rule as somebody writes it: all of it is in the form that is sent.
type draft struct {
	form *editor.Form
	// name is that of the rule that is changed; empty for a new one. Revision is what it was made of.
	name     string
	revision kv.Revision
	// yaml is the rule as a text, when that is what is written, and not the form.
	asYAML bool
	yaml   string
	step   int
	went   int // the step that was just gone to; 0 when none was

	faults   seshat.Faults // of the text, and those of other resources
	others   seshat.Faults // of other resources, which would not work any more
	problem  *wire.Problem
	notice   string
	conflict *conflict
	rule     *seshat.Resource // what is written; nil when it cannot be read
	trial    *trial
	sample   string // exchanges to try it on, in place of those that were seen last
	clean    bool   // nothing was written yet
}

// conflict is what somebody else did to the rule since the form was opened.
type conflict struct {
	by      wire.DiffSide
	deleted bool
	theirs  string // unified diff of what they changed
	yours   string // unified diff of what saving would change now
}

// begin shows the form of a new rule: an empty one, one like another, or that of a preset.
func begin(q *web.Request) error {
	r, err := first(q)
	if err != nil {
		return err
	}
	d := newDraft(r)
	return d.show(q, http.StatusOK)
}

// first is what a new rule begins with.
func first(q *web.Request) (*seshat.Resource, error) {
	r := blank()
	spec := &seshat.SessionRuleSpec{}
	r.Spec = spec
	query := q.URL.Query()
	switch {
	case query.Get("from") != "":
		stored, err := q.API.Registry().Get(q.Context(), seshat.KindSessionRule, query.Get("from"))
		if err != nil {
			return nil, missing(err)
		}
		copied := *stored.Resource
		copied.Metadata.Name, copied.Metadata.UID = freeName(copied.Metadata.Name), ""
		return &copied, nil
	case query.Get("preset") != "":
		p, err := q.API.Preset(q.Context(), query.Get("preset"))
		if err != nil {
			return nil, err
		}
		if preset := ruleOf(p); preset != nil {
			return preset, nil
		}
	case query.Get("cookie") != "":
		spec.Identifiers = []seshat.Identifier{{Cookie: query.Get("cookie")}}
	case query.Get("header") != "":
		spec.Identifiers = []seshat.Identifier{{Header: query.Get("header")}}
	}
	if service := query.Get("service"); service != "" {
		spec.Scope.Services = []string{service}
	}
	return r, nil
}

// freeName is the name of a copy.
func freeName(name string) string {
	const suffix = "-copy"
	return strings.TrimRight(name[:min(len(name), resource.MaxName-len(suffix))], "-") + suffix
}

func newDraft(r *seshat.Resource) *draft {
	d := &draft{form: editor.New(nil), step: stepScope, rule: r, clean: true}
	PutRule(d.form, r)
	d.lostIn()
	return d
}

// lostIn goes on in YAML when the form cannot show what is written.
func (d *draft) lostIn() {
	lost := d.form.Lost()
	if len(lost) == 0 {
		return
	}
	d.notice = "The form cannot show " + strings.Join(lost[:min(len(lost), 3)], ", ") + ". It can be written as YAML."
	d.asYAML, d.yaml = true, textOf(d.rule)
}

// textOf is a rule as YAML.
func textOf(r *seshat.Resource) string {
	if r == nil {
		return ""
	}
	text, err := resource.Marshal([]seshat.Resource{*r}, resource.FormatYAML)
	if err != nil {
		return ""
	}
	return string(text)
}

// edit shows the form of a rule that there is.
func edit(q *web.Request) error {
	stored, err := q.API.Registry().Get(q.Context(), seshat.KindSessionRule, q.PathValue("name"))
	if err != nil {
		return missing(err)
	}
	d := newDraft(stored.Resource)
	d.name, d.revision = stored.Name, stored.Revision
	return d.show(q, http.StatusOK)
}

// The controls of the form that are no part of the rule.
const (
	fieldDo       = "do"
	fieldRevision = "revision"
	fieldStep     = "step"
	fieldMode     = "mode"
	fieldYAML     = "yaml"
	fieldSample   = "sample"
	modeYAML      = "yaml"
)

// What buttons of the form ask for, besides the changes of lists.
const (
	doSave  = "save"
	doTrial = "try"
	doStep  = "step" // a space, and the step
	doYAML  = "yaml"
	doForm  = "form"
)

// read reads a draft that was sent.
func read(q *web.Request) (*draft, error) {
	if err := q.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read the form", Err: errors.New("it is too large"), Hint: "apply such a rule with seshat apply"}
		}
		return nil, &seshat.Error{Kind: seshat.ErrorUsage, Op: "read the form", Err: errors.New("it cannot be read"), Hint: "open the page anew"}
	}
	values := url.Values{}
	for name, texts := range q.PostForm {
		if strings.HasPrefix(name, "spec.") || strings.HasPrefix(name, "metadata.") {
			values.Set(name, texts[0])
		}
	}
	d := &draft{form: editor.New(values), name: q.PathValue("name"), sample: q.PostForm.Get(fieldSample)}
	if revision, err := strconv.ParseUint(q.PostForm.Get(fieldRevision), 10, 64); err == nil && kv.Revision(revision) != kv.Any {
		d.revision = kv.Revision(revision)
	}
	d.step, _ = strconv.Atoi(q.PostForm.Get(fieldStep)) // what is no step is the first
	d.step = max(stepScope, min(stepReview, d.step))
	if d.asYAML = q.PostForm.Get(fieldMode) == modeYAML; d.asYAML {
		d.yaml = strings.ReplaceAll(q.PostForm.Get(fieldYAML), "\r\n", "\n")
	} else if d.name != "" {
		d.form.Values.Set("metadata.name", d.name) // it is in the address, and cannot change
	}
	return d, nil
}

// sent is a draft that was sent: to be saved, tried or checked, or to go on with in another form.
func sent(q *web.Request) error {
	d, err := read(q)
	if err != nil {
		return err
	}
	word, rest, _ := strings.Cut(q.PostForm.Get(fieldDo), " ")
	switch word {
	case doSave:
		return d.save(q)
	case doTrial:
		return d.try(q)
	case doYAML:
		d.toYAML()
	case doForm:
		d.toForm()
	case doStep:
		d.step, _ = strconv.Atoi(rest)
		d.step = max(stepScope, min(stepReview, d.step))
		if d.step == stepReview {
			d.check(q)
		}
		if len(d.form.Faults())+len(d.faults) == 0 {
			d.went = d.step
		}
	case "": // Enter in a line
		d.check(q)
	default:
		d.form.Do(q.PostForm.Get(fieldDo), mostItems)
	}
	return d.show(q, http.StatusOK)
}

// mostItems is how many items a list of the form may have: as many identifiers as a rule.
const mostItems = 64

// toYAML goes on with the text. What is no rule yet, such as a word where a number has to be, has no text.
func (d *draft) toYAML() {
	if d.asYAML {
		return
	}
	d.rule = ReadRule(d.form)
	if len(d.form.Faults()) > 0 {
		d.notice = "What is wrong has to be mended before the rule can be written as YAML."
		d.toFaults()
		return
	}
	d.asYAML, d.yaml = true, textOf(d.rule)
}

// toForm goes on with the form, if the text is a rule that it can show.
func (d *draft) toForm() {
	if !d.asYAML || !d.parse() {
		return
	}
	form := editor.New(nil)
	PutRule(form, d.rule)
	if lost := form.Lost(); len(lost) > 0 {
		d.notice = "The form cannot show " + strings.Join(lost[:min(len(lost), 3)], ", ") + "."
		return
	}
	d.form, d.asYAML, d.yaml = form, false, ""
}

// yamlName is what faults call the text.
const yamlName = "yaml"

// parse reads the text.
func (d *draft) parse() bool {
	parsed, faults := resource.Parse(yamlName, []byte(d.yaml))
	if len(faults) == 0 {
		switch {
		case len(parsed) != 1 || parsed[0].Resource.Kind != seshat.KindSessionRule:
			faults = seshat.Faults{{Message: "the text must hold one session rule and nothing else", Hint: "apply several resources as a file"}}
		case d.name != "" && parsed[0].Resource.Metadata.Name != d.name:
			line, column := parsed[0].Place("metadata.name")
			faults = seshat.Faults{{Line: line, Column: column, Field: "metadata.name", Message: "the name cannot be changed", Hint: "duplicate the rule for another name"}}
		}
	}
	d.faults = faults
	if len(faults) > 0 {
		return false
	}
	d.rule = &parsed[0].Resource
	return true
}

// toFaults goes to the step in which the first thing is wrong.
func (d *draft) toFaults() {
	for _, one := range d.form.Faults() {
		name := d.form.Control(one.Field)
		switch {
		case strings.HasPrefix(name, listIdentifiers):
			d.step = stepIdentifiers
		case name != "":
			d.step = stepScope
		default:
			continue
		}
		return
	}
}

// show shows the form: the whole page, or what htmx puts in its place.
func (d *draft) show(q *web.Request, status int) error {
	if d.rule == nil && !d.asYAML {
		d.rule = ReadRule(editor.New(d.form.Values)) // its faults are not said before somebody asks
	}
	if q.Fragment() {
		return q.Render(formPart(d))
	}
	page := ui.Page{
		Title: "New rule", Section: ui.SectionRules, Scripts: []string{"rules.js"}, Styles: []string{"editor.css", "rules.css"},
		Crumbs: []ui.Crumb{{Name: "Rules", URL: pathList}},
	}
	if d.name != "" {
		page.Title = "Edit " + d.name
		page.Crumbs = append(page.Crumbs, ui.Crumb{Name: d.name, URL: address(d.name)})
	}
	return q.PageStatus(status, page, draftPage(d))
}

// action is where the form is sent.
func (d *draft) action() string {
	if d.name == "" {
		return pathNew
	}
	return editAddress(d.name)
}

// exists reports whether the draft changes a rule that there is.
func (d *draft) exists() bool { return d.name != "" }
