package resource

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// SchemaID is the URI of the JSON Schema of resources.
const SchemaID = "https://seshat.dev/schema/v1/resources.schema.json"

// durationPattern is what [seshat.ParseDuration] reads.
const durationPattern = `^(0|(\d+d)?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*)$`

// Schema returns the JSON Schema (2020-12) of one resource of any kind, short forms included. It is made from the
// same Go types and tables that reading follows, so that the two cannot differ.
func Schema() []byte {
	s := schemaWriter{defs: object()}
	var kindRefs []*node
	for _, kind := range kinds() {
		s.resource(kind)
		kindRefs = append(kindRefs, ref(string(kind)))
	}
	root := object(
		"$schema", text("https://json-schema.org/draft/2020-12/schema"),
		"$id", text(SchemaID),
		"title", text("Seshat resource"),
		"description", text("One piece of declared configuration. A file holds any number of them."),
		"oneOf", array(kindRefs...),
		"$defs", s.defs,
	)
	var compact, out bytes.Buffer
	writeJSON(&compact, root)
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		panic("resource: " + err.Error()) // writeJSON has written something else than JSON; every part of it is tested
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// schemaWriter collects the definitions of types.
type schemaWriter struct{ defs *node }

// resource defines the resources of one kind.
func (s *schemaWriter) resource(kind seshat.Kind) {
	envelope := reflect.TypeFor[seshat.Resource]()
	properties, required := object(), array()
	for _, f := range fieldsOf(envelope) {
		var schema *node
		switch f.name {
		case "apiVersion":
			schema = object("const", text(seshat.APIVersion))
		case "kind":
			schema = object("const", text(string(kind)))
		case "spec":
			schema = s.define(reflect.TypeOf(newSpec(kind)).Elem())
		default:
			schema = s.schema(f)
		}
		set(properties, f.name, describe(schema, f))
		required.items = append(required.items, text(f.name))
	}
	set(s.defs, string(kind), object(
		"type", text("object"), "description", text(typeDescription(string(kind))), "properties", properties, "required", required,
		"additionalProperties", boolean(false),
	))
}

// define returns a reference to the definition of t, which it makes when there is none yet.
func (s *schemaWriter) define(t reflect.Type) *node {
	name := t.Name()
	if s.defs.find(name) == nil {
		set(s.defs, name, nil)        // keeps its place before the types it uses
		definition := s.definition(t) // adds more definitions, which moves them
		s.defs.find(name).value = definition
	}
	return ref(name)
}

func (s *schemaWriter) definition(t reflect.Type) *node {
	switch t {
	case reflect.TypeFor[seshat.Duration]():
		return object("type", text("string"), "minLength", integer(1), "pattern", text(durationPattern), "description", text(typeDescription("Duration")))
	case reflect.TypeFor[seshat.EmptyTransformation]():
		return object("type", text("object"), "maxProperties", integer(0))
	}
	properties, required := object(), array()
	for _, f := range printed(t) {
		set(properties, f.name, describe(s.schema(f), f))
		if f.required {
			required.items = append(required.items, text(f.name))
		}
	}
	out := object("type", text("object"), "properties", properties, "additionalProperties", boolean(false))
	if len(required.items) > 0 {
		set(out, "required", required)
	}
	if group := choices(t); len(group) == len(properties.members) {
		set(out, "minProperties", integer(1))
		set(out, "maxProperties", integer(1))
	} else if group != nil {
		oneOf := array()
		for _, name := range group {
			oneOf.items = append(oneOf.items, object("required", array(text(name))))
		}
		set(out, "oneOf", oneOf)
	}
	if short := shortForm(t); short != nil {
		out = object("oneOf", array(short, out))
	}
	return object("description", text(typeDescription(t.Name()))).with(out)
}

// shortForm is the schema of the short form of t, or nil when it has none; see decodeShortForm.
func shortForm(t reflect.Type) *node {
	switch t {
	case reflect.TypeFor[seshat.Match]():
		return textOrNumber()
	case reflect.TypeFor[seshat.RegexTransformation]():
		return object("type", text("string"), "minLength", integer(1))
	case reflect.TypeFor[seshat.Transformation]():
		names := array()
		for _, f := range fieldsOf(t) {
			if f.typ == reflect.TypeFor[*seshat.EmptyTransformation]() {
				names.items = append(names.items, text(f.name))
			}
		}
		return object("enum", names)
	default:
		return nil
	}
}

// schema is the schema of the values of f.
func (s *schemaWriter) schema(f field) *node {
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct || t == reflect.TypeFor[seshat.Duration]() {
		return s.define(t)
	}
	switch t.Kind() {
	case reflect.Slice:
		item := f
		item.typ = t.Elem()
		out := object("type", text("array"), "items", s.schema(item))
		if f.required || f.name == "in" {
			set(out, "minItems", integer(1))
		}
		return out
	case reflect.Map:
		return object("type", text("object"), "propertyNames", object("minLength", integer(1)), "additionalProperties", object("type", text("string")))
	case reflect.Bool:
		if onlyTrue(f) {
			return object("const", boolean(true))
		}
		return object("type", text("boolean"))
	case reflect.Int:
		return object("type", text("integer"), "minimum", integer(-1<<31), "maximum", integer(1<<31-1))
	case reflect.Float64:
		return object("type", text("number"), "minimum", integer(0), "maximum", integer(1)) // the only one is a score
	default:
		return textSchema(f)
	}
}

// textSchema is the schema of the text field f.
func textSchema(f field) *node {
	if list := words(f); list != nil {
		enum := array()
		for _, word := range list {
			enum.items = append(enum.items, text(word))
		}
		return object("enum", enum)
	}
	if takesNumber(f) {
		return textOrNumber()
	}
	out := object("type", text("string"))
	switch {
	case f.owner == reflect.TypeFor[seshat.Metadata]() && f.name == "name":
		set(out, "pattern", text("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))
		set(out, "maxLength", integer(MaxName))
	case f.owner == reflect.TypeFor[seshat.Metadata]() && f.name == "uid":
		set(out, "pattern", text("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))
	case !mayBeEmpty(f):
		set(out, "minLength", integer(1))
	}
	return out
}

func textOrNumber() *node { return object("type", array(text("string"), text("integer"))) }

// describe adds the description of f to its schema.
func describe(schema *node, f field) *node {
	return object("description", text(fieldDescription(f))).with(schema)
}

func ref(name string) *node { return object("$ref", text("#/$defs/"+name)) }

func text(s string) *node { return &node{kind: nodeText, text: s} }

func integer(i int) *node { return &node{kind: nodeInteger, text: strconv.Itoa(i)} }

func boolean(b bool) *node { return &node{kind: nodeBool, text: strconv.FormatBool(b)} }

func array(items ...*node) *node { return &node{kind: nodeList, items: items} }

// object makes an object of keys and values in turn.
func object(keysAndValues ...any) *node {
	out := &node{kind: nodeObject}
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		set(out, keysAndValues[i].(string), keysAndValues[i+1].(*node)) //nolint:forcetypeassert,errcheck // written in this file
	}
	return out
}

func set(n *node, key string, value *node) {
	n.members = append(n.members, member{key: key, value: value})
}

// with returns n with the members of other behind its own. What has no text is left out.
func (n *node) with(other *node) *node {
	out := &node{kind: nodeObject}
	for _, m := range append(n.members, other.members...) {
		if m.key == "description" && (strings.TrimSpace(m.value.text) == "" || out.find("description") != nil) {
			continue
		}
		out.members = append(out.members, m)
	}
	return out
}
