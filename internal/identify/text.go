package identify

import (
	"strings"
	"unsafe"
)

const (
	// arenaChunk is how much memory an arena takes at a time; the decoded values of an ordinary exchange fit.
	arenaChunk = 4 << 10
	// arenaKept is the largest chunk that reset keeps, so that one huge body does not hold its memory for good.
	arenaKept = 256 << 10
)

// arena is memory for texts that live until the next exchange. Texts that were built in it stay where they are when
// it grows.
type arena struct{ buf []byte }

func (a *arena) reset() {
	if cap(a.buf) > arenaKept {
		a.buf = nil
	}
	a.buf = a.buf[:0]
}

// take returns an empty slice with room for n bytes. What is appended to it, up to n bytes, is given to keep.
func (a *arena) take(n int) []byte {
	if cap(a.buf)-len(a.buf) < n {
		a.buf = make([]byte, 0, max(n, arenaChunk, 2*cap(a.buf)))
	}
	return a.buf[len(a.buf):len(a.buf):cap(a.buf)]
}

// keep reserves text, which was built in the slice that take returned last.
func (a *arena) keep(text []byte) string {
	a.buf = a.buf[:len(a.buf)+len(text)]
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

func cloneString(s string) string { return strings.Clone(s) }
