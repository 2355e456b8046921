package httpfield

import "unsafe"

const (
	// scratchChunk is how much memory a Scratch takes at a time. The decoded values of an ordinary exchange fit.
	scratchChunk = 1 << 10
	// scratchKept is the largest chunk that Reset keeps, so that one huge form does not hold its memory for good.
	scratchKept = 1 << 16
)

// Scratch is memory for decoded text that is reused from exchange to exchange. The zero value is ready. A nil
// *Scratch works too, and allocates for each value. It is not safe for concurrent use.
type Scratch struct {
	buf []byte
}

// Reset makes the memory of s available again. Strings that were decoded into s before must not be used afterwards.
func (s *Scratch) Reset() {
	if cap(s.buf) > scratchKept {
		s.buf = nil
	}
	s.buf = s.buf[:0]
}

// take returns an empty slice with room for n bytes that no string uses yet. A full chunk is left to the strings
// that lie in it rather than copied.
func (s *Scratch) take(n int) []byte {
	if s == nil {
		return make([]byte, 0, n)
	}
	if cap(s.buf)-len(s.buf) < n {
		s.buf = make([]byte, 0, max(n, scratchChunk, 2*cap(s.buf)))
	}
	return s.buf[len(s.buf):len(s.buf):cap(s.buf)]
}

// keep reserves text, which was built in the slice that take returned last, and returns it as a string.
func (s *Scratch) keep(text []byte) string {
	if s != nil {
		s.buf = s.buf[:len(s.buf)+len(text)]
	}
	return stringOf(text)
}

// stringOf is b as a string without a copy: b must not change while the string is in use.
func stringOf(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // see the comment
}

// bytesOf is s as bytes without a copy, which must not be changed.
func bytesOf(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // see the comment
}
