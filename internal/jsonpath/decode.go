package jsonpath

import (
	"fmt"
	"slices"
	"strings"
)

// DocumentError says where a document is not JSON (RFC 8259). It never quotes the document.
type DocumentError struct {
	Offset  int // of the offending byte, from 0
	Message string
}

func (e *DocumentError) Error() string {
	return fmt.Sprintf("not JSON at byte %d: %s", e.Offset, e.Message)
}

// decoder reads a whole document into items.
type decoder struct {
	src    string
	pos    int
	values int
	// stack holds the children of all containers that are open, so that each container gets a slice of its exact
	// size when it closes.
	stack []item
}

func decode(data []byte) (item, error) {
	d := &decoder{src: string(data)} // one copy, which all names and texts share
	it, err := d.value(0)
	if err != nil {
		return item{}, err
	}
	if d.skipSpace(); d.pos < len(d.src) {
		return item{}, d.fail("something follows the value")
	}
	return it, nil
}

func (d *decoder) fail(message string) error { return &DocumentError{Offset: d.pos, Message: message} }

func (d *decoder) skipSpace() {
	for d.pos < len(d.src) && isSpace(d.src[d.pos]) {
		d.pos++
	}
}

func (d *decoder) peek() byte {
	if d.pos < len(d.src) {
		return d.src[d.pos]
	}
	return 0
}

func (d *decoder) value(depth int) (it item, err error) {
	if d.values++; d.values > MaxValues {
		return item{}, ErrTooManyValues
	}
	if depth > MaxDepth {
		return item{}, ErrTooDeep
	}
	d.skipSpace()
	start := d.pos
	switch c := d.peek(); {
	case c == '{':
		it, err = d.container(kindObject, '}', depth)
	case c == '[':
		it, err = d.container(kindArray, ']', depth)
	case c == '"':
		it.kind = kindString
		it.text, err = d.string()
	case c == '-' || isDigit(c):
		end, ok := scanNumber(d.src, d.pos)
		if !ok {
			return item{}, d.fail("this is not a number")
		}
		it.kind, it.text = kindNumber, d.src[d.pos:end]
		d.pos = end
	case strings.HasPrefix(d.src[d.pos:], "true"):
		it.kind = kindTrue
		d.pos += len("true")
	case strings.HasPrefix(d.src[d.pos:], "false"):
		it.kind = kindFalse
		d.pos += len("false")
	case strings.HasPrefix(d.src[d.pos:], "null"):
		d.pos += len("null")
	default:
		return item{}, d.fail("expected a value")
	}
	it.start, it.end = start, d.pos
	return it, err
}

func (d *decoder) container(k kind, closing byte, depth int) (item, error) {
	d.pos++
	base := len(d.stack)
	d.skipSpace()
	if d.peek() == closing {
		d.pos++
		return item{kind: k}, nil
	}
	for {
		name := ""
		if k == kindObject {
			var err error
			if name, err = d.memberName(); err != nil {
				return item{}, err
			}
		}
		kid, err := d.value(depth + 1)
		if err != nil {
			return item{}, err
		}
		kid.name = name
		d.stack = append(d.stack, kid)
		d.skipSpace()
		switch d.peek() {
		case ',':
			d.pos++
		case closing:
			d.pos++
			it := item{kind: k, kids: slices.Clone(d.stack[base:])}
			d.stack = d.stack[:base]
			return it, nil
		default:
			return item{}, d.fail("expected a comma or the end of the array or object")
		}
	}
}

func (d *decoder) memberName() (string, error) {
	d.skipSpace()
	if d.peek() != '"' {
		return "", d.fail("expected a name in double quotes")
	}
	name, err := d.string()
	if err != nil {
		return "", err
	}
	d.skipSpace()
	if d.peek() != ':' {
		return "", d.fail("expected a colon")
	}
	d.pos++
	return name, nil
}

// string reads a string. Without escapes it is part of the document's one copy.
func (d *decoder) string() (string, error) {
	start := d.pos
	escaped := false
	for i := d.pos + 1; i < len(d.src); i++ {
		switch c := d.src[i]; {
		case c == '"':
			d.pos = i + 1
			if !escaped {
				return d.src[start+1 : i], nil
			}
			text, ok := appendUnescaped(nil, d.src[start+1:i])
			if !ok {
				d.pos = start
				return "", d.fail("a string with an escape that is not known")
			}
			return string(text), nil
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			d.pos = i
			return "", d.fail("a control character in a string")
		}
	}
	return "", d.fail("a string that is not closed")
}
