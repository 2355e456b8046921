package listener

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Handler takes connections over. Its methods return when the connection has ended, and have closed it. Once ctx is done
// the listener drains: what is under way should end, and the connection with it; ctx says nothing else.
type Handler interface {
	// ServeHTTP1 gets a *tls.Conn after its handshake, a *net.TCPConn, or a *Conn.
	ServeHTTP1(ctx context.Context, conn net.Conn, info Info)
	// ServeHTTP2 gets the same. The client's preface has not been read.
	ServeHTTP2(ctx context.Context, conn net.Conn, info Info)
}

// Server accepts connections.
type Server struct {
	config  Config
	handler Handler
	tls     *tls.Config // nil when plain

	draining context.Context // what handlers get
	drain    context.CancelFunc
	handlers sync.WaitGroup

	mu      sync.Mutex
	sockets map[net.Listener]struct{}
	conns   map[net.Conn]phase // sockets of accepted connections
	perIP   map[netip.Addr]int
	closed  bool

	counts counters
}

// phase is how far a connection has come.
type phase uint8

const (
	phaseWaiting phase = iota // it has said nothing that matters: closing it loses nothing
	phaseServing              // the handler has it
)

// ErrClosed is returned by Serve once the listener drains.
var ErrClosed = errors.New("the listener is closed")

// New returns a listener that hands its connections to handler, or an error that names every fault of config.
func New(config Config, handler Handler) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	s := &Server{
		config: config, handler: handler,
		sockets: map[net.Listener]struct{}{}, conns: map[net.Conn]phase{}, perIP: map[netip.Addr]int{},
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	if config.Certificates != nil {
		s.tls = newTLSConfig(config)
	}
	return s, nil
}

// Serve accepts connections from socket until the listener drains, and then returns ErrClosed. It may be called for several
// sockets. Any other error means that the socket is broken.
func (s *Server) Serve(socket net.Listener) error {
	if !s.addSocket(socket) {
		_ = socket.Close()
		return ErrClosed
	}
	defer s.removeSocket(socket)
	var pause time.Duration
	for {
		conn, err := socket.Accept()
		if err == nil {
			pause = 0
			s.accepted(conn)
			continue
		}
		if s.draining.Err() != nil {
			return ErrClosed
		}
		if !temporary(err) {
			return fmt.Errorf("accept: %w", err)
		}
		s.counts.acceptErrors.Add(1)
		pause = nextPause(pause)
		s.config.Log.Warn("connections cannot be accepted", "error", err, "again_in", pause)
		select {
		case <-time.After(pause):
		case <-s.draining.Done():
			return ErrClosed
		}
	}
}

// nextPause doubles the pause after an error such as "too many open files", which ends when connections do.
func nextPause(last time.Duration) time.Duration {
	const shortest, longest = 5 * time.Millisecond, time.Second
	return min(max(2*last, shortest), longest)
}

// temporary reports whether accepting may succeed later. A closed socket stays closed; errors of the process (too many
// files, no memory) and of a single connection (reset before it was accepted) pass.
func temporary(err error) bool { return !errors.Is(err, net.ErrClosed) }

func (s *Server) addSocket(socket net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.sockets[socket] = struct{}{}
	return true
}

func (s *Server) removeSocket(socket net.Listener) {
	s.mu.Lock()
	delete(s.sockets, socket)
	s.mu.Unlock()
	_ = socket.Close()
}

// accepted takes a new connection if there is room.
func (s *Server) accepted(conn net.Conn) {
	s.counts.accepted.Add(1)
	s.mu.Lock()
	room := !s.closed && len(s.conns) < s.config.MaxConnections
	if room {
		s.conns[conn] = phaseWaiting
		s.handlers.Add(1)
	}
	s.mu.Unlock()
	if !room {
		s.counts.refusedFull.Add(1)
		_ = conn.Close()
		return
	}
	go s.serve(conn)
}

// serve brings a connection as far as its handler.
func (s *Server) serve(socket net.Conn) {
	defer s.handlers.Done()
	defer s.forget(socket)
	info := Info{Peer: addrPort(socket.RemoteAddr()), Local: addrPort(socket.LocalAddr())}
	conn, ok := s.proxied(socket, &info)
	if !ok {
		return
	}
	key := perIPKey(info.Peer.Addr())
	if !s.countIP(key) {
		s.counts.refusedPerIP.Add(1)
		return
	}
	defer s.uncountIP(key)
	if s.tls != nil {
		s.serveTLS(socket, conn, info)
		return
	}
	conn, two, err := s.sniff(conn)
	if err != nil {
		s.counts.silent.Add(1)
		return
	}
	s.hand(socket, conn, info, two)
}

// proxied reads the PROXY header where one is expected.
func (s *Server) proxied(socket net.Conn, info *Info) (net.Conn, bool) {
	if len(s.config.ProxyFrom) == 0 {
		return socket, true
	}
	if !contains(s.config.ProxyFrom, info.Peer.Addr().WithZone("")) {
		s.counts.proxyUntrusted.Add(1)
		s.config.Log.Debug("a connection does not come from a source of PROXY headers", "peer", info.Peer)
		return nil, false
	}
	header, rest, err := readProxyHeader(socket, s.config.HeaderTimeout)
	if err != nil {
		s.counts.proxyMalformed.Add(1)
		s.config.Log.Debug("a PROXY header cannot be read", "peer", info.Peer, "error", err)
		return nil, false
	}
	if !header.local {
		info.Proxy, info.Peer, info.Local = info.Peer.Addr(), header.source, header.destination
	}
	if len(rest) == 0 {
		return socket, true
	}
	return &Conn{Conn: socket, early: rest}, true
}

// hand gives a connection to the handler.
func (s *Server) hand(socket, conn net.Conn, info Info, two bool) {
	s.mu.Lock()
	if s.closed { // and Drain has closed the connection
		s.mu.Unlock()
		return
	}
	s.conns[socket] = phaseServing
	s.mu.Unlock()
	if two {
		s.counts.http2.Add(1)
		s.handler.ServeHTTP2(s.draining, conn, info)
		return
	}
	s.counts.http1.Add(1)
	s.handler.ServeHTTP1(s.draining, conn, info)
}

// forget closes a connection, if its handler did not, and makes room.
func (s *Server) forget(socket net.Conn) {
	_ = socket.Close()
	s.mu.Lock()
	delete(s.conns, socket)
	s.mu.Unlock()
}

// perIPKey is what connections are counted by: the network of an IPv6 client, who has all of its addresses.
func perIPKey(a netip.Addr) netip.Addr {
	const network = 64
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(network); err == nil {
			return p.Addr()
		}
	}
	return a
}

func (s *Server) countIP(key netip.Addr) bool {
	if s.config.MaxConnectionsPerIP == 0 || contains(s.config.PerIPExempt, key) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perIP[key] >= s.config.MaxConnectionsPerIP {
		return false
	}
	s.perIP[key]++
	return true
}

func (s *Server) uncountIP(key netip.Addr) {
	if s.config.MaxConnectionsPerIP == 0 || contains(s.config.PerIPExempt, key) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perIP[key]--; s.perIP[key] == 0 {
		delete(s.perIP, key)
	}
}

// Drain stops accepting, tells the handlers, and waits for them. When ctx ends first, what is left is closed and the error
// says how much that was.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.drain() // before the sockets close, so that Serve knows why they do
	for socket := range s.sockets {
		_ = socket.Close()
	}
	for conn, phase := range s.conns {
		if phase == phaseWaiting {
			_ = conn.Close()
		}
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.handlers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	left := len(s.conns)
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	<-done
	if left == 0 {
		return nil
	}
	return fmt.Errorf("%d connections were closed before they ended: %w", left, ctx.Err())
}
