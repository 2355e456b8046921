package resource

// nodeKind is the kind of a value as it was written.
type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeInteger // of decimal digits, perhaps with a minus sign
	nodeNumber  // any other number
	nodeText
	nodeList
	nodeObject
)

func (k nodeKind) String() string {
	switch k {
	case nodeNull:
		return "nothing"
	case nodeBool:
		return "true or false"
	case nodeInteger, nodeNumber:
		return "a number"
	case nodeText:
		return "a text"
	case nodeList:
		return "a list"
	case nodeObject:
		return "an object"
	default:
		return "something unknown"
	}
}

// position is where something was written, counted from 1. Columns count characters.
type position struct{ line, column int }

// node is a value of a document, whatever the syntax it was written in. Nodes are immutable once they are made, so
// that an anchored value and its aliases share one.
type node struct {
	kind nodeKind
	pos  position
	// text is a scalar as it was written, without quotes and escapes.
	text    string
	items   []*node // of a list
	members []member
	// size is how many values the node stands for with its aliases expanded; depth is how deeply they are nested.
	size, depth int
}

// member is a key of an object with its value.
type member struct {
	key   string
	pos   position // of the key
	value *node
}

// measure sets the size and depth of n from those of its children. It stops counting above MaxValues, so that the
// size of nested aliases, which doubles with every line, does not overflow.
func (n *node) measure() *node {
	n.size, n.depth = 1, 1
	add := func(child *node) {
		n.size = min(n.size+child.size, MaxValues+1)
		n.depth = max(n.depth, child.depth+1)
	}
	for _, item := range n.items {
		add(item)
	}
	for i := range n.members {
		add(n.members[i].value)
	}
	return n
}

// find returns the member called key, or nil.
func (n *node) find(key string) *member {
	for i := range n.members {
		if n.members[i].key == key {
			return &n.members[i]
		}
	}
	return nil
}
