package gateway

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// gate is a gateway under test, in front of an origin.
type gate struct {
	t      testing.TB
	server *Server
	pool   *Pool
	guard  *testGuard
	addr   string
	stop   func()
}

// setting changes what a gate is made of.
type setting func(*Config, *PoolConfig, *Route)

// newGate starts a gateway in front of origins, on loopback.
func newGate(t testing.TB, origins []string, settings ...setting) *gate {
	t.Helper()
	guard := &testGuard{}
	config := Config{Guard: guard, Routing: &Routing{}, HideClient: true}
	pool := PoolConfig{Name: "origin"}
	for _, o := range origins {
		pool.Servers = append(pool.Servers, ServerConfig{Address: o})
	}
	route := Route{Target: &Target{}}
	for _, set := range settings {
		set(&config, &pool, &route)
	}
	p, err := NewPool(pool)
	if err != nil {
		t.Fatal(err)
	}
	route.Target.Pool = p
	router, err := NewRouter([]Route{route})
	if err != nil {
		t.Fatal(err)
	}
	config.Routing.Use(router)
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, server: s, pool: p, guard: guard}
	g.listen()
	t.Cleanup(g.close)
	return g
}

func (g *gate) listen() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	g.addr = l.Addr().String()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			peer := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
			running.Go(func() { g.server.ServeConn(context.Background(), conn, ConnInfo{Peer: peer}) })
		}
	})
	g.stop = sync.OnceFunc(func() {
		_ = l.Close()
		g.server.Close()
		g.pool.Close()
		running.Wait()
	})
}

// close stops the gateway and checks what has to hold of every run.
func (g *gate) close() {
	g.stop()
	g.guard.mutex.Lock()
	defer g.guard.mutex.Unlock()
	if g.guard.begun != g.guard.ended {
		g.t.Errorf("%d exchanges were begun and %d ended", g.guard.begun, g.guard.ended)
	}
	if n := g.server.Stats().Panics; n > 0 && !g.guard.panics {
		g.t.Errorf("the gateway panicked %d times", n)
	}
	for _, b := range g.pool.Servers() {
		if n := b.InFlight(); n != 0 {
			g.t.Errorf("%d requests are still in flight", n)
		}
	}
	if n := g.server.Stats().Connections; n != 0 {
		g.t.Errorf("%d connections are still open", n)
	}
}

// dial opens a connection to the gateway.
func (g *gate) dial() *peer { return dialPeer(g.t, g.addr) }

// peer is the test's end of a connection.
type peer struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

const testWait = 10 * time.Second

func dialPeer(t testing.TB, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return newPeer(t, conn)
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	_ = conn.SetDeadline(time.Now().Add(testWait))
	return &peer{t: t, Conn: conn, r: bufio.NewReader(conn)}
}

func (p *peer) send(text string) *peer {
	p.t.Helper()
	_ = p.SetDeadline(time.Now().Add(testWait)) // of this message, not of all
	if _, err := io.WriteString(p.Conn, text); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// head reads until an empty line.
func (p *peer) head() string {
	p.t.Helper()
	var b strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			p.t.Fatalf("reading a head: %v after %q", err, b.String())
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// bytes reads n bytes.
func (p *peer) bytes(n int) string {
	p.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// rest reads to the end, whatever end that is.
func (p *peer) rest() string {
	b, _ := io.ReadAll(p.r)
	return string(b)
}

// response reads a response to a request of a method.
func (p *peer) response(method string) (*http.Response, string) {
	p.t.Helper()
	resp, err := http.ReadResponse(p.r, &http.Request{Method: method})
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, string(body)
}

// rawOrigin is a server that the test plays itself: serve is called with each connection.
type rawOrigin struct {
	addr string
	stop func()
}

func newRawOrigin(t testing.TB, serve func(p *peer)) *rawOrigin {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(newPeer(t, conn))
			})
		}
	})
	o := &rawOrigin{addr: l.Addr().String(), stop: sync.OnceFunc(func() { _ = l.Close() })}
	t.Cleanup(o.stop)
	return o
}

// scripted answers each request without a body on a connection with the next text, and then closes.
func scripted(t testing.TB, answers ...string) *rawOrigin {
	return newRawOrigin(t, func(p *peer) {
		for _, a := range answers {
			if !p.skipHead() {
				return
			}
			_, _ = io.WriteString(p.Conn, a)
		}
	})
}

// skipHead reads a head, and reports whether there was one.
func (p *peer) skipHead() bool {
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == "\r\n" {
			return true
		}
	}
}

// testGuard records what it is shown.
type testGuard struct {
	mutex        sync.Mutex
	begun, ended int
	exchanges    []seshat.Exchange
	panics       bool

	needsRequest, needsResponse bool
	answer                      *pipeline.Answer
	own                         []string
	request, response           []seshat.Field
	endError                    error
	onBegin                     func(x *seshat.Exchange)
	onEnd                       func(x *seshat.Exchange)
}

type testPassage struct {
	guard *testGuard
	ended bool
}

func (g *testGuard) NeedsRequestBody(*seshat.Exchange) bool  { return g.needsRequest }
func (g *testGuard) NeedsResponseBody(*seshat.Exchange) bool { return g.needsResponse }
func (g *testGuard) OwnFields() []string                     { return g.own }

func (g *testGuard) Begin(x *seshat.Exchange) Passage {
	g.mutex.Lock()
	g.begun++
	g.mutex.Unlock()
	if g.onBegin != nil {
		g.onBegin(x)
	}
	return &testPassage{guard: g}
}

func (p *testPassage) Answer() *pipeline.Answer       { return p.guard.answer }
func (p *testPassage) RequestFields() []seshat.Field  { return p.guard.request }
func (p *testPassage) ResponseFields() []seshat.Field { return p.guard.response }

func (p *testPassage) End(_ context.Context, x *seshat.Exchange) error {
	g := p.guard
	if g.onEnd != nil {
		g.onEnd(x)
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if p.ended {
		panic("a passage was ended twice")
	}
	p.ended = true
	g.ended++
	g.exchanges = append(g.exchanges, copied(x))
	return g.endError
}

// copied is an exchange in memory of its own.
func copied(x *seshat.Exchange) seshat.Exchange {
	out := *x
	r, s := &out.Request, &out.Response
	for _, text := range [...]*string{&out.Service, &r.Method, &r.Scheme, &r.Host, &r.Path, &r.Query} {
		*text = strings.Clone(*text)
	}
	for _, fields := range [...]*[]seshat.Field{&r.Header, &s.Header} {
		var own []seshat.Field
		for _, f := range *fields {
			own = append(own, seshat.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
		}
		*fields = own
	}
	r.Body.Bytes, s.Body.Bytes = bytes.Clone(r.Body.Bytes), bytes.Clone(s.Body.Bytes)
	return out
}

// one waits for the exchange that there has to be, and returns it.
func (g *testGuard) one(t testing.TB) seshat.Exchange {
	t.Helper()
	for until := time.Now().Add(testWait); ; {
		g.mutex.Lock()
		n := len(g.exchanges)
		g.mutex.Unlock()
		if n == 1 {
			return g.exchanges[0]
		}
		if n > 1 || time.Now().After(until) {
			t.Fatalf("%d exchanges were recorded, not one", n)
		}
		time.Sleep(time.Millisecond)
	}
}

var loopback = netip.MustParseAddr("127.0.0.1")

func TestGet(t *testing.T) {
	o := scripted(t, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\nX-a: b\r\n\r\nhello", "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n")
	g := newGate(t, []string{o.addr})
	p := g.dial()
	for _, want := range []string{
		"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\nX-a: b\r\n\r\nhello",
		"HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n",
	} {
		p.send("GET /a?b HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")
		if got := p.bytes(len(want)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
