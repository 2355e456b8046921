package resource

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
)

// decoder turns the nodes of one document into Go values. It reports every fault that it finds and goes on.
type decoder struct {
	faults *faultList
	bad    bool
	spec   seshat.Spec         // to be filled; nil when the kind is not known
	fields map[string]position // of every field that was written
}

func (d *decoder) fault(at position, path, message, hint string) {
	d.bad = true
	d.faults.add(at, path, message, hint)
}

// decode sets v, which must be addressable, to n.
func (d *decoder) decode(n *node, v reflect.Value, f field, path string) {
	if n.kind == nodeNull {
		d.fault(n.pos, path, "has no value", "remove the field or give it one")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if d.decodeShortForm(n, v, path) {
		return
	}
	switch out := v.Addr().Interface().(type) {
	case *seshat.Duration:
		d.decodeDuration(n, out, path)
		return
	case *seshat.Resource:
		d.decodeResource(n, out, path)
		return
	case *Pairs:
		d.decodePairs(n, out, path)
		return
	case encoding.TextUnmarshaler:
		if d.decodeWritten(n, out, v, path) {
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		d.decodeObject(n, v, path)
	case reflect.Slice:
		d.decodeList(n, v, f, path)
	case reflect.Interface: // the spec of a resource
		if spec := d.spec; spec != nil {
			d.decodeObject(n, reflect.ValueOf(spec).Elem(), path)
			v.Set(reflect.ValueOf(spec))
		}
	case reflect.Map:
		d.decodeLabels(n, v, path)
	case reflect.String:
		if text, ok := d.text(n, f, path); ok {
			v.SetString(text)
		}
	case reflect.Bool:
		d.decodeBool(n, v, f, path)
	case reflect.Int:
		d.decodeInt(n, v, path)
	case reflect.Float64:
		d.decodeFloat(n, v, path)
	default:
		panic("resource: no decoding for " + v.Type().String()) // a field type nobody thought of; every kind is tested
	}
}

func (d *decoder) decodeObject(n *node, v reflect.Value, path string) {
	if n.kind != nodeObject {
		d.wrongType(n, path, "an object")
		return
	}
	fields := fieldsOf(v.Type())
	seen := make(map[string]position, len(n.members))
	for i := range n.members {
		m := &n.members[i]
		memberPath := join(path, m.key)
		if before, ok := seen[m.key]; ok {
			d.fault(m.pos, memberPath, fmt.Sprintf("written twice, first in line %d", before.line), "remove one of the two")
			continue
		}
		seen[m.key] = m.pos
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == m.key })
		if at < 0 {
			d.fault(m.pos, memberPath, "unknown field", hintFor(m.key, fieldNames(fields)))
			continue
		}
		d.fields[memberPath] = fieldPlace(m)
		d.decode(m.value, v.FieldByIndex(fields[at].index), fields[at], memberPath)
	}
	d.checkPresence(n, fields, v.Type(), seen, path)
}

// fieldPlace is where a field is said to be: its value where that is one text, its key where the value is on other
// lines.
func fieldPlace(m *member) position {
	if m.value.kind == nodeList || m.value.kind == nodeObject {
		return m.pos
	}
	return m.value.pos
}

// checkPresence reports required fields that are missing, and groups of which not exactly one is there.
func (d *decoder) checkPresence(n *node, fields []field, t reflect.Type, seen map[string]position, path string) {
	for _, f := range fields {
		if _, ok := seen[f.name]; f.required && !ok {
			d.fault(n.pos, join(path, f.name), "missing", missingHint(f))
		}
	}
	group := choices(t)
	if group == nil {
		return
	}
	var found []string
	for i := range n.members {
		if slices.Contains(group, n.members[i].key) && !slices.Contains(found, n.members[i].key) {
			found = append(found, n.members[i].key)
		}
	}
	switch {
	case len(found) == 0 && len(n.members) > 0 && allUnknown(n, fields):
		// The unknown field was meant to be the one; its own fault says so.
	case len(found) == 0:
		d.fault(n.pos, path, "needs one of "+strings.Join(group, ", "), "")
	case len(found) > 1:
		d.fault(seen[found[1]], path, "has both "+found[0]+" and "+found[1], "keep one of the two")
	}
}

func allUnknown(n *node, fields []field) bool {
	names := fieldNames(fields)
	for i := range n.members {
		if slices.Contains(names, n.members[i].key) {
			return false
		}
	}
	return true
}

func missingHint(f field) string {
	if list := words(f); list != nil {
		return "one of " + strings.Join(list, ", ")
	}
	return ""
}

func (d *decoder) decodeList(n *node, v reflect.Value, f field, path string) {
	if n.kind != nodeList {
		d.wrongType(n, path, "a list")
		return
	}
	if len(n.items) == 0 && (f.required || v.Type() == reflect.TypeFor[[]string]() && f.name == "in") {
		d.fault(n.pos, path, "the list is empty", "")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		itemPath := path + "[" + strconv.Itoa(i) + "]"
		d.fields[itemPath] = item.pos
		d.decode(item, out.Index(i), f, itemPath)
	}
	if len(n.items) > 0 {
		v.Set(out)
	}
}

// decodeLabels reads an object of texts.
func (d *decoder) decodeLabels(n *node, v reflect.Value, path string) {
	if n.kind != nodeObject {
		d.wrongType(n, path, "an object")
		return
	}
	out := make(map[string]string, len(n.members))
	for i := range n.members {
		m := &n.members[i]
		memberPath := join(path, m.key)
		if _, ok := out[m.key]; ok {
			d.fault(m.pos, memberPath, "written twice", "remove one of the two")
			continue
		}
		if m.key == "" {
			d.fault(m.pos, path, "a label without a name", "")
			continue
		}
		if m.value.kind != nodeText {
			d.wrongType(m.value, memberPath, "a text")
		}
		d.fields[memberPath] = fieldPlace(m)
		out[m.key] = m.value.text
	}
	if len(out) > 0 {
		v.Set(reflect.ValueOf(out))
	}
}

// text reads n as the text of f.
func (d *decoder) text(n *node, f field, path string) (string, bool) {
	isNumber := n.kind == nodeInteger && takesNumber(f)
	if n.kind != nodeText && !isNumber {
		d.wrongType(n, path, "a text")
		return "", false
	}
	if !utf8.ValidString(n.text) {
		d.fault(n.pos, path, "not UTF-8", "")
		return "", false
	}
	if n.text == "" && !mayBeEmpty(f) {
		d.fault(n.pos, path, "is empty", "remove the field or give it a value")
		return "", false
	}
	if known := words(f); known != nil && !slices.Contains(known, n.text) {
		what := f.name
		if what == "in" {
			what = "side"
		}
		d.fault(n.pos, path, fmt.Sprintf("unknown %s %q", what, n.text), hintFor(n.text, known))
		return "", false
	}
	return n.text, true
}

// takesNumber reports whether a number without quotes is fine where f expects a text: in comparisons (a status, an
// identifier) and for the number of a capture group. Elsewhere a number is more likely a slip.
func takesNumber(f field) bool {
	return f.owner == reflect.TypeFor[seshat.Match]() || f.owner == reflect.TypeFor[seshat.RegexTransformation]() && f.name == "group"
}

func (d *decoder) decodeDuration(n *node, u encoding.TextUnmarshaler, path string) {
	if n.kind == nodeInteger || n.kind == nodeNumber {
		d.fault(n.pos, path, "a duration without a unit", `write it as in "30m", "1h30m" or "7d"`)
		return
	}
	if n.kind != nodeText {
		d.wrongType(n, path, "a duration")
		return
	}
	if err := u.UnmarshalText([]byte(n.text)); err != nil {
		d.fault(n.pos, path, fmt.Sprintf("%q is not a duration", n.text), `write it as in "30m", "1h30m" or "7d"`)
	}
}

func (d *decoder) decodeBool(n *node, v reflect.Value, f field, path string) {
	if n.kind != nodeBool {
		d.wrongType(n, path, "true or false")
		return
	}
	if n.text == "false" && onlyTrue(f) {
		d.fault(n.pos, path, "can only be true", "remove the field")
		return
	}
	v.SetBool(n.text == "true")
}

func (d *decoder) decodeInt(n *node, v reflect.Value, path string) {
	if n.kind != nodeInteger {
		d.wrongType(n, path, "a whole number")
		return
	}
	i, err := strconv.ParseInt(n.text, 10, 32)
	if err != nil {
		d.fault(n.pos, path, "the number "+n.text+" is too large", "")
		return
	}
	v.SetInt(i)
}

func (d *decoder) decodeFloat(n *node, v reflect.Value, path string) {
	// YAML's parser takes 1e-1 for a text.
	x, err := strconv.ParseFloat(n.text, 64)
	if n.kind != nodeInteger && n.kind != nodeNumber || err != nil || x-x != 0 {
		d.wrongType(n, path, "a number")
		return
	}
	v.SetFloat(x)
}

// wrongType reports that n is not want.
func (d *decoder) wrongType(n *node, path, want string) {
	got, hint := n.kind.String(), ""
	switch n.kind {
	case nodeBool, nodeInteger, nodeNumber:
		got = n.text
		if want == "a text" {
			hint = "put it in quotes"
		}
	case nodeText:
		if want == "true or false" {
			hint = "write true or false without quotes"
		}
		if want == "a list" {
			hint = `write it as a list: ["..."]`
		}
	case nodeObject:
		if want == "a list" {
			hint = "begin each item with a dash"
		}
	case nodeNull, nodeList:
	}
	d.fault(n.pos, path, "must be "+want+", not "+got, hint)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
