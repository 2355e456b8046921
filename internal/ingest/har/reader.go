// Package har reads HTTP archives (HAR 1.1 and 1.2), as browsers and proxies write them, entry by entry: what is in
// memory does not depend on the size of the file. What is read of an entry is written down in docs/formats/har.md.
package har

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

// Reader reads the entries of a HAR. It implements [ingest.Reader]. A position's line is the number of the entry.
type Reader struct {
	scanner *scanner
	state   state
	first   bool // of the elements or members at this place
	found   bool // log.entries
	number  int64
	entry   entry
}

// state is where in the HAR the reader is.
type state uint8

const (
	atStart state = iota
	inRoot
	inLog
	inEntries
	atEnd
)

// NewReader returns a reader of the HAR in r.
func NewReader(r io.Reader) *Reader { return &Reader{scanner: newScanner(r)} }

// ErrNoEntries is the error of a JSON document that has no entries where a HAR has them.
var ErrNoEntries = errors.New("there is no log.entries in it: not a HAR")

// Read implements [ingest.Reader].
func (r *Reader) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	for {
		at := ingest.Position{Line: r.number + 1, Offset: r.scanner.at()}
		if ctx.Err() != nil {
			return nil, at, context.Cause(ctx)
		}
		if r.state == atEnd {
			return nil, at, r.end()
		}
		more, err := r.step()
		switch {
		case err != nil:
			r.state = atEnd
			at.Offset = r.scanner.at()
			if r.number > 0 {
				return nil, at, fmt.Errorf("behind entry %d, at byte %d: %w", r.number, at.Offset, err)
			}
			return nil, at, fmt.Errorf("at byte %d: %w", at.Offset, err)
		case more && r.state == inEntries:
			x, at, err := r.read()
			if err != nil {
				var bad *ingest.BadRecord
				if !errors.As(err, &bad) {
					r.state = atEnd
				}
				return nil, at, err
			}
			return x, at, nil
		}
	}
}

// end is the error behind the end.
func (r *Reader) end() error {
	if !r.found {
		r.found = true
		return ErrNoEntries
	}
	return io.EOF
}

// step moves to the next entry, or to another place. more says that an entry follows.
func (r *Reader) step() (more bool, err error) {
	switch r.state {
	case atStart:
		if err := r.scanner.mark(); err != nil {
			return false, err
		}
		return false, r.enter(inRoot, '{')
	case inRoot:
		return false, r.member("log", inLog, '{', atEnd)
	case inLog:
		return false, r.member("entries", inEntries, '[', inRoot)
	case inEntries:
		more, err := r.another(']')
		if err == nil && !more {
			r.state, r.first = inLog, false
		}
		return more, err
	default:
		return false, nil
	}
}

func (r *Reader) enter(next state, bracket byte) error {
	if err := r.scanner.expect(bracket); err != nil {
		return err
	}
	r.state, r.first = next, true
	r.found = r.found || next == inEntries
	return nil
}

// another moves to the next member or element, or behind the bracket that ends them.
func (r *Reader) another(bracket byte) (bool, error) {
	c, err := r.scanner.peek()
	if err != nil {
		return false, err
	}
	if c == bracket {
		r.scanner.pos++
		return false, nil
	}
	if !r.first {
		return true, r.scanner.expect(',')
	}
	r.first = false
	return true, nil
}

// member reads a member of an object: it enters the one that is wanted, skips another, and goes outside behind the last.
func (r *Reader) member(name string, inside state, bracket byte, outside state) error {
	more, err := r.another('}')
	if err != nil {
		return err
	}
	if !more {
		r.state, r.first = outside, false
		return nil
	}
	found, err := r.scanner.name()
	if err != nil {
		return err
	}
	if found == name {
		if c, err := r.scanner.peek(); err != nil {
			return err
		} else if c == bracket {
			return r.enter(inside, bracket)
		}
	}
	return r.scanner.skip()
}

// read reads one entry.
func (r *Reader) read() (*seshat.Exchange, ingest.Position, error) {
	s := r.scanner
	if _, err := s.peek(); err != nil {
		return nil, ingest.Position{Line: r.number + 1, Offset: s.at()}, fmt.Errorf("behind entry %d, at byte %d: %w", r.number, s.at(), err)
	}
	r.number++
	at := ingest.Position{Line: r.number, Offset: s.at()}
	if err := s.take(); err != nil {
		return nil, at, fmt.Errorf("in entry %d, which begins at byte %d: %w", r.number, at.Offset, err)
	}
	at.Content = s.hash.Sum64()
	if s.tooBig {
		return nil, at, &ingest.BadRecord{Position: at, Err: errTooBig}
	}
	err := r.entry.decode(s.value, s.cuts)
	if err != nil {
		var other *notHTTPError
		return nil, at, &ingest.BadRecord{Position: at, Skipped: errors.As(err, &other), Err: err}
	}
	return &r.entry.exchange, at, nil
}

var errTooBig = errors.New("the entry is longer than 16 MiB")

// notHTTPError is the reason for which an entry is skipped.
type notHTTPError struct{ scheme string }

func (e *notHTTPError) Error() string {
	return "not an HTTP exchange: a URL of the scheme " + e.scheme
}
