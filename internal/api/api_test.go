package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
	"github.com/seshat-project/seshat/internal/view"
)

const token = "the-token-of-the-instance"

var start = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)

// sessionID is the nth session of a test.
func sessionID(n int) seshat.SessionID {
	return seshat.SessionID{byte(n >> 8), byte(n), 6: 0x80, 8: 0x80, 15: 1}
}

// filled is a store with n sessions of two exchanges, two sessions a minute.
func filled(t testing.TB, n int) *memory.Store {
	t.Helper()
	s := memory.New(func() time.Time { return start.Add(time.Hour) })
	batch := &store.Batch{StoredAt: start}
	for i := 1; i <= n; i++ {
		at := start.Add(time.Duration(i/2) * time.Minute)
		user := ""
		if i%3 > 0 {
			user = fmt.Sprintf("user%d", i%3)
		}
		for j := range 2 {
			o := &seshat.Observation{
				Key: seshat.ExchangeKey(i*10 + j), ID: fmt.Sprintf("x%d-%d", i, j), Time: at, Duration: 1500 * time.Microsecond,
				Service: "shop", Method: "GET", Scheme: "https", Host: "shop.example", Path: "/orders/1", Endpoint: "/orders/{var1}",
				Status: 200 + 200*(i%2), ClientIP: netip.MustParseAddr("203.0.113.9"), UserAgent: "Firefox",
				IDs: []seshat.ObservedID{{
					Digest: seshat.Digest{byte(i)}, Masked: fmt.Sprintf("abcd…%04d", i), Name: "cookie", Origin: seshat.OriginBuiltIn,
					Where: seshat.LocationCookie, Key: "SID", Lifetime: time.Hour,
					Token: seshat.ObservedClaims{IsToken: true, Issuer: "https://id.example", Subject: user},
				}},
				Parameters: []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: user}},
				Flows:      []seshat.FlowMatch{{Name: "billing", Type: seshat.FlowBilling}},
				Verdict:    seshat.ObservedVerdict{Action: seshat.ActionTag, By: "Limit/a", Tags: []string{"Limit/a"}},
			}
			batch.Exchanges = append(batch.Exchanges, seshat.Assigned{Observation: o, Session: sessionID(i)})
		}
		batch.Sessions = append(batch.Sessions, seshat.SessionFacts{
			ID: sessionID(i), Version: 1, Started: at, User: user, IdentifiedBy: "cookie", Confidence: 0.9,
		})
		batch.Links = append(batch.Links, seshat.Link{
			Session: sessionID(i), To: seshat.Digest{byte(i)}, Masked: fmt.Sprintf("abcd…%04d", i), Name: "cookie",
			Evidence: seshat.EvidenceFirst, Score: 1, Time: at, Exchange: seshat.ExchangeKey(i * 10),
		})
	}
	if err := s.Commit(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	return s
}

// denylist is a denylist in memory.
type denylist struct {
	mu         sync.Mutex
	list, past []seshat.Denial
}

func (d *denylist) List(context.Context) ([]seshat.Denial, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list), nil
}

func (d *denylist) Add(_ context.Context, one seshat.Denial) (seshat.Denial, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one.Name == "" {
		one.Name = fmt.Sprintf("entry-%d", len(d.list))
	}
	d.list = slices.DeleteFunc(d.list, func(o seshat.Denial) bool { return o.Name == one.Name })
	d.list = append(d.list, one)
	return one, nil
}

func (d *denylist) Past(context.Context, seshat.SessionID, string) ([]seshat.Denial, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.past), nil
}

func (d *denylist) Remove(_ context.Context, name, by string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.list)
	for _, one := range d.list {
		if one.Name == name {
			one.TakenBackBy, one.TakenBackAt = by, time.Now()
			d.past = append(d.past, one)
		}
	}
	d.list = slices.DeleteFunc(d.list, func(o seshat.Denial) bool { return o.Name == name })
	if len(d.list) == n {
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: "remove " + name, Err: fmt.Errorf("there is no such entry")}
	}
	return nil
}

// digester makes digests of the length of what it gets.
type digester struct{}

func (digester) Hash(value []byte) seshat.Digest { return seshat.Digest{0xd1, byte(len(value))} }

// accounts are accounts without anybody, whose passwords cost nothing.
func accounts(t testing.TB, now func() time.Time) (*account.Keeper, *audit.Log) {
	t.Helper()
	kept := kvmemory.New(now)
	log, err := audit.Open(t.Context(), kept, audit.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := account.Open(t.Context(), kept, account.Options{
		Audit: log, Now: now, Cost: account.Cost{Memory: 8, Passes: 1, Threads: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		keeper.Close()
		log.Close()
		_ = kept.Close()
	})
	return keeper, log
}

// options are those of an API that has everything.
func options(t testing.TB, n int) api.Options {
	t.Helper()
	return optionsAt(t, n, func() time.Time { return start.Add(time.Hour) })
}

// optionsAt are those of an API with a clock.
func optionsAt(t testing.TB, n int, now func() time.Time) api.Options {
	t.Helper()
	kv := kvmemory.New(func() time.Time { return start })
	t.Cleanup(func() { _ = kv.Close() })
	keeper, log := accounts(t, now)
	return api.Options{
		Store: filled(t, n),
		Registry: resource.NewRegistry(kv, func(r []seshat.Resource) seshat.Faults {
			_, faults := rule.Compile(r)
			return faults
		}),
		Denylist: &denylist{}, Digester: digester{}, Authenticator: api.NewAuthenticator(token, keeper),
		Accounts: keeper, Audit: log,
		Import: func(_ context.Context, run *api.ImportRun) (wire.ImportSummary, error) {
			var summary wire.ImportSummary
			for _, in := range run.Inputs {
				r, err := in.Open()
				if err != nil {
					run.Report(&wire.ImportEvent{Event: wire.ImportFailed, Input: in.Name, Problem: wire.NewProblem(err)})
					continue
				}
				text, err := io.ReadAll(r)
				if err != nil {
					return summary, err
				}
				summary.Read += int64(len(text))
				run.Report(&wire.ImportEvent{Event: wire.ImportProgress, Phase: "read", Done: summary.Read})
			}
			return summary, nil
		},
		Archive: func(_ context.Context, _ store.Reader, what store.Dataset, format string, _ store.Query, w io.Writer) (int64, error) {
			_, err := fmt.Fprintf(w, "%s as %s\n", what, format)
			return 1, err
		},
		Explain: func(_ context.Context, exchanges []byte, each func(any) error) error { return each(len(exchanges)) },
		RuleTests: func(_ context.Context, run string, _ map[string]string) (wire.RuleTestReport, error) {
			return wire.RuleTestReport{OK: true, Text: run}, nil
		},
		Feed:    endedFeed(),
		Preview: func(_ context.Context, d *api.Draft) (*wire.Preview, error) { return tried(d), nil },
		Views:   view.NewKeeper(kv, func() time.Time { return start }),
		Keys:    func() ([]wire.Key, error) { return []wire.Key{{ID: "k1", Created: start, Current: true}}, nil },
		TempDir: t.TempDir(), Version: "v1.2.3", Now: now,
	}
}

// complaints are what a server logs of its own: panics, and what handlers do wrong.
type complaints struct {
	mu   sync.Mutex
	text strings.Builder
}

func (c *complaints) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(b)
}

func (c *complaints) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// service is an API that is asked over the network.
type service struct {
	t testing.TB
	*httptest.Server
}

func serve(t testing.TB, o api.Options) *service {
	t.Helper()
	handler, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	complaints := &complaints{}
	s.Config.ErrorLog = log.New(complaints, "", 0)
	s.Start()
	t.Cleanup(func() {
		s.Close()
		if text := complaints.String(); text != "" {
			t.Errorf("the server complains: %s", text)
		}
	})
	return &service{t, s}
}

// answered is an answer to a request.
type answered struct {
	t       testing.TB
	request string
	status  int
	header  http.Header
	body    string
}

// ask sends a request with the token, and with fields as "Name: value".
func (s *service) ask(method, path, body string, fields ...string) *answered {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		switch {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return &answered{s.t, method + " " + path, res.StatusCode, res.Header, string(text)}
}

func (s *service) get(path string, fields ...string) *answered {
	s.t.Helper()
	return s.ask("GET", path, "", fields...)
}

func (a *answered) is(status int) *answered {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d; want %d\n%s", a.request, a.status, status, a.body)
	}
	return a
}

func (a *answered) has(parts ...string) *answered {
	a.t.Helper()
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			a.t.Errorf("%s: the answer lacks %q:\n%s", a.request, part, a.body)
		}
	}
	return a
}

// problem checks that the answer is a problem and returns it.
func (a *answered) problem(status int) wire.Problem {
	a.t.Helper()
	a.is(status)
	if got := a.header.Get("Content-Type"); got != wire.ProblemJSON {
		a.t.Errorf("%s: content type %q", a.request, got)
	}
	var p wire.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Status != status || p.Title == "" {
		a.t.Errorf("%s: no problem: %v\n%s", a.request, err, a.body)
	}
	return p
}

func decode[T any](a *answered) T {
	a.t.Helper()
	var out T
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.request, err, a.body)
	}
	return out
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// names are the files in a folder.
func names(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return out
}
