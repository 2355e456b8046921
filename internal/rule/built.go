package rule

import "github.com/seshat-project/seshat"

// The built-in set is made of the same parts as the rules of users. These functions compile its parts; what is wrong
// with them is wrong with the program, so that a test of the set is what looks at the faults.

// CompileIdentifier compiles one identifier outside of a session rule. Faults are about the fields of spec.
func CompileIdentifier(index int, spec *seshat.Identifier) (Identifier, seshat.Faults) {
	var faults seshat.Faults
	id := compileIdentifier(place{faults: &faults}, index, spec)
	return id, faults
}

// CompileParameter compiles one context parameter outside of a resource. Faults are about the fields of spec.
func CompileParameter(name string, spec *seshat.ContextParameterSpec) (*Parameter, seshat.Faults) {
	var faults seshat.Faults
	p := compileParameter(place{faults: &faults}, name, spec)
	return p, faults
}

// CompileFlow compiles one flow outside of a resource. Faults are about the fields of spec.
func CompileFlow(name string, spec *seshat.FlowSpec) (*Flow, seshat.Faults) {
	var faults seshat.Faults
	f := compileFlow(place{faults: &faults}, name, spec)
	return f, faults
}
