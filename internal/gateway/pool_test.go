package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func retries(n int) setting { return func(_ *Config, p *PoolConfig, _ *Route) { p.Retries = n } }

// TestStaleConnections has the origin close each connection after its first response, without saying so.
func TestStaleConnections(t *testing.T) {
	f := func(request string, want int) {
		t.Helper()
		var connections atomic.Int64
		closed := make(chan struct{}, 10)
		o := newRawOrigin(t, func(p *peer) {
			connections.Add(1)
			if request, ok := readRawRequest(p.r); ok && request != "" {
				p.send(ok200)
			}
			readRawRequest(p.r) // the second one, after which the connection ends
			_ = p.Conn.(*net.TCPConn).SetLinger(0)
			_ = p.Close()
			closed <- struct{}{}
		})
		g := newGate(t, []string{o.addr}, retries(-1))
		p := g.dial()
		p.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response("GET")
		resp, _ := p.send(request).response("POST")
		if resp.StatusCode != want {
			t.Errorf("%q: %d, want %d", request, resp.StatusCode, want)
		}
		<-closed
		g.close()
	}
	f("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200)
	f("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 200)
	f("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 200)
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 502) // it may have been done
	f("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", 502)
}

// TestClosedIdleConnections has the origin close an idle connection: a request of any method gets a new one.
func TestClosedIdleConnections(t *testing.T) {
	closed := make(chan struct{})
	o := newRawOrigin(t, func(p *peer) {
		for {
			request, ok := readRawRequest(p.r)
			if !ok {
				return
			}
			p.send(ok200)
			if strings.HasPrefix(request, "GET") {
				_ = p.Close()
				close(closed)
				return
			}
		}
	})
	g := newGate(t, []string{o.addr}, retries(-1), func(_ *Config, p *PoolConfig, _ *Route) { p.Wait = time.Millisecond }) // short ticks
	p := g.dial()
	p.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response("GET")
	<-closed
	b := g.pool.Servers()[0]
	for idle := b.pool.sweeper.now.Load(); b.pool.sweeper.now.Load() < idle+int64(quiet+2*b.pool.sweeper.tick); {
		time.Sleep(time.Millisecond)
	}
	if resp, _ := p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").response("POST"); resp.StatusCode != 200 {
		t.Errorf("got %s", resp.Status)
	}
}

// unreachableAddr is an address on which nobody listens.
func unreachableAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestRetriesOnAnotherServer(t *testing.T) {
	good := newRecorder(t, nil)
	broken := newRawOrigin(t, func(p *peer) { p.skipHead() })
	sorry := newRecorder(t, func(string) string { return "HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n" })
	const get, post = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
	f := func(what, bad, request string, want map[int]bool, settings ...setting) {
		t.Helper()
		settings = append(settings, func(_ *Config, p *PoolConfig, _ *Route) { p.Balance, p.EjectAfter = RoundRobin, 1000 })
		g := newGate(t, []string{bad, good.addr}, settings...)
		got := map[int]bool{}
		for range 6 {
			resp, _ := g.dial().send(request).response("POST")
			got[resp.StatusCode] = true
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		for status := range want {
			if !got[status] {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		g.close()
	}
	only200, both := map[int]bool{200: true}, map[int]bool{200: true, 502: true}
	down := unreachableAddr(t)
	f("GET, connect", down, get, only200)
	f("POST, connect", down, post, only200) // nothing was sent
	f("GET, connect, no retries", down, get, both, retries(-1))
	f("GET, broken", broken.addr, get, only200)
	f("POST, broken", broken.addr, post, both)
	f("GET, 503", sorry.addr, get, map[int]bool{200: true, 503: true})
	f("GET, 503, retried", sorry.addr, get, only200, func(_ *Config, p *PoolConfig, _ *Route) { p.RetryStatuses = true })
	f("POST, 503, retried", sorry.addr, post, map[int]bool{200: true, 503: true}, func(_ *Config, p *PoolConfig, _ *Route) { p.RetryStatuses = true })
}

func TestEjection(t *testing.T) {
	good := newRecorder(t, nil)
	p, err := NewPool(PoolConfig{
		Servers: []ServerConfig{{Address: "127.0.0.1:1"}, {Address: good.addr}}, Balance: RoundRobin, EjectAfter: 3, Eject: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	bad := p.Servers()[0]
	for range 3 {
		if !bad.enter() {
			t.Fatal("no room")
		}
		bad.Release(Failed)
	}
	for range 10 {
		b, err := p.Acquire(t.Context(), nil)
		if err != nil || b == bad {
			t.Fatalf("got %v, %v", b, err)
		}
		b.Release(Succeeded)
	}
	if !bad.Ejected() || !p.Stats().Servers[0].Ejected {
		t.Error("the server is not ejected")
	}
	bad.SetHealthy(false)
	bad.SetHealthy(true) // a check says that it is well again
	if bad.Ejected() {
		t.Error("the server is still ejected")
	}
	p.Servers()[1].SetHealthy(false)
	if b, err := p.Acquire(t.Context(), bad); b != bad || err != nil {
		t.Errorf("to avoid the only server that is well: %v, %v", b, err)
	} else {
		b.Release(NoOutcome)
	}
	bad.SetHealthy(false)
	if _, err := p.Acquire(t.Context(), nil); !errors.Is(err, ErrNoServer) {
		t.Errorf("got %v", err)
	}
}

// TestEveryServerEjected checks that requests are tried when there is no better server.
func TestEveryServerEjected(t *testing.T) {
	p, err := NewPool(PoolConfig{Servers: []ServerConfig{{Address: "127.0.0.1:1"}, {Address: "127.0.0.1:2"}}, EjectAfter: 1, Eject: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, b := range p.Servers() {
		b.enter()
		b.Release(Failed)
	}
	b, err := p.Acquire(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Release(NoOutcome)
}

func TestPoolIsBounded(t *testing.T) {
	p, err := NewPool(PoolConfig{Servers: []ServerConfig{{Address: "127.0.0.1:1"}, {Address: "127.0.0.1:2"}}, MaxConnections: 1, MaxWaiting: 1, Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	a, _ := p.Acquire(t.Context(), nil)
	b, _ := p.Acquire(t.Context(), nil)
	if a == nil || b == nil || a == b {
		t.Fatalf("got %v and %v", a, b)
	}
	waited := make(chan *Backend)
	go func() {
		c, err := p.Acquire(context.Background(), nil)
		if err != nil {
			t.Error(err)
		}
		waited <- c
	}()
	for p.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := p.Acquire(t.Context(), nil); !errors.Is(err, ErrBusy) {
		t.Errorf("a second one that waits got %v", err)
	}
	b.Release(Succeeded)
	if c := <-waited; c != b {
		t.Errorf("whoever waited got %v", c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Acquire(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	p.config.Wait = time.Nanosecond
	if _, err := p.Acquire(t.Context(), nil); !errors.Is(err, ErrWaited) {
		t.Errorf("got %v", err)
	}
	a.Release(Succeeded)
	b.Release(Succeeded)
	if a.InFlight() != 0 || b.InFlight() != 0 || p.Stats().Waiting != 0 {
		t.Errorf("in flight %d and %d, waiting %d", a.InFlight(), b.InFlight(), p.Stats().Waiting)
	}
}

// TestNobodyIsForgotten has many more requests than room, and checks that each gets its turn.
func TestNobodyIsForgotten(t *testing.T) {
	p, err := NewPool(PoolConfig{Servers: []ServerConfig{{Address: "127.0.0.1:1"}, {Address: "127.0.0.1:2"}}, MaxConnections: 2, Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const workers, turns = 50, 200
	done := make(chan error, workers)
	for range workers {
		go func() {
			for range turns {
				b, err := p.Acquire(context.Background(), nil)
				if err != nil {
					done <- err
					return
				}
				if n := b.InFlight(); n > 50 {
					done <- errors.New("too many in flight")
					return
				}
				b.Release(Succeeded)
			}
			done <- nil
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func short(d time.Duration) setting {
	return func(c *Config, p *PoolConfig, _ *Route) {
		c.Timeouts = Timeouts{Header: d, Body: d, KeepAlive: d, Tunnel: d, Linger: d}
		p.Response, p.Retries = d, -1
	}
}

// TestTimeouts has each side stop at each place.
func TestTimeouts(t *testing.T) {
	const d = 50 * time.Millisecond
	silent := newRawOrigin(t, func(p *peer) { p.rest() })
	f := func(what, origin, request, want string) {
		t.Helper()
		g := newGate(t, []string{origin}, short(d))
		start := time.Now()
		got := g.dial().send(request).rest()
		if took := time.Since(start); took < d || took > testWait/2 {
			t.Errorf("%s: took %v", what, took)
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		g.close()
	}
	f("no request", silent.addr, "", "")
	f("half a head", silent.addr, "GET / HTTP/1.1\r\nHost:", "HTTP/1.1 408 ")
	f("half a short body", silent.addr, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe", "HTTP/1.1 408 ")
	f("half a long body", silent.addr, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nhe", "HTTP/1.1 408 ")
	f("half a chunked body", silent.addr, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", "HTTP/1.1 408 ")
	f("no response", silent.addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 504 ")
	half := newRawOrigin(t, func(p *peer) { p.skipHead(); p.send("HTTP/1.1 200 OK\r\nX:"); p.rest() })
	f("half a response head", half.addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 504 ")
	body := newRawOrigin(t, func(p *peer) { p.skipHead(); p.send("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\nhe"); p.rest() })
	f("half a response body", body.addr, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n")
	tunnel := newRawOrigin(t, func(p *peer) {
		p.skipHead()
		p.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		p.rest()
	})
	f("a silent tunnel", tunnel.addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 101 ")
}

// TestClientThatDoesNotRead checks that a client that takes nothing loses its connection, and that it costs little.
func TestClientThatDoesNotRead(t *testing.T) {
	gone := make(chan struct{})
	o := newRawOrigin(t, func(p *peer) {
		p.skipHead()
		p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		_, _ = io.CopyN(p.Conn, zeros{}, 1000000000)
		close(gone)
	})
	g := newGate(t, []string{o.addr}, short(100*time.Millisecond))
	p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-gone
	if x := g.guard.one(t); x.Response.Status != 200 || x.Response.Body.Size > 100<<20 {
		t.Errorf("status %d, %d bytes", x.Response.Status, x.Response.Body.Size)
	}
	_ = p.Close()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestIdleConnectionsAreClosed(t *testing.T) {
	ended := make(chan struct{})
	o := newRawOrigin(t, func(p *peer) {
		p.skipHead()
		p.send(ok200)
		p.rest()
		close(ended)
	})
	g := newGate(t, []string{o.addr}, func(_ *Config, p *PoolConfig, _ *Route) { p.Idle = 50 * time.Millisecond })
	g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response("GET")
	<-ended
}
