package gateway

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/seshat-project/seshat/internal/pipeline"
)

// copyBuffer is what a body is copied with.
const copyBuffer = 32 << 10

// http2Counts only grow.
type http2Counts struct {
	requests, refused, unrouted, failed, aborted, protocolErrors atomic.Uint64
}

// HTTP2Stats is what was counted of HTTP/2.
type HTTP2Stats struct {
	Connections    int    // now
	Requests       uint64 // judged ones and unrouted ones
	Refused        uint64 // answered in place of the origin, by the verdict
	Unrouted       uint64 // no route
	Failed         uint64 // no answer from an origin: 502, 503, 504
	Aborted        uint64 // cut off before their end: the client or the origin went away, or the journal failed
	ProtocolErrors uint64 // of clients
}

// Stats returns what was counted.
func (h *HTTP2) Stats() HTTP2Stats {
	h.mu.Lock()
	connections := len(h.conns)
	h.mu.Unlock()
	c := &h.counts
	return HTTP2Stats{
		Connections: connections, Requests: c.requests.Load(), Refused: c.refused.Load(), Unrouted: c.unrouted.Load(),
		Failed: c.failed.Load(), Aborted: c.aborted.Load(), ProtocolErrors: c.protocolErrors.Load(),
	}
}

// flight is one request on its way. It belongs to the goroutine of its handler, but for its upload.
type flight struct {
	*HTTP2
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	conn    *ConnInfo
	x       *exchange
	upload  *upload // nil when the request has no body
	match   Match
	passage Passage // nil until the request was judged, and once it was ended
	grpc    bool
	trailer http.Header // of the answer
}

// ServeHTTP implements http.Handler for the connections of ServeConn.
func (h *HTTP2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.counts.requests.Add(1)
	f := &flight{HTTP2: h, w: w, r: r, control: http.NewResponseController(w), grpc: isGRPC(r.Header)}
	if conn, ok := r.Context().Value(connKey{}).(*http2Conn); ok && conn != nil {
		f.conn = &conn.info
	} else {
		f.conn = &ConnInfo{}
	}
	f.x = h.scratch.Get().(*exchange)
	defer func() {
		f.finish()
		f.x.reset()
		h.scratch.Put(f.x)
	}()
	f.x.begin(r, f.conn, h.config.Clients, h.config.Now())
	if r.ContentLength != 0 { // 0 is a request that ended with its header
		f.upload = &upload{body: r.Body, control: f.control, most: h.config.MaxBody}
		if !f.grpc {
			f.upload.timeout = h.config.BodyTimeout
		}
	}
	if status, detail := f.route(); status != 0 {
		f.turnAway(status, detail)
		return
	}
	f.serve()
}

// route finds the way. A status says that there is none.
func (f *flight) route() (status int, detail string) {
	f.x.label(nil)
	router := f.config.Routing.Current()
	switch {
	case f.r.Method == http.MethodConnect, f.r.Header.Get(":protocol") != "": // tunnels, those of RFC 8441 too
		return http.StatusNotImplemented, "no tunnels are opened here"
	case router == nil:
		return http.StatusServiceUnavailable, "there are no routes yet"
	}
	path := f.x.Request.Path
	if path == "*" {
		path = "/"
	}
	m, miss := router.Match(f.r.Host, path)
	if miss != Found {
		return miss.Status(f.conn.TLS), "nothing is served at this host and path"
	}
	f.match = m
	f.x.label(m.Route)
	if most := f.config.MaxBody; most > 0 && f.r.ContentLength > most {
		return http.StatusRequestEntityTooLarge, "the content is too large"
	}
	return 0, ""
}

// turnAway answers a request that goes nowhere. It is judged and recorded as every other.
func (f *flight) turnAway(status int, detail string) {
	f.counts.unrouted.Add(1)
	f.passage = f.config.Guard.Begin(&f.x.Exchange)
	if a := f.passage.Answer(); a != nil {
		f.refuse(a)
		return
	}
	f.say(status, detail)
}

// isGRPC reports whether a request is a call whose streams may rest in both directions.
func isGRPC(header http.Header) bool {
	contentType := header.Get("Content-Type")
	return strings.HasPrefix(contentType, "application/grpc") || strings.HasPrefix(contentType, "application/connect+")
}

// serve has the request judged, and answers it.
func (f *flight) serve() {
	if f.upload != nil && !f.grpc && f.config.Guard.NeedsRequestBody(&f.x.Exchange) {
		if err := f.upload.readAhead(); err != nil {
			f.turnAway(unreadable(err))
			return
		}
		body := f.upload.capture.body()
		f.x.codings.Remove(f.x.request, &body)
		f.x.Request.Body = body
	}
	f.passage = f.config.Guard.Begin(&f.x.Exchange)
	if a := f.passage.Answer(); a != nil {
		f.refuse(a)
		return
	}
	f.forward()
}

// refuse answers in place of the origin.
func (f *flight) refuse(a *pipeline.Answer) {
	f.counts.refused.Add(1)
	header := f.w.Header()
	for _, field := range a.Fields {
		header.Add(field.Name, field.Value)
	}
	f.x.answered(a.Status, header)
	f.w.WriteHeader(a.Status)
	if f.r.Method != http.MethodHead {
		_, _ = f.w.Write(a.Body)
		f.x.download.add(a.Body)
	}
	f.endOrAbort()
}

// fail answers that there is no answer.
func (f *flight) fail(status int) {
	f.counts.failed.Add(1)
	f.say(status, "")
}

// say answers with a status and a sentence.
func (f *flight) say(status int, detail string) {
	header := f.w.Header()
	body, contentType := problem(status, detail)
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	for _, field := range f.passage.ResponseFields() {
		header.Add(field.Name, field.Value)
	}
	f.x.answered(status, header)
	f.w.WriteHeader(status)
	if f.r.Method != http.MethodHead {
		_, _ = f.w.Write(body)
		f.x.download.add(body)
	}
	f.endOrAbort()
}

// unreadable is what a client is told whose body cannot be read.
func unreadable(err error) (status int, detail string) {
	switch {
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, "the content is too large"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, "the request did not come in time"
	default:
		return http.StatusBadRequest, "the content is not complete"
	}
}

// end records the exchange. The first call counts.
func (f *flight) end() error {
	if f.passage == nil {
		return nil
	}
	passage := f.passage
	f.passage = nil
	if f.upload != nil {
		body := f.upload.stop()
		if f.x.Request.Body.Bytes != nil { // captured before it was judged, and decoded
			f.x.Request.Body.Size = max(body.Size, f.x.Request.Body.Size)
			f.x.Request.Body.Truncated = f.x.Request.Body.Truncated || body.Truncated
		} else {
			f.x.Request.Body = body
		}
	}
	f.x.end(f.config.Now(), f.trailer)
	// The client may be gone; the exchange is recorded all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.r.Context()), f.config.EndTimeout)
	defer cancel()
	return passage.End(ctx, &f.x.Exchange)
}

// endOrAbort ends the exchange. When it may not be answered, the stream is reset.
func (f *flight) endOrAbort() {
	if err := f.end(); err != nil {
		f.config.Log.Debug("an answer was withheld", "error", err)
		f.abort()
	}
}

// abort resets the stream: the client knows that what it has is not all.
func (f *flight) abort() {
	f.counts.aborted.Add(1)
	panic(http.ErrAbortHandler) // net/http's way to say it; it is not logged
}

// finish ends the exchange if it was left on the way.
func (f *flight) finish() {
	if err := f.end(); err != nil {
		f.config.Log.Debug("an exchange was not recorded", "error", err)
	}
	if f.upload != nil {
		f.upload.stop()
	}
}

// statusOf is what a client is told of an error of the way to the origin.
func statusOf(err error) int {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrNoServer), errors.Is(err, ErrBusy), errors.Is(err, ErrWaited), errors.Is(err, ErrPoolClosed):
		return http.StatusServiceUnavailable
	case errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}
