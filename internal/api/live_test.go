package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/store"
)

// endedFeed is a feed whose streams end at once.
func endedFeed() *live.Feed {
	f := live.NewFeed(func() time.Time { return start.Add(time.Hour) })
	f.Close()
	return f
}

// event is a server-sent event, or with only an id the position that was marked.
type event struct{ name, id, data string }

// parseEvents reads an event stream by the rules of the HTML standard (9.2.6), as a browser does. It returns what was
// dispatched with the last event ID at that time, the comments, and the last event ID at the end.
func parseEvents(t testing.TB, text string) (out []event, comments int, last string) {
	t.Helper()
	var name string
	var data []string
	in := bufio.NewScanner(strings.NewReader(text))
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		line := in.Text()
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if len(data) > 0 {
				out = append(out, event{name, last, strings.Join(data, "\n")})
			}
			name, data = "", nil
		case field == "":
			comments++
		case field == "event":
			name = value
		case field == "data":
			data = append(data, value)
		case field == "id":
			last = value
		case field == "retry":
			if value != "2000" {
				t.Errorf("retry %q", value)
			}
		default:
			t.Errorf("a line that is no field: %q", line)
		}
	}
	return out, comments, last
}

// follower is a request whose answer goes on.
type follower struct {
	t      testing.TB
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	text   strings.Builder
	header http.Header
	status int
	hold   chan struct{} // when it is not nil, writing waits for it
}

func (f *follower) Header() http.Header { return f.header }
func (f *follower) Flush()              {}

func (f *follower) WriteHeader(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

func (f *follower) Write(b []byte) (int, error) {
	if f.hold != nil {
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Write(b)
}

// read is what came so far.
func (f *follower) read() string {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

func (f *follower) events() []event {
	f.t.Helper()
	out, _, _ := parseEvents(f.t, f.read())
	return out
}

// follow sends a request in the test's bubble; it has to be stopped.
func follow(t testing.TB, handler http.Handler, path string, fields ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{t: t, cancel: cancel, done: make(chan struct{}), header: http.Header{}}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "hold" {
			f.hold = make(chan struct{})
			continue
		}
		r.Header.Set(name, value)
	}
	go func() {
		defer close(f.done)
		handler.ServeHTTP(f, r)
	}()
	synctest.Wait()
	return f
}

func (f *follower) stop() {
	f.cancel()
	<-f.done
}

// following runs f with an API that has a feed, in a bubble with a clock of its own: nothing of it may be left at the end.
func following(t *testing.T, f func(t *testing.T, handler http.Handler, o *api.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := options(t, 4)
		o.Feed = live.NewFeed(time.Now)
		o.Now = time.Now
		handler, err := api.New(o)
		if err != nil {
			t.Fatal(err)
		}
		f(t, handler, &o)
	})
}

// commit stores an exchange, and tells the feed of it.
func commit(t testing.TB, o *api.Options, n int, change ...func(*seshat.Observation)) *seshat.Assigned {
	t.Helper()
	x := seshat.Assigned{Session: sessionID(n), Observation: &seshat.Observation{
		Key: seshat.ExchangeKey(n), ID: fmt.Sprintf("n%d", n), Time: start.Add(time.Duration(n)*time.Second + 123), Duration: time.Millisecond,
		Method: "GET", Host: "shop.example", Path: "/", Status: 200, ClientIP: netip.MustParseAddr("203.0.113.9"),
		IDs: []seshat.ObservedID{
			{Digest: seshat.Digest{9}, Masked: "203.0.113.9", Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress},
		},
	}}
	for _, c := range change {
		c(x.Observation)
	}
	batch := &store.Batch{StoredAt: start, Exchanges: []seshat.Assigned{x}}
	if err := o.Store.(store.Store).Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	o.Feed.Publish(batch.Exchanges, nil)
	synctest.Wait()
	return &x
}

func named(events []event, name string) (out []event) {
	for _, e := range events {
		if e.name == name {
			out = append(out, e)
		}
	}
	return out
}

// ids are the exchanges' own IDs, in the order in which they came.
func ids(t testing.TB, events []event) (out []string) {
	t.Helper()
	for _, e := range named(events, wire.EventExchange) {
		var x wire.Exchange
		if err := json.Unmarshal([]byte(e.data), &x); err != nil {
			t.Fatalf("%q: %v", e.data, err)
		}
		out = append(out, x.ID)
	}
	return out
}

func TestTail(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/exchanges/tail?last=3")
		defer f.stop()
		first := f.events()
		if got := ids(t, first); !slices.Equal(got, []string{"x3-1", "x4-0", "x4-1"}) {
			t.Errorf("the last three are %v", got)
		}
		if n := len(first); n != 4 || first[3].name != wire.EventReady || first[3].id == "" || first[2].id != "" || !strings.Contains(first[3].data, `"sent":3`) {
			t.Errorf("%d events: %+v", n, first)
		}
		if f.status != 200 || f.header.Get("Content-Type") != "text/event-stream" || f.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", f.status, f.header)
		}
		commit(t, o, 100)
		commit(t, o, 101)
		got := f.events()[4:]
		if !slices.Equal(ids(t, got), []string{"n100", "n101"}) || got[0].id == got[1].id || got[0].id == first[3].id {
			t.Fatalf("%+v", got)
		}
		// What follows is what the list has.
		s := serveOnce(t, handler, "/api/v1/exchanges?limit=1&filter=id:n101")
		if want := fmt.Sprintf(`{"items":[%s]`, got[1].data); !strings.HasPrefix(s, want) {
			t.Errorf("the list says\n%s\nand the tail\n%s", s, want)
		}
	})
}

// serveOnce is the answer to a request that ends.
func serveOnce(t testing.TB, handler http.Handler, path string, fields ...string) string {
	t.Helper()
	f := follow(t, handler, path, fields...)
	<-f.done
	f.cancel()
	return f.text.String()
}

// TestTailTellsOnce stores exchanges while a tail begins: those that the list of the newest has are not told again.
func TestTailTellsOnce(t *testing.T) {
	following(t, func(t *testing.T, _ http.Handler, o *api.Options) {
		late := &lateStore{Store: o.Store.(store.Store), inside: make(chan struct{}), on: make(chan struct{})}
		o.Store = late
		handler, err := api.New(*o)
		if err != nil {
			t.Fatal(err)
		}
		f := follow(t, handler, "/api/v1/exchanges/tail?last=2")
		defer f.stop()
		<-late.inside
		commit(t, o, 200)
		commit(t, o, 201)
		commit(t, o, 202)
		close(late.on)
		if got := ids(t, f.events()); !slices.Equal(got, []string{"n201", "n202", "n200"}) {
			t.Errorf("%v", got)
		}
		commit(t, o, 203)
		events, _, last := parseEvents(t, f.read())
		if got := ids(t, events); !slices.Equal(got, []string{"n201", "n202", "n200", "n203"}) {
			t.Errorf("%v", got)
		}
		if !strings.HasSuffix(last, "-5") {
			t.Errorf("it ends at %s", last)
		}
	})
}

// lateStore waits in the middle of listing exchanges.
type lateStore struct {
	store.Store
	inside, on chan struct{}
}

func (s *lateStore) Exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	close(s.inside)
	<-s.on
	return s.Store.Exchanges(ctx, q, yield)
}

func TestTailResumes(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/exchanges/tail?filter=status:>=500")
		failed := func(x *seshat.Observation) { x.Status = 503 }
		commit(t, o, 1, failed)
		commit(t, o, 2)
		commit(t, o, 3, failed)
		got := f.events()
		f.stop()
		if !slices.Equal(ids(t, got), []string{"n1", "n3"}) {
			t.Fatalf("%+v", got)
		}
		commit(t, o, 4, failed) // while nobody is there
		for _, how := range []func(id string) *follower{
			func(id string) *follower {
				return follow(t, handler, "/api/v1/exchanges/tail?last=50&filter=status:>=500", "Last-Event-ID: "+id)
			},
			func(id string) *follower {
				return follow(t, handler, "/api/v1/exchanges/tail?filter=status:>=500&after="+id)
			},
		} {
			again := how(named(got, wire.EventExchange)[0].id)
			if got := ids(t, again.events()); !slices.Equal(got, []string{"n3", "n4"}) {
				t.Errorf("after n1: %v", got)
			}
			again.stop()
		}
		if text := serveOnce(t, handler, "/api/v1/exchanges/tail", "Last-Event-ID: 5; DROP TABLE"); !strings.Contains(text, `"status":400`) {
			t.Errorf("a bad ID: %s", text)
		}
		foreign := follow(t, handler, "/api/v1/exchanges/tail", "Last-Event-ID: 0123456789ab-7")
		defer foreign.stop()
		if got := foreign.events(); len(got) < 2 || got[0] != (event{"dropped", "", `{"count":0,"reason":"restarted"}`}) || !slices.Equal(ids(t, got), []string{"n1", "n2", "n3", "n4"}) {
			t.Errorf("after another run: %+v", got)
		}
	})
}

func TestTailAsLines(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/exchanges/tail?last=1", "Accept: "+wire.NDJSON)
		commit(t, o, 7)
		time.Sleep(15 * time.Second) // of the bubble
		o.Feed.Close()
		<-f.done
		var got []string
		for line := range strings.Lines(f.read()) {
			var e wire.StreamEvent
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			got = append(got, e.Event)
		}
		if want := []string{"exchange", "ready", "exchange", "heartbeat", "end"}; !slices.Equal(got, want) || f.header.Get("Content-Type") != wire.NDJSON {
			t.Errorf("%v; want %v", got, want)
		}
		f.stop()
	})
}

// TestHeartbeat lets a tail be silent: it shows that it lives, and moves its place on.
func TestHeartbeat(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/exchanges/tail?filter=status:500")
		defer f.stop()
		before := len(f.read())
		time.Sleep(14 * time.Second)
		if got := f.read()[before:]; got != "" {
			t.Errorf("after 14 s: %q", got)
		}
		commit(t, o, 1) // not for this one
		time.Sleep(2 * heartbeat)
		events, _, last := parseEvents(t, f.read())
		if got := f.read()[before:]; len(events) != 1 || strings.Count(got, "\n\n") != 2 || !strings.HasSuffix(last, "-2") {
			t.Errorf("after another 30 s: %q", got)
		}
	})
}

const heartbeat = 15 * time.Second

// TestTailOfASlowReader lets a reader stop reading while more comes than is kept.
func TestTailOfASlowReader(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/exchanges/tail", "hold: yes")
		defer f.stop()
		batch := make([]seshat.Assigned, 8000)
		for range 6 {
			for i := range batch {
				batch[i] = seshat.Assigned{Observation: &seshat.Observation{Time: start}}
			}
			o.Feed.Publish(slices.Clone(batch), nil)
			synctest.Wait()
		}
		close(f.hold)
		var sent, dropped int64
		for _, e := range f.events() {
			switch e.name {
			case wire.EventExchange:
				sent++
			case wire.EventDropped:
				var d wire.Dropped
				if err := json.Unmarshal([]byte(e.data), &d); err != nil || d.Reason != wire.DroppedSlow {
					t.Fatalf("%q: %v", e.data, err)
				}
				dropped += d.Count
			}
		}
		if sent == 0 || dropped == 0 || sent+dropped != 48_000 {
			t.Errorf("%d came and %d were told to be left out, of 48000", sent, dropped)
		}
	})
}

func TestTailRate(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/exchanges/tail?rate=2")
		defer f.stop()
		synctest.Wait()
		for n := range 5 {
			commit(t, o, n+1)
		}
		time.Sleep(1100 * time.Millisecond)
		got := f.events()
		if dropped := named(got, wire.EventDropped); !slices.Equal(ids(t, got), []string{"n1", "n2"}) || len(dropped) != 1 || dropped[0].data != `{"count":3,"reason":"rate"}` {
			t.Errorf("%+v", got)
		}
		commit(t, o, 6)
		if got := ids(t, f.events()); !slices.Equal(got, []string{"n1", "n2", "n6"}) {
			t.Errorf("a second later: %v", got)
		}
	})
}

// changing is an authenticator whose answers change.
type changing struct {
	mu        sync.Mutex
	principal api.Principal
	err       error
	rechecks  int
}

func (c *changing) Authenticate(r *http.Request) (*api.Principal, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if api.IsRecheck(r.Context()) {
		c.rechecks++
	}
	p := c.principal
	return &p, c.err
}

func (c *changing) set(err error, permissions ...api.Permission) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.principal = err, api.Principal{Name: "alice", Permissions: permissions}
}

// TestStreamsEndWithTheSession checks that nobody goes on reading who may not any more.
func TestStreamsEndWithTheSession(t *testing.T) {
	for _, path := range []string{"/api/v1/exchanges/tail", "/api/v1/overview/live"} {
		following(t, func(t *testing.T, _ http.Handler, o *api.Options) {
			who := &changing{}
			o.Authenticator = who
			handler, err := api.New(*o)
			if err != nil {
				t.Fatal(err)
			}
			f := func(what string, within time.Duration, change func()) {
				t.Helper()
				who.set(nil, api.ExchangesRead)
				stream := follow(t, handler, path)
				defer stream.stop()
				time.Sleep(time.Minute)
				select {
				case <-stream.done:
					t.Fatalf("%s: it ends before", what)
				default:
				}
				change()
				began := time.Now()
				select {
				case <-stream.done:
				case <-time.After(2 * time.Minute):
					t.Fatalf("%s: it goes on", what)
				}
				events := stream.events()
				if last := events[len(events)-1]; last != (event{"end", last.id, `{"reason":"signed-out"}`}) || time.Since(began) > within {
					t.Errorf("%s: after %v %+v", what, time.Since(began), last)
				}
			}
			f("signed out", 5*time.Second, func() { who.set(api.ErrUnauthenticated) })
			f("without the permission", 5*time.Second, func() { who.set(nil, api.SessionsRead) })
			f("nobody knows", 40*time.Second, func() { who.set(errors.New("away")) })
			f("somebody else", 5*time.Second, func() {
				who.mu.Lock()
				defer who.mu.Unlock()
				who.principal.Name = "bob"
			})
			if who.rechecks < 40 {
				t.Errorf("%d rechecks", who.rechecks)
			}
		})
	}
}

func TestStreamsEndWithTheInstance(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		for _, path := range []string{"/api/v1/exchanges/tail", "/api/v1/overview/live"} {
			f := follow(t, handler, path)
			defer f.stop()
			synctest.Wait()
			defer func() {
				<-f.done
				events := f.events()
				if last := events[len(events)-1]; last.name != wire.EventEnd || last.data != `{"reason":"shutdown"}` {
					t.Errorf("%s: %+v", path, last)
				}
			}()
		}
		began := time.Now()
		o.Feed.Close()
		synctest.Wait()
		if time.Since(began) > 0 {
			t.Errorf("it took %v", time.Since(began))
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	following(t, func(t *testing.T, _ http.Handler, o *api.Options) {
		who := &changing{}
		o.Authenticator = who
		handler, err := api.New(*o)
		if err != nil {
			t.Fatal(err)
		}
		var open []*follower
		var refused int
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			who.mu.Lock()
			who.principal = api.Principal{Name: name, Permissions: api.Permissions()}
			who.mu.Unlock()
			for range 17 {
				f := follow(t, handler, "/api/v1/exchanges/tail")
				synctest.Wait()
				select {
				case <-f.done:
					refused++
					f.cancel()
					if f.status != 503 || f.header.Get("Retry-After") == "" || !strings.Contains(f.text.String(), "too many streams") {
						t.Errorf("%d %v %s", f.status, f.header, f.text.String())
					}
				default:
					open = append(open, f)
				}
			}
		}
		if len(open) != 64 || refused != 5*17-64 {
			t.Errorf("%d are open, %d were refused", len(open), refused)
		}
		open[63].stop()
		f := follow(t, handler, "/api/v1/exchanges/tail")
		synctest.Wait()
		select {
		case <-f.done:
			t.Error("there is no place when one has gone")
		default:
		}
		for _, f := range append(open[:63], f) {
			f.stop()
		}
	})
}

func TestLiveOverview(t *testing.T) {
	following(t, func(t *testing.T, handler http.Handler, o *api.Options) {
		f := follow(t, handler, "/api/v1/overview/live?step=1")
		defer f.stop()
		now := time.Now()
		commit(t, o, 1, func(x *seshat.Observation) { x.Time, x.Status = now, 500 })
		commit(t, o, 2, func(x *seshat.Observation) {
			x.Time, x.Verdict = now, seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/a"}
		})
		time.Sleep(12*time.Second + 500*time.Millisecond)
		got := f.events()
		if rates, health := named(got, wire.EventRates), named(got, wire.EventHealth); len(rates) != 13 || len(health) != 3 {
			t.Fatalf("%d times rates, %d times health", len(rates), len(health))
		}
		var rates wire.Rates
		if err := json.Unmarshal([]byte(named(got, wire.EventRates)[12].data), &rates); err != nil {
			t.Fatal(err)
		}
		n := len(rates.Series.Exchanges)
		if n != 15 || rates.Series.StepSeconds != 1 || rates.Series.Exchanges[2] != 2 || rates.Series.Status.ServerError[2] != 1 ||
			rates.Window.Exchanges != 2 || len(rates.Verdicts) != 1 || rates.Verdicts[0].By != "Limit/a" || rates.Latency.P50 == 0 {
			t.Errorf("%+v", rates)
		}
		var health wire.Health
		if err := json.Unmarshal([]byte(named(got, wire.EventHealth)[2].data), &health); err != nil {
			t.Fatal(err)
		}
		if !health.Sessions.Known || health.Status.State != wire.StateOK {
			t.Errorf("%+v", health)
		}
	})
}

func TestRates(t *testing.T) {
	o := options(t, 2)
	s := serve(t, o)
	for step, want := range map[string]int{"": 91, "?step=1": 900, "?step=60": 16} {
		got := decode[wire.Rates](s.get("/api/v1/overview/rates" + step).is(200))
		columns := [][]int64{got.Series.Exchanges, got.Series.Status.None, got.Series.Actions.Block, got.Series.Origins.Fallback, got.Series.SessionsEnded}
		for _, c := range columns {
			if len(c) != want && len(c) != want-1 { // by where the quarter of an hour begins
				t.Errorf("%q: %d elements; want %d", step, len(c), want)
			}
		}
		if got.Verdicts == nil || got.Position == "" || got.Since.IsZero() {
			t.Errorf("%q: %+v", step, got)
		}
	}
	s.get("/api/v1/overview/rates?step=61").problem(422)
	s.get("/api/v1/exchanges/tail?filter=usr:a").problem(400)
	s.get("/api/v1/exchanges/tail?last=501").problem(422)
	o.Feed = nil
	s = serve(t, o)
	for _, path := range []string{"/overview/rates", "/overview/live", "/exchanges/tail"} {
		s.get("/api/v1" + path).problem(501)
	}
	s.get("/api/v1/limits").is(200)
}

func TestLimits(t *testing.T) {
	o := options(t, 1)
	who := &changing{}
	who.set(nil, api.Permissions()...)
	o.Authenticator = who
	o.Feed = live.NewFeed(o.Now)
	o.LimitStats = func() []enforce.RuleStats {
		return []enforce.RuleStats{{By: "Limit/login", Hits: 10, Refused: 3}, {By: "JWTValidation/shop", Hits: 2, Tagged: 2}}
	}
	now := o.Now()
	o.Feed.Publish([]seshat.Assigned{
		{Session: sessionID(1), Observation: &seshat.Observation{Time: now, Verdict: seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/login"}}},
		{Session: sessionID(2), Observation: &seshat.Observation{Time: now.Add(-time.Minute), Verdict: seshat.ObservedVerdict{
			Action: seshat.ActionBlock, By: "Denylist/alice", Tags: []string{"JWTValidation/shop"},
		}}},
	}, nil)
	for o.Feed.Rates(live.Ask{}).Total < 2 { // another goroutine takes it
		time.Sleep(time.Millisecond)
	}
	s := serve(t, o)
	s.ask("POST", "/api/v1/resources", `
apiVersion: seshat/v1
kind: Limit
metadata: {name: login}
spec: {key: [session], count: 5, window: 1m, for: 10m}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: all}
spec: {enabled: false, key: [ip], count: 100, window: 10s, action: tag}
---
apiVersion: seshat/v1
kind: JWTValidation
metadata: {name: shop}
spec: {jwksURL: "https://id.example/keys"}
`, "Content-Type: application/yaml").is(200)
	got := decode[wire.Limits](s.get("/api/v1/limits").is(200))
	if len(got.Items) != 3 || got.Items[0].By != "Limit/all" || got.Items[1].By != "Limit/login" || got.Items[2].By != "JWTValidation/shop" {
		t.Fatalf("%+v", got.Items)
	}
	all, login, shop := got.Items[0], got.Items[1], got.Items[2]
	if all.Enabled || !all.TagOnly || all.Here != nil || all.Minutes != nil || all.WindowMS != 10_000 || all.ChangedBy == "" {
		t.Errorf("%+v", all)
	}
	if login.Action != "limit" || login.Here.Allowed != 7 || login.Limited != 1 || login.Minutes.Limited[59] != 1 || login.ForMS != 600_000 ||
		len(login.On) != 1 || login.On[0].SessionID != sessionID(1).String() {
		t.Errorf("%+v", login)
	}
	if shop.Action != "block" || shop.Tagged != 1 || shop.Minutes.Tagged[58] != 1 || shop.Here.Tagged != 2 {
		t.Errorf("%+v", shop)
	}
	if len(got.Denylist) != 1 || got.Denylist[0].Blocked != 1 {
		t.Errorf("%+v", got.Denylist)
	}
	who.set(nil, api.ResourcesRead)
	got = decode[wire.Limits](s.get("/api/v1/limits").is(200))
	if got.Denylist != nil || got.Items[1].On != nil || got.Items[1].Limited != 1 {
		t.Errorf("who may read resources only sees %+v", got)
	}
}

// TestFollowOverTheNetwork is the whole way once, with a reader that goes away: the server must not complain.
func TestFollowOverTheNetwork(t *testing.T) {
	o := options(t, 2)
	o.Feed = live.NewFeed(o.Now)
	s := serve(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/exchanges/tail?last=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(res.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "event: ready") {
			break
		}
	}
	cancel()
	_, _ = io.Copy(io.Discard, in)
	_ = res.Body.Close()
	o.Feed.Close()
}
