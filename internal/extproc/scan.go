package extproc

import "errors"

// errWire is returned for what is not the wire format of Protocol Buffers.
var errWire = errors.New("the message is not in the wire format of Protocol Buffers")

// The wire types (protobuf.dev, encoding).
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// maxFieldNumber is the largest number that a field can have.
const maxFieldNumber = 1<<29 - 1

// scanner steps through the fields of a message. It works on strings and on bytes: what becomes a text is made a string
// once as a whole, and its parts share that memory.
type scanner[T string | []byte] struct {
	rest   T
	number uint64
	kind   uint64
	varint uint64 // of a field of wireVarint
	bytes  T      // of a field of wireBytes
}

// next reads a field. It returns false at the end, and an error where the message is damaged.
func (s *scanner[T]) next() (bool, error) {
	if len(s.rest) == 0 {
		return false, nil
	}
	tag, ok := s.uvarint()
	if !ok {
		return false, errWire
	}
	s.number, s.kind = tag>>3, tag&7
	if s.number == 0 || s.number > maxFieldNumber {
		return false, errWire
	}
	switch s.kind {
	case wireVarint:
		if s.varint, ok = s.uvarint(); !ok {
			return false, errWire
		}
		return true, nil
	case wireBytes:
		n, ok := s.uvarint()
		if !ok || n > uint64(len(s.rest)) {
			return false, errWire
		}
		s.bytes, s.rest = s.rest[:n], s.rest[n:]
		return true, nil
	case wireFixed8, wireFixed4:
		n := 8
		if s.kind == wireFixed4 {
			n = 4
		}
		if len(s.rest) < n {
			return false, errWire
		}
		s.rest = s.rest[n:]
		return true, nil
	default: // groups, which none of the messages has
		return false, errWire
	}
}

// uvarint reads a number in groups of seven bits, the lowest first.
func (s *scanner[T]) uvarint() (uint64, bool) {
	const most = 10 // bytes that 64 bits take
	var v uint64
	for i := range len(s.rest) {
		b := s.rest[i]
		if i == most-1 && b > 1 {
			return 0, false
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			s.rest = s.rest[i+1:]
			return v, true
		}
	}
	return 0, false
}
