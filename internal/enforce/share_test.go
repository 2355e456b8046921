package enforce_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

// TestSharedCounts holds two gateways that exchange their counts to the bound that docs/limits.md states: together they
// admit, within any window, at most the quota and what the other one admitted since it last told of it.
func TestSharedCounts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		count := rapid.IntRange(1, 20).Draw(rt, "count")
		window := 10 * time.Second
		yaml := limitYAML("a", fmt.Sprintf("key: [ip], count: %d, window: 10s", count))
		gateways := [2]*gateway{newGateway(t, yaml), newGateway(t, yaml)}
		type admission struct {
			at time.Time
			by int
		}
		var admitted []admission
		now := start()
		told := now
		exchange := func() {
			var shares [2][]byte
			for i, g := range gateways {
				shares[i] = g.enforcer.AppendShare(nil, now)
			}
			for i, g := range gateways {
				if err := g.enforcer.Merge(shares[1-i], now); err != nil {
					rt.Fatal(err)
				}
			}
			told = now
		}
		exchange()
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(50*time.Millisecond)), rapid.Int64Range(0, int64(3*time.Second))).Draw(rt, "step")))
			if now.Sub(told) >= 100*time.Millisecond || rapid.IntRange(0, 3).Draw(rt, "exchange") == 0 {
				exchange()
			}
			by := rapid.IntRange(0, 1).Draw(rt, "gateway")
			gateways[by].now = now
			if gateways[by].send("GET /").Verdict.Action != seshat.ActionAllow {
				continue
			}
			admitted = append(admitted, admission{now, by})
			within, untold := 0, 0
			for _, a := range admitted {
				if a.at.After(now.Add(-window)) {
					within++
					if a.by != by && !a.at.Before(told) {
						untold++
					}
				}
			}
			if within > count+untold {
				rt.Fatalf("%d admitted within a window of %d, of which only %d were not told of", within, count, untold)
			}
		}
	})
}

// TestSharedPenalty: who is refused for a time by one gateway is by all.
func TestSharedPenalty(t *testing.T) {
	yaml := limitYAML("a", "key: [ip], count: 2, window: 1s, for: 10m")
	a, b := newGateway(t, yaml), newGateway(t, yaml)
	a.enforcer.AppendShare(nil, start())
	for range 3 {
		a.send("GET /")
	}
	a.want("429 Limit/a", &a.decision)
	if err := b.enforcer.Merge(a.enforcer.AppendShare(nil, start()), start()); err != nil {
		t.Fatal(err)
	}
	b.wait(time.Minute)
	b.want("429 Limit/a", b.send("GET /"))
	if share := a.enforcer.AppendShare(nil, start()); len(share) != 0 {
		t.Errorf("nothing happened, and %d bytes are shared", len(share))
	}
}

// TestShareIsBounded: what does not fit into a share is in the next ones.
func TestShareIsBounded(t *testing.T) {
	yaml := limitYAML("a", "key: [ip], count: 1, window: 1m")
	a, b := newGateway(t, yaml), newGateway(t, yaml)
	a.enforcer.AppendShare(nil, start())
	const addresses = 30_000
	from := func(i int) string { return fmt.Sprintf("From: 10.%d.%d.%d", i>>16, i>>8&255, i&255) }
	for i := range addresses {
		a.send("GET /", from(i))
	}
	shares := 0
	for {
		share := a.enforcer.AppendShare(nil, start())
		if len(share) == 0 {
			break
		}
		if shares++; len(share) > enforce.MaxShare {
			t.Errorf("a share of %d bytes", len(share))
		}
		if err := b.enforcer.Merge(share, start()); err != nil {
			t.Fatal(err)
		}
	}
	if shares < 3 {
		t.Errorf("%d shares: the test is too small", shares)
	}
	for i := range addresses {
		if b.send("GET /", from(i)).Verdict.Action != seshat.ActionLimit {
			t.Fatalf("address %d was not told of", i)
		}
	}
}

func TestMergeOfOtherClocks(t *testing.T) {
	yaml := limitYAML("a", "key: [ip], count: 1, window: 1m")
	a, b := newGateway(t, yaml), newGateway(t, yaml)
	a.enforcer.AppendShare(nil, start())
	a.now = start().Add(time.Hour) // its clock is ahead
	a.send("GET /")
	if err := b.enforcer.Merge(a.enforcer.AppendShare(nil, a.now), b.now); err != nil {
		t.Fatal(err)
	}
	b.want("429 Limit/a", b.send("GET /"))
	b.wait(2 * time.Minute)
	b.want("allow", b.send("GET /"))
}

func FuzzMerge(f *testing.F) {
	yaml := limitYAML("a", "key: [ip], count: 3, window: 1s, for: 1h")
	g := newGateway(f, yaml)
	g.enforcer.AppendShare(nil, start())
	for range 5 {
		g.send("GET /")
		g.send("GET /", "From: 2001:db8::1")
	}
	share := g.enforcer.AppendShare(nil, start())
	f.Add(share)
	f.Add(share[:len(share)-3])
	f.Add([]byte{1})
	f.Add([]byte{2, 0})
	f.Fuzz(func(t *testing.T, share []byte) {
		g := newGateway(t, yaml)
		_ = g.enforcer.Merge(share, start())
		// Whatever was merged, a day later nothing of it is left.
		g.wait(24 * time.Hour)
		g.want("allow", g.send("GET /"))
		g.want("allow", g.send("GET /", "From: 2001:db8::1"))
	})
}
