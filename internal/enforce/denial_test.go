package enforce_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

func learn(t testing.TB, g *gateway, facts []seshat.SessionFacts, links []seshat.Link) {
	t.Helper()
	if err := g.enforcer.Learn(enforce.AppendNotices(nil, facts, links)); err != nil {
		t.Fatal(err)
	}
}

func TestDenySession(t *testing.T) {
	g := newGateway(t, sessionRule)
	s := g.send("GET /", "Cookie: SESSID=a").Session
	if s != newSessionID(digestOf("a"), start()) {
		t.Errorf("the session is %s, not what correlation would call it", s)
	}
	if again := g.send("GET /x", "Cookie: SESSID=a").Session; again != s {
		t.Errorf("the session is %s, then %s", s, again)
	}
	g.enforcer.Deny([]seshat.Denial{{Name: "one", Session: s, Status: 401}})
	g.want("401 Denylist/one", g.send("GET /", "Cookie: SESSID=a"))
	if v := g.decision.Verdict; v.Reason != "the session was revoked" || v.RetryAfter != 0 {
		t.Errorf("%+v", v)
	}
	g.want("allow", g.send("GET /", "Cookie: SESSID=b"))
	// It is denied by any of its IDs, whichever groups the request.
	g.want("401 Denylist/one", g.send("GET /", "Cookie: SESSID=b", "Authorization: a"))
	// IDs that join the session later are covered.
	learn(t, g, nil, []seshat.Link{{Session: s, To: digestOf("c"), Time: start()}})
	g.want("401 Denylist/one", g.send("GET /", "Cookie: SESSID=c"))
	// So are sessions that turn out to be part of it, and what it turns out to be part of.
	other, third := seshat.SessionID{2}, seshat.SessionID{3}
	learn(t, g, []seshat.SessionFacts{{ID: other, MergedInto: s}}, []seshat.Link{{Session: other, To: digestOf("d"), Time: start()}})
	g.want("401 Denylist/one", g.send("GET /", "Cookie: SESSID=d"))
	learn(t, g, []seshat.SessionFacts{{ID: s, MergedInto: third}}, []seshat.Link{{Session: third, To: digestOf("e"), Time: start()}})
	g.want("401 Denylist/one", g.send("GET /", "Cookie: SESSID=e"))
	g.want("401 Denylist/one", g.send("GET /", "Cookie: SESSID=d"))
	g.enforcer.Deny(nil)
	g.want("allow", g.send("GET /", "Cookie: SESSID=a"))
}

func TestDenyForATime(t *testing.T) {
	g := newGateway(t, sessionRule)
	s := g.send("GET /", "Cookie: SESSID=a").Session
	g.enforcer.Deny([]seshat.Denial{
		{Name: "short", Session: s, Status: 403, Until: start().Add(time.Minute)},
		{Name: "long", Session: s, Status: 401, Until: start().Add(time.Hour)},
	})
	g.wait(30 * time.Second)
	g.send("GET /", "Cookie: SESSID=a")
	if v := g.decision.Verdict; v.Action != seshat.ActionBlock || v.RetryAfter == 0 {
		t.Errorf("%+v", v)
	}
	g.wait(time.Minute)
	g.want("401 Denylist/long", g.send("GET /", "Cookie: SESSID=a"))
	g.wait(time.Hour)
	g.want("allow", g.send("GET /", "Cookie: SESSID=a"))
}

func TestDenyOthers(t *testing.T) {
	g := newGateway(t, sessionRule)
	learn(t, g, []seshat.SessionFacts{{ID: seshat.SessionID{1}, User: "alice", Started: start().Add(-time.Hour)}},
		[]seshat.Link{{Session: seshat.SessionID{1}, To: digestOf("a"), Time: start()}})
	g.enforcer.Deny([]seshat.Denial{
		{Name: "id", ClientSessionID: digestOf("stolen"), Status: 403},
		{Name: "user", User: "Alice", Status: 401},
		{Name: "basic", User: "bob", Status: 401},
	})
	g.want("403 Denylist/id", g.send("GET /", "Cookie: SESSID=x", "Authorization: stolen"))
	g.want("401 Denylist/user", g.send("GET /", "Cookie: SESSID=a"))
	g.want("401 Denylist/basic", g.send("GET /", "Authorization: Basic Ym9iOnB3"))
	g.want("allow", g.send("GET /", "Authorization: Basic Ym9iYnk6cHc="))
	g.want("allow", g.send("GET /"))
}

func TestDenyIssuedBefore(t *testing.T) {
	g := newGateway(t, sessionRule)
	token := func(issuer, subject string, issued time.Time) string {
		return "Authorization: Bearer " + unsigned(fmt.Sprintf(`{"iss":"%s","sub":"%s","iat":%d}`, issuer, subject, issued.Unix()))
	}
	old, young := start().Add(-2*time.Hour), start().Add(-time.Minute)
	learn(t, g, []seshat.SessionFacts{{ID: seshat.SessionID{1}, User: "alice", Started: old}, {ID: seshat.SessionID{2}, User: "bob", Started: old}},
		[]seshat.Link{{Session: seshat.SessionID{1}, To: digestOf("a"), Time: start()}, {Session: seshat.SessionID{2}, To: digestOf("b"), Time: start()}})
	before := start().Add(-time.Hour)

	g.enforcer.Deny([]seshat.Denial{{Name: "all", IssuedBefore: before, Status: 401}})
	g.want("401 Denylist/all", g.send("GET /", token("i", "x", old)))
	g.want("allow", g.send("GET /", token("i", "x", young)))
	g.want("401 Denylist/all", g.send("GET /", "Cookie: SESSID=a"))
	g.want("allow", g.send("GET /", "Cookie: SESSID=new"))
	g.want("allow", g.send("GET /")) // who shows nothing has nothing that could be too old

	g.enforcer.Deny([]seshat.Denial{{Name: "issuer", IssuedBefore: before, Issuer: "i", Status: 401}})
	g.want("401 Denylist/issuer", g.send("GET /", token("i", "x", old)))
	g.want("allow", g.send("GET /", token("j", "x", old)))
	g.want("allow", g.send("GET /", "Cookie: SESSID=a"))

	g.enforcer.Deny([]seshat.Denial{{Name: "user", IssuedBefore: before, User: "alice", Status: 401}})
	g.want("401 Denylist/user", g.send("GET /", "Cookie: SESSID=a"))
	g.want("allow", g.send("GET /", "Cookie: SESSID=b"))
	g.want("401 Denylist/user", g.send("GET /", token("i", "alice", old)))
	g.want("allow", g.send("GET /", token("i", "alice", young)))
}

func TestDenialsAreCounted(t *testing.T) {
	g := newGateway(t, sessionRule+limitYAML("a", "key: [ip], count: 1, window: 1m"))
	denials := []seshat.Denial{{Name: "u", ClientSessionID: digestOf("a"), Status: 401}}
	g.enforcer.Deny(denials)
	for range 3 {
		g.want("401 Denylist/u", g.send("GET /", "Cookie: SESSID=a")) // which no limit counts
	}
	g.enforcer.Deny(append(denials, seshat.Denial{Name: "v", User: "v", Status: 401}))
	g.want("401 Denylist/u", g.send("GET /", "Cookie: SESSID=a"))
	g.want("allow", g.send("GET /"))
	for _, s := range g.enforcer.Stats().Rules {
		if s.By == "Denylist/u" && s.Refused != 4 || s.By == "Limit/a" && s.Hits != 1 {
			t.Errorf("%+v", s)
		}
	}
	g.enforcer.Deny(nil)
	if n := len(g.enforcer.Stats().Rules); n != 1 {
		t.Errorf("counters of %d rules, want 1", n)
	}
}

// TestDenylistAgainstOracle compares with a list that is gone through from end to end.
func TestDenylistAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := newGateway(t, sessionRule)
		value := func(label string) string { return string(rune('a' + rapid.IntRange(0, 5).Draw(rt, label))) }
		session := func(label string) seshat.SessionID {
			return seshat.SessionID{byte(rapid.IntRange(1, 6).Draw(rt, label))}
		}
		users := map[seshat.SessionID]string{}
		links := map[string]seshat.SessionID{}
		merged := map[seshat.SessionID]seshat.SessionID{}
		var denials []seshat.Denial
		root := func(id seshat.SessionID) seshat.SessionID {
			for !merged[id].IsZero() {
				id = merged[id]
			}
			return id
		}
		for v := 'a'; v <= 'f'; v++ {
			links[string(v)] = session("first")
			learn(t, g, nil, []seshat.Link{{Session: links[string(v)], To: digestOf(string(v)), Time: g.now}})
		}
		for step := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			g.wait(time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds")) * time.Second)
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				v, s := value("id"), session("session")
				links[v] = s
				learn(t, g, nil, []seshat.Link{{Session: s, To: digestOf(v), Time: g.now}})
			case 1:
				s := session("session")
				if merged[s].IsZero() {
					users[s] = rapid.SampledFrom([]string{"ann", "Ann", "bob"}).Draw(rt, "user")
					learn(t, g, []seshat.SessionFacts{{ID: s, User: users[s], Started: start()}}, nil)
				}
			case 2:
				from, to := session("from"), session("to")
				if merged[from].IsZero() && root(to) != from {
					merged[from] = to
					learn(t, g, []seshat.SessionFacts{{ID: from, MergedInto: to, Started: start()}}, nil)
				}
			case 3:
				d := seshat.Denial{Name: fmt.Sprint("d", step), Status: 401}
				switch rapid.IntRange(0, 2).Draw(rt, "of") {
				case 0:
					d.Session = session("session")
				case 1:
					d.ClientSessionID = digestOf(value("id"))
				default:
					d.User = rapid.SampledFrom([]string{"ANN", "bob"}).Draw(rt, "user")
				}
				if rapid.Bool().Draw(rt, "timed") {
					d.Until = g.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "for")) * time.Second)
				}
				denials = append(denials, d)
				g.enforcer.Deny(denials)
			default:
				v, w := value("cookie"), value("authorization")
				want := false
				for _, d := range denials {
					if d.Expired(g.now) {
						continue
					}
					for _, id := range []string{v, w} {
						s := links[id]
						want = want || d.ClientSessionID == digestOf(id) ||
							!s.IsZero() && !d.Session.IsZero() && (d.Session == s || root(d.Session) == root(s)) ||
							d.User != "" && !s.IsZero() && equalFold(users[root(s)], d.User)
					}
				}
				got := g.send("GET /", "Cookie: SESSID="+v, "Authorization: "+w).Verdict.Action == seshat.ActionBlock
				if got != want {
					rt.Fatalf("cookie %s and authorization %s: denied %t, want %t by %+v", v, w, got, want, denials)
				}
			}
		}
	})
}

func equalFold(a, b string) bool { return len(a) == len(b) && a != "" && (a[0]|0x20) == (b[0]|0x20) }
