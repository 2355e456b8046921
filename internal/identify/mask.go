package identify

import (
	"cmp"
	"slices"

	"github.com/seshat-project/seshat"
)

// span is a part of a document.
type span struct{ start, end int }

// maskJSON returns data with every node that a mask rule in scope selects replaced by null. It returns data itself
// when there is no such rule, and nothing at all when data cannot be parsed: what cannot be masked is not shown.
func (w *Worker) maskJSON(side seshat.Side, data []byte) []byte {
	var hidden []span
	for _, m := range w.masks {
		if m.Path == nil || side == seshat.InRequest && !m.Request || side == seshat.InResponse && !m.Response {
			continue
		}
		nodes, err := m.Path.SelectJSON(data)
		if err != nil {
			return nil
		}
		for _, n := range nodes {
			start, end := n.Span()
			hidden = append(hidden, span{start, end})
		}
	}
	if len(hidden) == 0 {
		return data
	}
	slices.SortFunc(hidden, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	out := make([]byte, 0, len(data))
	at := 0
	for _, s := range hidden {
		if s.start < at {
			continue // within one that is gone already
		}
		out = append(append(out, data[at:s.start]...), "null"...)
		at = s.end
	}
	return append(out, data[at:]...)
}
