package resource

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"

	"github.com/seshat-project/seshat"
)

// encoder turns resources into nodes. Short writes the short forms of the format, for people; without it every value
// has its full form, for programs.
type encoder struct{ short bool }

// encode returns the node of v, or nil when v says nothing.
func (e encoder) encode(v reflect.Value) *node {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		return e.encodeSet(v.Elem())
	}
	if v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 || v.Kind() == reflect.Map && v.Len() == 0 {
		return nil
	}
	return e.encodeSet(v)
}

// encodeSet returns the node of a value that is there, even if it is zero, as behind a pointer.
func (e encoder) encodeSet(v reflect.Value) *node {
	if n := e.encodeShortForm(v); n != nil {
		return n
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			panic("resource: " + err.Error()) // durations, the only such values, have no errors
		}
		return &node{kind: nodeText, text: string(text)}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return e.encode(v)
	case reflect.Struct:
		return e.encodeObject(v)
	case reflect.Slice:
		n := &node{kind: nodeList}
		for i := range v.Len() {
			n.items = append(n.items, e.encodeSet(v.Index(i)))
		}
		return n
	case reflect.Map:
		n := &node{kind: nodeObject}
		for _, key := range v.MapKeys() {
			n.members = append(n.members, member{key: key.String(), value: e.encodeSet(v.MapIndex(key))})
		}
		slices.SortFunc(n.members, func(a, b member) int {
			if a.key < b.key {
				return -1
			}
			return 1
		})
		return n
	case reflect.String:
		return &node{kind: nodeText, text: v.String()}
	case reflect.Bool:
		return &node{kind: nodeBool, text: strconv.FormatBool(v.Bool())}
	case reflect.Int:
		return &node{kind: nodeInteger, text: strconv.FormatInt(v.Int(), 10)}
	case reflect.Float64:
		return &node{kind: nodeNumber, text: strconv.FormatFloat(v.Float(), 'f', -1, 64)}
	default:
		panic("resource: no encoding for " + v.Type().String()) // a field type nobody thought of; every kind is tested
	}
}

func (e encoder) encodeObject(v reflect.Value) *node {
	n := &node{kind: nodeObject}
	for _, f := range printed(v.Type()) {
		inner := v.FieldByIndex(f.index)
		value := e.encode(inner)
		if value == nil && f.required {
			value = e.encodeSet(inner)
		}
		if value == nil || f.typ.Kind() == reflect.Struct && !f.required && len(value.members) == 0 {
			continue // an empty scope says nothing
		}
		n.members = append(n.members, member{key: f.name, value: value})
	}
	return n
}

// printed lists the fields of t in the order in which they are printed: that of their declaration, but where a value
// comes from stands first, whichever form says it.
func printed(t reflect.Type) []field {
	fields := fieldsOf(t)
	if t != reflect.TypeFor[seshat.Identifier]() {
		return fields
	}
	rank := func(f field) int {
		switch f.name {
		case "in":
			return 0
		case "header", "cookie", "jwtClaim":
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(fields, func(a, b field) int { return rank(a) - rank(b) })
	return fields
}

// encodeShortForm returns the short form of v, or nil when it has none; see decodeShortForm.
func (e encoder) encodeShortForm(v reflect.Value) *node {
	if !e.short {
		return nil
	}
	switch value := v.Interface().(type) {
	case seshat.Match:
		full := e.encodeObject(v)
		if value.Equals != nil && len(full.members) == 1 {
			return &node{kind: nodeText, text: *value.Equals}
		}
	case seshat.Transformation:
		full := e.encodeObject(v)
		if len(full.members) == 1 && full.members[0].value.kind == nodeObject && len(full.members[0].value.members) == 0 {
			return &node{kind: nodeText, text: full.members[0].key}
		}
	case seshat.RegexTransformation:
		if value.Group == "" && value.Pattern != "" {
			return &node{kind: nodeText, text: value.Pattern}
		}
	}
	return nil
}
