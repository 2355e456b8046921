package correlate

import (
	"cmp"
	"fmt"
	"slices"
)

// AppendState appends what a window must remember to go on: the sources, and the revocations that wait. The exchanges that
// wait are not part of it. See docs/formats/journal.md.
func (w *Window) AppendState(dst []byte) []byte {
	out := writer{append(dst, windowVersion)}
	out.int(nanos(w.newest))
	ids := w.sorted()
	out.uint(uint64(len(ids)))
	for _, id := range ids {
		s := w.sources[id]
		out.uint(id)
		out.uint(s.node)
		out.uint(s.number)
		out.uint(s.sequence)
		out.int(nanos(s.watermark))
		out.flags(s.away)
	}
	var revocations []*Item
	for _, item := range w.waiting {
		if item.Observation == nil {
			revocations = append(revocations, item)
		}
	}
	slices.SortFunc(revocations, func(a, b *Item) int { return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), a.compare(b)) })
	revocations = revocations[:min(len(revocations), maxStateLength)]
	out.uint(uint64(len(revocations)))
	for _, item := range revocations {
		out.id(item.Revoked)
		out.int(nanos(item.Time))
		out.uint(item.Sequence)
		out.flags(item.Readmitted)
	}
	return out.b
}

const (
	windowVersion = 2
	// windowRevokes is the version before, in which no revocation was taken back.
	windowRevokes = 1
)

// RestoreState takes back into an empty window what AppendState returned.
func (w *Window) RestoreState(state []byte) error {
	if len(state) == 0 || state[0] < windowRevokes || state[0] > windowVersion {
		return fmt.Errorf("window: %w", ErrBadState)
	}
	in := reader{b: state[1:]}
	newest := timeOf(in.int())
	sources := map[uint64]*source{}
	for n := in.length(); n > 0 && !in.bad; n-- {
		id := in.uint()
		s := &source{node: in.uint(), number: in.uint(), sequence: in.uint()}
		s.watermark = timeOf(in.int())
		in.flags(&s.away)
		sources[id] = s
	}
	var revocations []*Item
	for n := in.length(); n > 0 && !in.bad; n-- {
		item := &Item{Revoked: in.id()}
		item.Time = timeOf(in.int())
		item.Sequence = in.uint()
		if state[0] != windowRevokes {
			in.flags(&item.Readmitted)
		}
		revocations = append(revocations, item)
	}
	if in.bad || len(in.b) != 0 {
		return fmt.Errorf("window: %w", ErrBadState)
	}
	w.newest, w.sources = newest, sources
	for _, item := range revocations {
		w.Hold(item)
	}
	return nil
}
