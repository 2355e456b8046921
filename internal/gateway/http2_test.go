package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/listener"
	"github.com/seshat-project/seshat/internal/pipeline"
)

const patience = 10 * time.Second

// twinGuard is a Guard that remembers what it saw.
type twinGuard struct {
	bodies  bool                                      // both are wanted
	answer  func(x *seshat.Exchange) *pipeline.Answer // nil passes everything
	fails   error                                     // of End
	mu      sync.Mutex
	begun   int
	ended   []seshat.Exchange
	endings int
}

func (g *twinGuard) NeedsRequestBody(*seshat.Exchange) bool  { return g.bodies }
func (g *twinGuard) NeedsResponseBody(*seshat.Exchange) bool { return g.bodies }
func (g *twinGuard) OwnFields() []string                     { return []string{"x-seshat-session"} }

func (g *twinGuard) Begin(x *seshat.Exchange) Passage {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun++
	p := &twinPassage{guard: g}
	if g.answer != nil {
		p.answer = g.answer(x)
	}
	return p
}

// exchanges waits for n exchanges to have ended.
func (g *twinGuard) exchanges(t testing.TB, n int) []seshat.Exchange {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		g.mu.Lock()
		begun, endings, ended := g.begun, g.endings, slices.Clone(g.ended)
		g.mu.Unlock()
		if endings >= n || time.Now().After(end) {
			if begun != n || endings != n {
				t.Fatalf("%d passages began and %d ended, want %d", begun, endings, n)
			}
			return ended
		}
		<-time.After(time.Millisecond)
	}
}

type twinPassage struct {
	guard  *twinGuard
	answer *pipeline.Answer
}

func (p *twinPassage) Answer() *pipeline.Answer { return p.answer }
func (p *twinPassage) RequestFields() []seshat.Field {
	return []seshat.Field{{Name: "X-Seshat-Session", Value: "s1"}}
}

func (p *twinPassage) ResponseFields() []seshat.Field {
	return []seshat.Field{{Name: "RateLimit", Value: `"a";r=1;t=2`}}
}

func (p *twinPassage) End(_ context.Context, x *seshat.Exchange) error {
	p.guard.mu.Lock()
	defer p.guard.mu.Unlock()
	p.guard.endings++
	c := *x // the memory is used again
	c.Request.Header, c.Response.Header = slices.Clone(x.Request.Header), slices.Clone(x.Response.Header)
	c.Request.Body.Bytes, c.Response.Body.Bytes = slices.Clone(x.Request.Body.Bytes), slices.Clone(x.Response.Body.Bytes)
	p.guard.ended = append(p.guard.ended, c)
	return p.guard.fails
}

// twoHandler joins a listener and HTTP2.
type twoHandler struct{ *HTTP2 }

func connInfo(info listener.Info) ConnInfo {
	return ConnInfo{Peer: info.Peer.Addr(), TLS: info.TLS != nil, JA4: info.JA4}
}

func (h twoHandler) ServeHTTP1(ctx context.Context, conn net.Conn, info listener.Info) {
	h.ServeConn(ctx, conn, connInfo(info)) // as when a connection is handed over
}

func (h twoHandler) ServeHTTP2(ctx context.Context, conn net.Conn, info listener.Info) {
	h.ServeConn(ctx, conn, connInfo(info))
}

// edge is a gateway of one route on a free port of loopback.
type edge struct {
	*twinGuard
	http2    *HTTP2
	listener *listener.Server
	address  string
	plain    *http.Client // HTTP/2 with prior knowledge
	secure   *http.Client
}

type edgeOptions struct {
	guard   *twinGuard
	config  HTTP2Config
	pool    PoolConfig
	http2   bool // to the origin
	tls     bool
	trusted []netip.Prefix
	fields  []seshat.Field
	servers []string
}

// newEdge starts a gateway in front of servers, or of one that handler is served by.
func newEdge(t testing.TB, handler http.Handler, o edgeOptions) *edge {
	t.Helper()
	if o.guard == nil {
		o.guard = &twinGuard{}
	}
	if len(o.servers) == 0 {
		o.servers = []string{origin(t, handler, o.http2).Listener.Addr().String()}
	}
	for _, s := range o.servers {
		o.pool.Servers = append(o.pool.Servers, ServerConfig{Address: s})
	}
	pool, err := NewPool(o.pool)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := clientaddr.New(clientaddr.Config{Trusted: o.trusted})
	if err != nil {
		t.Fatal(err)
	}
	routes, err := NewRouter([]Route{{
		Hosts: []string{"shop.example"}, Environment: "prod", Target: &Target{Pool: pool, HTTP2: o.http2, Fields: o.fields},
	}})
	if err != nil {
		t.Fatal(err)
	}
	o.config.Guard, o.config.Clients, o.config.Routing = o.guard, clients, &Routing{}
	o.config.Routing.Use(routes)
	h, err := NewHTTP2(o.config)
	if err != nil {
		t.Fatal(err)
	}
	var config listener.Config
	if o.tls {
		if config.Certificates, err = listener.NewCertificates(testCertificate(t, "shop.example")); err != nil {
			t.Fatal(err)
		}
	}
	server, err := listener.New(config, twoHandler{h})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listener.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(socket) }()
	e := &edge{twinGuard: o.guard, http2: h, listener: server, address: socket.Addr().String()}
	e.plain, e.secure = e.client(false), e.client(true)
	t.Cleanup(func() {
		e.plain.CloseIdleConnections()
		e.secure.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		pool.Close()
	})
	return e
}

// client returns a client that finds the gateway whatever the host.
func (e *edge) client(secure bool) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP2(secure)
	protocols.SetUnencryptedHTTP2(!secure)
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		Protocols: &protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, e.address)
		},
		ExpectContinueTimeout: 10 * time.Second,
	}}
}

// origin starts a server of its own for a test.
func origin(t testing.TB, handler http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	if http2 {
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(true)
		s.Config.Protocols = &protocols
	}
	s.Config.ErrorLog = nil
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func request(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t testing.TB, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("the body: %v", err)
	}
	return response, string(body)
}

// both runs a test against an origin of either version of HTTP.
func both(t *testing.T, f func(t *testing.T, http2 bool)) {
	t.Run("origin of HTTP 1.1", func(t *testing.T) { f(t, false) })
	t.Run("origin of HTTP 2", func(t *testing.T) { f(t, true) })
}

func field(header []seshat.Field, name string) string {
	for _, f := range header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func TestHTTP2PassesRequestsOn(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		var seen *http.Request
		var content string
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r
			b, _ := io.ReadAll(r.Body)
			content = string(b)
			w.Header().Add("Set-Cookie", "SESS=def; HttpOnly")
			w.Header().Add("Set-Cookie", "B=c")
			w.Header().Set("Keep-Alive", "timeout=5")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "made")
		})
		e := newEdge(t, handler, edgeOptions{
			http2: two, tls: true, config: HTTP2Config{Via: "edge"}, fields: []seshat.Field{{Name: "X-Env", Value: "prod"}},
			guard: &twinGuard{bodies: true},
		})
		r := request(t, http.MethodPost, "https://shop.example/a%20b/%2e;x=1//c?q=%zz&&", strings.NewReader(`{"n":1}`))
		for _, name := range []string{"X-Forwarded-For", "X_Forwarded_For", "Forwarded", "X-Real-Ip", "X-Seshat-Session", "X-Env"} {
			r.Header[name] = []string{"spoofed"}
		}
		r.Header["Cookie"] = []string{"SESS=abc", "A=b"}
		r.Header["User-Agent"] = nil
		r.Header.Set("Content-Type", "application/json")
		response, body := do(t, e.secure, r)
		if response.StatusCode != http.StatusCreated || body != "made" || response.Proto != "HTTP/2.0" ||
			!slices.Equal(response.Header["Set-Cookie"], []string{"SESS=def; HttpOnly", "B=c"}) ||
			response.Header.Get("RateLimit") == "" || response.Header.Get("Keep-Alive") != "" {
			t.Errorf("%v %q", response, body)
		}
		if seen.RequestURI != "/a%20b/%2e;x=1//c?q=%zz&&" || seen.Host != "shop.example" || content != `{"n":1}` || seen.ContentLength != 7 {
			t.Errorf("the origin saw %s at %s, %q", seen.RequestURI, seen.Host, content)
		}
		want := http.Header{
			"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"shop.example"},
			"Via": {"2.0 edge"}, "X-Env": {"prod"}, "X-Seshat-Session": {"s1"}, "Cookie": {"SESS=abc; A=b"},
			"Content-Type": {"application/json"}, "Content-Length": {"7"},
		}
		if got := fmt.Sprint(seen.Header); got != fmt.Sprint(want) {
			t.Errorf("the origin saw\n%s, want\n%s", got, fmt.Sprint(want))
		}
		x := e.exchanges(t, 1)[0]
		if x.Client.IP.String() != "127.0.0.1" || len(x.Client.JA4) != 36 || x.Environment != "prod" || x.Service != "shop.example" ||
			x.Request.Scheme != "https" || x.Request.Host != "shop.example" || x.Request.Path != "/a%20b/%2e;x=1//c" ||
			x.Request.Query != "q=%zz&&" || x.Request.HTTPVersion != "2" || field(x.Request.Header, "cookie") != "SESS=abc; A=b" ||
			string(x.Request.Body.Bytes) != `{"n":1}` || x.Request.Body.Size != 7 || x.Request.Body.Truncated ||
			x.Response.Status != 201 || string(x.Response.Body.Bytes) != "made" || x.Response.Body.Size != 4 ||
			field(x.Response.Header, "set-cookie") != "SESS=def; HttpOnly" || x.Duration <= 0 {
			t.Errorf("%+v", x)
		}
	})
}

func TestHTTP2TrailersAndStatuses(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/trailers":
				w.Header().Set("Trailer", "X-Announced")
				_, _ = io.Copy(w, r.Body)
				w.Header().Set("X-Announced", r.Trailer.Get("X-From-Client"))
				w.Header().Set(http.TrailerPrefix+"X-Late", "2")
			case "/none":
				w.WriteHeader(http.StatusNoContent)
			case "/same":
				w.Header().Set("Etag", `"1"`)
				w.WriteHeader(http.StatusNotModified)
			default:
				w.Header().Set("Content-Length", "5")
				_, _ = io.WriteString(w, "hello")
			}
		})
		e := newEdge(t, handler, edgeOptions{http2: two})
		r := request(t, http.MethodPost, "http://shop.example/trailers", io.MultiReader(strings.NewReader("some "), strings.NewReader("text")))
		r.Trailer = http.Header{"X-From-Client": nil}
		r.Body = trailing{r.Body, func() { r.Trailer.Set("X-From-Client", "1") }}
		response, body := do(t, e.plain, r)
		if body != "some text" || response.Trailer.Get("X-Announced") != "1" || response.Trailer.Get("X-Late") != "2" {
			t.Errorf("%q, %v", body, response.Trailer)
		}
		if x := e.exchanges(t, 1)[0]; field(x.Response.Header, "X-Late") != "2" || x.Request.Body.Size != 9 {
			t.Errorf("%+v", x)
		}
		if response, _ := do(t, e.plain, request(t, http.MethodGet, "http://shop.example/none", nil)); response.StatusCode != 204 {
			t.Error(response.Status)
		}
		if response, _ := do(t, e.plain, request(t, http.MethodGet, "http://shop.example/same", nil)); response.StatusCode != 304 ||
			response.Header.Get("Etag") != `"1"` {
			t.Error(response.Status)
		}
		response, body = do(t, e.plain, request(t, http.MethodHead, "http://shop.example/", nil))
		if response.ContentLength != 5 || body != "" {
			t.Errorf("HEAD: %d, %q", response.ContentLength, body)
		}
		e.exchanges(t, 4)
	})
}

// trailing calls a function once a body was read.
type trailing struct {
	io.ReadCloser
	f func()
}

func (r trailing) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		r.f()
	}
	return n, err
}

func TestHTTP2InformationalResponses(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			b, _ := io.ReadAll(r.Body)
			_, _ = w.Write(b)
		})
		e := newEdge(t, handler, edgeOptions{http2: two})
		r := request(t, http.MethodPut, "http://shop.example/", strings.NewReader("body"))
		r.Header.Set("Expect", "100-continue")
		var codes []int
		var link string
		continued := false
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
				if code != http.StatusContinue {
					codes, link = append(codes, code), header.Get("Link")
				}
				return nil
			},
			Got100Continue: func() { continued = true },
		}))
		response, body := do(t, e.plain, r)
		if !slices.Equal(codes, []int{103}) || link == "" || response.Header.Get("Link") != "" || body != "body" || !continued {
			t.Errorf("%v %q, then %v %q; continued %v", codes, link, response.Header, body, continued)
		}
	})
}

func TestHTTP2Streams(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			control := http.NewResponseController(w)
			_ = control.EnableFullDuplex()
			_ = control.Flush()
			lines := bufio.NewReader(r.Body)
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				_, _ = io.WriteString(w, "data: "+line+"\n")
				_ = control.Flush()
			}
		})
		e := newEdge(t, handler, edgeOptions{http2: two})
		reader, writer := io.Pipe()
		response, err := e.plain.Do(request(t, http.MethodPost, "http://shop.example/", reader))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewReader(response.Body)
		for _, text := range []string{"one", "two", "three"} { // each comes back before the next is sent
			if _, err := io.WriteString(writer, text+"\n"); err != nil {
				t.Fatal(err)
			}
			if line, err := lines.ReadString('\n'); line != "data: "+text+"\n" {
				t.Fatalf("%q, %v", line, err)
			}
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		_ = writer.Close()
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
		if x := e.exchanges(t, 1)[0]; x.Request.Body.Size != 14 || x.Response.Body.Size != 14+3*7 {
			t.Errorf("%d bytes up, %d down", x.Request.Body.Size, x.Response.Body.Size)
		}
	})
}

func TestHTTP2LargeBodies(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		e := newEdge(t, handler, edgeOptions{http2: two, tls: true, guard: &twinGuard{bodies: true}})
		const size = 5 << 20
		_, body := do(t, e.secure, request(t, http.MethodPost, "https://shop.example/", strings.NewReader(strings.Repeat("0123456789abcdef", size/16))))
		if len(body) != size {
			t.Errorf("%d bytes came back", len(body))
		}
		x := e.exchanges(t, 1)[0]
		if x.Request.Body.Size != size || len(x.Request.Body.Bytes) != pipeline.MaxBody || !x.Request.Body.Truncated ||
			x.Response.Body.Size != size || len(x.Response.Body.Bytes) != pipeline.MaxBody || !x.Response.Body.Truncated {
			t.Errorf("%d of %d up, %d of %d down", len(x.Request.Body.Bytes), x.Request.Body.Size, len(x.Response.Body.Bytes), x.Response.Body.Size)
		}
	})
}
