package rule

import "github.com/seshat-project/seshat"

// Parameter is a compiled context parameter.
type Parameter struct {
	Name            string
	Scope           Scope
	Type            seshat.ParameterType
	Hash            bool
	Selector        Selector
	Conditions      []Condition
	Transformations []Transformation
}

func compileParameter(at place, name string, spec *seshat.ContextParameterSpec) *Parameter {
	side := compileSide(at.child("in"), spec.In, seshat.InRequest)
	kind := seshat.ParameterPlain
	switch spec.Type {
	case "", "plain":
	case "user":
		kind = seshat.ParameterUser
	case "role":
		kind = seshat.ParameterRole
	default:
		at.child("type").fault("one of plain, user, role", "unknown type %q", spec.Type)
	}
	return &Parameter{
		Name:            name,
		Scope:           compileScope(at.child("scope"), &spec.Scope),
		Type:            kind,
		Hash:            spec.Hash,
		Selector:        compileSelector(at.child("extract"), side, spec.In != "", &spec.Extract, toExtract),
		Conditions:      compileConditions(at.child("conditions"), side, spec.Conditions),
		Transformations: compileTransformations(at.child("transformations"), spec.Transformations),
	}
}
