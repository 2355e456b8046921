package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/http1"
)

// Timeouts bound what clients may take. Zero values are replaced by the defaults.
type Timeouts struct {
	// Header bounds the time from the first byte of a request to the end of its head.
	Header time.Duration
	// Body bounds the time without a byte of a body, in either direction, and of writing to a client that does not read.
	Body time.Duration
	// KeepAlive bounds the time between two requests, and from the connection to the first.
	KeepAlive time.Duration
	// Tunnel bounds the time without a byte in a WebSocket or another tunnel.
	Tunnel time.Duration
	// Linger bounds how long bytes of a client are read and thrown away before its connection is closed, so that it can
	// read the answer (RFC 9112, section 9.6).
	Linger time.Duration
}

const (
	defaultHeader    = 10 * time.Second
	defaultBody      = 60 * time.Second
	defaultKeepAlive = 75 * time.Second
	defaultTunnel    = 10 * time.Minute
	defaultLinger    = 2 * time.Second
)

func (t *Timeouts) fill() {
	duration(&t.Header, defaultHeader)
	duration(&t.Body, defaultBody)
	duration(&t.KeepAlive, defaultKeepAlive)
	duration(&t.Tunnel, defaultTunnel)
	duration(&t.Linger, defaultLinger)
}

// Config is how a gateway works.
type Config struct {
	Guard   Guard
	Routing *Routing
	// Clients tells clients from proxies. Nil: the peer is the client.
	Clients *clientaddr.Resolver
	// HideClient sends the origin nothing about the client. What the client says of itself is removed all the same.
	HideClient bool
	// Limits bound the heads of requests. Those of responses may be as long, but twice at least as what is the default.
	Limits http1.Limits
	// MaxBody bounds the bodies of requests, as their content; 0 is no bound: they are streamed.
	MaxBody  int64
	Timeouts Timeouts
	// Via is the pseudonym in the Via field (RFC 9110, section 7.6.3); no such field is added when it is empty.
	Via    string
	Logger *slog.Logger
	// Handover takes over a connection whose next request goes to a target that this loop does not speak the protocol
	// of; see [Target]. Preface takes over a plain connection that starts as HTTP/2 does. What was read from them already
	// is read from them again. Without them such requests are refused.
	Handover func(ctx context.Context, conn net.Conn, info ConnInfo)
	Preface  func(ctx context.Context, conn net.Conn, info ConnInfo)
}

// ConnInfo is what is known of a connection before anything is read from it.
type ConnInfo struct {
	Peer netip.Addr // who connected, by the PROXY protocol where a trusted proxy speaks it
	TLS  bool
	JA4  string
	// Read are bytes that were read from the connection already.
	Read []byte
}

// Server serves HTTP/1.1. It is safe for concurrent use.
type Server struct {
	config  Config
	own     []ownField
	sweeper *sweeper
	buffers buffers
	works   sync.Pool
	counts  counts
	refused refusedCounts

	looked   int64 // after clients, the last time; the sweeper's
	draining atomic.Bool
	serial   atomic.Uint32
	mutex    sync.Mutex
	conns    map[*conn]struct{}
	empty    chan struct{} // closed once draining is done; nil before
}

// New returns a server. It has to be closed.
func New(config Config) (*Server, error) {
	if config.Guard == nil || config.Routing == nil {
		return nil, errors.New("a gateway needs a guard and routes")
	}
	config.Timeouts.fill()
	if config.Limits.HeadBytes <= 0 {
		config.Limits.HeadBytes = http1.DefaultHeadBytes
	}
	if config.Clients == nil {
		var err error
		if config.Clients, err = clientaddr.New(clientaddr.Config{}); err != nil {
			return nil, err
		}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: config, conns: map[*conn]struct{}{}, own: ownFields(config.Guard.OwnFields())}
	t := config.Timeouts
	s.sweeper = newSweeper(min(t.Header, t.Body, t.KeepAlive, t.Tunnel, t.Linger), s.lookAfterClients)
	s.sweeper.start()
	s.works.New = func() any { return new(work) }
	return s, nil
}

// ServeConn serves the requests of a connection until it is closed, by either side. It closes it. Once ctx is done the
// connection ends with the request that goes on, which is not cut off.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn, info ConnInfo) {
	if early, ok := nc.(interface{ Unread() (net.Conn, []byte) }); ok && len(info.Read) == 0 {
		nc, info.Read = early.Unread() // the socket itself can do more than what is around it
	}
	c := &conn{server: s, ctx: context.WithoutCancel(ctx), until: ctx, info: info, in: newLink(nc, s.sweeper, &s.buffers, smallBuffer)}
	c.counts = s.counts.stripe(s.serial.Add(1))
	if len(info.Read) > 0 {
		c.in.buf = s.buffers.get(len(info.Read))
		c.in.w = copy(c.in.buf, info.Read)
		c.info.Read = nil
	}
	if !s.enter(c) {
		c.in.close()
		return
	}
	defer s.leave(c)
	defer c.finish()
	defer context.AfterFunc(ctx, c.leave)()
	for c.next() {
		continue
	}
}

func (s *Server) enter(c *conn) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.draining.Load() {
		return false
	}
	s.conns[c] = struct{}{}
	c.counts.opened.Add(1)
	return true
}

func (s *Server) leave(c *conn) {
	c.counts.closed.Add(1)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.conns, c)
	if s.empty != nil && len(s.conns) == 0 {
		close(s.empty)
		s.empty = nil
	}
}

// finish ends a connection and what goes on on it, also when something panicked.
func (c *conn) finish() {
	if r := recover(); r != nil {
		c.counts.panics.Add(1)
		c.server.config.Logger.Error("a request made the gateway panic", "panic", r, "stack", string(debug.Stack()))
		c.in.reset()
		if c.work != nil {
			c.work.abandon(c)
		}
	}
	c.putWork()
	if !c.handed {
		c.in.close()
	}
}

// Drain lets the requests that go on finish, closes connections that wait for one, and returns when none is left. When ctx
// is done before, it closes those that are left and returns an error.
func (s *Server) Drain(ctx context.Context) error {
	empty := make(chan struct{})
	s.mutex.Lock()
	s.draining.Store(true)
	if len(s.conns) == 0 {
		s.mutex.Unlock()
		return nil
	}
	if s.empty == nil {
		s.empty = empty
	} else {
		empty = s.empty
	}
	for c := range s.conns {
		c.hurry()
	}
	s.mutex.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	s.mutex.Lock()
	for c := range s.conns {
		c.kill()
	}
	s.mutex.Unlock()
	return ctx.Err()
}

// Close closes every connection at once.
func (s *Server) Close() {
	s.mutex.Lock()
	s.draining.Store(true)
	for c := range s.conns {
		c.kill()
	}
	s.mutex.Unlock()
	s.sweeper.close()
}
