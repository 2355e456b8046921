package manage

import (
	"net/url"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// fieldEnabled is the control that switches a resource on and off.
const fieldEnabled = "spec.enabled"

// Draft fills in the form of a resource.
func (p *Pages) Draft(r *seshat.Resource) *editor.Form {
	f := editor.New(nil)
	f.PutMetadata(&r.Metadata)
	var enabled *bool
	if on := enabledOf(r.Spec); on != nil {
		enabled = *on
	}
	f.PutFlag(fieldEnabled, enabled, true)
	p.Put(f, r.Spec)
	return f
}

// Resource is what a form says, or what is wrong with it. The faults are said to the form too.
func (p *Pages) Resource(f *editor.Form) (*seshat.Resource, seshat.Faults) {
	r := &seshat.Resource{APIVersion: seshat.APIVersion, Kind: p.Kind, Metadata: f.Metadata(), Spec: p.Spec(f)}
	if r.Metadata.Name == "" {
		f.Fault("metadata.name", "it has no name", "lower-case letters, digits and hyphens")
	}
	if on := enabledOf(r.Spec); on != nil {
		*on = f.Flag(fieldEnabled, true)
	}
	if len(f.Faults()) == 0 {
		f.AddFaults(shape(r))
	}
	return r, f.Faults()
}

// shape finds what no resource may look like, as a name with a blank: what reading it would find.
func shape(r *seshat.Resource) seshat.Faults {
	text, err := resource.Marshal([]seshat.Resource{*r}, resource.FormatJSON)
	if err != nil {
		return seshat.Faults{{Message: err.Error()}}
	}
	_, faults := resource.Parse("", text)
	for i := range faults {
		faults[i].File, faults[i].Line, faults[i].Column = "", 0, 0 // there is no file that somebody could look into
	}
	return faults
}

// byResource parts the faults of what was refused: those of the draft, which its form shows beside controls, and those of other
// resources, which would not work any more.
func byResource(faults seshat.Faults) (own, others seshat.Faults) {
	for _, one := range faults {
		if strings.Contains(one.File, "/") {
			others = append(others, one)
		} else {
			own = append(own, one)
		}
	}
	return own, others
}

// Address is the page of a resource; empty for kinds that have none.
func Address(kind seshat.Kind, name string) string {
	folder := ""
	switch kind {
	case seshat.KindSessionRule:
		folder = "/rules/"
	case seshat.KindContextParameter:
		folder = "/context/parameter/"
	case seshat.KindFlow:
		folder = "/context/flow/"
	case seshat.KindMaskRule:
		folder = "/context/mask/"
	case seshat.KindLimit:
		folder = "/limits/limit/"
	case seshat.KindJWTValidation:
		folder = "/limits/validation/"
	case seshat.KindSettings:
		return "/settings"
	default:
		return ""
	}
	return folder + url.PathEscape(name)
}

// about is the page of the resource that a fault is of.
func about(one *seshat.Fault) string {
	kind, name, _ := strings.Cut(one.File, "/")
	return Address(seshat.Kind(kind), name)
}

// read reads a form that was sent. name is that of the resource that it is about; empty for a new one.
func read(values url.Values, name string) (*editor.Form, kv.Revision) {
	f := editor.New(values)
	if name == "" {
		return f, kv.None
	}
	f.Values.Set("metadata.name", name) // it is in the address, and cannot change
	return f, readRevision(values.Get("revision"))
}
