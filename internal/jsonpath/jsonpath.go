// Package jsonpath is RFC 9535, in full: all selectors, filters and function extensions, with I-Regexp (RFC 9485)
// for match and search.
//
//	path, err := jsonpath.Parse("$.data.session.id")
//	value, scratch, ok := path.FirstString(body, scratch) // the fast path: text of the first scalar, no allocation
//	nodes, err := path.SelectJSON(body)                   // the full answer, with locations
//
// There are two ways through a document. [Path.SelectJSON] parses all of it and answers every query. [Path.First]
// and [Path.FirstString] answer singular queries ($.a.b[0]) and $..name by skipping over the bytes, without parsing
// the document into values; other queries take the long way. On a valid document both give the same answer, which a
// fuzz test holds them to. On an invalid one SelectJSON fails, and First may still find its value, because it looks
// at no more than what lies before it: a body that was cut off still shows what came before the cut.
//
// # What the RFC leaves open
//
// Duplicate names in an object: a name selector selects the first member of that name; wildcards, filters and
// descendants see every member. The first is chosen because it can be known without reading the rest.
//
// Numbers compare by their exact decimal value, however large, not by the nearest float64.
//
// Bytes in a document's strings that are not UTF-8 stay as they are. An escaped surrogate without its other half
// (\ud800) becomes U+FFFD. A query must be valid UTF-8 and cannot contain half a surrogate.
//
// In a regular expression, an unescaped ^ or $ outside of a character class is an anchor, as the compliance suite of
// the RFC has it. An expression that is not an I-Regexp matches nothing, as the RFC says.
//
// Members of a Go map have no order; [Path.Select] takes them sorted by name. Documents keep their own order.
package jsonpath

import "slices"

// Limits. An expression comes from an operator, a document from anybody: whatever it holds, evaluation ends soon, in
// bounded memory.
const (
	// MaxExpression is how many bytes a query may have. A query that a person can read has far fewer.
	MaxExpression = 8 << 10
	// MaxNesting is how deeply brackets, filters, parentheses and calls of a query may be nested, each counting as a
	// level; it bounds the stack.
	MaxNesting = 64
	// MaxDepth is how deeply arrays and objects of a document may be nested; it bounds the stack.
	MaxDepth = 512
	// MaxValues is how many values a document may hold. A value costs 72 bytes while it is looked at, so that this
	// bounds a document of "[0,0,0,…" to 40 MB.
	MaxValues = 1 << 19
	// MaxResults is how many nodes a query may select.
	MaxResults = 100_000
	// MaxSteps is how many values a query may look at, each time it does. Filters that look at the whole document
	// for each value ($..[?count($..*) > 9]) take the square of its size; this ends them after some 100 ms.
	MaxSteps = 4 << 20
	// MaxRegexp is how many bytes a regular expression may have, and how many states it may expand to, so that a
	// document cannot bring one that takes seconds to compile.
	MaxRegexp = 4 << 10
)

// Path is a parsed query. It is immutable, and safe for concurrent use.
type Path struct {
	query    *query
	warnings []*SyntaxError
	// steps is the query as the skipping scanner wants it; set for singular queries only.
	steps    []step
	singular bool
	// anywhere is the name of a query of the form $..name.
	anywhere   string
	isAnywhere bool
}

// step is one segment of a singular query.
type step struct {
	name  string
	index int64
	named bool
}

// Parse reads a query. The error is a [*SyntaxError].
func Parse(expr string) (*Path, error) {
	q, warnings, err := parseQuery(expr)
	if err != nil {
		return nil, err
	}
	p := &Path{query: q, warnings: warnings, singular: q.singular()}
	if p.singular {
		p.steps = make([]step, len(q.segments))
		for i, seg := range q.segments {
			s := seg.selectors[0]
			p.steps[i] = step{name: s.name, index: s.index, named: s.kind == selectName}
		}
	}
	if len(q.segments) == 1 && q.segments[0].descendant && len(q.segments[0].selectors) == 1 &&
		q.segments[0].selectors[0].kind == selectName {
		p.anywhere, p.isAnywhere = q.segments[0].selectors[0].name, true
	}
	return p, nil
}

// Singular reports whether the query selects at most one node, whatever the document: names and indexes only.
func (p *Path) Singular() bool { return p.singular }

// Warnings are what the RFC allows in a query and what cannot be meant: a regular expression that is not an I-Regexp,
// such as '\\d+', which makes match and search false for every value.
func (p *Path) Warnings() []*SyntaxError { return slices.Clone(p.warnings) }

// String prints the query in its canonical form: shorthand where it can be (.name), single quotes, no redundant
// parentheses. Parsing it gives an equal query.
func (p *Path) String() string {
	var b printer
	b.query(p.query)
	return b.String()
}

// query is a sequence of segments from the root ($) or the current node (@).
type query struct {
	relative bool
	segments []segment
}

func (q *query) singular() bool {
	for _, seg := range q.segments {
		if seg.descendant || len(seg.selectors) != 1 {
			return false
		}
		if k := seg.selectors[0].kind; k != selectName && k != selectIndex {
			return false
		}
	}
	return true
}

type segment struct {
	descendant bool
	selectors  []selector
}

type selectorKind uint8

const (
	selectName selectorKind = iota
	selectWildcard
	selectIndex
	selectSlice
	selectFilter
)

type selector struct {
	kind   selectorKind
	name   string
	index  int64
	slice  slice
	filter expr
}

// slice is start:end:step. A bound that is not given has its has flag unset.
type slice struct {
	start, end, step          int64
	hasStart, hasEnd, hasStep bool
}
