package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/seshat-project/seshat"
)

// Format is a syntax in which resources are printed.
type Format string

// The formats.
const (
	FormatYAML Format = "yaml"
	FormatJSON Format = "json"
)

// Marshal prints resources so that [Parse] reads equal ones: as a stream of YAML documents with the short forms that
// people write, or as JSON with every value in its full form; one JSON object for one resource, else an array.
// Fields have the order of the documentation, and those that say nothing are left out.
func Marshal(resources []seshat.Resource, format Format) ([]byte, error) {
	e := encoder{short: format == FormatYAML}
	nodes := make([]*node, len(resources))
	for i := range resources {
		if resources[i].Spec == nil || reflect.ValueOf(resources[i].Spec).IsNil() {
			return nil, fmt.Errorf("print %s: it has no spec", Key(resources[i].Kind, resources[i].Metadata.Name))
		}
		nodes[i] = e.encodeSet(reflect.ValueOf(&resources[i]).Elem())
	}
	switch format {
	case FormatYAML:
		var b bytes.Buffer
		for i, n := range nodes {
			if i > 0 {
				b.WriteString("---\n")
			}
			writeYAMLObject(&b, n, 0)
		}
		return b.Bytes(), nil
	case FormatJSON:
		root := &node{kind: nodeList, items: nodes}
		if len(nodes) == 1 {
			root = nodes[0]
		}
		var compact, out bytes.Buffer
		writeJSON(&compact, root)
		if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
			return nil, fmt.Errorf("print resources: %w", err)
		}
		out.WriteByte('\n')
		return out.Bytes(), nil
	default:
		return nil, fmt.Errorf("print resources: unknown format %q; the formats are yaml and json", format)
	}
}

// writeJSON prints n without spaces.
func writeJSON(b *bytes.Buffer, n *node) {
	switch n.kind {
	case nodeNull:
		b.WriteString("null")
	case nodeBool, nodeInteger, nodeNumber:
		b.WriteString(n.text)
	case nodeText:
		writeJSONText(b, n.text)
	case nodeList:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, item)
		}
		b.WriteByte(']')
	case nodeObject:
		b.WriteByte('{')
		for i := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSONText(b, n.members[i].key)
			b.WriteByte(':')
			writeJSON(b, n.members[i].value)
		}
		b.WriteByte('}')
	}
}

func writeJSONText(b *bytes.Buffer, text string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)  // "<" in an expression is easier to read than "\u003c"
	_ = e.Encode(text)      // a text and a buffer have no errors
	b.Truncate(b.Len() - 1) // the line break that Encode adds
}
