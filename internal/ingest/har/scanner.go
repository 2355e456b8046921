package har

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

const (
	// maxText is how many bytes of one string are kept, as they stand in the file. Only bodies are that long: the rest
	// of one is passed over without being held.
	maxText = 4 << 20
	// maxEntry is how many bytes an entry may have, without what was cut from its strings.
	maxEntry = 16 << 20
	// readBytes is how much is read at a time.
	readBytes = 128 << 10
	// maxName is how many bytes of a name are kept in the objects around the entries, where the names that count are short.
	maxName = 64
)

// errCutOff is the end of the input in the middle of the HAR.
var errCutOff = errors.New("the HAR ends too early (is the file cut off?)")

// scanner walks through JSON without holding more than one value. It looks at brackets and strings only; whoever
// reads a value checks it.
type scanner struct {
	src    io.Reader
	buf    []byte
	pos    int   // of the next byte in buf
	offset int64 // of buf[0] in the input
	err    error // of src

	// What take keeps of a value.
	keeping bool
	value   []byte
	tooBig  bool
	cuts    []int // where in value a string was cut: the position of its closing quote
	hash    *xxh3.Hasher
}

func newScanner(src io.Reader) *scanner {
	return &scanner{src: src, buf: make([]byte, 0, readBytes), hash: xxh3.New()}
}

func (s *scanner) at() int64 { return s.offset + int64(s.pos) }

// more reads more bytes. All that were read before must have been used.
func (s *scanner) more() error {
	for s.err == nil {
		s.offset += int64(len(s.buf))
		n, err := s.src.Read(s.buf[:cap(s.buf)])
		s.buf, s.pos, s.err = s.buf[:n], 0, err
		if n > 0 {
			return nil
		}
	}
	s.offset, s.buf, s.pos = s.offset+int64(len(s.buf)), s.buf[:0], 0
	if errors.Is(s.err, io.EOF) {
		return errCutOff
	}
	return fmt.Errorf("byte %d: %w", s.offset, s.err)
}

// peek returns the next byte that is no white space, without using it.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			if c := s.buf[s.pos]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
				return c, nil
			}
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// next uses the next byte that is no white space.
func (s *scanner) next() (byte, error) {
	c, err := s.peek()
	if err == nil {
		s.pos++
	}
	return c, err
}

// expect uses the next byte that is no white space, which must be want.
func (s *scanner) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return fmt.Errorf("byte %d: not valid JSON: %q is expected", s.at(), string(rune(want)))
	}
	s.pos++
	return nil
}

// mark passes over the byte order mark that some tools put first.
func (s *scanner) mark() error {
	c, err := s.peek()
	if err != nil || c != 0xef {
		return err
	}
	for _, c := range []byte("\xef\xbb\xbf") {
		if err := s.expect(c); err != nil {
			return err
		}
	}
	return nil
}

// name reads the name of a member, and the colon behind it. Of a long name it returns the beginning.
func (s *scanner) name() (string, error) {
	if c, err := s.peek(); err != nil {
		return "", err
	} else if c != '"' {
		return "", s.expect('"')
	}
	s.value, s.tooBig, s.keeping = s.value[:0], false, true
	err := s.text()
	s.keeping = false
	if err != nil {
		return "", err
	}
	inner := s.value[1 : len(s.value)-1]
	return string(inner[:min(len(inner), maxName)]), s.expect(':')
}

// take keeps the next value in s.value.
func (s *scanner) take() error {
	s.value, s.cuts, s.tooBig, s.keeping = s.value[:0], s.cuts[:0], false, true
	if cap(s.value) > 2*maxText {
		s.value = nil
	}
	s.hash.Reset()
	defer func() { s.keeping = false }()
	return s.skip()
}

// use passes over n bytes, and keeps them where that is asked for.
func (s *scanner) use(n int) {
	b := s.buf[s.pos : s.pos+n]
	s.pos += n
	if s.keeping {
		_, _ = s.hash.Write(b)
		s.keep(b)
	}
}

func (s *scanner) keep(b []byte) {
	if s.tooBig = s.tooBig || len(s.value)+len(b) > maxEntry; !s.tooBig {
		s.value = append(s.value, b...)
	}
}

// skip passes over the next value.
func (s *scanner) skip() error {
	if _, err := s.peek(); err != nil {
		return err
	}
	for depth := 0; ; {
		c, err := s.plain(depth)
		if err != nil {
			return err
		}
		switch c {
		case '"':
			if err := s.text(); err != nil {
				return err
			}
		case '{', '[':
			s.use(1)
			depth++
			continue
		case '}', ']':
			s.use(1)
			depth--
		default: // a number, true, false or null came to its end
			return nil
		}
		if depth <= 0 {
			return nil
		}
	}
}

// plain passes over everything up to the next quote or bracket; outside of brackets, only up to the end of a number or name.
func (s *scanner) plain(depth int) (byte, error) {
	for {
		rest := s.buf[s.pos:]
		for i, c := range rest {
			switch c {
			case '"', '{', '[':
				s.use(i)
				return c, nil
			case '}', ']':
				s.use(i)
				if depth == 0 {
					return 0, nil
				}
				return c, nil
			case ',', ' ', '\n', '\r', '\t':
				if depth == 0 {
					s.use(i)
					return 0, nil
				}
			}
		}
		s.use(len(rest))
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// text passes over a string. Of a long one only the beginning is kept, cut where no escape sequence is cut in two.
func (s *scanner) text() error {
	start := len(s.value)
	s.use(1)
	var cut, escaped bool
	digits := 0 // how many hexadecimal digits the escape sequence that was begun still has
	for {
		for s.pos < len(s.buf) {
			if s.keeping && !cut && !escaped && digits == 0 && len(s.value)-start > maxText {
				cut = true
			}
			n, end := plainText(s.buf[s.pos:])
			switch {
			case escaped:
				if n, end, escaped = 1, 0, false; s.buf[s.pos] == 'u' {
					digits = 4 + n
				}
			case digits > n: // not four digits: the string is not valid, which whoever reads it finds
				digits = n
			case digits > 0:
				n, end = digits, 0
			case end == '\\':
				n, escaped = n+1, true
			}
			digits = max(0, digits-n)
			if s.useText(n, cut); end == '"' {
				if cut {
					s.cuts = append(s.cuts, len(s.value))
				}
				s.use(1)
				return nil
			}
		}
		if err := s.more(); err != nil {
			return err
		}
	}
}

// plainText returns how many bytes of a string come before its end or a backslash, and which of the two it is; 0 when
// neither is near. It looks only some way ahead, because a string of nothing but escape sequences would make it look
// over the same bytes again and again.
func plainText(b []byte) (n int, end byte) {
	const ahead = 512
	b = b[:min(len(b), ahead)]
	if n = bytes.IndexByte(b, '"'); n >= 0 {
		b, end = b[:n], '"'
	}
	if n = bytes.IndexByte(b, '\\'); n >= 0 {
		return n, '\\'
	}
	return len(b), end
}

// useText is use for the inside of a string, which is not kept behind a cut.
func (s *scanner) useText(n int, cut bool) {
	if !cut {
		s.use(n)
		return
	}
	_, _ = s.hash.Write(s.buf[s.pos : s.pos+n])
	s.pos += n
}
