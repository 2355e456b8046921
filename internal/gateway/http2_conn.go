package gateway

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/seshat-project/seshat/internal/clientaddr"
)

// HTTP2Config is what the gateway needs for connections that speak HTTP/2.
type HTTP2Config struct {
	Guard   Guard
	Routing *Routing
	Clients *clientaddr.Resolver
	// Via is the pseudonym in the Via field; none is added when it is empty.
	Via string

	// HideClient sends the origin nothing about the client. What the client says of itself is removed all the same.
	HideClient bool
	// MaxBody bounds the bodies of requests; 0 is no bound: they are streamed.
	MaxBody int64

	MaxHeaderBytes int           // of a request; 0 is DefaultHTTP2HeaderBytes
	MaxStreams     int           // at a time on one connection; 0 is DefaultMaxStreams
	IdleTimeout    time.Duration // of a connection without requests; 0 is DefaultHTTP2Idle
	// StallTimeout ends a connection that takes nothing of what is to be written, or says nothing and answers no ping.
	StallTimeout time.Duration // 0 is DefaultStallTimeout
	// BodyTimeout is how long the next piece of a request's body may take; not for gRPC, whose streams may rest.
	BodyTimeout time.Duration // 0 is DefaultBodyTimeout
	// EndTimeout bounds how long the journal may keep the end of an answer back where the configuration says fail-closed.
	EndTimeout time.Duration // 0 is DefaultEndTimeout

	Now func() time.Time // nil is time.Now
	Log *slog.Logger     // nil is slog.Default()
}

// Defaults of [HTTP2Config].
const (
	DefaultHTTP2HeaderBytes = 64 << 10
	// DefaultMaxStreams is how many requests one connection may have under way. RFC 9113 recommends 100 at least; browsers
	// use some tens, and each costs a goroutine and 32 KiB of buffers.
	DefaultMaxStreams   = 128
	DefaultHTTP2Idle    = 3 * time.Minute
	DefaultStallTimeout = 30 * time.Second
	DefaultBodyTimeout  = time.Minute
	DefaultEndTimeout   = 10 * time.Second
	// goAwayGrace is how long a connection that was told to go away may still bring requests that were on their way.
	goAwayGrace = 200 * time.Millisecond
)

// HTTP2 serves connections that speak HTTP/2, encrypted or with prior knowledge.
type HTTP2 struct {
	config  HTTP2Config
	own     map[string]bool // canonical names of fields that only Seshat sets
	buffers sync.Pool       // *[copyBuffer]byte
	scratch sync.Pool       // *exchange
	counts  http2Counts

	mu      sync.Mutex
	servers map[context.Context]*http2Server
	conns   map[net.Conn]*http2Conn
}

// NewHTTP2 returns a server of HTTP/2 connections.
func NewHTTP2(config HTTP2Config) (*HTTP2, error) {
	if config.Guard == nil || config.Routing == nil || config.Clients == nil {
		return nil, errors.New("gateway: an HTTP/2 server needs Guard, Routing and Clients")
	}
	number(&config.MaxHeaderBytes, DefaultHTTP2HeaderBytes)
	number(&config.MaxStreams, DefaultMaxStreams)
	duration(&config.IdleTimeout, DefaultHTTP2Idle)
	duration(&config.StallTimeout, DefaultStallTimeout)
	duration(&config.BodyTimeout, DefaultBodyTimeout)
	duration(&config.EndTimeout, DefaultEndTimeout)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	h := &HTTP2{
		config: config, own: map[string]bool{},
		servers: map[context.Context]*http2Server{}, conns: map[net.Conn]*http2Conn{},
	}
	for _, name := range config.Guard.OwnFields() {
		h.own[http.CanonicalHeaderKey(name)] = true
	}
	h.buffers.New = func() any { return new([copyBuffer]byte) }
	h.scratch.New = func() any { return new(exchange) }
	return h, nil
}

// http2Conn is a connection that is served.
type http2Conn struct {
	info ConnInfo
	end  func() // once
}

type connKey struct{}

// ServeConn serves a connection until it ends. It speaks HTTP/2, but for what [Config.Handover] brings. Once ctx is done the client is told
// to go away, and the connection ends with the requests under way.
func (h *HTTP2) ServeConn(ctx context.Context, conn net.Conn, info ConnInfo) {
	if len(info.Read) > 0 {
		conn, info.Read = &replayed{Conn: conn, read: info.Read}, nil
	}
	ended := make(chan struct{})
	c := &http2Conn{info: info, end: sync.OnceFunc(func() { close(ended) })}
	h.mu.Lock()
	server := h.servers[ctx]
	if server == nil {
		server = h.newServer(ctx)
		h.servers[ctx] = server
	}
	h.conns[conn] = c
	h.mu.Unlock()
	select {
	case server.conns <- conn:
		<-ended
	case <-server.closed:
		_ = conn.Close()
	}
	h.mu.Lock()
	delete(h.conns, conn)
	h.mu.Unlock()
}

// http2Server is the net/http server of the connections that end together. It is their net.Listener.
type http2Server struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

// newServer starts a server for connections that end when ctx is done.
func (h *HTTP2) newServer(ctx context.Context) *http2Server {
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP1(true) // of connections that are handed over
	s := &http2Server{conns: make(chan net.Conn), closed: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	server := &http.Server{
		Handler: h, Protocols: &protocols, MaxHeaderBytes: h.config.MaxHeaderBytes, IdleTimeout: h.config.IdleTimeout,
		ReadHeaderTimeout: h.config.StallTimeout, // for the preface
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: h.config.MaxStreams, WriteByteTimeout: h.config.StallTimeout,
			SendPingTimeout: h.config.StallTimeout, PingTimeout: h.config.StallTimeout / 2,
			CountError: func(string) { h.counts.protocolErrors.Add(1) },
		},
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			h.mu.Lock()
			defer h.mu.Unlock()
			return context.WithValue(ctx, connKey{}, h.conns[conn])
		},
		ConnState: h.connState,
		ErrorLog:  log.New(debugWriter{h.config.Log}, "", 0),
	}
	go func() { _ = server.Serve(s) }()
	context.AfterFunc(ctx, func() {
		_ = server.Shutdown(context.Background()) // ends when the last connection has
		h.mu.Lock()
		delete(h.servers, ctx)
		h.mu.Unlock()
	})
	return s
}

// connState ends the wait for a connection that was closed.
func (h *HTTP2) connState(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	h.mu.Lock()
	c := h.conns[conn]
	h.mu.Unlock()
	if c != nil {
		c.end()
	}
}

// Accept implements net.Listener.
func (s *http2Server) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		// Shutdown waits for this before it closes connections on which nothing goes on. They have been told to go away
		// by then.
		time.Sleep(goAwayGrace)
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *http2Server) Close() error {
	s.close()
	return nil
}

// Addr implements net.Listener. Nobody asks.
func (s *http2Server) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPort{}) }

// debugWriter takes what net/http says of its clients' faults, which is theirs to fix.
type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(p []byte) (int, error) {
	w.log.Debug("HTTP/2", "message", string(p))
	return len(p), nil
}
