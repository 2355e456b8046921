package resource

import (
	"fmt"

	"github.com/seshat-project/seshat"
)

// CompileFunc compiles resources and returns what is wrong with them. The File of a fault is "Kind/name", its Field a
// path such as "spec.identifiers[1].extract.key.matches".
type CompileFunc func(resources []seshat.Resource) seshat.Faults

// Validate compiles parsed and returns the faults with the places where they were written. Parsed are from one input
// or several; a resource that two inputs declare is a fault in the second.
func Validate(parsed []Parsed, compile CompileFunc) seshat.Faults {
	faults, parsed := checkUnique(parsed)
	return append(faults, Locate(compile(Resources(parsed)), parsed)...)
}

// checkUnique reports the resources that were declared before, and leaves them out.
func checkUnique(parsed []Parsed) (seshat.Faults, []Parsed) {
	var faults seshat.Faults
	first := make(map[string]*Parsed, len(parsed))
	unique := make([]Parsed, 0, len(parsed))
	for i := range parsed {
		p := &parsed[i]
		key := Key(p.Resource.Kind, p.Resource.Metadata.Name)
		before, ok := first[key]
		if !ok {
			first[key] = p
			unique = append(unique, *p)
			continue
		}
		line, column := p.Place("metadata.name")
		beforeLine, _ := before.Place("metadata.name")
		faults = append(faults, seshat.Fault{
			File: p.File, Line: line, Column: column, Field: "metadata.name",
			Message: fmt.Sprintf("%s is declared twice, first in %s:%d", key, before.File, beforeLine),
			Hint:    "names are unique within a kind",
		})
	}
	return faults, unique
}

// Locate gives the faults of compiling parsed the file, line and column that they come from. Faults of resources that
// are not among parsed stay as they are.
func Locate(faults seshat.Faults, parsed []Parsed) seshat.Faults {
	byKey := make(map[string]*Parsed, len(parsed))
	for i := range parsed {
		byKey[Key(parsed[i].Resource.Kind, parsed[i].Resource.Metadata.Name)] = &parsed[i]
	}
	out := make(seshat.Faults, len(faults))
	for i, fault := range faults {
		if p, ok := byKey[fault.File]; ok {
			fault.File = p.File
			fault.Line, fault.Column = p.Place(fault.Field)
		}
		out[i] = fault
	}
	return out
}
