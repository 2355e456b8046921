package gateway

import (
	"context"
	"net"
	"net/http"
	"time"
)

// TransportConfig says how [Transport] speaks to the servers of a pool.
type TransportConfig struct {
	// HTTP2 speaks HTTP/2: after TLS, or with prior knowledge where the servers are plain. gRPC wants it. Otherwise HTTP/1.1
	// is spoken.
	HTTP2 bool
}

const (
	// originPing finds connections to servers that died, which over HTTP/2 carry many requests each.
	originPing, originPingTimeout = 30 * time.Second, 10 * time.Second
	// maxOriginHeader bounds the head of a response.
	maxOriginHeader = 256 << 10
	// expectContinue is how long a server may think before the body is sent to it all the same (RFC 9110, section 10.1.1).
	expectContinue = time.Second
)

// Transport sends requests that do not come by HTTP/1.1 to the servers of a pool, by net/http. The pool chooses the server, and
// what becomes of the request counts there; connections are its own.
type Transport struct {
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

// NewTransport returns a transport for the servers of pool. It has to be closed.
func NewTransport(pool *Pool, config TransportConfig) *Transport {
	t := &Transport{pool: pool, http2: config.HTTP2, backends: make([]backendTransport, len(pool.Servers()))}
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

func (t *Transport) newHTTP(b *Backend) *http.Transport {
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

// Close closes the connections that are not in use. Requests under way go on.
func (t *Transport) Close() {
	for i := range t.backends {
		t.backends[i].usual.CloseIdleConnections()
		t.backends[i].endless.CloseIdleConnections()
	}
}
