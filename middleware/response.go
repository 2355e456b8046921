package middleware

import (
	"bufio"
	"io"
	"net"
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// response is the response on its way to the client. It changes nothing but for the fields of limits that it adds, and
// sees status, header, how many bytes, and, where a rule wants it, the beginning of the body.
type response struct {
	http.ResponseWriter
	handlers *handlers
	passage  *pipeline.Passage
	exchange *seshat.Exchange
	head     bool // the answer to HEAD has no body, whatever is written

	begun    bool
	hijacked bool
	size     int64
	wanted   bool // the beginning of the body
	captured []byte
}

// begin is called when the final status is known: what the header has now is what the client gets.
func (w *response) begin(status int) {
	if w.begun || w.hijacked {
		return
	}
	w.begun = true
	header := w.Header()
	for _, f := range w.passage.ResponseFields() {
		header.Add(f.Name, f.Value)
	}
	w.exchange.Response.Status = status
	w.exchange.Response.Header = fields(header)
	w.wanted = !w.head && w.handlers.inline.NeedsResponseBody(w.exchange)
}

// finish completes the exchange. A response that never began has the status 0: none was seen.
func (w *response) finish() {
	x := w.exchange
	if w.wanted {
		x.Response.Body = body(w.captured, x.Response.Header, w.size > int64(len(w.captured)))
	}
	x.Response.Body.Size = w.size
	x.Response.Body.Truncated = x.Response.Body.Truncated || !w.wanted && w.size > 0
}

// WriteHeader implements [http.ResponseWriter]. Informational responses go by.
func (w *response) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *response) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.wrote(n)
	if room := w.room(); room > 0 {
		w.captured = append(w.captured, p[:min(n, room)]...)
	}
	return n, err
}

// WriteString implements [io.StringWriter].
func (w *response) WriteString(s string) (int, error) {
	if w.begin(http.StatusOK); w.room() > 0 {
		return w.Write([]byte(s))
	}
	n, err := io.WriteString(w.ResponseWriter, s)
	w.wrote(n)
	return n, err
}

func (w *response) wrote(n int) {
	if !w.head {
		w.size += int64(n)
	}
}

// room is how much of the body is still to be captured.
func (w *response) room() int {
	if !w.wanted {
		return 0
	}
	return pipeline.MaxBody - len(w.captured)
}

// Unwrap is for [http.ResponseController]: deadlines, full duplex, and what is yet to come.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// What some ResponseWriters can do beside writing, and handlers look for. Whatever the one of the server can do, the one
// that the next handler gets can do, and nothing else.

type flusher struct{ *response }

func (w flusher) Flush() { _ = w.FlushError() }

func (w flusher) FlushError() error {
	w.begin(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

type hijacker struct{ *response }

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		if !w.begun {
			w.exchange.Response.Status = http.StatusSwitchingProtocols // which the handler writes itself
		}
		w.hijacked = true
	}
	return conn, buffered, err
}

type pusher struct{ *response }

func (w pusher) Push(target string, options *http.PushOptions) error {
	return w.ResponseWriter.(http.Pusher).Push(target, options)
}

type readerFrom struct{ *response }

// ReadFrom implements [io.ReaderFrom], by which files are sent without being copied.
func (w readerFrom) ReadFrom(r io.Reader) (n int64, err error) {
	w.begin(http.StatusOK)
	if room := w.room(); room > 0 {
		n, err = io.Copy(onlyWriter{w.response}, io.LimitReader(r, int64(room)))
		if err != nil || n < int64(room) {
			return n, err
		}
	}
	rest, err := w.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
	w.wrote(int(rest))
	return n + rest, err
}

// onlyWriter hides what else a writer can do, from [io.Copy].
type onlyWriter struct{ io.Writer }

type (
	plainWriter interface {
		http.ResponseWriter
		io.StringWriter
		Unwrap() http.ResponseWriter
	}
	flushingWriter interface {
		http.Flusher
		FlushError() error
	}
)

// wrap returns w with the abilities of the writer under it.
func (w *response) wrap() http.ResponseWriter {
	const flushes, hijacks, pushes, reads = 1, 2, 4, 8
	can := 0
	if _, ok := w.ResponseWriter.(http.Flusher); ok {
		can |= flushes
	}
	if _, ok := w.ResponseWriter.(http.Hijacker); ok {
		can |= hijacks
	}
	if _, ok := w.ResponseWriter.(http.Pusher); ok {
		can |= pushes
	}
	if _, ok := w.ResponseWriter.(io.ReaderFrom); ok {
		can |= reads
	}
	var (
		p plainWriter    = w
		f flushingWriter = flusher{w}
		h http.Hijacker  = hijacker{w}
		u http.Pusher    = pusher{w}
		r io.ReaderFrom  = readerFrom{w}
	)
	type (
		flushing  = flushingWriter
		hijacking = http.Hijacker
		pushing   = http.Pusher
		reading   = io.ReaderFrom
	)
	switch can {
	case flushes:
		return struct {
			plainWriter
			flushing
		}{p, f}
	case hijacks:
		return struct {
			plainWriter
			hijacking
		}{p, h}
	case pushes:
		return struct {
			plainWriter
			pushing
		}{p, u}
	case reads:
		return struct {
			plainWriter
			reading
		}{p, r}
	case flushes | hijacks:
		return struct {
			plainWriter
			flushing
			hijacking
		}{p, f, h}
	case flushes | pushes: // HTTP/2
		return struct {
			plainWriter
			flushing
			pushing
		}{p, f, u}
	case flushes | reads:
		return struct {
			plainWriter
			flushing
			reading
		}{p, f, r}
	case hijacks | pushes:
		return struct {
			plainWriter
			hijacking
			pushing
		}{p, h, u}
	case hijacks | reads:
		return struct {
			plainWriter
			hijacking
			reading
		}{p, h, r}
	case pushes | reads:
		return struct {
			plainWriter
			pushing
			reading
		}{p, u, r}
	case flushes | hijacks | pushes:
		return struct {
			plainWriter
			flushing
			hijacking
			pushing
		}{p, f, h, u}
	case flushes | hijacks | reads: // HTTP/1.1
		return struct {
			plainWriter
			flushing
			hijacking
			reading
		}{p, f, h, r}
	case flushes | pushes | reads:
		return struct {
			plainWriter
			flushing
			pushing
			reading
		}{p, f, u, r}
	case hijacks | pushes | reads:
		return struct {
			plainWriter
			hijacking
			pushing
			reading
		}{p, h, u, r}
	case flushes | hijacks | pushes | reads:
		return struct {
			plainWriter
			flushing
			hijacking
			pushing
			reading
		}{p, f, h, u, r}
	default:
		return p
	}
}
