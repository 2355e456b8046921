package jsonpath

import "errors"

// ErrTooManyResults is returned when a query selects more than [MaxResults] nodes.
var ErrTooManyResults = errors.New("the query selects too many values")

// ErrTooMuchWork is returned when a query looks at values more than [MaxSteps] times.
var ErrTooMuchWork = errors.New("the query takes too long on this document")

// Select returns the nodes that the query selects in a value as encoding/json decodes it: nil, bool, string, float64,
// [encoding/json.Number], int, int64, []any and map[string]any. The members of a map are taken sorted by name.
// It fails when the value is no JSON value, or for a limit: [ErrTooDeep], [ErrTooManyValues], [ErrTooManyResults],
// [ErrTooMuchWork]. There are no nodes then, rather than some.
func (p *Path) Select(value any) ([]Node, error) {
	var b builder
	root, err := b.build(value, 0)
	if err != nil {
		return nil, err
	}
	nodes, err := p.nodes(&root)
	for i := range nodes {
		nodes[i].source, nodes[i].hasSource = value, true
	}
	return nodes, err
}

// SelectJSON returns the nodes that the query selects in a document, which must be one valid JSON value as a whole.
// Nodes do not alias data. The error is a [*DocumentError], or one of those of [Path.Select].
func (p *Path) SelectJSON(data []byte) ([]Node, error) {
	root, err := decode(data)
	if err != nil {
		return nil, err
	}
	return p.nodes(&root)
}

func (p *Path) nodes(root *item) ([]Node, error) {
	var nodes []Node
	e := evaluator{root: root, track: true}
	e.walk(p.query.segments, root, nil, func(it *item, at *location) bool {
		if len(nodes) == MaxResults {
			e.err = ErrTooManyResults
			return false
		}
		nodes = append(nodes, Node{item: it, at: at})
		return true
	})
	if e.err != nil {
		return nil, e.err
	}
	return nodes, nil
}

// evaluator is the state of one evaluation.
type evaluator struct {
	root  *item
	steps int
	err   error
	// track says that locations are wanted.
	track bool
	// regexps are those that the document brought.
	regexps map[regexpKey]*compiledRegexp
}

// spend counts n steps and reports whether there are any left.
func (e *evaluator) spend(n int) bool {
	if e.steps += n; e.steps > MaxSteps {
		e.err = ErrTooMuchWork
	}
	return e.err == nil
}

// each calls yield for each node that the query of a filter selects.
func (e *evaluator) each(q *query, current *item, yield func(*item) bool) {
	if !q.relative {
		current = e.root
	}
	track := e.track
	e.track = false
	e.walk(q.segments, current, nil, func(it *item, _ *location) bool { return yield(it) })
	e.track = track
}

// walk applies segments to one node and calls yield for each result, depth first, which gives the order of the RFC:
// the results of the first node of a segment come before those of its second. It returns false to stop.
func (e *evaluator) walk(segments []segment, it *item, at *location, yield func(*item, *location) bool) bool {
	if !e.spend(1) {
		return false
	}
	if len(segments) == 0 {
		return yield(it, at)
	}
	seg := &segments[0]
	for i := range seg.selectors {
		if !e.selector(&seg.selectors[i], segments[1:], it, at, yield) {
			return false
		}
	}
	if seg.descendant {
		for i := range it.kids {
			if !e.walk(segments, &it.kids[i], e.below(at, it, i), yield) {
				return false
			}
		}
	}
	return true
}

func (e *evaluator) selector(
	s *selector, rest []segment, it *item, at *location, yield func(*item, *location) bool,
) bool {
	switch s.kind {
	case selectName:
		if kid := e.member(it, s.name); kid != nil {
			return e.walk(rest, kid, e.named(at, s.name), yield)
		}
	case selectIndex:
		if kid := it.element(s.index); kid != nil {
			index := s.index
			if index < 0 {
				index += int64(len(it.kids))
			}
			return e.walk(rest, kid, e.below(at, it, int(index)), yield)
		}
	case selectWildcard:
		for i := range it.kids {
			if !e.walk(rest, &it.kids[i], e.below(at, it, i), yield) {
				return false
			}
		}
	case selectSlice:
		if it.kind != kindArray {
			return true
		}
		for i := range s.slice.indexes(len(it.kids)) {
			if !e.walk(rest, &it.kids[i], e.below(at, it, i), yield) {
				return false
			}
		}
	case selectFilter:
		for i := range it.kids {
			if !e.spend(1) {
				return false
			}
			if s.filter.test(e, &it.kids[i]) && !e.walk(rest, &it.kids[i], e.below(at, it, i), yield) {
				return false
			}
		}
	}
	return e.err == nil
}

// member returns the first member of an object called name, or nil.
func (e *evaluator) member(it *item, name string) *item {
	if it.kind != kindObject {
		return nil
	}
	for i := range it.kids {
		if it.kids[i].name == name {
			e.spend(i / 8)
			return &it.kids[i]
		}
	}
	e.spend(len(it.kids) / 8)
	return nil
}

// indexes yields the indexes that a slice selects of an array of n elements (RFC 9535, section 2.3.4.2.2).
func (s *slice) indexes(n int) func(yield func(int) bool) {
	length := int64(n)
	step := int64(1)
	if s.hasStep {
		step = s.step
	}
	normal := func(i int64) int64 {
		if i < 0 {
			return length + i
		}
		return i
	}
	return func(yield func(int) bool) {
		switch {
		case step > 0:
			start, end := int64(0), length
			if s.hasStart {
				start = min(max(normal(s.start), 0), length)
			}
			if s.hasEnd {
				end = min(max(normal(s.end), 0), length)
			}
			for i := start; i < end; i += step {
				if !yield(int(i)) {
					return
				}
			}
		case step < 0:
			start, end := length-1, int64(-1)
			if s.hasStart {
				start = min(max(normal(s.start), -1), length-1)
			}
			if s.hasEnd {
				end = min(max(normal(s.end), -1), length-1)
			}
			for i := start; i > end; i += step {
				if !yield(int(i)) {
					return
				}
			}
		}
	}
}
