package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"

	"github.com/seshat-project/seshat/internal/clientaddr"
)

// forward sends the request to a server and answers with what comes back.
func (f *flight) forward() {
	var avoid *Backend
	for attempt := 0; ; attempt++ {
		target := f.match.Target
		b, err := target.Pool.Acquire(f.r.Context(), avoid)
		if errors.Is(err, ErrPoolClosed) && f.reroute() {
			continue
		}
		if err != nil {
			f.lost(err)
			return
		}
		start := f.config.Now()
		response, err := f.roundTrip(target.Pool.transport(target.HTTP2), b) //nolint:bodyclose // answer closes it
		if err == nil {
			target.Pool.latency.Observe(f.config.Now().Sub(start))
			f.answer(response, b)
			return
		}
		if f.r.Context().Err() != nil {
			b.Release(NoOutcome)
			f.lost(err)
			return
		}
		b.Release(Failed)
		if attempt >= target.Pool.config.Retries || !f.repeatable(err) {
			f.config.Log.Debug("an origin did not answer", "upstream", target.Pool.Name(), "server", b.Address, "error", err)
			f.fail(statusOf(err))
			return
		}
		target.Pool.retries.Add(1)
		avoid = b
	}
}

// reroute finds another target when the one that was found belongs to routes that were replaced meanwhile.
func (f *flight) reroute() bool {
	m, miss := f.config.Routing.Current().Match(f.r.Host, f.x.Request.Path)
	if miss != Found || m.Target == f.match.Target {
		return false
	}
	f.match = m
	return true
}

// lost ends a request that has no server, or no client any more.
func (f *flight) lost(err error) {
	if f.r.Context().Err() != nil {
		f.abort()
	}
	f.fail(statusOf(err))
}

// repeatable reports whether a request may be sent again: it did not reach the server, or it asks for nothing to be changed
// (RFC 9110, section 9.2.1).
func (f *flight) repeatable(err error) bool {
	if f.upload != nil && f.upload.touched() {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	switch f.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return f.upload == nil
	default:
		return false
	}
}

// roundTrip sends the request to one server.
func (f *flight) roundTrip(t *transport, b *Backend) (*http.Response, error) {
	to := &t.backends[b.Place()]
	out := f.outgoing(t, to, b)
	informational := &interim{w: f.w}
	defer informational.stop()
	out = out.WithContext(httptrace.WithClientTrace(f.r.Context(), &httptrace.ClientTrace{Got1xxResponse: informational.got}))
	if f.grpc {
		return to.endless.RoundTrip(out)
	}
	return to.usual.RoundTrip(out)
}

// interim passes informational responses on, such as Early Hints. Transports tell of them in a goroutine of their own.
type interim struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	stopped bool
}

func (i *interim) got(code int, header textproto.MIMEHeader) error {
	if code == http.StatusContinue || code == http.StatusSwitchingProtocols {
		return nil // between two hops: the client is told to continue when its body is read
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stopped {
		return nil
	}
	to := i.w.Header()
	removeHopByHop(http.Header(header))
	for name, values := range header {
		to[name] = values
	}
	i.w.WriteHeader(code)
	clear(to)
	return nil
}

func (i *interim) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stopped = true
}

// outgoing makes the request for the origin.
func (f *flight) outgoing(t *transport, to *backendTransport, b *Backend) *http.Request {
	in := &f.x.Request
	out := &http.Request{
		Method: f.r.Method, URL: originURL(to.scheme, b.Address, f.match.OriginPath(in.Path), f.r.RequestURI),
		Host: f.r.Host, Header: make(http.Header, len(f.r.Header)+4), ContentLength: f.r.ContentLength, Body: http.NoBody,
		Proto: "HTTP/2.0", ProtoMajor: 2,
	}
	if f.upload != nil {
		out.Body = f.upload
		f.announce(out)
	}
	for name, values := range f.r.Header {
		if !f.own[name] && !clientaddr.Removes(name) {
			out.Header[name] = values
		}
	}
	trailers := t.http2 && strings.EqualFold(f.r.Header.Get("Te"), "trailers")
	removeHopByHop(out.Header)
	if trailers {
		out.Header.Set("Te", "trailers") // gRPC servers insist on it
	}
	if !f.config.HideClient {
		f.tellClient(out.Header)
	}
	for _, field := range f.match.Target.Fields {
		out.Header.Del(field.Name)
	}
	for _, field := range f.match.Target.Fields {
		out.Header.Add(field.Name, field.Value)
	}
	for _, field := range f.passage.RequestFields() {
		out.Header.Set(field.Name, field.Value)
	}
	if f.config.Via != "" {
		out.Header.Add("Via", "2.0 "+f.config.Via)
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // not net/http's own
	}
	return out
}

// tellClient says who sent the request.
func (f *flight) tellClient(header http.Header) {
	f.x.sent = f.config.Clients.AppendFields(f.x.sent[:0], &f.x.client)
	for _, field := range f.x.sent {
		header[http.CanonicalHeaderKey(field.Name)] = []string{field.Value}
	}
}

// announce has the trailers of the request sent on that the client announced.
func (f *flight) announce(out *http.Request) {
	if len(f.r.Trailer) == 0 {
		return
	}
	out.Trailer = make(http.Header, len(f.r.Trailer))
	for name := range f.r.Trailer {
		out.Trailer[name] = nil
	}
	f.upload.trailer = func() {
		for name, values := range f.r.Trailer {
			out.Trailer[name] = values
		}
	}
}

// originURL returns a URL that is written as path and query came.
func originURL(scheme, host, path, uri string) *url.URL {
	u := &url.URL{Scheme: scheme, Host: host, Opaque: path}
	if _, query, ok := strings.Cut(uri, "?"); ok {
		u.RawQuery, u.ForceQuery = query, query == ""
	}
	if strings.HasPrefix(path, "//") { // net/url would take it for a host
		u.Opaque = ""
		u.RawPath = path
		u.Path = path
		if decoded, err := url.PathUnescape(path); err == nil {
			u.Path = decoded
		}
	}
	return u
}

// hopByHop are the fields that are between two hops (RFC 9110, section 7.6.1), and what Connection names besides.
var hopByHop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate",
	"Proxy-Authorization", "Trailer",
}

func removeHopByHop(header http.Header) {
	for _, value := range header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = textproto.TrimString(name); name != "" {
				header.Del(name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(header, name)
	}
}

// answer passes an answer on.
func (f *flight) answer(response *http.Response, b *Backend) {
	outcome := NoOutcome // when the client goes away
	defer func() {
		_ = response.Body.Close()
		b.Release(outcome)
	}()
	removeHopByHop(response.Header)
	f.x.answered(response.StatusCode, response.Header)
	f.x.download.wanted = f.config.Guard.NeedsResponseBody(&f.x.Exchange)
	header := f.w.Header()
	for name, values := range response.Header {
		header[name] = values
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // it is not for us to guess
	}
	for _, field := range f.passage.ResponseFields() {
		header.Add(field.Name, field.Value)
	}
	announced := len(response.Trailer)
	for name := range response.Trailer {
		header.Add("Trailer", name)
	}
	f.w.WriteHeader(response.StatusCode)
	if err := f.copy(response); err != nil {
		if !errors.Is(err, errClientGone) {
			outcome = Failed
		}
		f.abort()
	}
	outcome = Succeeded
	f.sendTrailer(response.Trailer, announced)
	f.endOrAbort()
}

// errClientGone says that the fault is not the origin's.
var errClientGone = errors.New("the client went away")

// copy passes the body of an answer on. What completes a body of known length is kept back until the exchange is recorded:
// with it, a client would have all.
func (f *flight) copy(response *http.Response) error {
	streamed := response.ContentLength < 0
	if streamed && f.r.Method != http.MethodHead {
		if err := f.control.Flush(); err != nil {
			return errClientGone
		}
	}
	buffer := f.buffers.Get().(*[copyBuffer]byte)
	defer f.buffers.Put(buffer)
	left := response.ContentLength
	for {
		n, err := response.Body.Read(buffer[:])
		if n > 0 {
			f.x.download.add(buffer[:n])
			if left -= int64(n); left == 0 {
				if err := f.endOfBody(response); err != nil {
					return err
				}
				f.endOrAbort()
			}
			if _, err := f.w.Write(buffer[:n]); err != nil {
				return errClientGone
			}
			if streamed {
				if err := f.control.Flush(); err != nil {
					return errClientGone
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, context.Canceled) && f.r.Context().Err() != nil:
			return errClientGone
		case err != nil:
			return err
		}
	}
}

// endOfBody reads to the end of a body of which all bytes are there: trailers may follow.
func (f *flight) endOfBody(response *http.Response) error {
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	f.trailer = response.Trailer
	return nil
}

// sendTrailer sends what follows the body, with the names that nobody announced.
func (f *flight) sendTrailer(trailer http.Header, announced int) {
	if len(trailer) == 0 {
		return
	}
	f.trailer = trailer
	header := f.w.Header()
	prefix := ""
	if len(trailer) != announced {
		prefix = http.TrailerPrefix
	}
	for name, values := range trailer {
		header[prefix+name] = values
	}
	_ = f.control.Flush() // so that there is a body to follow
}
