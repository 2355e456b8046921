package enforce_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
)

// TestParallel: many connections together get as much as one would, while everything around them changes.
func TestParallel(t *testing.T) {
	const workers, each, keys, quota = 8, 3000, 16, 50
	set := compile(t, sessionRule+limitYAML("a", fmt.Sprintf("key: [ip], count: %d, window: 1h", quota)))
	engine := identify.New(set, hasher{})
	e := enforce.New(enforce.Config{NewSessionID: newSessionID})
	e.Use(set, nil)
	var passed [keys]atomic.Int64
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			g := &gateway{t: t, enforcer: e, worker: engine.NewWorker(), now: start()}
			for i := range each {
				g.now = start().Add(time.Duration(i) * time.Millisecond)
				key := (i*7 + w) % keys
				d := g.send("GET /", fmt.Sprintf("From: 10.0.0.%d", key), fmt.Sprintf("Cookie: SESSID=%d", i%100))
				if d.Verdict.Action == seshat.ActionAllow {
					passed[key].Add(1)
					g.answer([]int{200, 401, 302}[i%3], fmt.Sprintf("Set-Cookie: SESSID=%d", i%90))
				}
			}
		})
	}
	wait.Go(func() {
		for i := range 200 {
			e.Use(set, nil)
			e.Deny([]seshat.Denial{{Name: "x", User: fmt.Sprint(i), Status: 401}})
			_ = e.AppendShare(nil, start())
			_ = e.Learn(someNotices())
			_ = e.Stats()
		}
	})
	wait.Wait()
	for i := range passed {
		if n := passed[i].Load(); n != quota {
			t.Errorf("address %d: %d requests passed, want %d", i, n, quota)
		}
	}
}

// TestFullOfLiveKeys: a table that is full of keys that count keeps those that count most.
func TestFullOfLiveKeys(t *testing.T) {
	g := newGateway(t, "")
	g.enforcer = enforce.New(enforce.Config{NewSessionID: newSessionID, MaxKeys: 4096, MaxIDs: 4096})
	g.use(limitYAML("a", "key: [ip], count: 100, window: 1h"), nil)
	for range 100 {
		g.send("GET /")
	}
	g.want("429 Limit/a", g.send("GET /"))
	ip := netip.MustParseAddr("10.0.0.0")
	for range 50_000 {
		ip = ip.Next()
		g.want("allow", g.send("GET /", "From: "+ip.String()))
	}
	g.want("429 Limit/a", g.send("GET /"))
	for _, s := range g.enforcer.Stats().Tables {
		if s.Name == "keys" && (s.Slots > 4096 || s.Evicted == 0) {
			t.Errorf("%+v", s)
		}
		if s.Name == "ids" && s.Slots > 4096 {
			t.Errorf("%+v", s)
		}
	}
}
