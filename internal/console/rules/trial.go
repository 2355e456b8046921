package rules

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/resource"
)

// trial is what came of trying a draft.
type trial struct {
	preview *wire.Preview
	rule    *preview.RuleTrial // of the draft
	name    string
	action  string // where the form is sent
	asIf    bool   // the draft is switched off, and was tried as if it were on
	problem *wire.Problem
	faults  int // how many things are wrong with the draft
}

// try tries the draft. htmx puts the answer beside the form and into its last step; without it, it is part of the page.
func (d *draft) try(q *web.Request) error {
	t, err := d.run(q)
	if err != nil {
		return err
	}
	t.action = d.action()
	if q.Fragment() {
		return q.Render(brief(t), trialElsewhere(t))
	}
	d.trial, d.step = t, stepReview
	d.check(q)
	return d.show(q, http.StatusOK)
}

// run asks the API what the draft would do.
func (d *draft) run(q *web.Request) (*trial, error) {
	if !d.readRule() {
		return &trial{faults: len(d.form.Faults()) + len(d.faults)}, nil
	}
	tried, asIf := switchedOn(d.rule)
	text, err := resource.Marshal([]seshat.Resource{*tried}, resource.FormatJSON)
	if err != nil {
		return nil, err
	}
	out, err := q.API.Preview(q.Context(), &wire.PreviewRequest{Resources: []json.RawMessage{text}, Exchanges: d.sample})
	t := &trial{preview: out, name: tried.Metadata.Name, asIf: asIf}
	var faults seshat.Faults
	switch {
	case errors.As(err, &faults):
		t.faults = len(faults)
		return t, nil
	case errors.Is(err, client.ErrSignedOut):
		return nil, err
	case err != nil:
		if q.Context().Err() != nil {
			return nil, err
		}
		t.problem = web.Problem(err)
		return t, nil
	}
	for i := range out.Rules {
		if out.Rules[i].Name == t.name {
			t.rule = &out.Rules[i]
		}
	}
	return t, nil
}

// switchedOn is a rule that is in force, and whether it was not: somebody who tries it wants to know what it would do.
func switchedOn(r *seshat.Resource) (*seshat.Resource, bool) {
	spec, ok := r.Spec.(*seshat.SessionRuleSpec)
	if !ok || flag(spec.Enabled) {
		return r, false
	}
	out, on := *r, *spec
	on.Enabled, out.Spec = nil, &on
	return &out, true
}

// fraction is a part of a whole, as a share.
func fraction(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return ui.Percent(float64(part) / float64(whole))
}

// source says what a draft was tried on.
func (t *trial) source() string {
	p := t.preview
	text := "Tried on " + counted(p.Exchanges, "exchange", "exchanges")
	span := p.Last.Sub(p.First)
	switch {
	case p.Source.From == wire.PreviewGiven:
		text += " of yours"
	case span > 0:
		text += ", the last " + ui.Length(span)
	}
	if p.Source.Share > 0 && p.Source.Share < 1 {
		text += ", of " + ui.Percent(p.Source.Share) + " of the clients"
	}
	if t.asIf {
		text += ", as if it were in force"
	}
	return text + "."
}

// counted is a number with what it counts.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return ui.Count(n) + " " + many
}

// gradeKind is the colour of a grade.
func gradeKind(grade string) string {
	switch grade {
	case preview.GradeGood:
		return "good"
	case preview.GradeWarning:
		return "warn"
	case preview.GradeBad:
		return "bad"
	default:
		return ""
	}
}

// missedWords says why an identifier found nothing.
func missedWords(m *preview.MissedFor) string {
	text := map[string]string{
		"absent": "it was not there", "condition": "a condition did not hold", "value": "the value did not match",
		"transformation": "a transformation did not apply", "length": "the value was too long",
	}[m.Reason]
	if text == "" {
		text = "for another reason"
	}
	if m.Detail != "" {
		text += ": " + m.Detail
	}
	return text
}

// bars are what gives exchanges their sessions, before and after, those that change first.
func identifiedRows(p *wire.Preview) []preview.IdentifiedBy {
	const most = 12
	return p.IdentifiedBy[:min(len(p.IdentifiedBy), most)]
}

func delta(before, after int) string {
	switch d := after - before; {
	case d > 0:
		return "+" + ui.Count(d)
	case d < 0:
		return "−" + strings.TrimPrefix(ui.Count(d), "-")
	default:
		return "±0"
	}
}

func index(i int) string { return strconv.Itoa(i) }
