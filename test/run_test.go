package test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shop is an origin with sessions: a cookie that login changes, and pages that want a signed-in user.
func shop(t testing.TB) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user := r.FormValue("username")
		http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: "of-" + user + "-Zk3vQ9xTt1LmN8pR2s", Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("SHOPSESS")
		if err != nil || !strings.HasPrefix(cookie.Value, "of-") {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, "the account")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "page", r.URL.Path) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// signIn signs a user of the shop in by way of base and returns the cookie field.
func signIn(t testing.TB, c *http.Client, base, user string, fields ...string) string {
	t.Helper()
	a := ask(t, c, http.MethodPost, base+"/login", "username="+user+"&password=secret-of-"+user,
		append(fields, "Content-Type", "application/x-www-form-urlencoded")...)
	if a.status != http.StatusSeeOther {
		t.Fatalf("signing in gives %d: %s", a.status, a.body)
	}
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	return cookie
}

// TestGatewayShowsSessionsSoon is the main job: an exchange that passes is in its session about a second later.
func TestGatewayShowsSessionsSoon(t *testing.T) {
	origin := shop(t)
	s := fresh(t)
	g := s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	c := client(t)
	cookie := signIn(t, c, g.gateway, "alice", "User-Agent", "test/1.0")
	for range 5 {
		if a := ask(t, c, http.MethodGet, g.gateway+"/account", "", "Cookie", cookie, "User-Agent", "test/1.0"); a.status != http.StatusOK {
			t.Fatalf("the account gives %d", a.status)
		}
	}
	start := time.Now()
	var found []session
	eventually(t, "alice's session is shown with 6 exchanges", func() bool {
		found = s.sessions("user:alice")
		return len(found) == 1 && found[0].Exchanges == 6
	})
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v until the session was shown", took)
	}
	if found[0].State != "active" {
		t.Errorf("the session is %s", found[0].State)
	}
}

// TestGatewayEndsWell ends an instance while a request is under way: it is answered, it is recorded, nobody else is let
// in.
func TestGatewayEndsWell(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-leave
		}
		fmt.Fprintln(w, "done")
	}))
	defer origin.Close()
	s := fresh(t)
	g := s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	c := client(t)
	answered := make(chan error, 1)
	go func() {
		a, err := tryAsk(c, http.MethodGet, g.gateway+"/slow", "")
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("status %d", a.status)
		}
		answered <- err
	}()
	<-entered
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody else is let in", func() bool {
		other := client(t)
		_, err := tryAsk(other, http.MethodGet, g.gateway+"/", "")
		return err != nil
	})
	close(leave)
	if err := <-answered; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	g.wait()
	if rows := s.explore("path", "path:/slow"); len(rows) != 1 {
		t.Errorf("the request under way is recorded %d times", len(rows))
	}
}

// TestStreamsWithoutClients ends when clients of quiet streams go away, and in any case within the time that an instance
// has for its end.
func TestStreamsWithoutClients(t *testing.T) {
	ended := make(chan struct{}, 10)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: hello\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		ended <- struct{}{}
	}))
	defer origin.Close()
	s := fresh(t)
	cert, key := certificate(t)
	g := s.serve("-c", file(t, "seshat.yaml", fmt.Sprintf(`
listeners: [{address: "127.0.0.1:0"}, {address: "127.0.0.1:0", tls: {certificates: [{certificate: %q, key: %q}]}}]
upstreams: [{name: site, servers: [%q]}]
shutdownGrace: 1s
`, cert, key, origin.URL)))
	// stream begins a stream and returns when its first event has come.
	stream := func(base string, two bool) context.CancelFunc {
		t.Helper()
		c := client(t)
		c.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = two
		ctx, cancel := context.WithCancel(context.Background())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		if _, err := io.ReadFull(response.Body, make([]byte, len("data: hello"))); err != nil {
			t.Fatal(err)
		}
		return cancel
	}
	secure := g.said(`Serving on (https://[^, ]+)`)
	for _, way := range []struct {
		base string
		two  bool
	}{{g.gateway, false}, {secure, false}, {secure, true}} {
		goAway := stream(way.base, way.two)
		goAway()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s, HTTP/2 %v: the client is gone, and the origin does not hear of it", way.base, way.two)
		}
	}
	defer stream(g.gateway, false)()
	defer stream(secure, false)()
	defer stream(secure, true)()
	start := time.Now()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := <-g.ended
	g.ended <- err
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it had a second for its end, and took %v", took)
	}
	if rows := s.explore("path", "path:/events"); len(rows) != 6 {
		t.Errorf("of 6 streams %d are recorded", len(rows))
	}
}

// TestRunSaysWhatIsWrong makes mistakes on purpose.
func TestRunSaysWhatIsWrong(t *testing.T) {
	s := fresh(t)
	s.run("run").want(2).says("there is nothing to serve", "--upstream http://HOST:PORT")
	s.run("run", "--upstream", "127.0.0.1:3000").want(1).says("--upstream", "is no URL of a server", "http://127.0.0.1:3000")
	config := file(t, "seshat.yaml", "upstreams: [{name: a, servers: [\"http://127.0.0.1:1\"]}]\nroutes:\n  - {upstream: b}\n")
	s.run("run", "-c", config).want(1).says("seshat.yaml:3:", `there is no upstream called "b"`)
	s.run("run", "-c", filepath.Join(t.TempDir(), "missing.yaml")).want(1).says("no such file")
	origin := shop(t)
	g := s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	s.run("run", "--upstream", origin.URL).want(1).says("another") // the data directory is taken
	address := strings.TrimPrefix(g.gateway, "http://")
	fresh(t).run("run", "--upstream", origin.URL, "--listen", address, "--api", "127.0.0.1:0").want(1).says("address already in use")
}

// TestReload changes the configuration of an instance that serves: a good one comes into force, a bad one does not.
func TestReload(t *testing.T) {
	one, two := httptest.NewServer(says("one")), httptest.NewServer(says("two"))
	defer one.Close()
	defer two.Close()
	config := file(t, "seshat.yaml", "")
	write := func(server string) {
		text := "listen: \"127.0.0.1:0\"\nupstreams: [{name: a, servers: [\"" + server + "\"]}]\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(one.URL)
	s := fresh(t)
	g := s.serve("-c", config)
	c := client(t)
	answers := func(want string) func() bool {
		return func() bool { return ask(t, c, http.MethodGet, g.gateway+"/", "").body == want }
	}
	if !answers("one")() {
		t.Fatal("the first server does not answer")
	}
	write("nonsense")
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.said("is no URL of a server")
	if !answers("one")() {
		t.Error("a bad configuration came into force")
	}
	write(two.URL)
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second server answers", answers("two"))
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

// TestJSONLogsAreAllJSON reads everything that an instance with JSON logs says, from its start over a bad configuration to
// its end.
func TestJSONLogsAreAllJSON(t *testing.T) {
	origin := shop(t)
	config := file(t, "seshat.yaml", "listen: \"127.0.0.1:0\"\nupstreams: [{name: a, servers: [\""+origin.URL+"\"]}]\n")
	g := fresh(t).serve("-c", config, "--log", "json", "--verbose")
	if err := os.WriteFile(config, []byte("nonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.said("the configuration before stays in force")
	g.stop()
	for line := range strings.Lines(g.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("it says %q", line)
		}
	}
}
