package jsonpath

// Node is a value that a query selected, with its place.
type Node struct {
	item      *item
	at        *location
	source    any
	hasSource bool
}

// location is the place of a node, from the leaf to the root, which is nil.
type location struct {
	parent *location
	name   string
	index  int
	named  bool
}

func (e *evaluator) named(parent *location, name string) *location {
	if !e.track {
		return nil
	}
	return &location{parent: parent, name: name, named: true}
}

// below is the location of the child i of it.
func (e *evaluator) below(parent *location, it *item, i int) *location {
	if !e.track {
		return nil
	}
	if it.kind == kindObject {
		return &location{parent: parent, name: it.kids[i].name, named: true}
	}
	return &location{parent: parent, index: i}
}

// Path is the node's normalized path (RFC 9535, section 2.7), such as $['a'][0].
func (n Node) Path() string {
	var b printer
	b.WriteByte('$')
	for _, at := range n.at.fromRoot() {
		b.WriteByte('[')
		if at.named {
			b.quoted(at.name)
		} else {
			b.integer(int64(at.index))
		}
		b.WriteByte(']')
	}
	return b.String()
}

func (l *location) fromRoot() []*location {
	n := 0
	for at := l; at != nil; at = at.parent {
		n++
	}
	path := make([]*location, n)
	for at := l; at != nil; at = at.parent {
		n--
		path[n] = at
	}
	return path
}

// Value is the node's value. Of a node from [Path.Select] it is the very value that is in the argument; of one from
// [Path.SelectJSON] it is nil, bool, string, [encoding/json.Number], []any or map[string]any.
func (n Node) Value() any {
	if !n.hasSource {
		return n.item.value()
	}
	v := n.source
	for _, at := range n.at.fromRoot() {
		switch container := v.(type) {
		case map[string]any:
			v = container[at.name]
		case []any:
			v = container[at.index]
		}
	}
	return v
}

// Text is the text of a string, number or boolean, as [AppendScalar] gives it. It is false for null, arrays and
// objects.
func (n Node) Text() (string, bool) {
	switch n.item.kind {
	case kindString, kindNumber:
		return n.item.text, true
	case kindTrue:
		return "true", true
	case kindFalse:
		return "false", true
	default:
		return "", false
	}
}

// Span is where the value stands in the document given to [Path.SelectJSON]: data[start:end]. It is 0, 0 for a node
// from [Path.Select].
func (n Node) Span() (start, end int) { return n.item.start, n.item.end }
