package gateway

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// originPing finds connections to servers that died, which over HTTP/2 carry many requests each.
	originPing, originPingTimeout = 30 * time.Second, 10 * time.Second
	// maxOriginHeader bounds the head of a response.
	maxOriginHeader = 256 << 10
	// expectContinue is how long a server may think before the body is sent to it all the same (RFC 9110, section 10.1.1).
	expectContinue = time.Second
)

// transport sends requests that do not come by HTTP/1.1 to the servers of a pool, by net/http. The pool chooses the server, and
// what becomes of the request counts there; connections are its own.
type transport struct {
	pool     *Pool
	http2    bool
	backends []backendTransport // by Backend.Place
}

// backendTransport has the connections to one server.
type backendTransport struct {
	scheme  string
	usual   *http.Transport
	endless *http.Transport // for gRPC, whose answers may take as long as they like
}

// newTransport returns a transport for the servers of pool. HTTP/2 is spoken after TLS, or with prior knowledge where the
// servers are plain.
func newTransport(pool *Pool, http2 bool) *transport {
	t := &transport{pool: pool, http2: http2, backends: make([]backendTransport, len(pool.Servers()))}
	for i, b := range pool.Servers() {
		to := &t.backends[i]
		to.scheme = "http"
		if b.TLS != nil {
			to.scheme = "https"
		}
		to.usual, to.endless = t.newHTTP(b), t.newHTTP(b)
		to.usual.ResponseHeaderTimeout = pool.config.Response
	}
	return t
}

func (t *transport) newHTTP(b *Backend) *http.Transport {
	var protocols http.Protocols
	if t.http2 {
		protocols.SetHTTP2(true)
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP1(true)
	}
	config := &t.pool.config
	out := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, config.Connect)
			defer cancel()
			return config.Dial(ctx, network, b.Address)
		},
		Protocols: &protocols, TLSHandshakeTimeout: config.Connect, DisableCompression: true,
		MaxIdleConnsPerHost: config.MaxIdle, IdleConnTimeout: config.Idle,
		ExpectContinueTimeout: expectContinue, MaxResponseHeaderBytes: maxOriginHeader,
		HTTP2: &http.HTTP2Config{SendPingTimeout: originPing, PingTimeout: originPingTimeout},
	}
	if b.TLS != nil {
		out.TLSClientConfig = b.TLS.Clone()
		out.TLSClientConfig.NextProtos = nil // as the protocols say
	}
	return out
}

// close closes the connections that are not in use. Requests under way go on.
func (t *transport) close() {
	for i := range t.backends {
		t.backends[i].usual.CloseIdleConnections()
		t.backends[i].endless.CloseIdleConnections()
	}
}

// transports are the transports of a pool: for servers that speak HTTP/1.1, and for those that speak HTTP/2. They are made
// when they are first used.
type transports struct {
	mu sync.Mutex
	of [2]*transport
}

// transport is the way to the servers by net/http.
func (p *Pool) transport(http2 bool) *transport {
	i := 0
	if http2 {
		i = 1
	}
	p.transports.mu.Lock()
	defer p.transports.mu.Unlock()
	if p.transports.of[i] == nil {
		p.transports.of[i] = newTransport(p, http2)
	}
	return p.transports.of[i]
}

func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.of {
		if one != nil {
			one.close()
		}
	}
}
