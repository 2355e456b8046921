package limits

import (
	"errors"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// did is what limits, validations and entries of the denylist did.
type did struct {
	limits *wire.Limits
	by     map[string]*wire.Limit
	denied map[string]*wire.Acted
	// problem says why nothing is known of it; the list is shown all the same.
	problem *wire.Problem
}

// ask asks what they did. That nothing of it is known is no reason not to show what is declared.
func ask(q *web.Request) *did {
	out := &did{by: map[string]*wire.Limit{}, denied: map[string]*wire.Acted{}}
	var err error
	if out.limits, err = q.API.Limits(q.Context()); err != nil {
		out.limits, out.problem = &wire.Limits{}, web.Problem(err)
		return out
	}
	for i := range out.limits.Items {
		one := &out.limits.Items[i]
		out.by[resource.Key(seshat.Kind(one.Kind), one.Name)] = one
	}
	for i := range out.limits.Denylist {
		one := &out.limits.Denylist[i]
		out.denied[strings.TrimPrefix(one.By, "Denylist/")] = one
	}
	return out
}

func countersOf(q *web.Request, _ []resource.Stored) (any, error) { return ask(q), nil }

// of is what one of them did; what nothing is known of did nothing.
func (d *did) of(kind seshat.Kind, name string) *wire.Limit {
	if one := d.by[resource.Key(kind, name)]; one != nil {
		return one
	}
	return &wire.Limit{Kind: string(kind), Name: name}
}

func didOf(with any) *did {
	if d, ok := with.(*did); ok {
		return d
	}
	return &did{limits: &wire.Limits{}}
}

// counters answers with the numbers of a list, each for its place.
func counters(q *web.Request) error {
	kind := seshat.KindLimit
	if q.Param("kind") == string(seshat.KindJWTValidation) {
		kind = seshat.KindJWTValidation
	}
	d := ask(q)
	var parts []templ.Component
	for i := range d.limits.Items {
		if one := &d.limits.Items[i]; one.Kind == string(kind) {
			parts = append(parts, figures(one, true))
		}
	}
	return q.Render(parts...)
}

// figureID is the ID of one number of a row.
func figureID(one *wire.Limit, what string) string { return what + "-" + one.Name }

// hour is the last hour as a line: all that something did, by minute.
func hour(m *wire.ActedMinutes) []float64 {
	if m == nil {
		return nil
	}
	out := make([]float64, len(m.Tagged))
	for i := range out {
		out[i] = float64(m.Tagged[i])
		if i < len(m.Limited) {
			out[i] += float64(m.Limited[i])
		}
		if i < len(m.Blocked) {
			out[i] += float64(m.Blocked[i])
		}
	}
	return out
}

func sum(list []float64) int64 {
	n := 0.0
	for _, v := range list {
		n += v
	}
	return int64(n)
}

// histogram is the last hour as bars.
func histogram(m *wire.ActedMinutes) *ui.Histogram {
	out := &ui.Histogram{Unit: "requests", Width: time.Minute, Height: 64, Series: []ui.Series{{Name: "blocked", Class: "c-server"}, {Name: "limited", Class: "c-client"}, {Name: "tagged", Class: "c-1"}}}
	if m == nil {
		return out
	}
	for i := range m.Tagged {
		b := ui.Bucket{Start: m.From.Add(time.Duration(i) * time.Minute), Counts: []int64{0, 0, m.Tagged[i]}}
		if i < len(m.Limited) {
			b.Counts[1] = m.Limited[i]
		}
		if i < len(m.Blocked) {
			b.Counts[0] = m.Blocked[i]
		}
		out.Buckets = append(out.Buckets, b)
	}
	return out
}

// act changes the action of a limit or a validation, as a button of its row asks for.
func act(p *manage.Pages) web.Handler {
	return func(q *web.Request) error {
		name := q.PathValue("name")
		one, err := q.API.Registry().Get(q.Context(), p.Kind, name)
		if err != nil {
			return err
		}
		if manage.RevisionOf(q) != one.Revision {
			return q.Refused(back(q, p, name), "Not changed: "+name+" has changed meanwhile. This is how it is now.")
		}
		changed := *one.Resource
		if changed.Spec = withAction(changed.Spec, q.PostFormValue("action")); changed.Spec == nil {
			return errNoAction
		}
		_, err = q.API.Registry().Apply(q.Context(), []resource.Parsed{{Resource: changed}}, resource.ApplyOptions{
			Expected: map[string]kv.Revision{resource.Key(p.Kind, name): one.Revision},
		})
		if err != nil {
			return err
		}
		return q.Done(back(q, p, name), name+" "+doing(changed.Spec)+", in every gateway within a second.")
	}
}

var errNoAction = &seshat.Error{Kind: seshat.ErrorUsage, Op: "change the action", Err: errors.New("there is no such action")}

// back is where a form of the list or of the page of one leads afterwards.
func back(q *web.Request, p *manage.Pages, name string) string {
	if q.PostFormValue("back") == "item" {
		return p.At(name)
	}
	return p.List
}

// withAction is a copy of a spec with another action; nil when it has no such action.
func withAction(spec seshat.Spec, action string) seshat.Spec {
	switch s := spec.(type) {
	case *seshat.LimitSpec:
		out := *s
		switch action {
		case actionTag, actionBlock:
			out.Action = action
		case actionLimit:
			out.Action = ""
		default:
			return nil
		}
		return &out
	case *seshat.JWTValidationSpec:
		out := *s
		switch action {
		case actionTag:
			out.Action, out.Status = action, nil // what passes is not answered
		case actionBlock:
			out.Action = ""
		default:
			return nil
		}
		return &out
	default:
		return nil
	}
}

// actionOf is the action of a spec.
func actionOf(spec seshat.Spec) string {
	switch s := spec.(type) {
	case *seshat.LimitSpec:
		if s.Action == "" {
			return actionLimit
		}
		return s.Action
	case *seshat.JWTValidationSpec:
		if s.Action == "" {
			return actionBlock
		}
		return s.Action
	default:
		return ""
	}
}

func doing(spec seshat.Spec) string {
	switch actionOf(spec) {
	case actionTag:
		return "only tags now"
	case actionLimit:
		return "answers 429 now"
	default:
		return "refuses now"
	}
}

// choices are the actions that a row offers.
type choice struct{ value, name, title string }

func choices(kind seshat.Kind) []choice {
	if kind == seshat.KindJWTValidation {
		return []choice{{actionTag, "Tag only", "Let requests pass whose token is not good, and mark them"}, {actionBlock, "Block", "Refuse requests whose token is not good"}}
	}
	return []choice{
		{actionTag, "Tag only", "Let requests pass that are too many, and mark them"},
		{actionLimit, "429", "Refuse requests that are too many, until there is room"},
		{actionBlock, "403", "Refuse requests that are too many as forbidden"},
	}
}
