package declared

import (
	"net/url"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/rule"
)

func flowPages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindFlow, Section: section, Group: group, Tabs: tabs,
		One: "flow", Many: "flows",
		Intro: "Sensitive business flows: what a session did that matters, such as signing in, paying, administering.",
		Next:  "Name the endpoints of a flow. Sessions show their flows, and can be searched by them.",
		List:  listFlows, New: "/context/flows/new", Item: "/context/flow",
		Columns: []manage.Column{{Name: "Type"}, {Name: "Endpoints"}, {Name: "Conditions", Class: "number wide-only"}, {Name: "Scope", Class: "wide-only"}, {Name: "Share of the last day", Class: "number"}},
		Cells:   flowCells, With: batches,
		Begin: beginFlow, Put: putFlow, Spec: readFlow, Edit: editFlow, Most: rule.MaxConditions,
		Trial: flowTrial,
	}
}

func beginFlow(f *editor.Form, query url.Values) {
	putFlow(f, &seshat.FlowSpec{Type: query.Get("type"), Endpoints: query["endpoint"]})
}

func putFlow(f *editor.Form, spec seshat.Spec) {
	s, ok := spec.(*seshat.FlowSpec)
	if !ok {
		return
	}
	f.PutLine("spec.type", s.Type)
	f.PutScope("spec.scope", &s.Scope)
	f.PutLines("spec.endpoints", s.Endpoints)
	f.PutConditions("spec.conditions", s.Conditions)
}

func readFlow(f *editor.Form) seshat.Spec {
	return &seshat.FlowSpec{
		Type: f.Get("spec.type"), Scope: f.Scope("spec.scope"), Endpoints: f.Lines("spec.endpoints"), Conditions: f.Conditions("spec.conditions"),
	}
}

// flowTypes are the types that have a meaning to Seshat itself; others may be named.
func flowTypes() []seshat.FlowType {
	return []seshat.FlowType{
		seshat.FlowAuthentication, seshat.FlowLogout, seshat.FlowTokenRefresh, seshat.FlowAccountCreation, seshat.FlowBilling, seshat.FlowAdmin,
		seshat.FlowMessaging, seshat.FlowAI,
	}
}

// typeWords lists them.
func typeWords() string {
	var names []string
	for _, t := range flowTypes() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

func trialOfFlow(p *wire.Preview, name string) *preview.FlowTrial {
	for i := range p.Flows {
		if p.Flows[i].Name == name {
			return &p.Flows[i]
		}
	}
	return nil
}
