package editor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// fault says that the text of a control is wrong before anything is made of it.
func (f *Form) fault(name, message, hint string) {
	f.AddFaults(seshat.Faults{{Field: name, Message: message, Hint: hint}})
}

// Fault says that the text of a control is wrong.
func (f *Form) Fault(name, message, hint string) { f.fault(name, message, hint) }

// AddFaults says what is wrong with the resource that the form makes. One that is known already, of the same field, is not
// said twice.
func (f *Form) AddFaults(faults seshat.Faults) {
	if f.at == nil {
		f.at = map[string][]seshat.Fault{}
	}
next:
	for _, one := range faults {
		for _, known := range f.faults {
			if known.Field == one.Field && (known.Message == one.Message || f.Has(one.Field)) {
				continue next
			}
		}
		f.faults = append(f.faults, one)
		name := f.Control(one.Field)
		if rest, ok := strings.CutPrefix(one.Field, name+"["); ok { // of a list that is one control
			if i, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); err == nil {
				one.Message = fmt.Sprintf("line %d: %s", i+1, one.Message)
			}
		}
		f.at[name] = append(f.at[name], one)
	}
}

// Faults returns everything that is wrong.
func (f *Form) Faults() seshat.Faults { return f.faults }

// Wrong is what is wrong with a control, in one line; empty when nothing is.
func (f *Form) Wrong(name string) string {
	var out []string
	for _, one := range f.at[name] {
		out = append(out, words(one))
	}
	return strings.Join(out, "; ")
}

// stands are the controls that stand for a field that is none itself, the one that is seen first.
func stands() []string {
	return []string{".form", ".kind", ".name", ".location", ".text", ".op"}
}

// Control is the name of the control that a field of the resource is about, or of the nearest thing around it; empty when
// there is none.
func (f *Form) Control(field string) string {
	within := false // a control is looked for around the field
	for p := field; p != ""; p = p[:max(0, strings.LastIndexAny(p, ".["))] {
		if f.Has(p) && (!within || !strings.HasSuffix(p, "]")) {
			return p
		}
		if f.Get(p+".op") == OpIn {
			return p + ".texts"
		}
		for _, suffix := range stands() {
			if f.Has(p + suffix) {
				return p + suffix
			}
		}
		if f.Has(p) {
			return p
		}
		within = true
	}
	return ""
}

// ID is the ID of the element of a control.
func ID(name string) string { return strings.NewReplacer("[", "-", "]", "", ".", "-").Replace(name) }

// WrongWithin reports whether something is wrong with a control of a part, such as one condition of a list.
func (f *Form) WrongWithin(path string) bool {
	for name := range f.at {
		if strings.HasPrefix(name, path) {
			return true
		}
	}
	return false
}
