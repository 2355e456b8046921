package http1

import (
	"unsafe"

	"github.com/seshat-project/seshat"
)

// Line is where a field line stands in the bytes of its head, its CRLF included.
type Line struct {
	Start, End int
	Kind       Kind
}

// Head is what requests and responses have in common. Its memory is used again when it is parsed into again.
type Head struct {
	// Minor is the minor version: 0 or 1.
	Minor  int
	Fields []seshat.Field
	// Lines has one line for each of Fields.
	Lines []Line
	// Size is how many bytes the head has, the empty line at its end included.
	Size    int
	Framing Framing
	// Length is how many bytes the body has, with Framing Length.
	Length  int64
	Options Options

	kinds      uint32 // a bit for each Kind that was met
	connection [maxConnectionOptions]string
	named      int // how many of connection are set
}

// Has reports whether there is a field of that kind. It knows nothing of Other.
func (h *Head) Has(k Kind) bool { return h.kinds&(1<<k) != 0 }

// Value returns the value of the first field of that kind.
func (h *Head) Value(k Kind) string {
	if h.Has(k) {
		for i := range h.Lines {
			if h.Lines[i].Kind == k {
				return h.Fields[i].Value
			}
		}
	}
	return ""
}

// text returns b as a string without copying it.
func text(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // documented: strings alias the input
}

func (h *Head) reset() {
	*h = Head{Fields: h.Fields[:0], Lines: h.Lines[:0]}
}

// parseFields reads the field lines of b from i to the empty line, and returns where the body starts.
func (h *Head) parseFields(b []byte, i int, limits *Limits) (int, Reason) {
	for {
		if i >= len(b) {
			return i, Incomplete
		}
		start := i
		for i < len(b) && chars[b[i]]&tokenChar != 0 {
			i++
		}
		if i >= len(b) {
			return i, Incomplete
		}
		if b[i] != ':' || i == start {
			return h.endOfFields(b, start, i)
		}
		if len(h.Lines) >= limits.Fields {
			return i, TooManyFields
		}
		name := b[start:i]
		i++
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		value := i
		for i = control(b, i); i < len(b) && b[i] == '\t'; {
			i = control(b, i+1)
		}
		if i+1 >= len(b) {
			if i < len(b) && b[i] != '\r' {
				return i, badControl(b[i])
			}
			return i, Incomplete
		}
		if b[i] != '\r' {
			return i, badControl(b[i])
		}
		if b[i+1] != '\n' {
			return i, BareCR
		}
		end := i
		for end > value && isSpace(b[end-1]) {
			end--
		}
		i += 2
		kind := KindOf(text(name))
		h.kinds |= 1 << kind
		h.Fields = append(h.Fields, seshat.Field{Name: text(name), Value: text(b[value:end])})
		h.Lines = append(h.Lines, Line{Start: start, End: i, Kind: kind})
	}
}

// endOfFields is for a line at start that has no name before a colon: what stops the name is at i. It is the empty line
// or a fault.
func (h *Head) endOfFields(b []byte, start, i int) (int, Reason) {
	switch c := b[i]; {
	case i == start && c == '\r':
		switch {
		case i+1 >= len(b):
			return i, Incomplete
		case b[i+1] != '\n':
			return i, BareCR
		}
		h.Size = i + 2
		return i + 2, OK
	case c == '\n':
		return i, BareLF
	case i == start && isSpace(c):
		return i, Folded
	case c == '\r':
		if i+1 < len(b) && b[i+1] != '\n' {
			return i, BareCR
		}
		return i, NoColon
	case isSpace(c):
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i < len(b) && b[i] == ':' {
			return i, SpaceBeforeColon
		}
		return i, BadFieldName
	default:
		return i, BadFieldName
	}
}

func badControl(c byte) Reason {
	if c == '\n' {
		return BareLF
	}
	return BadFieldValue
}
