package forwardauth

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest/tail"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

// server is a real NGINX by the configuration of deploy/nginx, in front of an origin.
type server struct {
	t      *testing.T
	url    string
	log    string
	folder string
	asked  http.Handler
	origin *atomic.Pointer[http.Header] // of the last request
}

// free is an address that nothing listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// deployed is a file of deploy/nginx with other addresses and paths.
func deployed(t *testing.T, name string, replace ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy/nginx", name))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(text), replace[i]) {
			t.Fatalf("%s does not have %q", name, replace[i])
		}
	}
	return strings.NewReplacer(replace...).Replace(string(text))
}

func startNGINX(t *testing.T, address9182 string) *server {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("SESHAT_NO_SKIP") == "1" {
			t.Fatal("nginx is not installed, and SESHAT_NO_SKIP is set")
		}
		t.Skip("nginx is not installed")
	}
	s := &server{t: t, folder: t.TempDir(), origin: &atomic.Pointer[http.Header]{}}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Clone()
		s.origin.Store(&header)
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: "k3vQ9xTt1LmN8pR2s"})
		}
		if r.URL.Path == "/origin-says-no" {
			http.Error(w, "the origin's own words", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "the origin")
	}))
	t.Cleanup(origin.Close)
	address := free(t)
	s.url, s.log = "http://"+address, filepath.Join(s.folder, "seshat.log")
	for name, text := range map[string]string{
		"seshat.conf": deployed(t, "seshat.conf", "127.0.0.1:9182", address9182,
			"access_log /var/log/nginx/seshat.log seshat;", "access_log "+s.log+" seshat_cookies;"),
		"seshat-server.conf":   deployed(t, "seshat-server.conf"),
		"seshat-location.conf": deployed(t, "seshat-location.conf"),
		"nginx.conf": `
` + user() + `daemon off; pid nginx.pid; error_log stderr warn; worker_processes 2;
events { worker_connections 256; }
http {
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  include seshat.conf;
  server {
    listen ` + address + `;
    include seshat-server.conf;
    location / {
      include seshat-location.conf;
      proxy_pass ` + origin.URL + `;
    }
    location /static { proxy_pass ` + origin.URL + `; }
  }
}
`,
	} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-p", s.folder, "-c", "nginx.conf", "-e", "stderr")
	cmd.Dir = s.folder
	var said strings.Builder
	cmd.Stderr, cmd.WaitDelay = &said, time.Minute
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx says:\n%s", said.String())
		}
	})
	s.until("nginx listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return s
}

func user() string {
	if os.Getuid() == 0 {
		return "user root; "
	}
	return ""
}

func (s *server) until(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("after 30 s it does not hold that %s", what)
		}
	}
}

// send sends a request; fields are names and values by turns.
func (s *server) send(method, path string, fields ...string) (*http.Response, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		request.Header.Add(fields[i], fields[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, string(body)
}

// behindNGINX is a handler that a real NGINX asks, and whose access log is followed.
func behindNGINX(t *testing.T) (*server, *Handler, *inlinetest.Node) {
	t.Helper()
	h, node := newHandler(t, Config{Join: true}, pipeline.InlineConfig{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := h.Server()
	go func() { _ = web.Serve(listener) }()
	t.Cleanup(func() { _ = web.Close() })
	s := startNGINX(t, listener.Addr().String())
	follower, err := tail.Open(tail.Config{Path: s.log, Position: filepath.Join(s.folder, "position"), Sink: &sink{h, node}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- follower.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, h, node
}

// sink is where the lines of the log go: the handler first.
type sink struct {
	*Handler
	node *inlinetest.Node
}

func (s *sink) Flush(ctx context.Context) error { return s.node.Publisher.Flush(ctx) }

// TestNGINX runs the configuration of deploy/nginx in a real NGINX.
func TestNGINX(t *testing.T) {
	s, h, node := behindNGINX(t)

	response, body := s.send("GET", "/account?x=1", "Cookie", "SHOPSESS=k3vQ9xTt1LmN8pR2s", "X-Seshat-User", "forged",
		"X-Original-URI", "/forged", "X-Original-Address", "1.2.3.4", "X-Forwarded-Method", "DELETE", "X-Seshat-Exchange", "forged")
	if response.StatusCode != 200 || body != "the origin\n" {
		t.Fatalf("status %d: %s", response.StatusCode, body)
	}
	origin := *s.origin.Load()
	if _, forged := origin["X-Seshat-User"]; forged || origin.Get("X-Seshat-Session") == "" || origin.Get("X-Seshat-Verdict") != "allow" || origin.Get("X-Seshat-Exchange") != "" {
		t.Errorf("the origin was told %v", origin)
	}
	s.until("the exchange is recorded", func() bool { return len(node.Recorded()) == 1 })
	o := node.Recorded()[0]
	if o.Method != "GET" || o.Path != "/account" || o.Status != 200 || o.ResponseBytes != int64(len(body)) || o.ClientIP.String() != "127.0.0.1" || o.IDs[o.Grouping].Key != "SHOPSESS" {
		t.Errorf("recorded %+v", o)
	}

	for n := range 3 {
		response, body = s.send("POST", "/login")
		if want := []int{200, 200, 429}[n]; response.StatusCode != want {
			t.Fatalf("login %d: status %d, want %d: %s", n+1, response.StatusCode, want, body)
		}
	}
	if response.Header.Get("Retry-After") == "" || response.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"status":429,"detail":"`) {
		t.Errorf("the refusal: %v %s", response.Header, body)
	}
	s.until("logins are recorded", func() bool { return len(node.Recorded()) == 4 })
	recorded := node.Recorded()
	if o := recorded[1]; !slices.ContainsFunc(o.IDs, func(id seshat.ObservedID) bool { return id.Key == "SHOPSESS" && id.Side == seshat.InResponse }) {
		t.Errorf("the cookie that the login set is not known: %+v", o.IDs)
	}
	if o := recorded[3]; o.Status != 429 || o.Verdict.By != "Limit/login" {
		t.Errorf("the refusal is recorded as %d by %q", o.Status, o.Verdict.By)
	}

	s.send("GET", "/closed")
	if response, body = s.send("GET", "/closed"); response.StatusCode != 403 || !strings.Contains(body, `"status":403`) {
		t.Errorf("a block: %d %s", response.StatusCode, body)
	}
	if response, body = s.send("GET", "/origin-says-no"); response.StatusCode != 403 || body != "the origin's own words\n" {
		t.Errorf("the origin's own refusal: %d %s", response.StatusCode, body)
	}
	if response, _ = s.send("GET", "/static/x"); response.StatusCode != 200 {
		t.Errorf("a location that does not ask: %d", response.StatusCode)
	}
	s.until("all are recorded", func() bool { return len(node.Recorded()) == 8 })
	if stats := h.Stats(); stats.Asked != 7 || stats.Joined != 7 || stats.Alone != 1 || stats.Bad != 0 || stats.Waiting != 0 {
		t.Errorf("counts %+v", stats)
	}
	if text, err := os.ReadFile(s.log); err != nil || strings.Contains(string(text), "X-Original") {
		t.Errorf("the log: %v", err)
	}
}

// TestNGINXManyAtOnce checks that each of many requests at the same time becomes one exchange, with its own response.
func TestNGINXManyAtOnce(t *testing.T) {
	s, h, node := behindNGINX(t)
	const clients, each = 8, 50
	done := make(chan error, clients)
	for c := range clients {
		go func() {
			for n := range each {
				response, err := http.Get(fmt.Sprintf("%s/page/%d-%d", s.url, c, n))
				if err != nil {
					done <- err
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	s.until("all are recorded", func() bool { return len(node.Recorded()) >= clients*each })
	seen := map[string]int{}
	for _, o := range node.Recorded() {
		if seen[o.ID]++; o.Status != 200 {
			t.Errorf("status %d", o.Status)
		}
	}
	if stats := h.Stats(); len(seen) != clients*each || stats.Joined != clients*each || stats.Alone != 0 {
		t.Errorf("%d exchanges, %+v", len(seen), stats)
	}
}

// TestNGINXWithoutSeshat checks that traffic flows when nobody answers.
func TestNGINXWithoutSeshat(t *testing.T) {
	s := startNGINX(t, free(t))
	if response, body := s.send("GET", "/account"); response.StatusCode != 200 || body != "the origin\n" {
		t.Errorf("status %d: %s", response.StatusCode, body)
	}
}
