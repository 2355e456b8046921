package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

const token = "the-token"

func compile(r []seshat.Resource) seshat.Faults {
	_, faults := rule.Compile(r)
	return faults
}

// connect serves an API and returns a client of it.
func connect(t testing.TB, o api.Options) *client.Client {
	t.Helper()
	o.Authenticator = api.NewInstanceToken(token)
	if o.Registry == nil {
		kv := kvmemory.New(time.Now)
		t.Cleanup(func() { _ = kv.Close() })
		o.Registry = resource.NewRegistry(kv, compile)
	}
	if o.Store == nil {
		o.Store = memory.New(time.Now)
	}
	handler, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	c := client.New(s.URL, token, "tester")
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// remote is a store that is written here and read through the API.
type remote struct {
	store.Store
	store.Reader
	close func() error
}

func (r *remote) Sessions(ctx context.Context, q store.Query, yield func(*seshat.Session) bool) error {
	return r.Reader.Sessions(ctx, q, yield)
}

func (r *remote) Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error) {
	return r.Reader.Session(ctx, id)
}

func (r *remote) FindSessions(ctx context.Context, prefix string, limit int) ([]seshat.SessionID, error) {
	return r.Reader.FindSessions(ctx, prefix, limit)
}

func (r *remote) Lineage(ctx context.Context, id seshat.SessionID) ([]seshat.Link, error) {
	return r.Reader.Lineage(ctx, id)
}

func (r *remote) Exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	return r.Reader.Exchanges(ctx, q, yield)
}

func (r *remote) Exchange(ctx context.Context, id string) (*seshat.Assigned, error) {
	return r.Reader.Exchange(ctx, id)
}

func (r *remote) Span(ctx context.Context) (store.Span, error) { return r.Reader.Span(ctx) }

func (r *remote) Export(ctx context.Context, what store.Dataset, format string, q store.Query, path string) (int64, error) {
	return r.Reader.Export(ctx, what, format, q, path)
}

func (r *remote) Aggregate(ctx context.Context, q store.AggregateQuery) (*store.Aggregates, error) {
	return r.Reader.Aggregate(ctx, q)
}

func (r *remote) Facets(ctx context.Context, q store.FacetQuery) (*store.Facets, error) {
	return r.Reader.Facets(ctx, q)
}

func (r *remote) Histogram(ctx context.Context, q store.HistogramQuery) (*store.Histogram, error) {
	return r.Reader.Histogram(ctx, q)
}

func (r *remote) Close() error { return r.close() }

// TestConformance: what is read through the API is what is stored, for everything that a store is asked for.
func TestConformance(t *testing.T) {
	storetest.Run(t, func(t testing.TB, now time.Time) store.Store {
		s := memory.New(func() time.Time { return now })
		c := connect(t, api.Options{Store: s, Now: func() time.Time { return now }, TempDir: t.TempDir()})
		return &remote{s, c, func() error { return errors.Join(c.Close(), s.Close()) }}
	})
}

func parse(t *testing.T, file, text string) []resource.Parsed {
	t.Helper()
	parsed, faults := resource.Parse(file, []byte(text))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return parsed
}

const rules = `apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec:
  identifiers:
    - cookie: SHOP
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: card}
spec: {location: query, key: card}
`

// TestRegistry asks a registry here and one through the API for the same, and compares.
func TestRegistry(t *testing.T) {
	type registry interface {
		List(ctx context.Context, kind seshat.Kind) ([]resource.Stored, error)
		Get(ctx context.Context, kind seshat.Kind, name string) (resource.Stored, error)
		Apply(ctx context.Context, parsed []resource.Parsed, o resource.ApplyOptions) ([]resource.Outcome, error)
		Delete(ctx context.Context, kind seshat.Kind, name string, expected kv.Revision, author resource.Author) error
		History(ctx context.Context, kind seshat.Kind, name string) ([]resource.Stored, error)
		Rollback(ctx context.Context, kind seshat.Kind, name string, to, expected kv.Revision, author resource.Author) (resource.Outcome, error)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	author := resource.Author{By: "tester", At: now}
	script := func(r registry) string {
		var log strings.Builder
		say := func(what string, v any, err error) {
			fmt.Fprintf(&log, "%s: %+v; error %v; not found %t, conflict %t\n", what, v, err, errors.Is(err, kv.ErrNotFound), errors.Is(err, kv.ErrConflict))
		}
		list := func(what string, list []resource.Stored, err error) {
			say(what, len(list), err)
			for _, one := range list {
				text := ""
				if one.Resource != nil {
					marshalled, err := resource.Marshal([]seshat.Resource{*one.Resource}, resource.FormatYAML)
					if err != nil {
						t.Fatal(err)
					}
					text = string(marshalled)
				}
				one.Resource = nil
				fmt.Fprintf(&log, "%+v\n%s\n", one, text)
			}
		}
		ctx := t.Context()
		apply := func(what, file, text string, o resource.ApplyOptions) {
			o.Author = author
			outcomes, err := r.Apply(ctx, parse(t, file, text), o)
			say(what, outcomes, err)
		}
		bad := strings.Replace(strings.Split(rules, "---\n")[0], "cookie: SHOP", `extract: {location: header, key: {matches: "("}}`, 1)
		apply("dry run", "a.yaml", rules, resource.ApplyOptions{DryRun: true})
		for _, one := range strings.Split(rules, "---\n") { // those of one change get their revisions in any order
			apply("apply", "a.yaml", one, resource.ApplyOptions{})
		}
		apply("again", "a.yaml", rules, resource.ApplyOptions{})
		apply("one", "b.yaml", strings.Replace(strings.Split(rules, "---")[0], "SHOP", "SHOP2", 1), resource.ApplyOptions{})
		_, err := r.Apply(ctx, append(parse(t, "c.yaml", rules), parse(t, "e.yaml", rules)...), resource.ApplyOptions{Author: author})
		say("twice", "", err)
		apply("another fault", "d.yaml", strings.Split(rules, "---\n")[1]+"---\n"+bad, resource.ApplyOptions{})
		key := resource.Key(seshat.KindSessionRule, "shop")
		apply("expected", "a.yaml", strings.Split(rules, "---")[0], resource.ApplyOptions{Expected: map[string]kv.Revision{key: kv.None}})
		all, err := r.List(ctx, "")
		list("all", all, err)
		one, err := r.List(ctx, seshat.KindMaskRule)
		list("mask rules", one, err)
		get, err := r.Get(ctx, seshat.KindSessionRule, "shop")
		list("get", []resource.Stored{get}, err)
		_, err = r.Get(ctx, seshat.KindFlow, "shop")
		say("get nothing", "", err)
		say("delete", "", r.Delete(ctx, seshat.KindMaskRule, "card", kv.Any, author))
		say("delete again", "", r.Delete(ctx, seshat.KindMaskRule, "card", kv.Any, author))
		history, err := r.History(ctx, seshat.KindSessionRule, "shop")
		list("history", history, err)
		_, err = r.History(ctx, seshat.KindSessionRule, "never")
		say("no history", "", err)
		outcome, err := r.Rollback(ctx, seshat.KindSessionRule, "shop", history[0].Revision, history[0].Revision+1000, author)
		say("roll back what has changed", outcome, err)
		outcome, err = r.Rollback(ctx, seshat.KindSessionRule, "shop", history[0].Revision, history[len(history)-1].Revision, author)
		say("roll back", outcome, err)
		_, err = r.Rollback(ctx, seshat.KindSessionRule, "shop", 999, kv.Any, author)
		say("roll back to nothing", "", errors.Unwrap(err))
		return log.String()
	}
	clock := func() time.Time { return now }
	here, there := kvmemory.New(clock), kvmemory.New(clock)
	local := script(resource.NewRegistry(here, compile))
	through := script(connect(t, api.Options{Registry: resource.NewRegistry(there, compile), Now: clock}).Registry())
	// What is not found is said by whoever asked; that it is, is what counts.
	gone := regexp.MustCompile(`error .*(no such key|there is no such resource);`)
	local, through = gone.ReplaceAllString(local, "gone;"), gone.ReplaceAllString(through, "gone;")
	if local != through {
		t.Errorf("here:\n%s\nthrough the API:\n%s", local, through)
	}
	for _, part := range []string{"e.yaml:", "d.yaml:11:", "conflict true", "not found true"} {
		if !strings.Contains(through, part) {
			t.Errorf("it does not say %q:\n%s", part, through)
		}
	}
}

func TestErrors(t *testing.T) {
	f := func(name string, handler http.HandlerFunc, kind seshat.ErrorKind, parts ...string) {
		t.Helper()
		s := httptest.NewServer(handler)
		defer s.Close()
		c := client.New(s.URL, token, "")
		defer func() { _ = c.Close() }()
		err := c.Sessions(t.Context(), store.Query{}, func(*seshat.Session) bool { return true })
		if seshat.KindOfError(err) != kind || err == nil {
			t.Errorf("%s: %v; want kind %d", name, err, kind)
			return
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q lacks %q", name, err, part)
			}
		}
		if strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
	}
	say := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	f("no API", say(200, "hello\n"), seshat.ErrorInternal, "answer of the instance")
	f("something else", say(404, "<h1>Not found</h1>"), seshat.ErrorUnavailable, "404")
	f("another token", say(401, `{"status":401,"title":"Unauthorized"}`), seshat.ErrorUnavailable, "token")
	f("a problem", say(503, `{"status":503,"title":"x","kind":"unavailable","op":"wait","detail":"busy","hint":"later"}`), seshat.ErrorUnavailable, "wait: busy (later)")
	f("a new kind", say(418, `{"status":418,"title":"x","kind":"teapot","detail":"short"}`), seshat.ErrorInvalid, "short")
	f("faults", say(422, `{"status":422,"title":"x","faults":[{"file":"a","line":1,"message":"bad"}]}`), seshat.ErrorInvalid, "a:1: bad")
	f("fails on the way", say(200, `{"problem":{"status":503,"title":"x","kind":"unavailable","detail":"disk"}}`+"\n"), seshat.ErrorUnavailable, "disk")
	f("breaks off", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "{}\n")
	}, seshat.ErrorUnavailable, "unexpected EOF")

	c := client.New("http://127.0.0.1:1", token, "")
	if _, err := c.Span(t.Context()); seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Span(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// TestImport: inputs arrive as they were sent, in their order, while events come back; one that cannot be read does not
// stop the others.
func TestImport(t *testing.T) {
	var got []string
	c := connect(t, api.Options{Import: func(_ context.Context, run *api.ImportRun) (wire.ImportSummary, error) {
		got = append(got, fmt.Sprintf("%+v by %s", run.Options, run.By))
		for i, in := range run.Inputs {
			if in.Name == "b" {
				continue // a reader may pass one over
			}
			r, err := in.Open()
			if err != nil {
				return wire.ImportSummary{}, err
			}
			text, err := io.ReadAll(r)
			if err != nil {
				return wire.ImportSummary{}, err
			}
			got = append(got, fmt.Sprintf("%s: %d bytes", in.Name, len(text)))
			run.Report(&wire.ImportEvent{Event: wire.ImportProgress, Phase: "read", Done: int64(i)})
		}
		return wire.ImportSummary{Read: 3, AutoIdentifiers: []string{"h"}}, nil
	}})
	input := func(name string, r io.Reader) client.Input {
		return client.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }}
	}
	var mu sync.Mutex
	var said []string
	note := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, text)
	}
	summary, err := c.Import(t.Context(), wire.ImportOptions{Format: "har", Service: "s"}, []client.Input{
		input("a", strings.NewReader(strings.Repeat("x", 1<<20))),
		input("b", strings.NewReader(strings.Repeat("y", 1<<20))),
		input("c", iotest.TimeoutReader(strings.NewReader(strings.Repeat("z", 1<<20)))),
		{Name: "d", Open: func() (io.ReadCloser, error) { return nil, errors.New("no such file") }},
		input("e", strings.NewReader("")),
	}, func(name string, err error) { note(name + " failed: " + err.Error()) },
		func(e *wire.ImportEvent) { note(fmt.Sprint(e.Event, e.Done)) })
	if err != nil || summary.Read != 3 || len(summary.AutoIdentifiers) != 1 {
		t.Errorf("summary %+v, %v", summary, err)
	}
	slices.Sort(said)
	if want := "c failed: read c: timeout|d failed: no such file|progress0|progress2|progress3|progress4"; strings.Join(said, "|") != want {
		t.Errorf("said %v; want %s", said, want)
	}
	if len(got) != 5 || !strings.Contains(got[0], "by tester") || got[1] != "a: 1048576 bytes" || got[3] != "d: 0 bytes" {
		t.Errorf("the instance got %v", got)
	}
}

// TestImportFails: what stops an import in the instance stops it here, while more would be sent.
func TestImportFails(t *testing.T) {
	c := connect(t, api.Options{Import: func(_ context.Context, run *api.ImportRun) (wire.ImportSummary, error) {
		r, err := run.Inputs[0].Open()
		if err != nil {
			return wire.ImportSummary{}, err
		}
		_, _ = io.ReadFull(r, make([]byte, 10))
		return wire.ImportSummary{}, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "store", Err: errors.New("disk full")}
	}})
	endless := client.Input{Name: "a", Open: func() (io.ReadCloser, error) { return io.NopCloser(zeros{}), nil }}
	_, err := c.Import(t.Context(), wire.ImportOptions{}, []client.Input{endless}, func(string, error) {}, func(*wire.ImportEvent) {})
	if seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error %v", err)
	}
	if _, err := connect(t, api.Options{}).Import(t.Context(), wire.ImportOptions{}, []client.Input{endless}, func(string, error) {}, func(*wire.ImportEvent) {}); seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Errorf("without imports: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
