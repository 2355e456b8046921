package jsonpath_test

import (
	"bytes"
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
)

// checkFirst holds the fast path to its slow twin: on a valid document, both find the same.
func checkFirst(t *testing.T, p *jsonpath.Path, document []byte) {
	t.Helper()
	raw, ok := p.First(document)
	value, _, okText := p.FirstString(document, nil)
	if ok != okText {
		t.Fatalf("%s in %q: First says %v, FirstString %v", p, document, ok, okText)
	}
	if ok {
		text, good := jsonpath.AppendScalar(nil, raw)
		if !good || !bytes.Equal(text, value) {
			t.Fatalf("%s in %q: First gives %q, whose text is %q, %v; FirstString %q", p, document, raw, text, good, value)
		}
	}
	nodes, err := p.SelectJSON(document)
	if err != nil {
		return
	}
	for _, n := range nodes {
		want, scalar := n.Text()
		if !scalar {
			continue
		}
		if !ok || string(value) != want {
			t.Fatalf("%s in %q: First finds %q, %v; Select finds %q", p, document, value, ok, want)
		}
		start, end := n.Span()
		if !bytes.Equal(raw, document[start:end]) {
			t.Fatalf("%s in %q: First finds %q; Select finds it at %q", p, document, raw, document[start:end])
		}
		return
	}
	if ok {
		t.Fatalf("%s in %q: First finds %q; Select finds no scalar", p, document, value)
	}
}
