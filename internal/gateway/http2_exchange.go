package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// exchange is what a request and its answer are described by, in memory that is used again.
type exchange struct {
	seshat.Exchange
	client   clientaddr.Client
	request  []seshat.Field
	response []seshat.Field
	sent     []seshat.Field // to the origin, of the forwarding kind
	codings  ingest.Codings
	download captured
}

// captured keeps the beginning of a body.
type captured struct {
	wanted bool
	bytes  []byte
	size   int64
}

// room is how many more bytes are wanted.
func (c *captured) room() int {
	if !c.wanted {
		return 0
	}
	return pipeline.MaxBody - len(c.bytes)
}

func (c *captured) add(p []byte) {
	c.size += int64(len(p))
	c.bytes = append(c.bytes, p[:min(len(p), c.room())]...)
}

func (c *captured) body() seshat.Body {
	return seshat.Body{Bytes: c.bytes, Size: c.size, Truncated: int64(len(c.bytes)) < c.size}
}

func (x *exchange) reset() {
	clear(x.request)
	clear(x.response)
	clear(x.sent)
	*x = exchange{
		client: clientaddr.Client{Proxies: x.client.Proxies[:0]}, request: x.request[:0], response: x.response[:0],
		sent: x.sent[:0], codings: x.codings,
		download: captured{bytes: x.download.bytes[:0]},
	}
}

// fields appends a header. The order of different fields is not known any more; that of the lines of one is.
func fields(dst []seshat.Field, header http.Header) []seshat.Field {
	for name, values := range header {
		for _, value := range values {
			dst = append(dst, seshat.Field{Name: name, Value: value})
		}
	}
	return dst
}

// begin describes a request.
func (x *exchange) begin(r *http.Request, conn *ConnInfo, clients *clientaddr.Resolver, now time.Time) {
	x.request = fields(x.request, r.Header)
	clients.Resolve(clientaddr.Connection{Peer: conn.Peer, TLS: conn.TLS, Host: r.Host}, x.request, &x.client)
	path, query, _ := strings.Cut(r.RequestURI, "?")
	x.Time = now
	x.Client = seshat.Client{IP: x.client.IP, JA4: conn.JA4}
	x.Request = seshat.Request{
		Method: r.Method, Scheme: x.client.Scheme, Host: x.client.Host, Path: path, Query: query,
		HTTPVersion: version(r), Header: x.request,
	}
	if len(x.client.Proxies) > 0 {
		x.Client.JA4 = "" // it is the proxy's
	}
}

// version is the version of HTTP, as exchanges have it.
func version(r *http.Request) string {
	switch {
	case r.ProtoMajor == 2:
		return "2"
	case r.ProtoMinor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}

// label says where the request goes.
func (x *exchange) label(route *Route) {
	if route != nil {
		x.Environment, x.Service = route.Environment, route.Service
	}
	if x.Service == "" {
		x.Service = ingest.Service(x.Request.Scheme, x.Request.Host)
	}
}

// answered describes an answer, as far as it is known before its body.
func (x *exchange) answered(status int, header http.Header) {
	x.response = fields(x.response[:0], header)
	x.Response = seshat.Response{Status: status, Header: x.response}
}

// end describes what is known once it is over.
func (x *exchange) end(now time.Time, trailer http.Header) {
	x.Duration = now.Sub(x.Time)
	// The status of a gRPC call is in the trailers: rules look for it where they look for fields.
	x.response = fields(x.response, trailer)
	x.Response.Header = x.response
	x.Response.Body = x.download.body()
	x.codings.Remove(x.response, &x.Response.Body)
}
