package resource

import "bytes"

// DocumentsAsJSON reads the documents in data, whatever is in them, and prints each as JSON.
func DocumentsAsJSON(file string, data []byte) [][]byte {
	documents, _ := readDocuments(file, data)
	out := make([][]byte, len(documents))
	for i, document := range documents {
		var b bytes.Buffer
		writeJSON(&b, document)
		out[i] = b.Bytes()
	}
	return out
}

// FieldNames are the names of all fields of all kinds.
func FieldNames() []string {
	s := schemaWriter{defs: object()}
	for _, kind := range kinds() {
		s.resource(kind)
	}
	var out []string
	var walk func(n *node)
	walk = func(n *node) {
		if properties := n.find("properties"); properties != nil {
			for _, m := range properties.value.members {
				out = append(out, m.key)
			}
		}
		for _, m := range n.members {
			walk(m.value)
		}
		for _, item := range n.items {
			walk(item)
		}
	}
	walk(s.defs)
	return out
}

// Unified is the unified diff of lines.
func Unified(fromName, toName string, from, to []string) string {
	return unified(fromName, toName, from, to)
}
