package jsonpath

// Covers reports whether every node that other selects is one that p selects, or lies within one, whatever the
// document. It is decided by the queries alone and errs on the side of false: what a filter selects depends on the
// document, so that a filter covers nothing but itself.
func (p *Path) Covers(other *Path) bool {
	outer, inner := p.query.segments, other.query.segments
	// covered[j] says whether the segments of outer that were looked at, from its end, cover those of inner from j on.
	covered := make([]bool, len(inner)+1)
	for j := range covered {
		covered[j] = true // what is selected so far is whole
	}
	for i := len(outer) - 1; i >= 0; i-- {
		next := false // of the segments from j+1 on, with the segment i of outer
		for j := len(inner); j >= 0; j-- {
			now := j < len(inner) && (outer[i].covers(&inner[j]) && covered[j+1] || outer[i].descendant && next)
			if j < len(inner) {
				covered[j+1] = next
			}
			next = now
		}
		covered[0] = next
	}
	return covered[0]
}

// covers reports whether seg selects from every node what other does.
func (seg *segment) covers(other *segment) bool {
	if other.descendant && !seg.descendant {
		return false
	}
	for i := range other.selectors {
		found := false
		for j := range seg.selectors {
			found = found || seg.selectors[j].covers(&other.selectors[i])
		}
		if !found {
			return false
		}
	}
	return true
}

func (s *selector) covers(other *selector) bool {
	switch s.kind {
	case selectWildcard:
		return true
	case selectName:
		return other.kind == selectName && s.name == other.name
	case selectIndex:
		return other.kind == selectIndex && s.index == other.index
	case selectSlice:
		return other.kind == selectSlice && s.slice == other.slice || other.kind == selectIndex && s.slice.holds(other.index)
	case selectFilter:
		return other.kind == selectFilter && s.text() == other.text()
	default:
		return false
	}
}

func (s *selector) text() string {
	var b printer
	b.selector(*s)
	return b.String()
}

// holds reports whether the element at index, if there is one, is in s however long the array is. Bounds and indexes
// that count from the end say that for no index that counts from the beginning, nor the other way round.
func (s *slice) holds(index int64) bool {
	step, start := int64(1), int64(0)
	if s.hasStep {
		step = s.step
	}
	if s.hasStart {
		start = s.start
	}
	switch {
	case step == 1 && start == 0 && !s.hasEnd:
		return true
	case step < 1 || start < 0 || index < start || s.hasEnd && (s.end < 0 || index >= s.end):
		return false
	}
	return (index-start)%step == 0
}
