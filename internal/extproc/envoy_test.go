package extproc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newOrigin is an origin that says in its answers what it saw.
func newOrigin(t testing.TB) *httptest.Server {
	t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("RateLimit", `"origin";r=5;t=5`)
		w.Header().Set("Seen-Session", r.Header.Get("X-Seshat-Session"))
		w.Header().Set("Seen-User", r.Header.Get("X-Seshat-User"))
		w.Header().Set("Seen-JA4", r.Header.Get("X-JA4"))
		w.Header().Set("Seen-Framing", fmt.Sprintf("%d %v", r.ContentLength, r.TransferEncoding))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		switch r.URL.Path {
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "SESS", Value: "new"})
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"got":%q}`, body)
		case "/token":
			w.Header().Set("Content-Type", "application/json")
			for range 3 {
				_, _ = io.WriteString(w, strings.Repeat("x", 50_000))
				w.(http.Flusher).Flush()
			}
		default:
			_, _ = fmt.Fprintf(w, "%d bytes", len(body))
		}
	}))
	t.Cleanup(origin.Close)
	return origin
}

type reply struct {
	*http.Response
	body string
}

// do sends a request; fields are names and values in turn.
func do(t testing.TB, method, url, body string, fields ...string) reply {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Add(fields[i], fields[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response, string(text)}
}

func TestEnvoyPassesRequestsOn(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	_, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)

	got := do(t, "GET", e.url+"/orders/1?x=%20y", "", "Cookie", "a=b; SESS=one", "X-User", "alice",
		"X-Seshat-Session", "forged", "X-Seshat-User", "forged", "X-Odd", "1",
		"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	id := sessionOf("one").String()
	if got.StatusCode != 200 || got.Header.Get("Seen-Session") != id || got.Header.Get("Seen-User") != "" {
		t.Errorf("%d, and the origin saw the session %q and the user %q, want %q and none",
			got.StatusCode, got.Header.Get("Seen-Session"), got.Header.Get("Seen-User"), id)
	}
	if limits := got.Header.Values("RateLimit"); strings.Join(limits, ", ") != `"origin";r=5;t=5, "a";r=9;t=60` {
		t.Errorf("RateLimit is %q: ours goes behind the origin's", limits)
	}
	line := e.logged("/orders/1")
	for name, want := range map[string]any{"session_id": id, "user": "alice", "verdict": "tag"} {
		if line[name] != want {
			t.Errorf("the access log has %s %v, want %v: %v", name, line[name], want, line)
		}
	}
	if fmt.Sprint(line["tags"]) != "[Limit/odd Limit/even]" && fmt.Sprint(line["tags"]) != `["Limit/odd","Limit/even"]` {
		t.Errorf("the access log has the tags %v", line["tags"])
	}
	x := w.take(t, "/orders/1")
	if x.Request.Method != "GET" || x.Request.Query != "x=%20y" || x.Request.Host != e.host || x.Request.Scheme != "http" ||
		x.Request.HTTPVersion != "1.1" || x.Client.IP.String() != "127.0.0.1" || x.Environment != "production" ||
		x.Service != e.host || x.ID == "" || x.Response.Status != 200 || x.Duration <= 0 {
		t.Errorf("the exchange is %+v", x)
	}
	w.settled(t)
}

func TestEnvoyRefuses(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	s, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)
	f := func(path, field string, status int, details string) {
		t.Helper()
		got := do(t, "GET", e.url+path, "", "Cookie", "SESS=one", field, "1")
		if got.StatusCode != status || got.Header.Get("Content-Type") != "application/problem+json" ||
			strings.Join(got.Header.Values("RateLimit"), ", ") != `"a";r=0;t=7, "b";r=1;t=7` || !strings.HasPrefix(got.body, `{"detail":`) {
			t.Errorf("%s: %d %v %s", path, got.StatusCode, got.Header, got.body)
		}
		line := e.logged(path)
		if line["details"] != details || line["session_id"] != sessionOf("one").String() {
			t.Errorf("%s: the access log has %v, want details %q and the session", path, line, details)
		}
		if x := w.take(t, path); x.Response.Status != status {
			t.Errorf("%s: %d was recorded", path, x.Response.Status)
		}
	}
	f("/over", "X-Over", 429, "seshat:Limit/over_it")
	f("/bad", "X-Bad", 403, "seshat:Denylist/bad")
	if n := s.Stats().Refused; n != 2 {
		t.Errorf("%d were counted as refused", n)
	}
	w.settled(t)
}

func TestEnvoyReadsBodiesOnlyWhereTheyAreWanted(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	s, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)

	got := do(t, "POST", e.url+"/login", `{"user":"alice"}`, "Content-Type", "application/json", "Cookie", "SESS=old")
	if got.StatusCode != 200 || got.body != `{"got":"{\"user\":\"alice\"}"}` {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	if framing := got.Header.Get("Seen-Framing"); framing != "16 []" {
		t.Errorf("the origin saw the framing %q: the length of the body is lost", framing)
	}
	if got.Header.Get("Content-Length") == "" {
		t.Errorf("the client got %v: the length of the body is lost", got.Header)
	}
	if id := got.Header.Get("Seen-Session"); id != sessionOf("old").String() {
		t.Errorf("the origin saw the session %q of a request whose body was read", id)
	}
	x := w.take(t, "/login")
	if string(x.Request.Body.Bytes) != `{"user":"alice"}` || x.Request.Body.Truncated || string(x.Response.Body.Bytes) != got.body ||
		x.Response.Body.Truncated {
		t.Errorf("the bodies are %+v and %+v", x.Request.Body, x.Response.Body)
	}
	if line := e.logged("/login"); line["session_id"] != sessionOf("old").String() {
		t.Errorf("the access log has %v", line)
	}

	got = do(t, "POST", e.url+"/login", `{"user":"evil"}`, "Content-Type", "application/json")
	if got.StatusCode != 403 {
		t.Errorf("%d for a user that is denied by the body", got.StatusCode)
	}
	w.take(t, "/login")

	got = do(t, "POST", e.url+"/orders", `{"user":"evil"}`, "Content-Type", "application/json")
	if got.StatusCode != 200 {
		t.Errorf("%d for a body that nobody looks at", got.StatusCode)
	}
	x = w.take(t, "/orders")
	if len(x.Request.Body.Bytes) != 0 || x.Request.Body.Size != 15 || len(x.Response.Body.Bytes) != 0 {
		t.Errorf("the bodies are %+v and %+v", x.Request.Body, x.Response.Body)
	}

	got = do(t, "GET", e.url+"/token", "")
	if len(got.body) != 150_000 {
		t.Errorf("the body has %d bytes", len(got.body))
	}
	x = w.take(t, "/token")
	if len(x.Response.Body.Bytes) != 64<<10 || !x.Response.Body.Truncated {
		t.Errorf("%d bytes of the body were kept, truncated %v", len(x.Response.Body.Bytes), x.Response.Body.Truncated)
	}
	big := strings.Repeat("y", 300_000)
	got = do(t, "POST", e.url+"/login", big, "Content-Type", "application/json")
	if len(got.body) != len(big)+len(`{"got":""}`) {
		t.Errorf("%d %d bytes came back", got.StatusCode, len(got.body))
	}
	x = w.take(t, "/login")
	if len(x.Request.Body.Bytes) != 64<<10 || !x.Request.Body.Truncated || x.Request.Body.Size != 300_000 {
		t.Errorf("%d bytes of the body were kept, truncated %v, of %d", len(x.Request.Body.Bytes), x.Request.Body.Truncated, x.Request.Body.Size)
	}
	if stats := s.Stats(); stats.Missed != 0 || stats.Malformed != 0 {
		t.Errorf("%+v", stats)
	}
	w.settled(t)
}

func TestEnvoyStreamsUploads(t *testing.T) {
	arrived := make(chan int, 100)
	origin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		buffer := make([]byte, 1<<20)
		for {
			n, err := r.Body.Read(buffer)
			if n > 0 {
				arrived <- n
			}
			if err != nil {
				close(arrived)
				return
			}
		}
	}))
	t.Cleanup(origin.Close)
	w := newTwin()
	_, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)

	conn, err := net.Dial("tcp", e.host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const total = 8 << 20
	_, _ = fmt.Fprintf(conn, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\nfirst", total)
	select {
	case <-arrived: // the rest is not sent before: whoever holds it back waits for ever
	case <-time.After(10 * time.Second):
		t.Fatal("the beginning of the upload did not arrive before its end was sent")
	}
	if _, err := conn.Write(bytes.Repeat([]byte("x"), total-len("first"))); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%v %v", response, err)
	}
	if x := w.take(t, "/upload"); x.Request.Body.Size != total || len(x.Request.Body.Bytes) != 0 {
		t.Errorf("the body is recorded as %d bytes, %d kept", x.Request.Body.Size, len(x.Request.Body.Bytes))
	}
	w.settled(t)
}

func TestEnvoyUpgrades(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, both, err := w.(http.Hijacker).Hijack()
		if err != nil || r.Header.Get("Upgrade") != "websocket" {
			t.Errorf("%v %v", err, r.Header)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = both.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = both.Flush()
		line, _ := both.ReadString('\n')
		_, _ = both.WriteString("echo " + line)
		_ = both.Flush()
	}))
	t.Cleanup(origin.Close)
	w := newTwin()
	_, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)
	conn, err := net.Dial("tcp", e.host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, "GET /login HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 {
		t.Fatalf("%v %v", response, err)
	}
	if x := w.take(t, "/login"); x.Response.Status != 101 { // recorded while it goes on
		t.Errorf("%+v", x)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if line, err := reader.ReadString('\n'); line != "echo hello\n" {
		t.Errorf("%q, %v", line, err)
	}
	w.settled(t)
}

// The excerpts of docs/envoy.md, and what it says happens without a setting.
func TestEnvoyAsDocumented(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	_, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address, "                        - {match: {prefix: \"/\"}",
		excerpt(t, "typed_per_filter_config:", `                        - match: {prefix: "/billing"}
                          route: {cluster: origin}
`, "                          ")+"                        - {match: {prefix: \"/\"}")
	do(t, "GET", e.url+"/billing", "")
	if x := w.take(t, "/billing"); x.Service != "billing" {
		t.Errorf("the service is %q", x.Service)
	}
	f := func(keep string, want string) {
		t.Helper()
		e := startEnvoy(t, "ext-proc.yaml", origin.URL, address,
			"request_body_mode: NONE", "request_body_mode: BUFFERED_PARTIAL",
			"allow_mode_override: true", "allow_mode_override: false\n                      allow_content_length_header: "+keep)
		got := do(t, "POST", e.url+"/orders", "text", "Content-Type", "application/json")
		if framing := got.Header.Get("Seen-Framing"); framing != want {
			t.Errorf("allow_content_length_header %s: the framing is %q, want %q", keep, framing, want)
		}
	}
	f("true", "4 []")
	f("false", "-1 [chunked]")
	w.settled(t)
}

// excerpt is the block of docs/envoy.md that begins with a line, indented, after what comes before it.
func excerpt(t *testing.T, first, before, indent string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "envoy.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```yaml\n"+first)
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("docs/envoy.md has no block that begins with %q", first)
	}
	for line := range strings.Lines(first + block) {
		before += indent + line
	}
	return before
}
