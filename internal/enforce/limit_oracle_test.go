package enforce_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
)

// slowLimit is a limit as a person would apply it: a list of what passed, gone through from end to end.
type slowLimit struct {
	name, action string
	keys         []string
	count        int
	window, hold time.Duration
	passed       []passedRequest
	held         map[string]time.Time
}

type passedRequest struct {
	key   string
	slice int64
}

// slice is the number of the seventh of the window that t is in, rounded up to whole nanoseconds.
func (l *slowLimit) slice(t time.Time) int64 { return t.UnixNano() / ((int64(l.window) + 6) / 7) }

// over reports whether one more request is too many.
func (l *slowLimit) over(key string, now time.Time) bool {
	if until, ok := l.held[key]; ok {
		if now.Before(until) {
			return true
		}
		delete(l.held, key)
	}
	n := 0
	for _, p := range l.passed {
		if p.key == key && p.slice > l.slice(now)-8 {
			n++
		}
	}
	if n < l.count {
		return false
	}
	if l.hold > 0 {
		until := now.Add(l.hold)
		if whole := until.Truncate(time.Second); !whole.Equal(until) {
			until = whole.Add(time.Second) // penalties end with a second
		}
		l.held[key] = until
	}
	return true
}

// slowKey is what a request is counted under: that of its address unless its session is vouched for.
func (l *slowLimit) key(ip netip.Addr, session string, vouched bool) string {
	network := ip.String()
	if ip.Is6() {
		prefix, _ := ip.Prefix(64)
		network = prefix.String()
	}
	if !vouched && !slices.Equal(l.keys, []string{"ip"}) {
		return "unvouched " + network
	}
	key := ""
	for _, k := range l.keys {
		if k == "ip" {
			key += "ip " + network
		} else {
			key += "session " + session
		}
	}
	return key
}

// slowDecide is the verdict of all limits together.
func slowDecide(limits []*slowLimit, now time.Time, ip netip.Addr, session string, vouched bool) (refused bool, action string, tags []string) {
	counted := map[*slowLimit]int{}
	for _, l := range limits {
		key := l.key(ip, session, vouched)
		if !l.over(key, now) {
			l.passed = append(l.passed, passedRequest{key, l.slice(now)})
			counted[l] = len(l.passed) - 1
			continue
		}
		switch {
		case l.action == "tag":
			tags = append(tags, "Limit/"+l.name)
		case action != "block":
			refused, action = true, l.action
		}
	}
	if refused { // as if it had not been made
		for l, i := range counted {
			l.passed = slices.Delete(l.passed, i, i+1)
		}
	}
	return refused, action, tags
}

func TestLimitsAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var limits []*slowLimit
		yaml := sessionRule
		for i := range rapid.IntRange(1, 4).Draw(rt, "limits") {
			l := &slowLimit{
				name: fmt.Sprint("l", i), action: rapid.SampledFrom([]string{"tag", "limit", "block"}).Draw(rt, "action"),
				keys:   rapid.SampledFrom([][]string{{"ip"}, {"session"}, {"session", "ip"}}).Draw(rt, "key"),
				count:  rapid.IntRange(1, 6).Draw(rt, "count"),
				window: time.Duration(rapid.IntRange(1, 20).Draw(rt, "window")) * time.Second,
				held:   map[string]time.Time{},
			}
			hold := ""
			if rapid.Bool().Draw(rt, "with penalty") {
				l.hold = time.Duration(rapid.IntRange(1, 20).Draw(rt, "for")) * time.Second
				hold = fmt.Sprintf(", for: %s", l.hold)
			}
			limits = append(limits, l)
			yaml += limitYAML(l.name, fmt.Sprintf("key: [%s], count: %d, window: %s, action: %s%s", joined(l.keys), l.count, l.window, l.action, hold))
		}
		g := newGateway(t, yaml)
		known := []string{"a", "b"} // the rest is made up
		for _, v := range known {
			learn(t, g, nil, []seshat.Link{{Session: newSessionID(digestOf(v), start()), To: digestOf(v), Evidence: seshat.EvidenceIssued, Time: start()}})
		}
		for range rapid.IntRange(1, 80).Draw(rt, "requests") {
			g.wait(time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(time.Second)), rapid.Int64Range(0, int64(30*time.Second))).Draw(rt, "step")))
			ip := rapid.SampledFrom([]string{"203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2"}).Draw(rt, "ip")
			cookie := rapid.SampledFrom([]string{"a", "b", "x", "y", "z"}).Draw(rt, "cookie")
			refused, action, tags := slowDecide(limits, g.now, netip.MustParseAddr(ip), cookie, slices.Contains(known, cookie))
			v := g.send("GET /", "From: "+ip, "Cookie: SESSID="+cookie).Verdict
			if v.Action.Refuses() != refused || refused && v.Action.String() != action || !slices.Equal(v.Tags, tags) && len(v.Tags)+len(tags) > 0 {
				rt.Fatalf("%s of %s at %s: %+v, want refused %t by %q with tags %v", cookie, ip, g.now, v, refused, action, tags)
			}
		}
	})
}

func joined(list []string) string {
	out := list[0]
	for _, s := range list[1:] {
		out += ", " + s
	}
	return out
}
