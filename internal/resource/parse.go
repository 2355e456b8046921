package resource

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
)

// Parsed is a resource as it was read, with the places of its fields.
type Parsed struct {
	Resource seshat.Resource
	File     string
	// Line and Column are where the document begins, from 1.
	Line, Column int

	fields map[string]position
	prefix string // of the paths in fields, for a resource within another document
}

// Place returns the line and column of the field with the given path, such as
// "spec.identifiers[1].extract.key.matches". For a field that was not written, as when a short form stands for it,
// that is the place of the nearest field around it.
func (p *Parsed) Place(fieldPath string) (line, column int) {
	fieldPath = join(p.prefix, fieldPath)
	for len(fieldPath) > len(p.prefix) {
		if at, ok := p.fields[fieldPath]; ok {
			return at.line, at.column
		}
		fieldPath = fieldPath[:max(len(p.prefix), strings.LastIndexAny(fieldPath, ".["), 0)]
	}
	return p.Line, p.Column
}

// Resources returns the resources of parsed.
func Resources(parsed []Parsed) []seshat.Resource {
	out := make([]seshat.Resource, len(parsed))
	for i := range parsed {
		out[i] = parsed[i].Resource
	}
	return out
}

// Parse reads the resources in data: YAML with any number of documents, or JSON with any number of objects, also in
// one array. File names the input in faults ("-" for standard input); a name that ends in .json or .yaml says which
// of the two it is.
//
// The resources that are returned have the right shape: every field exists and has the right type. Whether they make
// sense, such as whether an expression compiles, [Validate] finds out. Resources with faults are left out; faults are
// all those of the input, in its order.
func Parse(file string, data []byte) ([]Parsed, seshat.Faults) {
	documents, faults := readDocuments(file, data)
	if len(documents) > MaxDocuments {
		faults.add(documents[MaxDocuments].pos, "", fmt.Sprintf("more than %d resources", MaxDocuments), "split it into several files")
		documents = documents[:MaxDocuments]
	}
	var out []Parsed
	first := make(map[string]position)
	for _, document := range documents {
		parsed, ok := decodeResource(document, file, faults, first)
		if ok {
			out = append(out, parsed)
		}
	}
	return out, faults.result()
}

// readDocuments reads the documents in data, in either syntax.
func readDocuments(file string, data []byte) ([]*node, *faultList) {
	faults := &faultList{file: file}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if len(data) > MaxInput {
		faults.add(position{}, "", fmt.Sprintf("larger than %d MiB", MaxInput>>20), "split it into several files")
		return nil, faults
	}
	if at, ok := firstInvalidUTF8(data); ok {
		faults.add(at, "", "not UTF-8", "save the file as UTF-8")
		return nil, faults
	}
	if isJSON(file, data) {
		return readJSON(data, faults), faults
	}
	return readYAML(data, faults), faults
}

// isJSON decides on the syntax of data.
func isJSON(file string, data []byte) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return false
	}
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	// An object in YAML's flow style may begin in the same way; JSON has its first key in quotes.
	if rest, ok := bytes.CutPrefix(trimmed, []byte("{")); ok {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		return len(rest) > 0 && rest[0] == '"'
	}
	return len(trimmed) > 0 && trimmed[0] == '['
}

// firstInvalidUTF8 finds the first byte that is not part of a character.
func firstInvalidUTF8(data []byte) (position, bool) {
	if utf8.Valid(data) {
		return position{}, false
	}
	at := position{1, 1}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			at = position{at.line + 1, 1}
		} else {
			at.column++
		}
		i += size
	}
	return at, true
}
