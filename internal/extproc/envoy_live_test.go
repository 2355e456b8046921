package extproc

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/accesslogservice"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

const liveResources = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec: {identifiers: [{cookie: SHOPSESS}]}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: account}
spec: {endpoints: ["GET */account"], key: [session], count: 2, window: 1m}
`

func liveServer(t *testing.T, n *inlinetest.Node) string {
	t.Helper()
	s := New(Options{Inline: n.Inline, AccessLog: accesslogservice.New(accesslogservice.Options{Observer: n.Inline})})
	address, stop := run(t, s, "127.0.0.1:0")
	t.Cleanup(stop)
	return address
}

func liveOrigin(t *testing.T) *httptest.Server {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Seen-Session", r.Header.Get("X-Seshat-Session"))
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: "of-" + r.FormValue("username") + "-Zk3vQ9xTt1LmN8pR2s"})
			w.WriteHeader(http.StatusSeeOther)
		}
	}))
	t.Cleanup(origin.Close)
	return origin
}

// The whole way of exchanges, from an Envoy to the journal.
func TestEnvoyToTheJournal(t *testing.T) {
	n := inlinetest.Start(t, liveResources, pipeline.InlineConfig{Fields: pipeline.SessionFields{Session: "X-Seshat-Session"}})
	e := startEnvoy(t, "ext-proc.yaml", liveOrigin(t).URL, liveServer(t, n))
	got := do(t, "POST", e.url+"/login", "username=alice&password=secret", "Content-Type", "application/x-www-form-urlencoded", "X-Seshat-Session", "forged")
	cookie, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
	if got.StatusCode != 303 || cookie == "" || got.Header.Get("Seen-Session") == "forged" {
		t.Fatalf("%d %v", got.StatusCode, got.Header)
	}
	for i := range 3 {
		got = do(t, "GET", e.url+"/account", "", "Cookie", cookie)
		want := 200
		if i == 2 {
			want = 429
		}
		if got.StatusCode != want || got.Header.Get("RateLimit") == "" || got.Header.Get("RateLimit-Policy") == "" {
			t.Errorf("request %d: %d %v, want %d", i, got.StatusCode, got.Header, want)
		}
	}
	if got.Header.Get("Retry-After") == "" || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v", got.Header)
	}
	if line := e.logged("/account"); line["session_id"] == nil || line["by"] != nil {
		t.Errorf("the access log has %v", line)
	}
	recorded := n.Recorded()
	if len(recorded) != 4 {
		t.Fatalf("%d exchanges were recorded", len(recorded))
	}
	for i, o := range recorded {
		if want := []int{303, 200, 200, 429}[i]; o.Status != want || (o.Verdict.Action == seshat.ActionLimit) != (want == 429) {
			t.Errorf("exchange %d: %d %+v", i, o.Status, o.Verdict)
		}
		if o.Environment != "production" || !o.ClientIP.IsLoopback() || o.HTTPVersion != "1.1" {
			t.Errorf("exchange %d: %+v", i, o)
		}
	}
	if text := fmt.Sprint(recorded[0].Parameters); !strings.Contains(text, "alice") {
		t.Errorf("the sign-in does not name the user: %s", text)
	}
}

func TestEnvoyFailsClosed(t *testing.T) {
	n := inlinetest.Start(t, liveResources, pipeline.InlineConfig{FailClosed: true})
	e := startEnvoy(t, "ext-proc.yaml", liveOrigin(t).URL, liveServer(t, n), "message_timeout: 0.25s", "message_timeout: 5s")
	if got := do(t, "GET", e.url+"/a", ""); got.StatusCode != 200 {
		t.Fatalf("%d", got.StatusCode)
	}
	n.Close()
	for range 2 {
		if got := do(t, "GET", e.url+"/b", ""); got.StatusCode != 503 {
			t.Errorf("%d without a journal", got.StatusCode)
		}
	}
}

func TestEnvoyLogToTheJournal(t *testing.T) {
	n := inlinetest.Start(t, liveResources, pipeline.InlineConfig{})
	e := startEnvoy(t, "access-log-service.yaml", liveOrigin(t).URL, liveServer(t, n))
	for range 3 {
		if got := do(t, "GET", e.url+"/account", "", "Cookie", "SHOPSESS=of-alice-Zk3vQ9xTt1LmN8pR2s"); got.StatusCode != 200 {
			t.Errorf("%d", got.StatusCode)
		}
	}
	var recorded []*seshat.Observation
	e.until("not all exchanges were recorded", func() bool { recorded = n.Recorded(); return len(recorded) == 3 })
	for _, o := range recorded {
		if o.Verdict.Action != seshat.ActionAllow || o.IDs[o.Grouping].Name != "shop" {
			t.Errorf("%+v", o)
		}
	}
}
