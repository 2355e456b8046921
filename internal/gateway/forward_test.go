package gateway

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
)

// TestRequestsReachTheOriginUnchanged is the table of what becomes of requests.
func TestRequestsReachTheOriginUnchanged(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr})
	f := func(request, want string) {
		t.Helper()
		g.dial().send(request).response(strings.Split(request, " ")[0])
		got := rec.got()
		if last := got[len(got)-1]; last != want {
			t.Errorf("of %q the origin got %q, want %q", request, last, want)
		}
	}
	same := func(request string) { t.Helper(); f(request, request) }
	same("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	same("GET //a/./%2e%2E/b;c=d?e=%zz&f=|{}^`\"<>\\ HTTP/1.1\r\nhOsT:  a:80\t\r\nX-a:b\r\nx-A: \tc\xff \r\nX-a:\r\nCookie: b=1;a=2; \r\ncookie: c\r\n\r\n")
	same("M-SEARCH /a HTTP/1.1\r\nHost: a\r\n\r\n")
	same("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
	same("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
	same("POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: a\r\n\r\nhello")
	same("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 03\r\n\r\nabc")
	same("PUT / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\nTrailer: X\r\n\r\n005;a=\"b c\"\r\nhello\r\n0\r\nX:  y\r\n\r\n")
	same("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	same("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
	same("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("0123456789", 10000))
	same("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 x\r\nProxy-Authorization: y\r\nRange: bytes=0-1\r\nTrailer: z\r\n\r\n")
	same("GET /" + strings.Repeat("a", 8000) + " HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("b", 20000) + "\r\n\r\n")
	// An empty line before the request is not part of it.
	f("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	// What is between two hops only.
	f("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop, TE\r\nKeep-Alive: 5\r\nX-End: 1\r\nx-hop: 2\r\nProxy-Connection: x\r\nTE: gzip\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX-End: 1\r\n\r\n")
	f("GET / HTTP/1.1\r\nHost: a\r\nTE: deflate, Trailers;q=1, trailers\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n")
	f("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	f("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	f("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX: y\r\nConnection: Upgrade\r\n\r\n")
	f("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	// The absolute form is for proxies.
	f("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n")
	f("GET http://a? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? HTTP/1.1\r\nHost: a\r\n\r\n")
	// HTTP/1.0.
	f("GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
	f("GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nHost: "+rec.addr+"\r\n\r\n")
	f("POST /a HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx", "POST /a HTTP/1.1\r\nContent-Length: 1\r\nHost: "+rec.addr+"\r\n\r\nx")
	// Hops are counted.
	f("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 7\r\n\r\n", "OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 6\r\n\r\n")
	f("GET /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n")
}

func TestMaxForwardsEndHere(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr})
	resp, _ := g.dial().send("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n").response("OPTIONS")
	if resp.StatusCode != 204 || len(rec.got()) != 0 {
		t.Errorf("%s, and the origin got %q", resp.Status, rec.got())
	}
}

// TestWhatIsAdded checks what the configuration adds, and that clients cannot say it themselves.
func TestWhatIsAdded(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr}, func(c *Config, _ *PoolConfig, r *Route) {
		guard := c.Guard.(*testGuard)
		guard.own = []string{"x-seshat-session", "x-seshat-user"}
		guard.request = []seshat.Field{{Name: "X-Seshat-Session", Value: "s1"}}
		c.HideClient = false
		c.Clients, _ = clientaddr.New(clientaddr.Config{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		c.Via = "gate"
		r.Target.Fields = []seshat.Field{{Name: "X-Env", Value: "prod"}}
		r.Paths, r.StripPrefix = []string{"/api"}, true
	})
	resp, _ := g.dial().send("GET /api/x?y HTTP/1.1\r\nHost: a\r\nx-SESHAT-session: forged\r\nX_Seshat_User: forged\r\nX-Env: forged\r\n" +
		"X-Forwarded-For: 203.0.113.7\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nAccept: */*\r\nConnection: X-Seshat-Session, X-Forwarded-For\r\n\r\n").response("GET")
	const want = "GET /x?y HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX-Forwarded-For: 203.0.113.7, 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" +
		"X-Forwarded-Host: a\r\nVia: 1.1 gate\r\nX-Seshat-Session: s1\r\nX-Env: prod\r\n\r\n"
	if got := rec.got(); len(got) != 1 || got[0] != want {
		t.Errorf("the origin got %q, want %q", got, want)
	}
	if got := resp.Header.Get("Via"); got != "1.1 gate" {
		t.Errorf("the client got Via %q", got)
	}
	if x := g.guard.one(t); x.Client.IP.String() != "203.0.113.7" || x.Request.Path != "/api/x" || x.Request.Query != "y" {
		t.Errorf("recorded %v %q %q", x.Client.IP, x.Request.Path, x.Request.Query)
	}
}

// TestResponsesReachTheClientUnchanged is the table of what becomes of responses.
func TestResponsesReachTheClientUnchanged(t *testing.T) {
	f := func(request, response, want string) {
		t.Helper()
		o := newRawOrigin(t, func(p *peer) {
			if p.skipHead() {
				_, _ = p.Write([]byte(response))
			}
		})
		g := newGate(t, []string{o.addr})
		p := g.dial().send(request)
		if got := p.bytes(len(want)); got != want {
			t.Errorf("of %q the client got %q, want %q", response, got, want)
		}
		_ = p.Close()
		x := g.guard.one(t)
		if x.Response.Status == 0 {
			t.Errorf("of %q: %+v was recorded", response, x.Response)
		}
		g.close()
		o.stop()
	}
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	same := func(response string) { t.Helper(); f(get, response, response) }
	same("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\nhello")
	same("HTTP/1.1 299 Odd \xff phrase\r\ndATE: now\r\nX:\r\nx:  y \r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n")
	same("HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n")
	same("HTTP/1.1 304 Not Modified\r\nDate: now\r\nContent-Length: 5\r\n\r\n")
	same("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("0123456789", 10000))
	same("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 1\r\n\r\nx")
	same("HTTP/1.1 999 What\r\nDate: now\r\nContent-Length: 1\r\n\r\nx")
	f("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\n")
	f("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n")
	// What is between two hops only.
	f(get, "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nDate: now\r\nX-Hop: 1\r\nUpgrade: h2\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 1\r\n\r\nx")
	f(get, "HTTP/1.1 204 No Content\r\nDate: now\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n")
	f(get, "HTTP/1.1 426 Upgrade Required\r\nDate: now\r\nUpgrade: x\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 426 Upgrade Required\r\nDate: now\r\nUpgrade: x\r\nContent-Length: 0\r\nConnection: Upgrade\r\n\r\n")
	// A body that the end of the connection ends becomes chunks, so that the client can tell a cut one.
	f(get, "HTTP/1.0 200 OK\r\nDate: now\r\n\r\nhello", "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	f(get, "HTTP/1.1 200\r\nDate: now\r\n\r\n", "HTTP/1.1 200 \r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	// Clients of HTTP/1.0 know neither chunks nor interim responses.
	const old = "GET / HTTP/1.0\r\nHost: a\r\n\r\n"
	f(old, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nabc")
	f(old, "HTTP/1.1 200 OK\r\nDate: now\r\n\r\nhello", "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nhello")
	f("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
}

func TestDateIsAdded(t *testing.T) {
	o := scripted(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	g := newGate(t, []string{o.addr})
	resp, _ := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response("GET")
	if got := resp.Header.Get("Date"); !strings.HasSuffix(got, " GMT") {
		t.Errorf("Date is %q", got)
	}
}

// TestBadResponses checks that what could be read in two ways does not reach the client.
func TestBadResponses(t *testing.T) {
	for _, response := range []string{
		"",
		"nonsense\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", mostInterims+1),
	} {
		o := newRawOrigin(t, func(p *peer) {
			if p.skipHead() {
				_, _ = p.Write([]byte(response))
			}
		})
		g := newGate(t, []string{o.addr})
		p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		got := p.rest()
		got = got[max(0, strings.LastIndex(got, "HTTP/1.1 502")):]
		if !strings.HasPrefix(got, "HTTP/1.1 502 Bad Gateway\r\n") || !strings.Contains(got, "application/problem+json") {
			t.Errorf("of %.80q the client got %.200q", response, got)
		}
		if x := g.guard.one(t); x.Response.Status != 502 {
			t.Errorf("of %.80q, %d was recorded", response, x.Response.Status)
		}
		g.close()
	}
}

// TestLeftoverBytes checks that what a server sends beyond its response is never taken for the next one.
func TestLeftoverBytes(t *testing.T) {
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
		"HTTP/1.1 204 No Content\r\nDate: now\r\nContent-Length: 50\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
		"HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
	} {
		rec := newRecorder(t, func(request string) string {
			if strings.HasPrefix(request, "GET /1") {
				return response
			}
			return ok200
		})
		g := newGate(t, []string{rec.addr})
		p := g.dial()
		p.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").response("GET")
		if _, body := p.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").response("GET"); body != "ok" {
			t.Errorf("after %q the next response was %q", response, body)
		}
		g.close()
	}
}
