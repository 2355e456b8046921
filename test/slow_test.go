package test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowTimeouts are short, so that the scenarios are.
const slowTimeouts = `
timeouts: {header: 1s, body: 1s, keepAlive: 1s}
shutdownGrace: 3s
`

// slowOrigin answers /quick at once, and everything else badly. It speaks HTTP as little as it can.
func slowOrigin(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var connections sync.WaitGroup
	t.Cleanup(func() {
		close(over)
		_ = listener.Close()
		connections.Wait()
	})
	connections.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				defer func() { _ = conn.Close() }()
				stop := make(chan struct{})
				defer close(stop)
				go func() {
					select {
					case <-over:
						_ = conn.Close()
					case <-stop:
					}
				}()
				for reader := bufio.NewReader(conn); ; {
					r, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return
					}
					if !answerBadly(conn, r.URL.Path, over) {
						return
					}
				}
			})
		}
	})
	return "http://" + listener.Addr().String()
}

// answerBadly answers as the path asks, and reports whether the connection can go on.
func answerBadly(conn net.Conn, path string, over <-chan struct{}) bool {
	send := func(text string) bool { _, err := io.WriteString(conn, text); return err == nil }
	wait := func(d time.Duration) bool {
		select {
		case <-time.After(d):
			return true
		case <-over:
			return false
		}
	}
	drip := func(text string, pause time.Duration) bool {
		for i := range len(text) {
			if !send(text[i:i+1]) || !wait(pause) {
				return false
			}
		}
		return true
	}
	const (
		headOf100     = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
		headOfMillion = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	)
	switch path {
	case "/never":
		return wait(time.Minute)
	case "/slow-head":
		return drip("HTTP/1.1 200 OK\r\nX-Slow: "+strings.Repeat("x", 100)+"\r\nContent-Length: 0\r\n\r\n", 100*time.Millisecond)
	case "/trickle": // slow, but steady
		return send(headOf100) && drip(strings.Repeat("y", 20), 150*time.Millisecond) && send(strings.Repeat("y", 80))
	case "/stalls":
		return send(headOf100) && send("some of it") && wait(time.Minute)
	case "/long-stalls":
		return send(headOfMillion) && send(strings.Repeat("y", 200_000)) && wait(time.Minute)
	case "/long-short":
		return send(headOfMillion) && send(strings.Repeat("y", 200_000)) && false
	case "/chunks-stall":
		return send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") && wait(time.Minute)
	case "/short":
		return send(headOf100) && send("some of it") && false
	case "/half-head":
		return send("HTTP/1.1 200 OK\r\nContent-") && false
	case "/closes":
		return false
	case "/half-closed": // it ends its half, and keeps the other open
		send(headOf100 + "some of it")
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		wait(time.Minute)
		return false
	case "/endless":
		send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
		piece := strings.Repeat("z", 64<<10)
		for sent := true; sent; {
			sent = send(piece)
		}
		return false
	default:
		return send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

// TestSlowServers asks servers that are slow or break off: each client gets the status that says so, and never a whole
// answer that is not one.
func TestSlowServers(t *testing.T) {
	s := fresh(t)
	g := s.serve("-c", file(t, "seshat.yaml", fmt.Sprintf(`listen: "127.0.0.1:0"
upstreams: [{name: slow, servers: [%q], timeouts: {connect: 1s, response: 1s}}]
`, slowOrigin(t))+slowTimeouts))
	var asking sync.WaitGroup
	f := func(method, path string, status int, whole bool) {
		asking.Go(func() {
			start := time.Now()
			a, err := tryAsk(client(t), method, g.gateway+path, "")
			took := time.Since(start)
			if a.status != status {
				t.Errorf("%s %s: status %d (%v), want %d", method, path, a.status, err, status)
			}
			if whole != (err == nil) {
				t.Errorf("%s %s: %v after %q, and it is to be whole: %v", method, path, err, a.body, whole)
			}
			if took > 8*time.Second {
				t.Errorf("%s %s took %v", method, path, took)
			}
		})
	}
	l := newLoad(t)
	l.start(g.gateway, 2)
	for range 5 {
		f(http.MethodGet, "/never", http.StatusGatewayTimeout, true)
		f(http.MethodPost, "/never", http.StatusGatewayTimeout, true)
		f(http.MethodGet, "/slow-head", http.StatusGatewayTimeout, true)
		f(http.MethodGet, "/trickle", http.StatusOK, true)
		// Of a short body nothing is passed on before it is there, so that the status can still tell.
		f(http.MethodGet, "/stalls", http.StatusGatewayTimeout, true)
		f(http.MethodGet, "/chunks-stall", http.StatusOK, false)
		f(http.MethodGet, "/short", http.StatusBadGateway, true)
		f(http.MethodGet, "/half-closed", http.StatusBadGateway, true)
		f(http.MethodGet, "/long-stalls", http.StatusOK, false)
		f(http.MethodGet, "/long-short", http.StatusOK, false)
		f(http.MethodGet, "/half-head", http.StatusBadGateway, true)
		f(http.MethodPost, "/closes", http.StatusBadGateway, true)
		f(http.MethodGet, "/quick", http.StatusOK, true)
	}
	asking.Wait()
	l.stop()
	unhurt(t, l)
	// What was broken off is recorded like the rest, with the status that the client saw.
	g.settled()
	for path, want := range map[string]int{"/never": 10, "/stalls": 5, "/short": 5, "/half-head": 5, "/closes": 5, "/long-short": 5} {
		if got := len(s.explore("path", "path:"+path)); got != want {
			t.Errorf("%s is recorded %d times, not %d", path, got, want)
		}
	}
}

// unhurt checks the clients that have nothing to do with those who are slow.
func unhurt(t testing.TB, l *load) {
	t.Helper()
	if got := l.statuses(); got[http.StatusOK] != l.next {
		t.Errorf("other clients were answered: %v", got)
	}
	p99 := l.percentile(0.99)
	t.Logf("%d requests of other clients, 99 %% within %v", l.next, p99)
	if p99 > 250*time.Millisecond { // they take less than one, on a machine with two cores that has other work too
		t.Errorf("99 %% of the requests of other clients take up to %v", p99)
	}
}

// slowClient sends a beginning, does what it does, and returns what it was answered until the connection was closed.
func slowClient(address, beginning string, then func(net.Conn)) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(soon))
	if _, err := io.WriteString(conn, beginning); err != nil {
		return "", err
	}
	if then != nil {
		then(conn)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 1<<16))
	var reset *net.OpError
	if errors.As(err, &reset) && !reset.Timeout() { // it was closed while we were still sending
		err = nil
	}
	return string(answer), err
}

// TestSlowClients has hundreds of clients that send their heads and bodies byte by byte, or do not read, or say nothing: each
// is sent away within the timeouts, nobody else notices, and afterwards nothing of them is left.
func TestSlowClients(t *testing.T) {
	s := fresh(t)
	g := s.serve("-c", file(t, "seshat.yaml", fmt.Sprintf(`listen: "127.0.0.1:0"
upstreams: [{name: slow, servers: [%q], timeouts: {idle: 1s}}]
`, slowOrigin(t))+slowTimeouts))
	address := strings.TrimPrefix(g.gateway, "http://")
	ask(t, client(t), http.MethodGet, g.gateway+"/quick", "")
	g.settled()
	before := map[string]float64{}
	for _, name := range []string{"process_resident_memory_bytes", "process_open_fds", "go_goroutines"} {
		before[name] = g.metric(name)
	}
	drip := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			for range 100 { // ten seconds
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	var all sync.WaitGroup
	f := func(n int, beginning string, then func(net.Conn), wants ...string) {
		for range n {
			all.Go(func() {
				start := time.Now()
				answer, err := slowClient(address, beginning, then)
				if err != nil {
					t.Errorf("%.30q: %v after %v", beginning, err, time.Since(start))
				}
				for _, want := range wants {
					if want == "" && answer == "" || want != "" && strings.HasPrefix(answer, want) {
						return
					}
				}
				t.Errorf("%.30q is answered %.60q, not any of %q", beginning, answer, wants)
			})
		}
	}
	const timeout = "HTTP/1.1 408 "
	l := newLoad(t)
	l.start(g.gateway, 2)
	// Who sends on while the answer comes may lose it to the reset of the connection.
	f(200, "GET /quick HTTP/1.1\r\nHost: a\r\nX-Slow: ", drip("x"), timeout, "")
	f(50, "GET /quick HTTP/1.1\r\nHost: a\r\n", nil, timeout)
	f(100, "POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome", nil, timeout)
	f(50, "POST /quick HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3", nil, timeout)
	f(50, "", nil, "")
	f(50, "GET /quick HTTP/1.1\r\nHost: a\r\n\r\n", nil, "HTTP/1.1 200 ") // and then says nothing
	f(50, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n", func(net.Conn) { time.Sleep(3 * time.Second) }, "HTTP/1.1 200 ")
	peak := 0.0
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(200 * time.Millisecond):
			peak = max(peak, g.metric("process_resident_memory_bytes"))
		}
	}
	l.stop()
	unhurt(t, l)
	if grown := peak - before["process_resident_memory_bytes"]; grown > 200<<20 {
		t.Errorf("550 slow clients take %.0f MiB", grown/(1<<20))
	}
	now := map[string]float64{}
	defer func() { t.Logf("before: %v, and now: %v", before, now) }()
	eventually(t, "nothing of them is left", func() bool {
		for name := range before {
			now[name] = g.metric(name)
		}
		return now["go_goroutines"] < before["go_goroutines"]+20 && now["process_open_fds"] < before["process_open_fds"]+20
	})
	t.Logf("%.0f MiB before, %.0f at most", before["process_resident_memory_bytes"]/(1<<20), peak/(1<<20))
}
