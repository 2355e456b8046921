package test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// apiToken is the token of the instance's API.
func (r *running) apiToken() string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.data, "instance.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	var info struct{ Token string }
	if err := json.Unmarshal(data, &info); err != nil {
		r.t.Fatal(err)
	}
	return info.Token
}

// stream is a stream of server-sent events that is read while it comes.
type stream struct {
	cut   context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex
	events []streamEvent
	lastID string
}

type streamEvent struct {
	name, data string
	at         time.Time
}

// openStream opens a stream as EventSource does.
func (r *running) openStream(path, lastID string) *stream {
	r.t.Helper()
	ctx, cut := context.WithCancel(context.Background())
	r.t.Cleanup(cut)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.api+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.apiToken())
	request.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %s", path, response.Status)
	}
	s := &stream{cut: cut, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		defer func() { _ = response.Body.Close() }()
		in := bufio.NewScanner(response.Body)
		in.Buffer(nil, 1<<24)
		var e streamEvent
		var id string
		for in.Scan() {
			field, value, _ := strings.Cut(in.Text(), ": ")
			s.mu.Lock()
			switch field {
			case "event":
				e.name = value
			case "id":
				id = value
			case "data":
				e.data, e.at = value, time.Now()
			case "":
				if e.data != "" {
					s.events = append(s.events, e)
				}
				e, s.lastID = streamEvent{}, id
			}
			s.mu.Unlock()
		}
	}()
	return s
}

// of are the events of a name so far.
func (s *stream) of(name string) (out []streamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.name == name {
			out = append(out, e)
		}
	}
	return out
}

func (s *stream) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastID
}

// seen are the paths and keys of the exchanges so far.
func (s *stream) seen(t testing.TB) (paths, keys []string) {
	t.Helper()
	for _, e := range s.of("exchange") {
		var x struct{ Key, Path string }
		if err := json.Unmarshal([]byte(e.data), &x); err != nil {
			t.Fatalf("%s: %v", e.data, err)
		}
		paths, keys = append(paths, x.Path), append(keys, x.Key)
	}
	return paths, keys
}

// TestTail follows the traffic of a gateway, loses the connection, and goes on where it was.
func TestTail(t *testing.T) {
	origin := shop(t)
	s := fresh(t)
	g := s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	c := client(t)
	visit := func(path string) {
		if a := ask(t, c, http.MethodGet, g.gateway+path, ""); a.status != http.StatusOK {
			t.Fatalf("%s gives %d", path, a.status)
		}
	}
	cookie := signIn(t, c, g.gateway, "alice")
	ask(t, c, http.MethodGet, g.gateway+"/account", "", "Cookie", cookie)

	follow := g.openStream("/api/v1/exchanges/tail?last=0&filter=path:/visit-*", "")
	eventually(t, "the tail is ready", func() bool { return len(follow.of("ready")) == 1 })
	began := time.Now()
	visit("/visit-0")
	eventually(t, "the visit is told", func() bool { return len(follow.of("exchange")) == 1 })
	if took := follow.of("exchange")[0].at.Sub(began); took > 2*time.Second {
		t.Errorf("it took %v until the exchange was told", took)
	}

	// It is told as the store has it.
	var want, got any
	_, keys := follow.seen(t)
	a := ask(t, c, http.MethodGet, g.api+"/api/v1/exchanges/"+keys[0], "", "Authorization", "Bearer "+g.apiToken())
	if err := json.Unmarshal([]byte(a.body), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(follow.of("exchange")[0].data), &got); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the tail has\n%v\nand the store\n%v", got, want)
	}

	// The connection breaks again and again while people go on.
	const visits, perConnection = 60, 7
	var visiting sync.WaitGroup
	visiting.Go(func() {
		for n := 1; n < visits; n++ {
			if a, err := tryAsk(c, http.MethodGet, fmt.Sprintf("%s/visit-%d", g.gateway, n), ""); err != nil || a.status != http.StatusOK {
				t.Errorf("visit %d: %v, %d", n, err, a.status)
				return
			}
			time.Sleep(20 * time.Millisecond) // so that they come over several connections
		}
	})
	var paths []string
	for connections := 1; ; connections++ {
		eventually(t, "the next ones come", func() bool {
			n := len(follow.of("exchange"))
			return n >= perConnection || len(paths)+n >= visits
		})
		follow.cut()
		<-follow.ended
		if left := follow.of("dropped"); len(left) > 0 {
			t.Errorf("something was left out: %+v", left)
		}
		more, _ := follow.seen(t)
		if paths = append(paths, more...); len(paths) >= visits {
			if connections < 3 {
				t.Errorf("%d connections were enough", connections)
			}
			break
		}
		follow = g.openStream("/api/v1/exchanges/tail?last=50&filter=path:/visit-*", follow.last())
	}
	visiting.Wait()
	slices.Sort(paths)
	var all []string
	for n := range visits {
		all = append(all, fmt.Sprintf("/visit-%d", n))
	}
	slices.Sort(all)
	if !slices.Equal(paths, all) {
		t.Errorf("lost or told twice: %v", paths)
	}

	// The end of the instance ends the stream, with a word.
	follow = g.openStream("/api/v1/exchanges/tail", "")
	eventually(t, "the tail is ready again", func() bool { return len(follow.of("ready")) == 1 })
	began = time.Now()
	g.stop()
	<-follow.ended
	if end := follow.of("end"); len(end) != 1 || end[0].data != `{"reason":"shutdown"}` || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: %+v", time.Since(began), end)
	}
}

// TestOverviewIsLive looks at the rates while people come, and at what an import does to them.
func TestOverviewIsLive(t *testing.T) {
	origin := shop(t)
	s := fresh(t)
	s.ok("apply", "-f", file(t, "limit.yaml", "apiVersion: seshat/v1\nkind: Limit\nmetadata: {name: few}\nspec: {endpoints: [\"GET */few\"], key: [ip], count: 2, window: 1m}\n"))
	g := s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	c := client(t)
	type rates struct {
		Total  int64
		Window struct {
			Exchanges int64
			Verdicts  struct{ Limit int64 }
		}
		Series   struct{ Exchanges []int64 }
		Verdicts []struct {
			By    string
			Count int64
		}
	}
	read := func(e streamEvent) (out rates) {
		if err := json.Unmarshal([]byte(e.data), &out); err != nil {
			t.Fatalf("%s: %v", e.data, err)
		}
		return out
	}
	follow := g.openStream("/api/v1/overview/live", "")
	for range 5 {
		ask(t, c, http.MethodGet, g.gateway+"/few", "")
	}
	eventually(t, "the overview shows what was limited", func() bool {
		all := follow.of("rates")
		if len(all) == 0 {
			return false
		}
		last := read(all[len(all)-1])
		return last.Window.Exchanges == 5 && last.Window.Verdicts.Limit == 3 &&
			len(last.Verdicts) == 1 && last.Verdicts[0].By == "Limit/few" && last.Verdicts[0].Count == 3
	})
	eventually(t, "the overview says how many sessions there are", func() bool {
		all := follow.of("health")
		return len(all) > 0 && strings.Contains(all[len(all)-1].data, `"sessions":{"active":1,"fallback":1,"once":0,"known":true}`)
	})
	out := s.ok("limits")
	out.prints("Limit/few", "2 in 1m", "limit")
	var limits struct {
		Items []struct {
			Limited int64
			Here    struct{ Requests, Allowed, Refused int64 }
			On      []struct {
				Times int64
			}
		}
	}
	if err := json.Unmarshal([]byte(s.ok("limits", "--format", "json").stdout), &limits); err != nil || len(limits.Items) != 1 {
		t.Fatalf("%v: %v", err, limits)
	}
	if l := limits.Items[0]; l.Limited != 3 || l.Here.Requests != 5 || l.Here.Allowed != 2 || l.Here.Refused != 3 || len(l.On) != 1 || l.On[0].Times != 3 {
		t.Errorf("%+v", l)
	}

	// What was long ago is no traffic of now; but it is told.
	tail := g.openStream("/api/v1/exchanges/tail", "")
	eventually(t, "the tail is ready", func() bool { return len(tail.of("ready")) == 1 })
	s.ok("import", file(t, "old.ndjson", `{"time":"2020-01-02T03:04:05Z","request":{"method":"GET","path":"/old"},"response":{"status":200}}`+"\n"))
	eventually(t, "what is imported is told", func() bool { return len(tail.of("exchange")) == 1 })
	a := ask(t, c, http.MethodGet, g.api+"/api/v1/overview/rates", "", "Authorization", "Bearer "+g.apiToken())
	if got := read(streamEvent{data: a.body}); got.Total != 6 || got.Window.Exchanges != 5 {
		t.Errorf("%d of %d count: %s", got.Window.Exchanges, got.Total, a.body)
	}
}

// TestExploreFollows runs the command over the end and the new start of an instance.
func TestExploreFollows(t *testing.T) {
	origin := shop(t)
	s := fresh(t)
	s.run("explore", "--follow").want(1).says("no instance is running")
	g := s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	s.run("explore", "--follow", "--since", "1h").want(2)
	c := client(t)
	ask(t, c, http.MethodGet, g.gateway+"/before", "")
	eventually(t, "it is stored", func() bool {
		return strings.Contains(s.ok("explore", "--columns", "path", "--quiet").stdout, "/before")
	})

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, said := &lines{grown: make(chan struct{}, 1)}, &lines{grown: make(chan struct{}, 1)}
	table := &lines{grown: make(chan struct{}, 1)}
	follow := s.command(ctx, "explore", "-f", "--columns", "path,status", "--format", "ndjson", "-path:/favicon")
	follow.Stdout, follow.Stderr = out, said
	short := s.command(ctx, "explore", "--follow", "--limit", "0", "--columns", "path,status", "status:404")
	short.Stdout = table
	for _, cmd := range []interface{ Start() error }{follow, short} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(path string) {
		t.Helper()
		eventually(t, path+" is shown", func() bool { return strings.Contains(out.String(), `{"path":"`+path+`","status":200}`) })
	}
	shows("/before")
	ask(t, c, http.MethodGet, g.gateway+"/during", "")
	shows("/during")
	g.stop()
	eventually(t, "it says that it waits", func() bool { return strings.Contains(said.String(), "waiting for it") })
	g = s.serve("--upstream", origin.URL, "--listen", "127.0.0.1:0")
	eventually(t, "it has found the instance again", func() bool { return strings.Contains(said.String(), "answers again") })
	ask(t, c, http.MethodGet, g.gateway+"/after", "")
	shows("/after")
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines:\n%s", n, out)
	}
	if err := follow.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := follow.Wait(); err != nil {
		t.Errorf("interrupted, it ends with %v:\n%s", err, said)
	}
	if err := short.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := short.Wait(); err != nil || table.String() != "" {
		t.Errorf("%v:\n%s", err, table)
	}
}
