package rule

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
)

// Flow is a compiled flow.
type Flow struct {
	Name       string
	Type       seshat.FlowType
	Scope      Scope
	Endpoints  []*endpoint.Pattern // one of them must match; none means every endpoint
	Conditions []Condition
}

// maxFlowType is how long the name of a flow type may be: it is stored with every exchange of the flow.
const maxFlowType = 63

func compileFlow(at place, name string, spec *seshat.FlowSpec) *Flow {
	f := &Flow{
		Name:       name,
		Type:       seshat.FlowType(spec.Type),
		Scope:      compileScope(at.child("scope"), &spec.Scope),
		Conditions: compileConditions(at.child("conditions"), seshat.InRequest, spec.Conditions),
	}
	if !isFlowType(spec.Type) {
		at.child("type").fault("authentication, logout, token-refresh, account-creation, billing, admin, messaging, ai, or a name of your own in lower-case letters, digits and -",
			"%q is not a flow type", spec.Type)
	}
	f.Endpoints = compileEndpoints(at.child("endpoints"), spec.Endpoints)
	return f
}

func isFlowType(s string) bool {
	if s == "" || len(s) > maxFlowType {
		return false
	}
	for _, c := range []byte(s) {
		if c-'a' >= 26 && c-'0' >= 10 && c != '-' {
			return false
		}
	}
	return true
}
