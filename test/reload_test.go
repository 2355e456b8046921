package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reloadable is an instance with a configuration that a test changes.
type reloadable struct {
	*running
	config string
	again  int
}

// reload writes another configuration and waits until it is in force.
func (r *reloadable) reload(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	r.again++
	eventually(r.t, "the configuration was read again", func() bool {
		return strings.Count(r.stderr.String(), "was read again and is in force") == r.again
	})
}

// TestReloadOfEverything changes what can be changed while requests are served: who is a trusted proxy, what the origin is
// told, timeouts, bounds, resources. A request under way ends as it began, and is not lost.
func TestReloadOfEverything(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-leave
		}
		_, _ = fmt.Fprintf(w, "for %q forwarded %q via %q", r.Header.Get("X-Forwarded-For"), r.Header.Get("Forwarded"), r.Header.Get("Via"))
	}))
	defer origin.Close()
	rules := file(t, "rules.yaml", "apiVersion: seshat/v1\nkind: Flow\nmetadata: {name: checkout}\nspec: {type: billing, endpoints: [\"POST */orders\"]}\n")
	text := "listen: \"127.0.0.1:0\"\nupstreams: [{name: a, servers: [\"" + origin.URL + "\"]}]\n"
	config := file(t, "seshat.yaml", text)
	s := fresh(t)
	g := &reloadable{running: s.serve("-c", config), config: config}
	c := client(t)
	proxied := func() string {
		t.Helper()
		a := ask(t, c, http.MethodGet, g.gateway+"/", "", "X-Forwarded-For", "203.0.113.9")
		if a.status != http.StatusOK {
			t.Fatalf("the answer has status %d: %s", a.status, a.body)
		}
		return a.body
	}
	if got := proxied(); got != `for "127.0.0.1" forwarded "" via ""` {
		t.Fatalf("before: %s", got)
	}
	slow := make(chan answerOf, 1)
	go func() {
		a, err := tryAsk(client(t), http.MethodGet, g.gateway+"/slow", "", "X-Forwarded-For", "203.0.113.9")
		if err != nil {
			a.body = err.Error()
		}
		slow <- a
	}()
	<-entered

	g.reload(text + "trustedProxies: [127.0.0.0/8]\nforwardedFields: forwarded\nvia: edge\ninput: {maxHeaderBytes: 2KiB}\ntimeouts: {keepAlive: 200ms}\nresources: [" + rules + "]\n")
	if got := proxied(); !strings.HasPrefix(got, `for "" forwarded "for=203.0.113.9`) || !strings.HasSuffix(got, `via "1.1 edge"`) {
		t.Errorf("after: %s", got)
	}
	if a := ask(t, c, http.MethodGet, g.gateway+"/", "", "X-Long", strings.Repeat("x", 3<<10)); a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head of 3 KiB gives %d", a.status)
	}
	s.ok("get", "flow", "checkout").prints("POST */orders")
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.gateway, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(soon))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("an idle connection ends with %v after %q", err, answer)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("an idle connection was kept for %v", took)
	}
	if strings.Contains(g.stderr.String(), "next start") {
		t.Errorf("it says that something waits:\n%s", g.stderr)
	}

	close(leave)
	if a := <-slow; a.status != http.StatusOK || a.body != `for "127.0.0.1" forwarded "" via ""` {
		t.Errorf("the request under way: %d %s", a.status, a.body)
	}

	// What cannot change says so.
	g.reload(text + "journal: {batchDelay: 10ms}\nlogs: [{path: /var/log/access.log}]\ninput: {maxConnections: 7}\n")
	g.said("what changed in (logs, journal, input.maxConnections) comes into force at the next start")
	if got := proxied(); got != `for "127.0.0.1" forwarded "" via ""` {
		t.Errorf("after the proxies were taken away: %s", got)
	}

	// What is counted goes on: no counter falls.
	before := metric(t, g.running, `seshat_gateway_responses_total{status_class="2xx"}`)
	g.reload(text + "via: other\n")
	if after := metric(t, g.running, `seshat_gateway_responses_total{status_class="2xx"}`); after < before || before < 4 {
		t.Errorf("%v responses, and after a reload %v", before, after)
	}
}

// TestReloadOfBadResources keeps everything as it was when one part of a configuration cannot be put in force.
func TestReloadOfBadResources(t *testing.T) {
	origin := httptest.NewServer(says("one"))
	defer origin.Close()
	other := httptest.NewServer(says("two"))
	defer other.Close()
	bad := file(t, "bad.yaml", "apiVersion: seshat/v1\nkind: Flow\nmetadata: {name: x}\nspec: {type: billing, endpoints: [\"*/orders/{\"]}\nnonsense: 1\n")
	text := func(server, more string) string {
		return "listen: \"127.0.0.1:0\"\nupstreams: [{name: a, servers: [\"" + server + "\"]}]\n" + more
	}
	config := file(t, "seshat.yaml", text(origin.URL, ""))
	g := fresh(t).serve("-c", config)
	if err := os.WriteFile(config, []byte(text(other.URL, "via: edge\nresources: ["+bad+"]\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.said("the configuration before stays in force")
	if a := ask(t, client(t), http.MethodGet, g.gateway+"/", ""); a.body != "one" {
		t.Errorf("a part of a bad configuration came into force: %s", a.body)
	}
	if !strings.Contains(g.stderr.String(), "bad.yaml:5") {
		t.Errorf("it does not say where the fault is:\n%s", g.stderr)
	}
}
