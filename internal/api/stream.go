package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// wantsStream reports whether a client asks for all of a list.
func wantsStream(accept string) bool { return strings.Contains(accept, wire.NDJSON) }

const (
	streamBuffer = 32 << 10
	// flushEvery is how long a line waits for others before it is sent.
	flushEvery = 100 * time.Millisecond
)

// lines writes a stream of JSON values, one a line. It belongs to one goroutine.
type lines struct {
	out     *bufio.Writer
	encoder *json.Encoder
	control *http.ResponseController
	flushed time.Time
	err     error
}

// newLines begins an answer of content type NDJSON.
func newLines(w http.ResponseWriter) *lines {
	w.Header().Set("Content-Type", wire.NDJSON)
	w.WriteHeader(http.StatusOK)
	l := &lines{out: bufio.NewWriterSize(w, streamBuffer), control: http.NewResponseController(w), flushed: time.Now()}
	l.encoder = json.NewEncoder(l.out)
	l.encoder.SetEscapeHTML(false)
	l.extend()
	return l
}

// extend gives the client more time to read. Servers of tests have no deadlines.
func (l *lines) extend() { _ = l.control.SetWriteDeadline(time.Now().Add(idleWrite)) }

// write writes one value and reports whether more can be written.
func (l *lines) write(v any) bool {
	if l.err != nil {
		return false
	}
	if l.err = l.encoder.Encode(v); l.err != nil {
		return false
	}
	if now := time.Now(); now.Sub(l.flushed) >= flushEvery {
		l.flush()
	}
	return l.err == nil
}

func (l *lines) flush() {
	l.extend()
	l.err = l.out.Flush()
	if l.err == nil {
		_ = l.control.Flush()
	}
	l.flushed = time.Now()
}

// end finishes the stream; with a line that says so when something went wrong.
func (l *lines) end(problem *wire.Problem) {
	if l.err != nil {
		return // the client is gone
	}
	if problem != nil {
		l.write(wire.Failure{Problem: problem})
	}
	l.flush()
}

// each is a list that is read one by one, until yield returns false.
type each[T any] func(ctx context.Context, yield func(T) bool) error

// streamed answers with all of a list. What goes wrong before the first one is an answer of its own.
func streamed[T any](s *server, list each[T]) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		ctx := c.Context()
		_, w := humago.Unwrap(c)
		var out *lines
		err := list(ctx, func(one T) bool {
			if out == nil {
				out = newLines(w)
			}
			return out.write(one)
		})
		if out == nil {
			if err != nil {
				s.failed(c, s.problem(ctx, err))
				return
			}
			out = newLines(w)
		}
		if err != nil {
			out.end(s.problem(ctx, err))
			return
		}
		out.end(nil)
	}}
}

// written answers with one JSON value.
func written(v any) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", wire.JSON)
		c.SetStatus(http.StatusOK)
		encode(c.BodyWriter(), v)
	}}
}

func encode(w io.Writer, v any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the client may be gone
}
