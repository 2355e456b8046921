// Package lines cuts a stream into lines, in bounded memory whatever the stream holds.
package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seshat-project/seshat/internal/ingest"
)

// MaxLine is how many bytes a line may have. The longest record that makes sense holds two bodies of a few
// megabytes; a longer line is most likely not a line at all. One line is in memory at a time.
const MaxLine = 16 << 20

// firstBuffer holds some hundred typical records, so that reading from the source is seldom.
const firstBuffer = 256 << 10

// contextEvery is after how many lines the context is asked; asking costs about as much as cutting a line.
const contextEvery = 256

// ErrTooLong is the error of a line that has more than [MaxLine] bytes. It was skipped.
var ErrTooLong = errors.New("the line is longer than 16 MiB")

// Reader cuts lines. The zero value is not ready; see [NewReader].
type Reader struct {
	src        io.Reader
	max        int
	buf        []byte
	start, end int   // of what was read and not given out, in buf
	offset     int64 // of buf[start] in the stream
	number     int64 // of the last line given out
	err        error // of src, given out when the buffer is empty
}

// NewReader returns a reader of the lines of src.
func NewReader(src io.Reader) *Reader { return newReader(src, MaxLine, firstBuffer) }

func newReader(src io.Reader, limit, buffer int) *Reader {
	return &Reader{src: src, max: limit, buf: make([]byte, buffer)}
}

// Next returns the next line that is not blank, without its end (LF or CRLF) and without a byte order mark at the
// start of the stream. The line is valid until the next call and may be changed. The position lacks the digest.
//
// It returns io.EOF at the end, and a [*ingest.BadRecord] with [ErrTooLong] for a line that was skipped. Other
// errors are final; what stands behind the last line end before one is not given out, because it is cut off.
func (r *Reader) Next(ctx context.Context) ([]byte, ingest.Position, error) {
	for {
		if r.number%contextEvery == 0 && ctx.Err() != nil {
			return nil, ingest.Position{Line: r.number, Offset: r.offset}, context.Cause(ctx)
		}
		line, at, err := r.cut()
		if err != nil {
			return nil, at, err
		}
		if at.Offset == 0 {
			if rest, marked := bytes.CutPrefix(line, []byte("\xef\xbb\xbf")); marked {
				line, at.Offset = rest, 3
			}
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) > 0 && (line[0] > ' ' || len(bytes.TrimSpace(line)) > 0) {
			return line, at, nil
		}
	}
}

// cut returns the next line without its LF.
func (r *Reader) cut() ([]byte, ingest.Position, error) {
	searched := r.start
	for {
		if i := bytes.IndexByte(r.buf[searched:r.end], '\n'); i >= 0 {
			return r.give(searched+i, searched+i+1)
		}
		searched = r.end
		if r.err != nil {
			return r.last()
		}
		if r.end-r.start > r.max {
			return r.skip()
		}
		searched -= r.room()
		r.fill()
	}
}

// give hands out the bytes up to lineEnd and goes on at next.
func (r *Reader) give(lineEnd, next int) ([]byte, ingest.Position, error) {
	r.number++
	at := ingest.Position{Line: r.number, Offset: r.offset}
	line := r.buf[r.start:lineEnd]
	r.offset += int64(next - r.start)
	r.start = next
	if len(line) > r.max {
		return nil, at, &ingest.BadRecord{Position: at, Err: ErrTooLong}
	}
	return line, at, nil
}

// last hands out what is left at the end of the stream.
func (r *Reader) last() ([]byte, ingest.Position, error) {
	if errors.Is(r.err, io.EOF) && r.end > r.start {
		return r.give(r.end, r.end)
	}
	at := ingest.Position{Line: r.number + 1, Offset: r.offset}
	if errors.Is(r.err, io.EOF) {
		return nil, at, io.EOF
	}
	return nil, at, fmt.Errorf("line %d: %w", at.Line, r.err)
}

// room makes room behind the buffered bytes and returns by how much they moved towards the front.
func (r *Reader) room() int {
	if r.end < len(r.buf) {
		return 0
	}
	moved := r.start
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, r.end-moved
	}
	if r.end > len(r.buf)/2 {
		bigger := make([]byte, 2*len(r.buf))
		copy(bigger, r.buf[:r.end])
		r.buf = bigger
	}
	return moved
}

// emptyReads is how often in a row a source may return nothing and no error (see [io.Reader]) before it is broken.
const emptyReads = 100

func (r *Reader) fill() {
	for range emptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.err = err
		if n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// skip passes over a line that is too long, keeping none of it.
func (r *Reader) skip() ([]byte, ingest.Position, error) {
	r.number++
	at := ingest.Position{Line: r.number, Offset: r.offset}
	for r.err == nil {
		r.offset += int64(r.end - r.start)
		r.start, r.end = 0, 0
		r.fill()
		if i := bytes.IndexByte(r.buf[:r.end], '\n'); i >= 0 {
			r.offset += int64(i + 1)
			r.start = i + 1
			return nil, at, &ingest.BadRecord{Position: at, Err: ErrTooLong}
		}
	}
	r.offset += int64(r.end - r.start)
	r.start, r.end = 0, 0
	return nil, at, &ingest.BadRecord{Position: at, Err: ErrTooLong}
}
