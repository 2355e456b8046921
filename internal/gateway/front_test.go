package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/listener"
)

// frontHandler joins a listener with both servers of a gateway, as a program does.
type frontHandler struct {
	one *Server
	two *HTTP2
}

func (f frontHandler) ServeHTTP1(ctx context.Context, conn net.Conn, info listener.Info) {
	f.one.ServeConn(ctx, conn, connInfo(info))
}

func (f frontHandler) ServeHTTP2(ctx context.Context, conn net.Conn, info listener.Info) {
	f.two.ServeConn(ctx, conn, connInfo(info))
}

// front is a gateway for either version of HTTP, plain and encrypted.
type front struct {
	*twinGuard
	plain, secure string
	listeners     []*listener.Server
}

// newFront starts a gateway in front of an origin.
func newFront(t *testing.T, server *httptest.Server, http2 bool) *front {
	t.Helper()
	pool, err := NewPool(PoolConfig{Servers: []ServerConfig{{Address: server.Listener.Addr().String()}}})
	if err != nil {
		t.Fatal(err)
	}
	target := &Target{Pool: pool, HTTP2: http2}
	routes, err := NewRouter([]Route{{Target: target}})
	if err != nil {
		t.Fatal(err)
	}
	routing := &Routing{}
	routing.Use(routes)
	clients, err := clientaddr.New(clientaddr.Config{})
	if err != nil {
		t.Fatal(err)
	}
	guard := &twinGuard{}
	two, err := NewHTTP2(HTTP2Config{Guard: guard, Routing: routing, Clients: clients})
	if err != nil {
		t.Fatal(err)
	}
	one, err := New(Config{Guard: guard, Routing: routing, Clients: clients, Handover: two.ServeConn})
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := listener.NewCertificates(testCertificate(t, "shop.example"))
	if err != nil {
		t.Fatal(err)
	}
	f := &front{twinGuard: guard}
	for address, config := range map[*string]listener.Config{&f.plain: {}, &f.secure: {Certificates: certificates}} {
		l, err := listener.New(config, frontHandler{one, two})
		if err != nil {
			t.Fatal(err)
		}
		socket, err := listener.Listen(t.Context(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = l.Serve(socket) }()
		*address = socket.Addr().String()
		f.listeners = append(f.listeners, l)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := l.Drain(ctx); err != nil {
				t.Errorf("drain: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		one.Close()
		pool.Close()
	})
	return f
}

func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("SESHAT_NO_SKIP") == "1" {
			t.Fatal("curl is not installed, and SESHAT_NO_SKIP is set")
		}
		t.Skip("curl is not installed")
	}
	server := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Host", r.Host)
		b, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Forwarded-Proto")+" "+r.Header.Get("Cookie")+" "+string(b))
	}), false)
	f := newFront(t, server, false)
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", 3000)), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	run := func(want, version string, args ...string) {
		t.Helper()
		n++
		command := exec.CommandContext(t.Context(), curl, append([]string{
			"--silent", "--show-error", "--insecure", "--max-time", "10", "--noproxy", "*", "--write-out", " HTTP/%{http_version} %{http_code}",
		}, args...)...)
		out, err := command.CombinedOutput()
		if err != nil || string(out) != want+" HTTP/"+version+" 200" {
			t.Errorf("curl %q: %q, %v, want %q by HTTP/%s", args, out, err, want, version)
		}
	}
	plain, secure := "http://"+f.plain+"/a", "https://"+f.secure+"/a"
	body := strings.Repeat("x", 3000)
	run("GET /a http  ", "1.1", plain)
	run("GET /a http  ", "2", "--http2-prior-knowledge", plain)
	run("GET /a https  ", "2", "--http2", secure)
	run("GET /a https  ", "1.1", "--http1.1", secure)
	run("GET /a https A=b; C=d ", "2", "--cookie", "A=b; C=d", secure)
	run("POST /a https  "+body, "2", "--data-binary", "@"+file, secure)
	run("POST /a https  "+body, "2", "--data-binary", "@"+file, "-H", "Expect: 100-continue", secure)
	run("PUT /a http  "+body, "2", "--http2-prior-knowledge", "--upload-file", file, plain)
	run("GET /a https   HTTP/2 200GET /a https  ", "2", secure, secure)
	run("", "2", "--head", "--output", os.DevNull, secure)
	f.exchanges(t, n+1)
}

// TestHandedOver has HTTP/1.1 clients talk to an origin that speaks HTTP/2 only.
func TestHandedOver(t *testing.T) {
	server := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Proto+" "+string(b))
	}), true)
	f := newFront(t, server, true)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for _, url := range []string{"http://" + f.plain, "https://" + f.secure} {
		for range 2 {
			response, body := do(t, client, request(t, http.MethodPost, url, strings.NewReader("text")))
			if response.Proto != "HTTP/1.1" || body != "HTTP/2.0 text" {
				t.Errorf("%s %q", response.Proto, body)
			}
		}
	}
	for _, x := range f.exchanges(t, 4) {
		if x.Request.HTTPVersion != "1.1" || x.Response.Status != 200 {
			t.Errorf("%+v", x)
		}
	}
}

func TestWebSocketThroughTLS(t *testing.T) {
	server := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(1 << 20)
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if err := conn.Write(r.Context(), kind, append([]byte("echo "), message...)); err != nil {
				return
			}
		}
	}), false)
	f := newFront(t, server, false)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	conn, _, err := websocket.Dial(ctx, "wss://"+f.secure+"/chat", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	for _, text := range []string{"a", strings.Repeat("b", 200_000), "c"} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, message, err := conn.Read(ctx); err != nil || string(message) != "echo "+text {
			t.Fatalf("%d bytes, %v", len(message), err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if x := f.exchanges(t, 1)[0]; x.Response.Status != 101 || x.Request.Path != "/chat" {
		t.Errorf("%+v", x)
	}
}

// TestServerSentEventsThroughTLS checks that each event arrives before the next one is sent, over either version of HTTP.
func TestServerSentEventsThroughTLS(t *testing.T) {
	next := make(chan bool) // false is the last one
	server := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case more := <-next:
				if !more {
					return
				}
			case <-r.Context().Done():
				return
			}
		}
	}), false)
	f := newFront(t, server, false)
	for _, version := range []string{"h2", "http/1.1"} {
		var protocols http.Protocols
		protocols.SetHTTP1(version == "http/1.1")
		protocols.SetHTTP2(version == "h2")
		client := &http.Client{Timeout: patience, Transport: &http.Transport{
			Protocols: &protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}}
		response, err := client.Do(request(t, http.MethodGet, "https://"+f.secure+"/", nil))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(response.Body)
		for i := range 3 {
			if line, err := lines.ReadString('\n'); line != "data: x\n" {
				t.Fatalf("%s: %q, %v", version, line, err)
			}
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			select {
			case next <- i < 2:
			case <-time.After(patience):
				t.Fatal("the origin is gone")
			}
		}
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("%s: %q, %v", version, rest, err)
		}
		_ = response.Body.Close()
		client.CloseIdleConnections()
	}
}

// TestDrainOfHTTP1 checks that a listener that drains cuts no request off, and waits for no connection that has none.
func TestDrainOfHTTP1(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	server := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-release
		}
		_, _ = io.WriteString(w, "hello")
	}), false)
	f := newFront(t, server, false)
	idle := &http.Client{Timeout: patience, Transport: &http.Transport{}}
	do(t, idle, request(t, http.MethodGet, "http://"+f.plain+"/", nil))
	type result struct {
		body  string
		close bool
		err   error
	}
	answered := make(chan result, 1)
	go func() {
		response, err := (&http.Client{Timeout: patience, Transport: &http.Transport{}}).Do(request(t, http.MethodGet, "http://"+f.plain+"/slow", nil))
		if err != nil {
			answered <- result{err: err}
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		answered <- result{string(body), response.Close, err}
	}()
	<-entered
	drained := make(chan error, len(f.listeners))
	for _, l := range f.listeners {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			drained <- l.Drain(ctx)
		}()
	}
	for end := time.Now().Add(patience); ; {
		connections := 0
		for _, l := range f.listeners {
			connections += l.Stats().Connections
		}
		if connections == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections are left", connections)
		}
		<-time.After(time.Millisecond)
	}
	close(release)
	if r := <-answered; r.err != nil || r.body != "hello" || !r.close {
		t.Errorf("what was under way: %+v", r)
	}
	for range f.listeners {
		if err := <-drained; err != nil {
			t.Error(err)
		}
	}
}
