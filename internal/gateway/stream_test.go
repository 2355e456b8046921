package gateway

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	rec := newRecorder(t, func(request string) string {
		path := strings.Fields(request)[1]
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path)
	})
	g := newGate(t, []string{rec.addr})
	p := g.dial().send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
		"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /5 HTTP/1.1\r\nHost: a\r\n\r\n")
	for _, want := range []string{"/1", "/2", "/3", "/4"} {
		if _, body := p.response("GET"); body != want {
			t.Errorf("got %q, want %q", body, want)
		}
	}
	if rest := p.rest(); rest != "" {
		t.Errorf("after the last response came %q", rest)
	}
	if n := len(rec.got()); n != 4 {
		t.Errorf("the origin got %d requests", n)
	}
}

// TestRequestsInPieces sends requests byte by byte.
func TestRequestsInPieces(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr})
	p := g.dial()
	for _, request := range []string{
		"GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00\r\nX: y\r\n\r\n",
	} {
		for i := range len(request) {
			p.send(request[i : i+1])
		}
		if _, body := p.response("GET"); body != "ok" {
			t.Errorf("got %q", body)
		}
		got := rec.got()
		if last := got[len(got)-1]; last != request {
			t.Errorf("the origin got %q, want %q", last, request)
		}
	}
}

// TestBothWaysAtOnce has the origin echo a chunked body while it comes.
func TestBothWaysAtOnce(t *testing.T) {
	o := newRawOrigin(t, func(p *peer) {
		if !p.skipHead() {
			return
		}
		p.send("HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n")
		_, _ = io.Copy(p.Conn, p.r) // chunks are the same in both directions
	})
	g := newGate(t, []string{o.addr})
	p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	p.head()
	for i := range 100 {
		chunk := fmt.Sprintf("3\r\n%03d\r\n", i)
		p.send(chunk)
		if got := p.bytes(len(chunk)); got != chunk {
			t.Fatalf("got %q, want %q", got, chunk)
		}
	}
	p.send("0\r\n\r\n")
	if got := p.bytes(5); got != "0\r\n\r\n" {
		t.Errorf("got %q", got)
	}
	x := g.guard.one(t)
	if x.Request.Body.Size != 300 || x.Response.Body.Size != 300 {
		t.Errorf("sizes %d and %d", x.Request.Body.Size, x.Response.Body.Size)
	}
}

// TestEventsComeAtOnce reads server-sent events one by one, each before the origin says the next.
func TestEventsComeAtOnce(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"} {
		next := make(chan struct{})
		o := newRawOrigin(t, func(p *peer) {
			if !p.skipHead() {
				return
			}
			p.send(head)
			for range next {
				p.send("data: x\n\n")
			}
		})
		g := newGate(t, []string{o.addr})
		p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		p.head()
		for range 3 {
			next <- struct{}{}
			for got := ""; !strings.HasSuffix(got, "data: x\n\n"); {
				got += p.bytes(1)
			}
		}
		close(next)
		_ = p.Close()
		g.guard.one(t)
	}
}

func TestContinue(t *testing.T) {
	t.Run("passed through", func(t *testing.T) {
		o := newRawOrigin(t, func(p *peer) {
			if head := p.head(); !strings.Contains(head, "Expect: 100-continue\r\n") {
				t.Errorf("the origin got %q", head)
			}
			p.send("HTTP/1.1 100 Continue\r\n\r\n")
			if body := p.bytes(5); body != "hello" {
				t.Errorf("the origin got %q", body)
			}
			p.send(ok200)
		})
		g := newGate(t, []string{o.addr})
		p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		if got := p.head(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Errorf("got %q", got)
		}
		if _, body := p.send("hello").response("POST"); body != "ok" {
			t.Errorf("got %q", body)
		}
	})
	t.Run("refused by the origin", func(t *testing.T) {
		o := scripted(t, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
		g := newGate(t, []string{o.addr})
		p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		resp, _ := p.response("POST")
		if resp.StatusCode != 413 || !resp.Close {
			t.Errorf("got %d, closes %v: whether the body comes is not known", resp.StatusCode, resp.Close)
		}
	})
	t.Run("asked for by the gateway", func(t *testing.T) {
		rec := newRecorder(t, nil)
		g := newGate(t, []string{rec.addr})
		g.guard.needsRequest = true
		p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		if got := p.head(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Errorf("got %q", got)
		}
		p.send("hello").response("POST")
		if got := rec.got()[0]; got != "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" {
			t.Errorf("the origin got %q", got)
		}
	})
	t.Run("refused by the verdict", func(t *testing.T) {
		g := newGate(t, []string{"127.0.0.1:1"})
		g.guard.answer = &pipeline.Answer{Status: 403}
		resp, _ := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").response("POST")
		if resp.StatusCode != 403 || !resp.Close {
			t.Errorf("got %d, closes %v", resp.StatusCode, resp.Close)
		}
	})
}

// TestEarlyResponses has origins answer before the body is there.
func TestEarlyResponses(t *testing.T) {
	o := newRawOrigin(t, func(p *peer) {
		if p.skipHead() {
			p.send("HTTP/1.1 413 Too Large\r\nDate: now\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
		}
	})
	g := newGate(t, []string{o.addr})
	p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nbegin")
	const want = "HTTP/1.1 413 Too Large\r\nDate: now\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
	if got := p.bytes(len(want)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if rest := p.rest(); rest != "" {
		t.Errorf("then came %q", rest)
	}
}

// TestEarlyResponsesArrive has the client send on for as long as it can, as most do, before it reads.
func TestEarlyResponsesArrive(t *testing.T) {
	o := newRawOrigin(t, func(p *peer) {
		if p.skipHead() {
			p.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
			p.rest()
		}
	})
	g := newGate(t, []string{o.addr})
	for range 20 {
		p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 800000\r\n\r\n")
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for range 8 {
				if _, err := p.Write(make([]byte, 100000)); err != nil {
					return
				}
			}
		}()
		<-sent
		if resp, body := p.response("POST"); resp.StatusCode != 413 || body != "big" {
			t.Errorf("got %s %q", resp.Status, body)
		}
		_ = p.Close()
	}
}

// TestRefusedBodiesAreDrained checks that a connection goes on after a verdict, if the body is short.
func TestRefusedBodiesAreDrained(t *testing.T) {
	g := newGate(t, []string{"127.0.0.1:1"})
	g.guard.answer = &pipeline.Answer{Status: 429, Fields: []seshat.Field{{Name: "Retry-After", Value: "5"}}, Body: []byte("slow down")}
	p := g.dial()
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000),
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + strings.Repeat("x", 100000) + "\r\n0\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		method, _, _ := strings.Cut(request, " ")
		resp, body := p.send(request).response(method)
		if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "5" || method != "HEAD" && body != "slow down" || resp.Close {
			t.Errorf("%s: got %v %q", method, resp, body)
		}
	}
	resp, _ := p.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n").response("POST")
	if !resp.Close {
		t.Error("a connection goes on after a long body that nobody wants")
	}
}

// TestCapturedBodies checks what identification is shown.
func TestCapturedBodies(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 8<<10) // 128 KiB
	f := func(request, response, wantRequest, wantResponse string, requestSize, responseSize int64) {
		t.Helper()
		rec := newRecorder(t, func(string) string { return response })
		g := newGate(t, []string{rec.addr})
		g.guard.needsRequest, g.guard.needsResponse = true, true
		var begun string
		g.guard.onBegin = func(x *seshat.Exchange) { begun = string(x.Request.Body.Bytes) }
		_, body := g.dial().send(request).response("POST")
		if int64(len(body)) != responseSize && !strings.Contains(response, "gzip") {
			t.Errorf("the client got %d bytes, not %d", len(body), responseSize)
		}
		if got := rec.got(); len(got) != 1 || got[0] != request {
			t.Errorf("the origin got %.200q", got)
		}
		x := g.guard.one(t)
		if begun != wantRequest {
			t.Errorf("before the verdict, the body was %.100q, not %.100q", begun, wantRequest)
		}
		check := func(side string, got seshat.Body, want string, size int64) {
			t.Helper()
			if string(got.Bytes) != want || got.Size != size || got.Truncated != (strings.HasPrefix(long, want) && len(want) < len(long) && want != "" && size == int64(len(long))) {
				t.Errorf("%s: %d bytes of %d (%.100q), truncated %v; want %d of %d", side, len(got.Bytes), got.Size, got.Bytes, got.Truncated, len(want), size)
			}
		}
		check("request", x.Request.Body, wantRequest, requestSize)
		check("response", x.Response.Body, wantResponse, responseSize)
		g.close()
	}
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbye", "hello", "bye", 5, 3)
	f("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n2\r\nye\r\n0\r\nX: y\r\n\r\n", "hello", "bye", 5, 3)
	f(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(long), long),
		fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long), long),
		long[:pipeline.MaxBody], long[:pipeline.MaxBody], int64(len(long)), int64(len(long)))
	f("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n"+long+"\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n"+long+"\r\n0\r\n\r\n",
		long[:pipeline.MaxBody], long[:pipeline.MaxBody], int64(len(long)), int64(len(long)))
	var packer strings.Builder
	gz := gzip.NewWriter(&packer)
	_, _ = io.WriteString(gz, "bye")
	_ = gz.Close()
	packed := packer.String()
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(packed), packed), "", "bye", 0, int64(len(packed)))
}

func TestTooLargeBodies(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr}, func(c *Config, _ *PoolConfig, _ *Route) { c.MaxBody = 100000 })
	f := func(request string, want int) {
		t.Helper()
		if resp, _ := g.dial().send(request).response("POST"); resp.StatusCode != want {
			t.Errorf("%.80q: %d, want %d", request, resp.StatusCode, want)
		}
	}
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 100000), 200)
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", 413)
	f("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n"+strings.Repeat("x", 100001)+"\r\n0\r\n\r\n", 413)
}

// TestClientsThatGoAway checks that an exchange ends when its client is gone.
func TestClientsThatGoAway(t *testing.T) {
	t.Run("in the body of the request", func(t *testing.T) {
		gone := make(chan string, 1)
		o := newRawOrigin(t, func(p *peer) { p.skipHead(); gone <- p.rest() })
		g := newGate(t, []string{o.addr})
		p := g.dial().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbegin")
		_ = p.Close()
		if x := g.guard.one(t); x.Response.Status != 0 {
			t.Errorf("status %d", x.Response.Status)
		}
		if got := <-gone; got != "begin" {
			t.Errorf("the origin got %q", got)
		}
	})
	t.Run("in the body of the response", func(t *testing.T) {
		gone := make(chan struct{})
		o := newRawOrigin(t, func(p *peer) {
			p.skipHead()
			p.send("HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := p.Write(make([]byte, 100000)); err != nil {
					close(gone)
					return
				}
			}
		})
		g := newGate(t, []string{o.addr})
		p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		p.head()
		_ = p.Close()
		if x := g.guard.one(t); x.Response.Status != 200 {
			t.Errorf("status %d", x.Response.Status)
		}
		<-gone
	})
}

// TestClientsThatGoAwayWhileTheyWait checks that the origin hears of it.
func TestClientsThatGoAwayWhileTheyWait(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("that is only seen on Linux")
	}
	for _, begin := range []string{"", "HTTP/1.1 200 OK\r\n\r\n: hello\n\n"} {
		waits, gone := make(chan struct{}), make(chan struct{})
		o := newRawOrigin(t, func(p *peer) {
			p.skipHead()
			p.send(begin)
			close(waits)
			p.rest()
			close(gone)
		})
		g := newGate(t, []string{o.addr})
		p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		<-waits
		_ = p.Close()
		select {
		case <-gone:
		case <-time.After(testWait):
			t.Fatal("the origin does not hear of it")
		}
		g.guard.one(t)
		if n := g.server.Stats().Aborted; n != 1 {
			t.Errorf("%d clients that went away were counted", n)
		}
		g.close()
	}
}

// TestBrokenResponses checks that a response that breaks off is not taken for a complete one.
func TestBrokenResponses(t *testing.T) {
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense",
	} {
		for _, version := range []string{"1.0", "1.1"} {
			o := newRawOrigin(t, func(p *peer) { p.skipHead(); p.send(response) })
			g := newGate(t, []string{o.addr})
			p := g.dial().send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
			got, err := io.ReadAll(p.r)
			if err == nil && !strings.Contains(string(got), "Content-Length") && !strings.Contains(string(got), " 502 ") {
				t.Errorf("of %q, a client of HTTP/%s got %q and an orderly end", response, version, got)
			}
			if strings.Contains(string(got), "\r\n0\r\n") {
				t.Errorf("of %q the client got %q", response, got)
			}
			g.guard.one(t)
			g.close()
		}
	}
}

// TestNotRecorded checks that no client gets a complete answer when the journal did not take the exchange.
func TestNotRecorded(t *testing.T) {
	big := strings.Repeat("x", 100000)
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret",
		"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + big,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + big + "\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + big,
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
	} {
		for _, version := range []string{"1.0", "1.1"} {
			o := newRawOrigin(t, func(p *peer) { p.skipHead(); p.send(response) })
			g := newGate(t, []string{o.addr})
			g.guard.endError = errors.New("the journal is full")
			p := g.dial().send("GET / HTTP/" + version + "\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			got, err := io.ReadAll(p.r)
			text := string(got)
			complete := err == nil && !strings.HasPrefix(text, "HTTP/1.1 503 ") && !strings.HasPrefix(text, "HTTP/1.1 502 ")
			if strings.Contains(text, "secret") || strings.Contains(text, "\r\n0\r\n\r\n") || complete {
				t.Errorf("of %.80q a client of HTTP/%s got %.80q… (%d bytes), %v", response, version, text, len(text), err)
			}
			g.close()
		}
	}
}

// TestPanics checks that a panic ends the exchange and the connection, and nothing else.
func TestPanics(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr})
	g.guard.panics = true
	g.guard.onEnd = func(x *seshat.Exchange) {
		if x.Request.Path == "/panic" && x.Response.Status != 0 {
			g.guard.onEnd = nil
			g.guard.mutex.Lock()
			g.guard.begun-- // it was not ended
			g.guard.mutex.Unlock()
			panic("test")
		}
	}
	p := g.dial().send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n")
	if got := p.rest(); got != "" {
		t.Errorf("got %q", got)
	}
	if _, body := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response("GET"); body != "ok" {
		t.Errorf("got %q", body)
	}
	if n := g.server.Stats().Panics; n != 1 {
		t.Errorf("%d panics were counted", n)
	}
}

func TestTunnel(t *testing.T) {
	o := newRawOrigin(t, func(p *peer) {
		if head := p.head(); !strings.Contains(head, "Upgrade: websocket\r\n") || !strings.Contains(head, "Connection: Upgrade\r\n") {
			t.Errorf("the origin got %q", head)
		}
		p.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
		_, _ = io.Copy(p.Conn, p.r)
		_ = p.Conn.(*net.TCPConn).CloseWrite()
	})
	g := newGate(t, []string{o.addr})
	p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst"
	if got := p.bytes(len(want)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if x := g.guard.one(t); x.Response.Status != 101 {
		t.Errorf("status %d", x.Response.Status)
	}
	if got := p.bytes(5); got != "early" {
		t.Errorf("got %q", got)
	}
	big := strings.Repeat("0123456789", 20000)
	go p.send(big)
	if got := p.bytes(len(big)); got != big {
		t.Error("what came back is not what was sent")
	}
	if n := g.server.Stats().Tunnels; n != 1 {
		t.Errorf("%d tunnels", n)
	}
	_ = p.Conn.(*net.TCPConn).CloseWrite()
	if got := p.rest(); got != "" {
		t.Errorf("then came %q", got)
	}
}

// TestUpgradeThatIsDeclined checks that what follows is a request and no tunnel.
func TestUpgradeThatIsDeclined(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr})
	p := g.dial().send("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
	p.response("GET")
	p.response("GET")
	if got := rec.got(); len(got) != 2 || !strings.HasPrefix(got[1], "GET /2 ") {
		t.Errorf("the origin got %q", got)
	}
}

func TestDrain(t *testing.T) {
	release := make(chan struct{})
	rec := newRecorder(t, func(request string) string {
		if strings.HasPrefix(request, "GET /slow") {
			<-release
		}
		return ok200
	})
	g := newGate(t, []string{rec.addr})
	idle := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	idle.response("GET")
	busy := g.dial().send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	for len(rec.got()) < 2 {
		time.Sleep(time.Millisecond)
	}
	drained := make(chan error, 1)
	go func() { drained <- g.server.Drain(t.Context()) }()
	if got := idle.rest(); got != "" {
		t.Errorf("the idle connection got %q", got)
	}
	select {
	case err := <-drained:
		t.Fatalf("drained with a request on its way: %v", err)
	default:
	}
	close(release)
	resp, body := busy.response("GET")
	if body != "ok" || !resp.Close {
		t.Errorf("the busy connection got %q, closes %v", body, resp.Close)
	}
	_ = busy.Close()
	if err := <-drained; err != nil {
		t.Error(err)
	}
}
