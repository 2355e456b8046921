package resource

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/seshat-project/seshat"
)

// Document is a document of another format, such as a file of rule tests, that is read with the same care as
// resources.
type Document struct {
	file   string
	root   position
	fields map[string]position
}

// Decode reads the one document in data into v, a pointer to a struct whose json tags say how its fields are called: a
// field without omitempty is required. Besides the types that resources are made of, fields may be resources, [Pairs],
// and types with an UnmarshalText, which reads them from a text; a struct with one may be written either way.
func Decode(file string, data []byte, v any) (*Document, seshat.Faults) {
	documents, faults := readDocuments(file, data)
	if len(faults.faults) > 0 {
		return nil, faults.result()
	}
	if len(documents) != 1 {
		faults.add(position{1, 1}, "", fmt.Sprintf("%d documents; one is expected", len(documents)), "")
		return nil, faults.result()
	}
	d := decoder{faults: faults, fields: make(map[string]position)}
	d.decode(documents[0], reflect.ValueOf(v).Elem(), field{}, "")
	return &Document{file, documents[0].pos, d.fields}, faults.result()
}

// Place returns the line and column of the field with the given path, as [Parsed.Place] does.
func (d *Document) Place(fieldPath string) (line, column int) {
	p := Parsed{Line: d.root.line, Column: d.root.column, fields: d.fields}
	return p.Place(fieldPath)
}

// Parsed is the resource r of the document, at the given path.
func (d *Document) Parsed(r seshat.Resource, fieldPath string) Parsed {
	line, column := d.Place(fieldPath)
	return Parsed{Resource: r, File: d.file, Line: line, Column: column, fields: d.fields, prefix: fieldPath}
}

// Pair is a name with a text.
type Pair struct{ Name, Value string }

// Pairs are texts by name, in order. They are written as an object of texts, or of lists of texts for names that come
// more than once, or as a list of lists of two texts.
type Pairs []Pair

func (d *decoder) decodePairs(n *node, out *Pairs, path string) {
	switch n.kind {
	case nodeObject:
		for i := range n.members {
			m := &n.members[i]
			memberPath := join(path, m.key)
			d.fields[memberPath] = fieldPlace(m)
			values := []*node{m.value}
			if m.value.kind == nodeList {
				values = m.value.items
			}
			for _, value := range values {
				d.pair(&node{kind: nodeText, text: m.key}, value, out, memberPath)
			}
		}
	case nodeList:
		for i, item := range n.items {
			itemPath := fmt.Sprintf("%s[%d]", path, i)
			d.fields[itemPath] = item.pos
			if item.kind != nodeList || len(item.items) != 2 {
				d.wrongType(item, itemPath, "a list of a name and a text")
				continue
			}
			d.pair(item.items[0], item.items[1], out, itemPath)
		}
	default:
		d.wrongType(n, path, "an object of texts")
	}
}

func (d *decoder) pair(name, value *node, out *Pairs, path string) {
	for _, n := range []*node{name, value} {
		if n.kind != nodeText && n.kind != nodeInteger {
			d.wrongType(n, path, "a text")
			return
		}
	}
	*out = append(*out, Pair{name.text, value.text})
}

// decodeWritten reads a value that knows how it is written as a text, and reports whether n is one. Other values are
// left to be read as what they are.
func (d *decoder) decodeWritten(n *node, u encoding.TextUnmarshaler, v reflect.Value, path string) bool {
	if n.kind != nodeText && n.kind != nodeInteger {
		if v.Kind() == reflect.Struct && len(fieldsOf(v.Type())) > 0 && fieldsOf(v.Type())[0].name != "" {
			return false
		}
		d.wrongType(n, path, "a text")
		return true
	}
	if err := u.UnmarshalText([]byte(n.text)); err != nil {
		d.fault(n.pos, path, err.Error(), "")
	}
	return true
}
