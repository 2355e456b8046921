package forwardauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

const rules = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec:
  identifiers: [{cookie: SHOPSESS}]
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: login}
spec: {key: [ip], count: 2, window: 1m, endpoints: ["POST */login"]}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: closed}
spec: {key: [ip], count: 1, window: 1m, action: block, endpoints: ["* */closed"]}
`

func newHandler(t testing.TB, config Config, inline pipeline.InlineConfig) (*Handler, *inlinetest.Node) {
	t.Helper()
	node := inlinetest.Start(t, rules, inline)
	config.Inline, config.Digester = node.Inline, node.Digester
	h, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return h, node
}

// question is what a proxy asks: names and values by turns.
func question(path, peer string, fields ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9182"+path, nil)
	r.RemoteAddr = peer
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

func ask(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func nginx(method, uri string, more ...string) *http.Request {
	return question("/auth/nginx", "127.0.0.1:4711", append([]string{
		"X-Original-Method", method, "X-Original-URI", uri, "X-Original-Scheme", "https", "X-Original-Host", "shop.example",
		"X-Original-Protocol", "HTTP/2.0", "X-Original-Address", "203.0.113.9", "User-Agent", "curl/8.9",
	}, more...)...)
}

func caddy(method, uri string, more ...string) *http.Request {
	return question("/auth/caddy", "127.0.0.1:4711", append([]string{
		"X-Forwarded-Method", method, "X-Forwarded-Uri", uri, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example",
		"X-Forwarded-For", "203.0.113.9",
	}, more...)...)
}

// read is the exchange that a handler makes of a question.
func read(t testing.TB, r *http.Request, trusted ...string) (seshat.Exchange, error) {
	t.Helper()
	var config clientaddr.Config
	for _, p := range trusted {
		config.Trusted = append(config.Trusted, netip.MustParsePrefix(p))
	}
	proxies, err := clientaddr.New(config)
	if err != nil {
		t.Fatal(err)
	}
	d := dialects[r.URL.Path]
	var x seshat.Exchange
	err = d.read(r.Header, proxies, &x)
	return x, err
}

func TestReadsTheOriginalRequest(t *testing.T) {
	f := func(r *http.Request, want string, trusted ...string) {
		t.Helper()
		x, err := read(t, r, trusted...)
		q := x.Request
		got := fmt.Sprintf("%s %s %s %s|%s|%s v%s %s %d", x.Client.IP, q.Method, q.Scheme, q.Host, q.Path, q.Query, q.HTTPVersion, x.Service, q.Body.Size)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", r.URL.Path, got, err, want)
		}
	}
	f(nginx("POST", "/a%2Fb?x=1&y=%20", "X-Original-Length", "12"),
		"203.0.113.9 POST https shop.example|/a%2Fb|x=1&y=%20 v2 shop.example 12")
	f(nginx("GET", "/", "X-Forwarded-For", "198.51.100.1"), "203.0.113.9 GET https shop.example|/| v2 shop.example 0")
	f(nginx("GET", "/", "X-Forwarded-For", "1.2.3.4, 198.51.100.1"),
		"198.51.100.1 GET https shop.example|/| v2 shop.example 0", "203.0.113.0/24")
	f(nginx("GET", "http://other.example/p?q"), "203.0.113.9 GET https shop.example|/p|q v2 shop.example 0")
	// What another dialect would read says nothing.
	f(nginx("GET", "/", "X-Forwarded-Method", "DELETE", "X-Forwarded-Uri", "/admin", "X-Original-URL", "http://x/y"),
		"203.0.113.9 GET https shop.example|/| v2 shop.example 0")

	f(caddy("GET", "/p?"), "203.0.113.9 GET https shop.example|/p| v shop.example 0")
	f(caddy("GET", "/", "X-Forwarded-For", "198.51.100.7"), "198.51.100.7 GET https shop.example|/| v shop.example 0")
	f(question("/auth/traefik", "127.0.0.1:1", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/chat", "X-Forwarded-Proto", "wss",
		"X-Forwarded-Host", "shop.example:8443", "X-Forwarded-For", "1.2.3.4, 2001:db8::1"),
		"2001:db8::1 GET https shop.example:8443|/chat| v shop.example:8443 0")
	f(question("/auth/traefik", "127.0.0.1:1", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/", "X-Forwarded-Proto", "http",
		"X-Forwarded-Host", "h", "X-Forwarded-For", "9.9.9.9, 1.2.3.4, 10.0.0.1"), "1.2.3.4 GET http h|/| v h 0", "10.0.0.0/8")
	f(question("/auth/ingress-nginx", "127.0.0.1:1", "X-Original-Method", "PUT", "X-Original-URL", "https://a.example:444/x/y?z=%31", "X-Real-IP", "192.0.2.1"),
		"192.0.2.1 PUT https a.example:444|/x/y|z=%31 v a.example:444 0")
	f(question("/auth/ingress-nginx", "127.0.0.1:1", "X-Original-Method", "PUT", "X-Original-URL", "http://a.example?q", "X-Real-IP", "192.0.2.1"),
		"192.0.2.1 PUT http a.example|/|q v a.example 0")
}

// TestFieldsOfTheClient checks that an exchange has the client's fields and none of the proxy's.
func TestFieldsOfTheClient(t *testing.T) {
	r := nginx("GET", "/", "Cookie", "a=1", "Cookie", "b=2", "Authorization", "Bearer x", "Connection", "close", "X-Seshat-Exchange", "forged")
	x, err := read(t, r)
	want := []seshat.Field{{Name: "Authorization", Value: "Bearer x"}, {Name: "Cookie", Value: "a=1"}, {Name: "Cookie", Value: "b=2"}, {Name: "User-Agent", Value: "curl/8.9"}}
	if err != nil || !slices.Equal(x.Request.Header, want) {
		t.Errorf("got %v, %v", x.Request.Header, err)
	}
	x, err = read(t, caddy("GET", "/", "X-Forwarded-For", "1.1.1.1, 2.2.2.2"))
	want = []seshat.Field{{Name: "X-Forwarded-For", Value: "203.0.113.9"}, {Name: "X-Forwarded-For", Value: "1.1.1.1"}}
	if err != nil || !slices.Equal(x.Request.Header, want) {
		t.Errorf("got %v, %v", x.Request.Header, err)
	}
}

func TestRefusesUnclearQuestions(t *testing.T) {
	h, node := newHandler(t, Config{}, pipeline.InlineConfig{})
	f := func(r *http.Request, status int, says string) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d %s, want %d and %q", r.URL.Path, w.Code, w.Body, status, says)
		}
	}
	f(question("/auth/nginx", "127.0.0.1:1"), 400, "X-Original-Method is missing")
	f(nginx("GET", "/", "X-Original-URI", "/other"), 400, "X-Original-Uri is there 2 times")
	f(nginx("GET", "/", "X-Original-Address", "::1"), 400, "X-Original-Address is there 2 times")
	f(question("/auth/nginx", "127.0.0.1:1", "X-Original-Method", "GET", "X-Original-URI", "/", "X-Original-Address", "localhost"), 400, "is not an address")
	f(question("/auth/traefik", "127.0.0.1:1", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/"), 400, "X-Forwarded-For is missing")
	f(question("/auth/caddy", "127.0.0.1:1", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/", "X-Forwarded-For", "1.2.3.4, x"), 400, "does not end with an address")
	f(question("/auth/ingress-nginx", "127.0.0.1:1", "X-Original-Method", "GET", "X-Original-URL", "/x", "X-Real-IP", "1.2.3.4"), 400, "not an absolute URL")
	f(question("/", "127.0.0.1:1"), 404, "/auth/caddy, /auth/ingress-nginx, /auth/nginx, /auth/traefik")
	untrusted := nginx("GET", "/")
	untrusted.RemoteAddr = "192.0.2.1:1"
	f(untrusted, 403, "forwardAuth.trusted")
	if recorded := node.Recorded(); len(recorded) > 0 {
		t.Errorf("%d exchanges were recorded", len(recorded))
	}
	if s := h.Stats(); s.Bad != 7 || s.Untrusted != 1 || s.Asked != 0 {
		t.Errorf("counts %+v", s)
	}
}

func TestAllows(t *testing.T) {
	h, node := newHandler(t, Config{}, pipeline.InlineConfig{})
	answer := ask(h, nginx("GET", "/account", "Cookie", "SHOPSESS=k3vQ9xTt1LmN8pR2s"))
	header := answer.Header
	if answer.StatusCode != 200 || header.Get("X-Seshat-Verdict") != "allow" {
		t.Errorf("%d %v", answer.StatusCode, header)
	}
	if _, err := seshat.ParseSessionID(header.Get("X-Seshat-Session")); err != nil {
		t.Errorf("session %q", header.Get("X-Seshat-Session"))
	}
	recorded := node.Recorded()
	if len(recorded) != 1 {
		t.Fatalf("%d exchanges", len(recorded))
	}
	o := recorded[0]
	if o.Path != "/account" || o.Status != 0 || o.ClientIP != netip.MustParseAddr("203.0.113.9") || o.IDs[o.Grouping].Key != "SHOPSESS" || o.UserAgent != "curl/8.9" {
		t.Errorf("recorded %+v", o)
	}
}

// TestRefuses checks what each proxy gets: NGINX's auth_request knows 401 and 403 only, the others hand everything on.
func TestRefuses(t *testing.T) {
	h, node := newHandler(t, Config{}, pipeline.InlineConfig{})
	f := func(r *http.Request, status int, meant, by string) {
		t.Helper()
		answer := ask(h, r)
		if answer.StatusCode != status || answer.Header.Get(StatusField) != meant || answer.Header.Get(ReasonField) == "" {
			t.Errorf("%s: %d %v, want %d and %s meant", r.URL.Path, answer.StatusCode, answer.Header, status, meant)
		}
		var problem struct{ Status int }
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil || fmt.Sprint(problem.Status) != meant {
			t.Errorf("the body says %d, %v", problem.Status, err)
		}
		recorded := node.Recorded()
		if o := recorded[len(recorded)-1]; fmt.Sprint(o.Status) != meant || o.Verdict.By != by {
			t.Errorf("recorded status %d by %q", o.Status, o.Verdict.By)
		}
	}
	login := func(asks func(method, uri string, more ...string) *http.Request, n int) *http.Request {
		for range n {
			if answer := ask(h, asks("POST", "/login")); answer.StatusCode != 200 {
				t.Fatalf("status %d within the limit", answer.StatusCode)
			}
		}
		return asks("POST", "/login")
	}
	f(login(nginx, 2), 403, "429", "Limit/login")
	f(caddy("POST", "/login"), 429, "429", "Limit/login")
	if answer := ask(h, caddy("POST", "/login")); answer.Header.Get("Retry-After") == "" {
		t.Errorf("there is no Retry-After: %v", answer.Header)
	}
	ask(h, nginx("GET", "/closed"))
	f(nginx("GET", "/closed"), 403, "403", "Limit/closed")
}

// TestFieldNames checks that answers say things under the names that are configured, and each once.
func TestFieldNames(t *testing.T) {
	names := pipeline.SessionFields{Session: "Sid", User: "Who", Verdict: "V"}
	h, _ := newHandler(t, Config{Fields: names}, pipeline.InlineConfig{})
	header := ask(h, nginx("GET", "/")).Header
	if header.Get("Sid") == "" || header.Get("V") != "allow" || header.Get("X-Seshat-Session") != "" {
		t.Errorf("%v", header)
	}
	h, _ = newHandler(t, Config{}, pipeline.InlineConfig{Fields: pipeline.SessionFields{Session: "x-seshat-session", Verdict: "Judged"}})
	header = ask(h, nginx("GET", "/")).Header
	if len(header.Values("X-Seshat-Session")) != 1 || header.Get("Judged") != "allow" || header.Get("X-Seshat-Verdict") != "allow" {
		t.Errorf("%v", header)
	}
}

func TestFailClosed(t *testing.T) {
	h, node := newHandler(t, Config{}, pipeline.InlineConfig{FailClosed: true})
	if answer := ask(h, nginx("GET", "/")); answer.StatusCode != 200 {
		t.Fatalf("status %d", answer.StatusCode)
	}
	node.Close()
	if answer := ask(h, nginx("GET", "/")); answer.StatusCode != 403 || answer.Header.Get(StatusField) != "503" {
		t.Errorf("nginx gets %d %v", answer.StatusCode, answer.Header)
	}
	if answer := ask(h, caddy("GET", "/")); answer.StatusCode != 503 {
		t.Errorf("caddy gets %d", answer.StatusCode)
	}
}

// accessLine is what is read of a line of an access log.
func accessLine(id string, status int) *seshat.Exchange {
	return &seshat.Exchange{
		Time: time.Now(), Duration: 7 * time.Millisecond,
		Request: seshat.Request{Method: "GET", Path: "/account", HTTPVersion: "1.1", Header: []seshat.Field{{Name: "X-Seshat-Exchange", Value: id}}},
		Response: seshat.Response{Status: status, Body: seshat.Body{Size: 10, Truncated: true}, Header: []seshat.Field{
			{Name: "Set-Cookie", Value: "SHOPSESS=anotherZk3vQ9xTt1LmN8p"},
		}},
	}
}

func TestJoin(t *testing.T) {
	h, node := newHandler(t, Config{Join: true}, pipeline.InlineConfig{})
	observe := func(x *seshat.Exchange) {
		t.Helper()
		if err := h.Observe(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	id := ask(h, nginx("GET", "/account", "Cookie", "SHOPSESS=k3vQ9xTt1LmN8pR2s")).Header.Get(ExchangeField)
	if recorded := node.Recorded(); len(recorded) != 0 {
		t.Fatalf("%d exchanges were recorded before their line", len(recorded))
	}
	observe(accessLine(id, 200))
	recorded := node.Recorded()
	if len(recorded) != 1 {
		t.Fatalf("%d exchanges, want 1", len(recorded))
	}
	o := recorded[0]
	if o.ID != id || o.Status != 200 || o.Duration != 7*time.Millisecond || o.ResponseBytes != 10 || o.HTTPVersion != "2" {
		t.Errorf("joined: %+v", o)
	}
	sides := map[seshat.Side]int{}
	for _, found := range o.IDs {
		if found.Key == "SHOPSESS" {
			sides[found.Side]++
		}
	}
	if sides[seshat.InRequest] == 0 || sides[seshat.InResponse] == 0 {
		t.Errorf("the IDs of both halves are not there: %+v", o.IDs)
	}
	observe(accessLine(id, 200)) // the same line again
	if recorded := node.Recorded(); len(recorded) != 1 {
		t.Errorf("a line that was read twice makes %d exchanges", len(recorded))
	}
	observe(accessLine("", 304))
	observe(accessLine(id[:len(id)-1]+"x", 200)) // made up
	recorded = node.Recorded()
	if len(recorded) != 3 || recorded[1].Status != 304 || recorded[2].ID != "" {
		t.Errorf("lines that nobody asked about: %d exchanges", len(recorded))
	}
	if s := h.Stats(); s.Asked != 1 || s.Joined != 1 || s.Late != 1 || s.Alone != 2 || s.Waiting != 0 {
		t.Errorf("counts %+v", s)
	}
}

// TestLineOfAnEarlierProcess checks that a question that was asked of a process that is gone is recorded with its line,
// under the ID and time that the other process would have used.
func TestLineOfAnEarlierProcess(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	clock := func() time.Time { return now }
	before, _ := newHandler(t, Config{Join: true, Now: clock}, pipeline.InlineConfig{})
	id := ask(before, nginx("GET", "/account")).Header.Get(ExchangeField)
	asked := now
	now = now.Add(time.Minute)
	after, node := newHandler(t, Config{Join: true, Now: clock}, pipeline.InlineConfig{})
	if err := after.Observe(t.Context(), accessLine(id, 200)); err != nil {
		t.Fatal(err)
	}
	recorded := node.Recorded()
	if len(recorded) != 1 || recorded[0].ID != id || !recorded[0].Time.Equal(asked) {
		t.Errorf("recorded %+v", recorded)
	}
}

// TestLinesAreNotRecordedTwice checks that a log that is followed although questions are recorded does no harm.
func TestLinesAreNotRecordedTwice(t *testing.T) {
	h, node := newHandler(t, Config{}, pipeline.InlineConfig{})
	id := ask(h, nginx("GET", "/account")).Header.Get(ExchangeField)
	if err := h.Observe(t.Context(), accessLine(id, 200)); err != nil {
		t.Fatal(err)
	}
	if recorded := node.Recorded(); len(recorded) != 1 {
		t.Errorf("%d exchanges, want 1", len(recorded))
	}
}

func TestJoinExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, node := newHandler(t, Config{Join: true, JoinWait: 10 * time.Second}, pipeline.InlineConfig{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.Run(ctx) }()
		id := ask(h, nginx("GET", "/account")).Header.Get(ExchangeField)
		time.Sleep(9 * time.Second)
		if n := len(node.Recorded()); n != 0 {
			t.Errorf("%d exchanges after 9 s", n)
		}
		time.Sleep(3 * time.Second)
		if recorded := node.Recorded(); len(recorded) != 1 || recorded[0].Status != 0 || recorded[0].ID != id {
			t.Errorf("after 12 s: %d exchanges", len(recorded))
		}
		if err := h.Observe(t.Context(), accessLine(id, 200)); err != nil {
			t.Error(err)
		}
		ask(h, nginx("GET", "/other"))
		stop()
		<-done
		if recorded := node.Recorded(); len(recorded) != 2 {
			t.Errorf("at the end %d exchanges, want 2", len(recorded))
		}
		if s := h.Stats(); s.Expired != 2 || s.Late != 1 || s.Waiting != 0 {
			t.Errorf("counts %+v", s)
		}
	})
}

func TestJoinIsBounded(t *testing.T) {
	h, node := newHandler(t, Config{Join: true}, pipeline.InlineConfig{})
	huge := strings.Repeat("x", 1<<20)
	const more = 5
	for range maxWaitingBytes>>20 + more {
		ask(h, nginx("GET", "/", "X-Huge", huge))
	}
	s := h.Stats()
	if s.Displaced == 0 || s.Waiting+s.Displaced != maxWaitingBytes>>20+more || s.Waiting > maxWaitingBytes>>20 {
		t.Errorf("counts %+v", s)
	}
	if n := int64(len(node.Recorded())); n != s.Displaced {
		t.Errorf("%d were recorded, %d displaced", n, s.Displaced)
	}
}

func TestPlain(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q", in, got)
		}
	}
	f("over 10 in 1m", "over 10 in 1m")
	f("a \"b\" \\ \n é", "a 'b' ' ? ?")
}

func FuzzParseID(f *testing.F) {
	node := inlinetest.Start(f, rules, pipeline.InlineConfig{})
	f.Add(string(issue(node.Digester, time.Now())))
	f.Add(strings.Repeat("A", idLength))
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := parseID(node.Digester, text)
		if !ok {
			return
		}
		if len(text) != idLength || at.IsZero() {
			t.Errorf("%q is an ID of %v", text, at)
		}
	})
}

func FuzzQuestion(f *testing.F) {
	f.Add("/auth/nginx", "GET", "/a?b", "https", "h:1", "1.2.3.4", "x, y")
	f.Add("/auth/traefik", "GET", "http://h/?", "wss", "[::1]:2", "", "1.2.3.4, ::1")
	f.Add("/auth/ingress-nginx", "GET", "https://h?x", "", "", "[::1]:5", "")
	f.Fuzz(func(t *testing.T, path, method, target, scheme, host, address, list string) {
		if _, known := dialects[path]; !known {
			return
		}
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for name, value := range map[string]string{
			"X-Original-Method": method, "X-Original-Uri": target, "X-Original-Url": target, "X-Original-Scheme": scheme,
			"X-Original-Host": host, "X-Original-Address": address, "X-Real-Ip": address, "X-Forwarded-Method": method,
			"X-Forwarded-Uri": target, "X-Forwarded-Proto": scheme, "X-Forwarded-Host": host, "X-Forwarded-For": list,
		} {
			r.Header[name] = []string{value}
		}
		x, err := read(t, r, "10.0.0.0/8")
		if err == nil && (x.Request.Method == "" || x.Request.Path == "" || strings.Contains(x.Request.Path, "?")) {
			t.Errorf("read %+v", x.Request)
		}
	})
}
