package declared

import (
	"net/url"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/rule"
)

// The types of context parameters, as resources call them.
const typePlain, typeUser, typeRole = "plain", "user", "role"

func parameterPages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindContextParameter, Section: section, Group: group, Tabs: tabs,
		One: "context parameter", Many: "context parameters",
		Intro: "Values that are kept with each exchange. Those of type user and role say who a session belongs to.",
		Next:  "Keep a value of requests or responses with each exchange: the name of the user from a header or a claim, a tenant, a version.",
		List:  listParameters, New: "/context/parameters/new", Item: "/context/parameter",
		Columns: []manage.Column{{Name: "Type"}, {Name: "Where"}, {Name: "Kept as"}, {Name: "Scope", Class: "wide-only"}, {Name: "Last hour", Class: "number"}},
		Cells:   parameterCells, With: batches,
		Begin: beginParameter, Put: putParameter, Spec: readParameter, Edit: editParameter, Most: rule.MaxConditions,
		Trial: parameterTrial,
	}
}

// beginParameter fills in what a new parameter begins with: type, location and key may be in the address.
func beginParameter(f *editor.Form, query url.Values) {
	location, key := query.Get("location"), query.Get("key")
	if location == "" {
		location = "header"
	}
	e := seshat.Extract{Location: location}
	if key != "" {
		e.Key = &seshat.Match{Equals: &key}
	}
	spec := &seshat.ContextParameterSpec{Type: query.Get("type"), Extract: e}
	putParameter(f, spec)
}

func putParameter(f *editor.Form, spec seshat.Spec) {
	s, ok := spec.(*seshat.ContextParameterSpec)
	if !ok {
		return
	}
	f.PutScope("spec.scope", &s.Scope)
	f.PutLine("spec.in", s.In)
	f.PutConditions("spec.conditions", s.Conditions)
	f.PutExtract("spec.extract", &s.Extract)
	f.PutTransformations("spec.transformations", s.Transformations)
	f.PutLine("spec.type", s.Type)
	f.PutBool("spec.hash", s.Hash)
}

func readParameter(f *editor.Form) seshat.Spec {
	return &seshat.ContextParameterSpec{
		Scope: f.Scope("spec.scope"), In: f.Get("spec.in"), Conditions: f.Conditions("spec.conditions"), Extract: f.Extract("spec.extract"),
		Transformations: f.Transformations("spec.transformations"), Type: f.Get("spec.type"), Hash: f.Bool("spec.hash"),
	}
}

func parameterTypes() []editor.Option {
	return []editor.Option{{Value: "", Name: "plain: a value beside others"}, {Value: typeUser, Name: "user: names the user of the session"}, {Value: typeRole, Name: "role: names a role of the user"}}
}

// trialOfParameter is what a preview says of a parameter; nil when it says nothing.
func trialOfParameter(p *wire.Preview, name string) *preview.ParameterTrial {
	for i := range p.Parameters {
		if p.Parameters[i].Name == name {
			return &p.Parameters[i]
		}
	}
	return nil
}
