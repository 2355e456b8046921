package listener

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const deadline = 10 * time.Second

// handed is a connection that the handler got.
type handed struct {
	conn net.Conn
	info Info
	two  bool
	ctx  context.Context
	done chan struct{} // closed by the test when the handler may return
}

// recorder hands what it gets to the test.
type recorder chan *handed

func (r recorder) take(ctx context.Context, conn net.Conn, info Info, two bool) {
	h := &handed{conn: conn, info: info, two: two, ctx: ctx, done: make(chan struct{})}
	r <- h
	<-h.done
	_ = conn.Close()
}

func (r recorder) ServeHTTP1(ctx context.Context, conn net.Conn, info Info) {
	r.take(ctx, conn, info, false)
}

func (r recorder) ServeHTTP2(ctx context.Context, conn net.Conn, info Info) {
	r.take(ctx, conn, info, true)
}

// next waits for a connection to be handed over.
func (r recorder) next(t *testing.T) *handed {
	t.Helper()
	select {
	case h := <-r:
		t.Cleanup(h.end)
		_ = h.conn.SetDeadline(time.Now().Add(deadline))
		return h
	case <-time.After(deadline):
		t.Fatal("no connection was handed over")
		return nil
	}
}

func (h *handed) end() {
	select {
	case <-h.done:
	default:
		close(h.done)
	}
}

func (h *handed) read(t *testing.T, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(h.conn, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// start serves on a free port of loopback.
func start(t *testing.T, config Config) (*Server, recorder, string) {
	t.Helper()
	handler := make(recorder, 16)
	s, err := New(config, handler)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(socket) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		go func() {
			for h := range handler {
				h.end()
			}
		}()
		_ = s.Drain(ctx)
		close(handler)
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return s, handler, socket.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(deadline))
	return conn
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// refused waits until the other end closes.
func refused(t *testing.T, conn net.Conn) {
	t.Helper()
	n, err := io.Copy(io.Discard, conn)
	var timeout net.Error
	if n > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("the connection goes on: %d bytes, %v", n, err)
	}
}

func TestPlainConnections(t *testing.T) {
	_, handler, address := start(t, Config{})
	f := func(text string, two bool, pieces ...string) {
		t.Helper()
		conn := dial(t, address)
		for _, piece := range pieces {
			send(t, conn, piece)
		}
		h := handler.next(t)
		if got := h.read(t, len(text)); got != text || h.two != two {
			t.Errorf("%q: handed over %q, HTTP/2 %v", text, got, h.two)
		}
		if h.info.Peer.String() != conn.LocalAddr().String() || h.info.Local.String() != address || h.info.TLS != nil || h.info.JA4 != "" {
			t.Errorf("%+v", h.info)
		}
		h.end()
	}
	get := "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
	f(get, false, get)
	f("POST / HTTP/1.1\r\n", false, "P", "O", "ST / HTTP/1.1\r\n")
	f("PRI * HTTP/1.1\r\n", false, "PRI * HTTP", "/1.1\r\n")
	f(preface+"\x00\x00\x00\x04", true, preface+"\x00\x00\x00\x04")
	pieces := strings.Split(preface, "")
	f(preface, true, pieces...)
}

func TestHTTP2CanBeOff(t *testing.T) {
	_, handler, address := start(t, Config{NoHTTP2: true})
	send(t, dial(t, address), preface)
	h := handler.next(t)
	if h.read(t, len(preface)) != preface || h.two {
		t.Error("HTTP/2 was recognised")
	}
	if _, ok := h.conn.(*net.TCPConn); !ok {
		t.Errorf("nothing was read, and a %T is handed over", h.conn)
	}
}

func TestSilentConnectionsEnd(t *testing.T) {
	s, _, address := start(t, Config{FirstByteTimeout: 20 * time.Millisecond})
	conn := dial(t, address)
	send(t, conn, "PRI * ")
	refused(t, conn)
	if got := s.Stats().Silent; got != 1 {
		t.Errorf("%d silent connections", got)
	}
}

func TestProxyProtocol(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s, handler, address := start(t, Config{ProxyFrom: loopback, HeaderTimeout: 50 * time.Millisecond})
	f := func(header, peer string, proxied bool) {
		t.Helper()
		conn := dial(t, address)
		send(t, conn, header+"GET / HTTP/1.1\r\n")
		h := handler.next(t)
		if got := h.read(t, 16); got != "GET / HTTP/1.1\r\n" {
			t.Errorf("%q: read %q", header, got)
		}
		if peer == "" {
			peer = conn.LocalAddr().String()
		}
		if h.info.Peer.String() != peer || h.info.Proxy.IsValid() != proxied {
			t.Errorf("%q: %+v, want %s", header, h.info, peer)
		}
		h.end()
	}
	f("PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n", "203.0.113.9:56324", true)
	f(string(binaryHeader(t, "[2001:db8::9]:47", "[2001:db8::1]:443", false)), "[2001:db8::9]:47", true)
	f("PROXY UNKNOWN\r\n", "", false)
	f("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", "", false)

	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.2.3.4\r\n", preface} {
		conn := dial(t, address)
		send(t, conn, text)
		refused(t, conn)
	}
	conn := dial(t, address) // never complete
	send(t, conn, "PROXY TCP4 1.2.3.4")
	refused(t, conn)
	if got := s.Stats().ProxyMalformed; got != 4 {
		t.Errorf("%d malformed headers", got)
	}
}

func TestProxyProtocolFromStrangers(t *testing.T) {
	s, _, address := start(t, Config{ProxyFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	conn := dial(t, address)
	refused(t, conn)
	if got := s.Stats().ProxyUntrusted; got != 1 {
		t.Errorf("%d untrusted sources", got)
	}
}

func TestProxyProtocolBeforeTLS(t *testing.T) {
	certificates, err := LoadCertificates([]CertificateFile{writeCertificate(t, t.TempDir(), "a", "ecdsa", "shop.example")})
	if err != nil {
		t.Fatal(err)
	}
	_, handler, address := start(t, Config{Certificates: certificates, ProxyFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	conn := dial(t, address)
	send(t, conn, "PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n")
	secure := tls.Client(conn, &tls.Config{ServerName: "shop.example", InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	h := handler.next(t)
	if h.info.Peer.Addr().String() != "203.0.113.9" || !strings.HasPrefix(h.info.JA4, "t13d") || h.info.TLS.ServerName != "shop.example" {
		t.Errorf("%+v", h.info)
	}
}

func TestTooManyConnections(t *testing.T) {
	s, handler, address := start(t, Config{MaxConnections: 2})
	var first *handed
	for range 2 {
		send(t, dial(t, address), "GET")
		first = handler.next(t)
	}
	conn := dial(t, address)
	refused(t, conn)
	if got := s.Stats(); got.RefusedFull != 1 || got.Connections != 2 {
		t.Errorf("%+v", got)
	}
	first.end()
	waitFor(t, func() bool { return s.Stats().Connections == 1 })
	send(t, dial(t, address), "GET")
	handler.next(t)
}

func TestTooManyConnectionsOfOneAddress(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s, handler, address := start(t, Config{MaxConnectionsPerIP: 1, ProxyFrom: loopback})
	connect := func(ip string) net.Conn {
		conn := dial(t, address)
		family := "4"
		if strings.Contains(ip, ":") {
			family = "6"
		}
		send(t, conn, "PROXY TCP"+family+" "+ip+" "+ip+" 1 2\r\nGET")
		return conn
	}
	connect("203.0.113.9")
	one := handler.next(t)
	connect("203.0.113.10")
	handler.next(t)
	refused(t, connect("203.0.113.9"))
	connect("2001:db8::1")
	handler.next(t)
	refused(t, connect("2001:db8::2")) // of the same network
	if got := s.Stats().RefusedPerIP; got != 2 {
		t.Errorf("%d refused", got)
	}
	one.end()
	waitFor(t, func() bool { return s.Stats().Connections == 2 })
	connect("203.0.113.9")
	handler.next(t)
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !f(); {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
		<-time.After(time.Millisecond)
	}
}

func TestDrain(t *testing.T) {
	s, handler, address := start(t, Config{})
	busy := dial(t, address)
	send(t, busy, "GET")
	h := handler.next(t)
	waiting := dial(t, address)
	waitFor(t, func() bool { return s.Stats().Connections == 2 })
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	refused(t, waiting)
	select {
	case <-h.ctx.Done():
	case <-time.After(deadline):
		t.Fatal("the handler is not told")
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		refused(t, conn)
		_ = conn.Close()
	}
	send(t, busy, "!")
	if h.read(t, 4) != "GET!" {
		t.Error("what was under way was cut off")
	}
	select {
	case err := <-drained:
		t.Fatalf("Drain did not wait: %v", err)
	default:
	}
	h.end()
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestDrainEnds(t *testing.T) {
	s, handler, address := start(t, Config{})
	busy := dial(t, address)
	send(t, busy, "GET")
	h := handler.next(t)
	go func() { // as a handler that reads
		_, _ = io.Copy(io.Discard, h.conn)
		h.end()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 connections") {
		t.Errorf("Drain: %v", err)
	}
	refused(t, busy)
}

// flaky fails to accept a few times.
type flaky struct {
	net.Listener
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, &net.OpError{Op: "accept", Err: errors.New("too many open files")}
	}
	return f.Listener.Accept()
}

func TestAcceptErrorsPass(t *testing.T) {
	handler := make(recorder, 1)
	s, err := New(Config{}, handler)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(&flaky{Listener: socket, failures: 2}) }()
	send(t, dial(t, socket.Addr().String()), "GET")
	handler.next(t).end()
	if got := s.Stats().AcceptErrors; got != 2 {
		t.Errorf("%d errors", got)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestBadConfigurations(t *testing.T) {
	f := func(config Config, want string) {
		t.Helper()
		if _, err := New(config, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(Config{MinVersion: tls.VersionTLS10}, "not TLS 1.0")
	f(Config{MaxConnections: -1}, "negative")
	f(Config{HandshakeTimeout: -1}, "the handshake timeout is negative")
	f(Config{ProxyFrom: []netip.Prefix{{}}}, "not a network")
}

// overTLS does a handshake and returns the connection.
func overTLS(t *testing.T, address string, config *tls.Config) *tls.Conn {
	t.Helper()
	conn := tls.Client(dial(t, address), config)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	files := []CertificateFile{
		writeCertificate(t, dir, "a", "ecdsa", "a.example"), writeCertificate(t, dir, "a-rsa", "rsa", "a.example"),
		writeCertificate(t, dir, "b", "ecdsa", "b.example"),
	}
	certificates, err := LoadCertificates(files)
	if err != nil {
		t.Fatal(err)
	}
	s, handler, address := start(t, Config{Certificates: certificates})
	f := func(config *tls.Config, server, protocol string, two bool) {
		t.Helper()
		config.InsecureSkipVerify = true
		conn := overTLS(t, address, config)
		h := handler.next(t)
		state := conn.ConnectionState()
		if got := state.PeerCertificates[0].Subject.CommonName; got != server {
			t.Errorf("the certificate is of %s, want %s", got, server)
		}
		if state.NegotiatedProtocol != protocol || h.two != two || h.info.TLS == nil || len(h.info.JA4) != 36 {
			t.Errorf("protocol %q, HTTP/2 %v, %+v", state.NegotiatedProtocol, h.two, h.info)
		}
		send(t, conn, "hello")
		if h.read(t, 5) != "hello" {
			t.Error("bytes got lost")
		}
		h.end()
		if line, err := bufio.NewReader(conn).ReadString('\n'); line != "" || !errors.Is(err, io.EOF) {
			t.Errorf("%q, %v", line, err)
		}
	}
	f(&tls.Config{ServerName: "a.example", NextProtos: []string{"h2", "http/1.1"}}, "a.example", "h2", true)
	f(&tls.Config{ServerName: "b.example", NextProtos: []string{"http/1.1"}}, "b.example", "http/1.1", false)
	f(&tls.Config{ServerName: "c.example"}, "a.example", "", false)
	rsaOnly := &tls.Config{
		ServerName: "a.example", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	}
	f(rsaOnly, "a.example", "", false)

	old := tls.Client(dial(t, address), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err := old.Handshake(); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	waitFor(t, func() bool { return s.Stats().HandshakeError == 1 })

	tickets := tls.NewLRUClientSessionCache(1)
	for range 2 {
		config := &tls.Config{ServerName: "b.example", ClientSessionCache: tickets}
		f(config, "b.example", "", false)
	}
	if got := s.Stats().Resumed; got != 1 {
		t.Errorf("%d connections were resumed", got)
	}

	chain, key := newCertificate(t, "ecdsa", "b.example", "new.example")
	write(t, files[2].Certificate, chain)
	write(t, files[2].Key, key)
	if changed, err := certificates.Reload(); !changed || err != nil {
		t.Fatal(changed, err)
	}
	f(&tls.Config{ServerName: "new.example"}, "b.example", "", false)
	if got := s.Stats().CertificateReloads; got != 1 {
		t.Errorf("%d reloads", got)
	}
}

func TestSlowHandshakesEnd(t *testing.T) {
	certificates, err := LoadCertificates([]CertificateFile{writeCertificate(t, t.TempDir(), "a", "ecdsa", "a.example")})
	if err != nil {
		t.Fatal(err)
	}
	s, _, address := start(t, Config{Certificates: certificates, HandshakeTimeout: 20 * time.Millisecond})
	conn := dial(t, address)
	send(t, conn, "\x16\x03\x01")
	refused(t, conn)
	// The client may see the end of the connection before it is counted.
	waitFor(t, func() bool { return s.Stats().HandshakeError == 1 })
}
