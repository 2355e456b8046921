package identify

import "bytes"

const (
	// maxMemberDepth is how deeply nested a member of a JSON body may be to be found by its name alone:
	// {"data":{"login":{"session":{"token": ...}}}} is as deep as APIs go.
	maxMemberDepth = 4
	// maxScanned is how many bytes of a JSON body are scanned for well-known names. Tokens are issued in small bodies.
	maxScanned = 64 << 10
)

// memberCursor walks over the members of a JSON object and the objects within it, in order, in one pass and without
// building anything. Arrays are members, and not walked into. It stops where the text stops being JSON.
type memberCursor struct {
	data []byte
	pos  int
	// depth is how many objects are open; names are the raw names that lead to the current one.
	depth int
	names [maxMemberDepth][]byte
	// objects are where the open objects begin.
	objects [maxMemberDepth]int
	// done says that the outermost object ended: the text was a complete one.
	done bool
}

// next returns the raw name, without quotes, and the raw value of the next member whose value is not an object.
func (c *memberCursor) next() (name, value []byte, ok bool) {
	if c.pos == 0 && c.depth == 0 {
		c.space()
		if c.peek() != '{' {
			return nil, nil, false
		}
		c.objects[0] = c.pos
		c.pos++
		c.depth = 1
	}
	for c.depth > 0 {
		c.space()
		switch c.peek() {
		case ',':
			c.pos++
		case '}':
			c.pos++
			c.depth--
			c.done = c.depth == 0
		case '"':
			if name, ok = c.text(); !ok {
				return nil, nil, false
			}
			name = name[1 : len(name)-1]
			c.names[c.depth-1] = name
			c.space()
			if c.peek() != ':' {
				return nil, nil, false
			}
			c.pos++
			c.space()
			if c.peek() == '{' && c.depth < maxMemberDepth {
				c.objects[c.depth] = c.pos
				c.pos++
				c.depth++
				continue
			}
			object := c.peek() == '{'
			if value, ok = c.value(); !ok {
				return nil, nil, false
			}
			if object {
				continue
			}
			return name, value, true
		default:
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// appendPath appends the path of the current member, such as $.data.token.
func (c *memberCursor) appendPath(dst []byte) []byte {
	dst = append(dst, '$')
	for _, name := range c.names[:c.depth] {
		dst = append(append(dst, '.'), name...)
	}
	return dst
}

// pathLength is how long appendPath's text is.
func (c *memberCursor) pathLength() int {
	n := 1
	for _, name := range c.names[:c.depth] {
		n += 1 + len(name)
	}
	return n
}

func (c *memberCursor) peek() byte {
	if c.pos < len(c.data) {
		return c.data[c.pos]
	}
	return 0
}

func (c *memberCursor) space() {
	for c.pos < len(c.data) {
		switch c.data[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// text reads a string, and returns it with its quotes.
func (c *memberCursor) text() ([]byte, bool) {
	start := c.pos
	for i := start + 1; i < len(c.data); {
		n := bytes.IndexByte(c.data[i:], '"')
		if n < 0 {
			break
		}
		end := i + n
		slashes := 0
		for end-slashes > start+1 && c.data[end-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			c.pos = end + 1
			return c.data[start:c.pos], true
		}
		i = end + 1
	}
	c.pos = len(c.data)
	return nil, false
}

// value reads any value, whole.
func (c *memberCursor) value() ([]byte, bool) {
	start := c.pos
	switch c.peek() {
	case '"':
		return c.text()
	case '{', '[':
		for open := 0; c.pos < len(c.data); {
			switch c.data[c.pos] {
			case '"':
				if _, ok := c.text(); !ok {
					return nil, false
				}
				continue
			case '{', '[':
				open++
			case '}', ']':
				open--
			}
			c.pos++
			if open == 0 {
				return c.data[start:c.pos], true
			}
		}
		return nil, false
	default:
		for c.pos < len(c.data) && isLiteral(c.data[c.pos]) {
			c.pos++
		}
		return c.data[start:c.pos], c.pos > start
	}
}

func isLiteral(b byte) bool {
	return b-'0' < 10 || b-'a' < 26 || b == '+' || b == '-' || b == '.' || b == 'E'
}
