package resource

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/seshat-project/seshat"
)

// decodeResource reads one document. First holds where the resources before it are, by kind and name.
func decodeResource(n *node, file string, faults *faultList, first map[string]position) (Parsed, bool) {
	d := decoder{faults: faults, fields: make(map[string]position)}
	out := Parsed{File: file, Line: n.pos.line, Column: n.pos.column, fields: d.fields}
	if n.kind != nodeObject {
		d.wrongType(n, "", "a resource (an object with apiVersion, kind, metadata and spec)")
		return out, false
	}
	r := &out.Resource
	d.decodeResource(n, r, "")
	if r.Metadata.Name == "" || r.Kind == "" {
		return out, !d.bad
	}
	at := d.fields["metadata.name"]
	if before, ok := first[Key(r.Kind, r.Metadata.Name)]; ok {
		d.fault(at, "metadata.name", fmt.Sprintf("%s is declared twice, first in line %d", Key(r.Kind, r.Metadata.Name), before.line),
			"names are unique within a kind")
	} else {
		first[Key(r.Kind, r.Metadata.Name)] = at
	}
	return out, !d.bad
}

// decodeResource reads a resource, which may be a part of something else.
func (d *decoder) decodeResource(n *node, r *seshat.Resource, path string) {
	// The type of spec depends on kind, wherever that is written.
	d.spec = nil
	if kind := n.find("kind"); kind != nil {
		d.spec = newSpec(seshat.Kind(kind.value.text))
	}
	d.decodeObject(n, reflect.ValueOf(r).Elem(), path)
	d.checkHeader(r, path)
}

// Key is the name of a resource among those of all kinds, such as "SessionRule/shop".
func Key(kind seshat.Kind, name string) string { return string(kind) + "/" + name }

// checkHeader checks what is the same for all kinds.
func (d *decoder) checkHeader(r *seshat.Resource, path string) {
	at := func(field string) (position, string) { return d.fields[join(path, field)], join(path, field) }
	if r.APIVersion != "" && r.APIVersion != seshat.APIVersion {
		hint := "write " + seshat.APIVersion
		if strings.HasPrefix(r.APIVersion, "seshat/") {
			hint += "; a newer Seshat may be needed for this file"
		}
		pos, field := at("apiVersion")
		d.fault(pos, field, fmt.Sprintf("unknown version %q", r.APIVersion), hint)
	}
	if name := r.Metadata.Name; name != "" && !validName(name) {
		hint := fmt.Sprintf("lower-case letters, digits and hyphens, at most %d characters", MaxName)
		if suggestion := suggestName(name); suggestion != "" {
			hint += ", such as " + suggestion
		}
		pos, field := at("metadata.name")
		d.fault(pos, field, fmt.Sprintf("%q is not a valid name", name), hint)
	}
	if uid := r.Metadata.UID; uid != "" {
		if _, err := seshat.ParseRuleID(uid); err != nil {
			pos, field := at("metadata.uid")
			d.fault(pos, field, err.Error(), "remove it: it is derived from the name")
		}
	}
}
