package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
	"github.com/seshat-project/seshat/internal/rule"
)

// declaredRoles adds each role that p finds: a user has several, in as many fields, nodes of a body or nodes of a claim.
func (w *Worker) declaredRoles(p *parameter, out *seshat.Identity) {
	s := &p.Selector
	fields := w.fields(s)
	if s.Path != nil && !s.Path.Singular() {
		fields = w.nodes(s.Path, w.json(s.Side))
	}
	for i := range fields {
		if s.Key.Match(fields[i].Name) && s.Value.Match(fields[i].Value) {
			w.addRoles(p, p.Transformations, fields[i].Value, out)
		}
	}
}

// addRoles adds what list makes of value: several roles where a path within it selects several nodes.
func (w *Worker) addRoles(p *parameter, list []rule.Transformation, value string, out *seshat.Identity) {
	for i := range list {
		t := &list[i]
		if t.Path == nil || t.Path.Singular() {
			next, reason := w.step(t, value)
			if reason != "" || next == "" {
				return
			}
			value = next
			continue
		}
		data := bytesOf(value)
		if t.Kind == rule.TransformJWTClaim {
			read := w.readToken(value)
			if read == nil {
				return
			}
			data = read.payload
		}
		texts(t.Path, data, func(text string) bool {
			w.addRoles(p, list[i+1:], text, out)
			return len(out.Parameters) < maxParameters
		})
		return
	}
	w.add(out, p, value)
}

// nodes lists what path selects in a document, as far as it is a text, a number or a boolean. The result is valid until
// the next call of fields.
func (w *Worker) nodes(path *jsonpath.Path, data []byte) []seshat.Field {
	w.single = w.single[:0]
	texts(path, data, func(text string) bool {
		w.single = append(w.single, seshat.Field{Value: text})
		return len(w.single) < maxFields
	})
	return w.single
}

// texts calls yield with each text, number and boolean that path selects in a document, until it returns false.
func texts(path *jsonpath.Path, data []byte, yield func(string) bool) {
	if len(data) == 0 {
		return
	}
	nodes, err := path.SelectJSON(data)
	if err != nil {
		return
	}
	for _, n := range nodes {
		if text, ok := n.Text(); ok && !yield(text) {
			return
		}
	}
}
