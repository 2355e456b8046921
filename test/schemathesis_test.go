package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSchemathesis tries every operation of the API, by what its description says: with what it allows and with what it does
// not. Each answer has to be one that the description has, and none may be a failure of the server.
func TestSchemathesis(t *testing.T) {
	program := component(t, "schemathesis-*", "bin/schemathesis")
	g := consoleTraffic(t, 3, 5)
	token := describedToken(t, g)
	front := newFront(t, g.api)
	stop := keepGoing(t, g)
	defer stop()

	folder := t.TempDir()
	for _, name := range []string{"hooks.py", "schemathesis.toml"} {
		text := read(t, filepath.Join("schemathesis", name))
		if name == "schemathesis.toml" {
			text += known(t, g, token)
		}
		write(t, folder, name, text)
	}
	// Its phase of fuzzing would go on as long as it is let; by a number of examples it ends the same way on every machine.
	ctx, cancel := context.WithTimeout(context.Background(), schemathesisMost)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--config-file", filepath.Join(folder, "schemathesis.toml"), "run", front.URL+"/openapi.json",
		"--max-examples", "3", "--no-color", "-H", "Authorization: Bearer "+token, "--report", "json", "--report-json-path", filepath.Join(folder, "report.json"))
	cmd.Dir = folder
	cmd.Env = append(environment(), "HOME="+folder)
	out, err := cmd.CombinedOutput()
	if keep := os.Getenv("SESHAT_SCHEMATHESIS"); keep != "" {
		_ = os.WriteFile(keep, out, 0o600)
	}
	var exit *exec.ExitError
	if err != nil && (ctx.Err() != nil || !errors.As(err, &exit)) {
		t.Fatalf("it does not end well: %v %v\n%s", err, ctx.Err(), end(string(out)))
	}
	failures := failuresOf(string(out))
	for _, f := range failures {
		t.Error(f)
	}
	if err != nil && len(failures) == 0 {
		t.Errorf("it fails, and does not say why: %v\n%s", err, end(string(out)))
	}
	front.check(t, folder)
	if log := g.stderr.String(); strings.Contains(log, "panic") {
		t.Errorf("the instance says:\n%s", log)
	}
}

// schemathesisMost is how long it may take: far more than it takes, so that one that hangs fails.
const schemathesisMost = 5 * time.Minute

// describedToken is the token of a session of an administrator, who may do everything by the API.
func describedToken(t *testing.T, g *running) string {
	t.Helper()
	g.runWith(accountPassword+"\n", "user", "add", "root", "--role", "admin").want(0)
	in := postJSON[consoleSession](t, client(t), g.api+"/api/v1/console-sessions", map[string]string{"user": "root", "password": accountPassword}, http.StatusCreated)
	return in.Token
}

// known names what is there, so that not every answer is that there is no such thing.
func known(t *testing.T, g *running, token string) string {
	t.Helper()
	first := func(path, member string) string {
		a := ask(t, client(t), http.MethodGet, g.api+path, "", "Authorization", "Bearer "+token)
		var page struct {
			Items []map[string]any `json:"items"`
		}
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Items) == 0 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		return fmt.Sprint(page.Items[0][member])
	}
	ids := map[string]string{
		"/api/v1/sessions/{id}": first("/api/v1/sessions?since=all", "session_id"), "/api/v1/exchanges/{id}": first("/api/v1/exchanges?since=all", "exchange_id"),
	}
	var out strings.Builder
	for path, id := range ids {
		fmt.Fprintf(&out, "\n[[operations]]\ninclude-path-regex = %q\nparameters = { \"path.id\" = %q }\n", "^"+regexp.QuoteMeta(path), id)
	}
	out.WriteString("\n[[operations]]\ninclude-path-regex = '^/api/v1/resources/[{]kind[}]'\ninclude-method = \"GET\"\n" +
		"parameters = { \"path.kind\" = \"sessionrule\", \"path.name\" = \"shop\" }\n")
	return out.String()
}

// keepGoing has somebody use the shop until it is stopped, so that streams have something to tell.
func keepGoing(t *testing.T, g *running) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	c := client(t)
	go func() {
		defer close(ended)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				_, _ = tryAsk(c, http.MethodGet, g.gateway+"/items/1?who=user00", "", "Cookie", "SHOP=cookie-of-user00-that-is-long-enough")
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// failuresOf are the failures in what schemathesis says, each with how to see it again.
func failuresOf(said string) []string {
	_, said, found := strings.Cut(said, "= FAILURES =")
	if !found {
		return nil
	}
	said, _, _ = strings.Cut(said, "= SUMMARY =")
	var out []string
	operation := ""
	for _, block := range regexp.MustCompile(`(?m)^(?:_{3,} |\d+\. Test Case ID)`).Split(said, -1)[1:] {
		if head, _, found := strings.Cut(block, " ___"); found {
			operation = head
			continue
		}
		var lines []string
		for line := range strings.Lines(block) {
			if line = strings.TrimRight(line, "\n"); strings.TrimSpace(line) != "" && !strings.Contains(line, "st replay") {
				lines = append(lines, line[:min(len(line), maxFailureLine)])
			}
		}
		out = append(out, operation+strings.Join(lines, "\n"))
	}
	return out
}

// maxFailureLine is how much is shown of a line: bodies and addresses of tests may be very long.
const maxFailureLine = 600

// end is the end of a text.
func end(text string) string { return text[max(0, len(text)-8000):] }

// front is in front of the API: it cuts streams that would go on for ever, and looks at every answer.
type front struct {
	*httptest.Server
	mu       sync.Mutex
	answered map[string]int // by status
	streams  int
	wrong    map[string]bool
}

// streamFor is how long a stream goes on.
const streamFor = 300 * time.Millisecond

func newFront(t *testing.T, to string) *front {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{answered: map[string]int{}, wrong: map[string]bool{}}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host, r.Out.URL.RawQuery = target.Scheme, target.Host, target.Host, r.In.URL.RawQuery
		},
		ModifyResponse: f.look, FlushInterval: -1, ErrorLog: nil,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Imports are answered while they are read. A proxy that has not read all by then gives up what it sends.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if len(body) == 0 {
			r.Body = http.NoBody
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { f.Close(); transport.CloseIdleConnections() })
	return f
}

func (f *front) look(r *http.Response) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answered[r.Status[:1]+"xx"]++
	where := r.Request.Method + " " + r.Request.URL.Path
	switch {
	case r.StatusCode == http.StatusRequestHeaderFieldsTooLarge || r.StatusCode == http.StatusBadRequest && r.Header.Get("Content-Type") == "text/plain; charset=utf-8":
		// net/http says so in its own words, before the API hears of the request.
		_ = r.Body.Close()
		text := fmt.Sprintf(`{"title":%q,"status":%d,"kind":"invalid"}`, http.StatusText(r.StatusCode), r.StatusCode)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		r.Header.Set("Content-Type", "application/problem+json")
		r.Header.Set("Content-Length", fmt.Sprint(len(text)))
		return nil
	case strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream"):
		f.streams++
		body := r.Body
		time.AfterFunc(streamFor, func() { _ = body.Close() })
		r.Body = &cut{body}
	}
	for field, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if got := r.Header.Get(field); got != want {
			f.wrong[fmt.Sprintf("%s: %d: %s is %q", where, r.StatusCode, field, got)] = true
		}
	}
	return nil
}

// cut is a stream that ends well when it is closed.
type cut struct{ io.ReadCloser }

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

// check fails when answers lacked something, or there was too little of them to mean anything.
func (f *front) check(t *testing.T, folder string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for wrong := range f.wrong {
		t.Error(wrong)
	}
	if f.answered["2xx"] < 100 || f.answered["4xx"] < 100 || f.streams == 0 {
		t.Errorf("answers %v, streams %d: it has not tried much", f.answered, f.streams)
	}
	var report struct {
		Operations struct{ Total, Selected, Tested, Errored int }
		TestCases  struct{ Generated int } `json:"test_cases"`
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(folder, "report.json"))), &report); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v, answers %v, streams %d", report, f.answered, f.streams)
	if o := report.Operations; o.Total-o.Selected > 1 || o.Tested != o.Selected || o.Errored > 0 {
		t.Errorf("not every operation was tried: %+v", o)
	}
}
