package test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// series are the values of /metrics by name and labels, as they stand there.
func series(t testing.TB, r *running) map[string]float64 {
	t.Helper()
	a := ask(t, client(t), http.MethodGet, r.api+"/metrics", "")
	if a.status != http.StatusOK {
		t.Fatalf("/metrics gives %d: %s", a.status, a.body)
	}
	out := map[string]float64{}
	for line := range strings.Lines(a.body) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("%q is no line of metrics: %v", line, err)
		}
		if _, twice := out[line[:at]]; twice {
			t.Errorf("%s is there twice", line[:at])
		}
		out[line[:at]] = value
	}
	return out
}

// metric is the value of one of the series.
func metric(t testing.TB, r *running, name string) float64 {
	t.Helper()
	value, found := series(t, r)[name]
	if !found {
		t.Fatalf("there is no metric %s", name)
	}
	return value
}

// everything is an instance with everything configured that has metrics.
func everything(t testing.TB, origin, more string, args ...string) *running {
	t.Helper()
	log := file(t, "access.log", "")
	rules := file(t, "rules.yaml", `
apiVersion: seshat/v1
kind: Limit
metadata: {name: hammer}
spec: {endpoints: ["GET */limited"], key: [ip], count: 1, window: 1m}
`)
	config := file(t, "seshat.yaml", fmt.Sprintf(`
listen: "127.0.0.1:0"
upstreams: [{name: shop, servers: [%q]}]
extProc: {address: "127.0.0.1:0"}
forwardAuth: {address: "127.0.0.1:0"}
logs: [{path: %q}]
resources: [%q]
`, origin, log, rules)+more)
	return fresh(t).serve(append([]string{"-c", config}, args...)...)
}

// raw sends bytes to the gateway and returns what comes back.
func raw(t testing.TB, r *running, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.gateway, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(soon))
	_, _ = io.WriteString(conn, text)
	answer, _ := io.ReadAll(conn) // it may be reset
	return string(answer)
}

var metricName = regexp.MustCompile(`\bseshat_[a-z0-9_]+`)

// TestMetricsAreDocumented compares the metrics of an instance with docs/observability.md and with the dashboard.
func TestMetricsAreDocumented(t *testing.T) {
	origin := shop(t)
	r := everything(t, origin.URL, "events: {file: "+filepath.Join(t.TempDir(), "events")+"}\n")
	c := client(t)
	signIn(t, c, r.gateway, "alice")
	for range 3 {
		ask(t, c, http.MethodGet, r.gateway+"/limited", "")
	}
	raw(t, r, "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n")
	served := map[string]bool{}
	var all []string
	for name := range series(t, r) {
		all = append(all, name)
		name, _, _ = strings.Cut(name, "{")
		if strings.HasPrefix(name, "seshat_") {
			served[regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")] = true
		}
	}
	documented := map[string]bool{}
	for line := range strings.Lines(read(t, filepath.Join("..", "docs", "observability.md"))) {
		if strings.HasPrefix(line, "| `seshat_") {
			first, _, _ := strings.Cut(line[2:], "|")
			for _, name := range metricName.FindAllString(first, -1) {
				documented[name] = true
			}
		}
	}
	for name := range served {
		if !documented[name] {
			t.Errorf("the metric %s is not in docs/observability.md", name)
		}
	}
	for name := range documented {
		if !served[name] {
			t.Errorf("docs/observability.md has a metric %s that is not served", name)
		}
	}
	if len(served) < 30 {
		t.Errorf("there are %d metrics: %v", len(served), slices.Sorted(maps.Keys(served)))
	}
	dashboard := read(t, filepath.Join("..", "deploy", "grafana", "seshat.json"))
	if !json.Valid([]byte(dashboard)) {
		t.Error("the dashboard is no JSON")
	}
	shown := metricName.FindAllString(dashboard, -1)
	if len(shown) == 0 {
		t.Error("the dashboard shows nothing")
	}
	for _, name := range shown {
		if name = strings.TrimSuffix(name, "_bucket"); !served[name] {
			t.Errorf("the dashboard shows %s, which is not served", name)
		}
	}
	for _, want := range []string{`seshat_rule_decisions_total{by="Limit/hammer",outcome="refused"}`, `go_goroutines`, `process_resident_memory_bytes`} {
		if !slices.Contains(all, want) {
			t.Errorf("there is no %s", want)
		}
	}
}

// TestMetricsStayBounded sends what could become labels: whatever clients make up, the series are the same.
func TestMetricsStayBounded(t *testing.T) {
	r := everything(t, shop(t).URL, "")
	c := client(t)
	hammer := func(n int) {
		for i := range n {
			mark := fmt.Sprintf("zq7x%d", i)
			_, _ = tryAsk(c, "M"+strings.ToUpper(mark), r.gateway+"/"+mark+"/limited?"+mark+"="+mark, "", "Host", mark+".example", "User-Agent", mark,
				"Cookie", "SHOPSESS="+mark+"; "+mark+"=1", "Authorization", "Bearer "+mark, "X-Forwarded-For", "203.0.113.7")
			_, _ = tryAsk(c, http.MethodGet, r.gateway+"/limited", "", "Host", mark+".example", "Cookie", "PHPSESSID="+mark)
		}
		raw(t, r, "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n")
	}
	hammer(3)
	before := series(t, r)
	hammer(200)
	after := series(t, r)
	for name := range after {
		if _, known := before[name]; !known {
			t.Errorf("traffic made the series %s", name)
		}
		if strings.Contains(strings.ToLower(name), "zq7x") {
			t.Errorf("%s has what a client made up", name)
		}
	}
	if n := after[`seshat_exchanges_total{verdict="allow"}`] + after[`seshat_exchanges_total{verdict="limit"}`]; n < 400 {
		t.Errorf("%v exchanges were counted", n)
	}
}

// TestEvents follows the sessions of an instance by its events.
func TestEvents(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "PHPSESSID", Value: "of-" + r.FormValue("username") + "-0123456789abcdef", Path: "/"})
			http.Redirect(w, r, "/account", http.StatusFound)
		case "/logout":
			http.SetCookie(w, &http.Cookie{Name: "PHPSESSID", MaxAge: -1, Path: "/"})
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer origin.Close()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	r := everything(t, origin.URL, "events: {file: "+path+"}\n")
	c := client(t)
	cookie := signInAs(t, c, r.gateway, "alice", "")
	ask(t, c, http.MethodPost, r.gateway+"/logout", "", "Cookie", cookie)
	type event struct {
		Time     time.Time `json:"time"`
		Name     string    `json:"event.name"`
		Session  string    `json:"session.id"`
		Previous string    `json:"session.previous_id"`
		Reason   string    `json:"seshat.session.end_reason"`
	}
	var found []event
	eventually(t, "alice's session has begun and ended", func() bool {
		found = decodeLines[event](t, read(t, path))
		return slices.ContainsFunc(found, func(e event) bool { return e.Name == "session.end" })
	})
	alice := r.sessions("user:alice")
	if len(alice) != 1 {
		t.Fatalf("alice has %d sessions", len(alice))
	}
	i := slices.IndexFunc(found, func(e event) bool { return e.Name == "session.start" && e.Session == alice[0].ID })
	j := slices.IndexFunc(found, func(e event) bool { return e.Name == "session.end" && e.Session == alice[0].ID })
	if i < 0 || j < i || found[j].Reason != "logout" || found[j].Time.Before(found[i].Time) {
		t.Errorf("the events are %+v", found)
	}
	if strings.Contains(read(t, path), "0123456789abcdef") {
		t.Error("an event has a client session ID")
	}
	if metric(t, r, `seshat_events_total{outcome="written"}`) < 2 {
		t.Error("they are not counted")
	}
}

// signInAs signs a user in with a form and returns the cookie field.
func signInAs(t testing.TB, c *http.Client, base, user, cookie string) string {
	t.Helper()
	a := ask(t, c, http.MethodPost, base+"/login", "username="+user+"&password=correct-horse",
		"Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie)
	got, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	if got == "" {
		t.Fatalf("signing in gives %d and no cookie", a.status)
	}
	return got
}
