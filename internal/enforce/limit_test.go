package enforce_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

const sessionRule = `---
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec: {identifiers: [{cookie: SESSID}, {header: Authorization}]}
`

func TestLimitByAddress(t *testing.T) {
	g := newGateway(t, limitYAML("a", "key: [ip], count: 2, window: 1m"))
	g.want("allow", g.send("GET /"))
	g.want("allow", g.send("GET /", "Cookie: SESSID=x"))
	g.want("429 Limit/a", g.send("GET /"))
	if v := g.decision.Verdict; v.Reason != "over 2 in 1m" || v.RetryAfter <= time.Minute-time.Second || v.RetryAfter > time.Minute*8/7+time.Second {
		t.Errorf("reason %q, retry after %s", v.Reason, v.RetryAfter)
	}
	g.want("allow", g.send("GET /", "From: 203.0.113.10"))
	g.want("allow", g.send("GET /", "From: 2001:db8:1:2::1"))
	g.want("allow", g.send("GET /", "From: 2001:db8:1:2:ffff::2"))
	g.want("429 Limit/a", g.send("GET /", "From: 2001:db8:1:2:3::3"))
	g.want("allow", g.send("GET /", "From: 2001:db8:1:3::1"))
	g.want("429 Limit/a", g.send("GET /", "From: ::ffff:203.0.113.9"))
	g.wait(70 * time.Second)
	g.want("allow", g.send("GET /"))
}

func TestLimitScopeEndpointAndConditions(t *testing.T) {
	g := newGateway(t, limitYAML("a", `key: [ip], count: 1, window: 1m, scope: {services: [shop.example]}, endpoints: ["POST */login"],
 conditions: [{location: header, key: X-App, value: shop}]`)+
		limitYAML("far", `key: [ip], count: 1, window: 1m, scope: {urls: ["^https://other"]}`))
	for range 3 {
		g.want("allow", g.send("GET /login", "X-App: shop"))
		g.want("allow", g.send("POST /login"))
		g.want("allow", g.send("POST /logout", "X-App: shop"))
	}
	g.want("allow", g.send("POST /v1/login", "X-App: shop"))
	g.want("429 Limit/a", g.send("POST /login", "X-App: shop"))
}

func TestActions(t *testing.T) {
	g := newGateway(t, limitYAML("a-tag", "key: [ip], count: 1, window: 1m, action: tag")+
		limitYAML("b-limit", "key: [ip], count: 2, window: 1m")+
		limitYAML("c-block", "key: [ip], count: 3, window: 1m, action: block, for: 10m"))
	g.want("allow", g.send("GET /"))
	g.want("tag [Limit/a-tag]", g.send("GET /"))
	for range 3 {
		// What b refuses does not count for c, which is therefore never over.
		g.want("429 Limit/b-limit [Limit/a-tag]", g.send("GET /"))
	}
	stats := map[string]enforce.RuleStats{}
	for _, s := range g.enforcer.Stats().Rules {
		stats[s.By] = s
	}
	if s := stats["Limit/a-tag"]; s.Hits != 5 || s.Tagged != 4 || s.Refused != 0 {
		t.Errorf("a counts %+v", s)
	}
	if s := stats["Limit/b-limit"]; s.Hits != 5 || s.Tagged != 0 || s.Refused != 3 {
		t.Errorf("b counts %+v", s)
	}
}

func TestBlockForATime(t *testing.T) {
	g := newGateway(t, limitYAML("a", "key: [ip], count: 1, window: 1s, action: block, for: 10m"))
	g.want("allow", g.send("GET /"))
	g.want("403 Limit/a", g.send("GET /"))
	g.wait(9 * time.Minute)
	g.want("403 Limit/a", g.send("GET /"))
	if got := g.decision.Verdict.RetryAfter; got != time.Minute {
		t.Errorf("retry after %s, want 1m", got)
	}
	if got := g.decision.Limits[0]; got.Remaining != 0 || got.Reset != time.Minute {
		t.Errorf("the client is told %+v, want that nothing remains for a minute", got)
	}
	g.wait(time.Minute)
	g.want("allow", g.send("GET /"))
}

// TestInventedTokens: whoever makes up a token for each request gets no more than whoever has none.
func TestInventedTokens(t *testing.T) {
	for _, key := range []string{"session", "clientSessionID", `"parameter:who"`, "session, ip"} {
		g := newGateway(t, sessionRule+limitYAML("a", "key: ["+key+"], count: 3, window: 1m")+`---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: who}
spec: {extract: {location: header, key: X-Who}}
`)
		passed := 0
		for i := range 20 {
			d := g.send("GET /", fmt.Sprintf("Cookie: SESSID=made-up-%d", i), fmt.Sprintf("X-Who: somebody-%d", i))
			if d.Verdict.Action == seshat.ActionAllow {
				passed++
			}
			if d.Vouched {
				t.Fatalf("key %s: a made-up token is vouched for", key)
			}
		}
		if passed != 3 {
			t.Errorf("key %s: %d requests passed, want 3", key, passed)
		}
	}
}

func TestVouchedSessionsCountApart(t *testing.T) {
	g := newGateway(t, sessionRule+limitYAML("a", "key: [session], count: 2, window: 1m"))
	for i := range 5 {
		g.wait(2 * time.Minute)
		g.send("POST /login")
		g.answer(200, fmt.Sprintf("Set-Cookie: SESSID=given-%d; HttpOnly", i))
	}
	for i := range 5 {
		cookie := fmt.Sprintf("Cookie: SESSID=given-%d", i)
		g.want("allow vouched", g.send("GET /a", cookie))
		g.want("allow vouched", g.send("GET /a", cookie))
		g.want("429 Limit/a vouched", g.send("GET /a", cookie))
	}
	// A second ID of the same session shares its count, and an invented one beside it changes nothing.
	g.wait(2 * time.Minute)
	g.send("GET /a", "Cookie: SESSID=given-0")
	g.answer(200, "Set-Cookie: SESSID=rotated-0")
	g.want("allow vouched", g.send("GET /a", "Cookie: SESSID=rotated-0"))
	g.want("429 Limit/a vouched", g.send("GET /a", "Cookie: SESSID=given-0"))
	g.want("429 Limit/a vouched", g.send("GET /a", "Cookie: SESSID=invented", "Authorization: Bearer x", "Authorization: rotated-0", "Cookie: SESSID=given-0"))
}

// TestGuessesAtOneAccount: a limit by a parameter of a sign-in counts wherever the guesses come from, apart from those
// whose session somebody vouches for.
func TestGuessesAtOneAccount(t *testing.T) {
	g := newGateway(t, sessionRule+limitYAML("a", `endpoints: ["POST /login"], key: ["parameter:account"], count: 3, window: 1m`)+`---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: account}
spec: {extract: {location: query, key: account}}
`)
	g.send("GET /", "From: 198.51.100.7")
	g.answer(200, "Set-Cookie: SESSID=given")
	for i := range 3 {
		g.want("allow", g.send("POST /login?account=alice", fmt.Sprintf("From: 203.0.113.%d", i)))
	}
	g.want("429 Limit/a", g.send("POST /login?account=alice", "From: 203.0.113.100"))
	g.want("allow", g.send("POST /login?account=bob", "From: 203.0.113.100"))
	g.want("allow vouched", g.send("POST /login?account=alice", "Cookie: SESSID=given"))
	g.want("allow", g.send("POST /login")) // without the parameter it is not counted
}

func TestLimitByUserAndClaim(t *testing.T) {
	g := newGateway(t, sessionRule+limitYAML("a", `key: [user], count: 2, window: 1m`)+limitYAML("b", `key: ["claim:tenant"], count: 3, window: 1m`))
	token := func(n int) string {
		// {"alg":"none"} . {"tenant":"t1","n":<n>}
		return "Authorization: Bearer " + unsigned(fmt.Sprintf(`{"tenant":"t1","n":%d}`, n))
	}
	var facts []seshat.SessionFacts
	var links []seshat.Link
	for i := range 4 {
		id := seshat.SessionID{1, byte(i)}
		links = append(links, seshat.Link{Session: id, To: digestOf(unsigned(fmt.Sprintf(`{"tenant":"t1","n":%d}`, i))), Evidence: seshat.EvidenceIssued, Time: start()})
		facts = append(facts, seshat.SessionFacts{ID: id, User: []string{"alice", "Alice", "bob", "carol"}[i], Started: start()})
	}
	if err := g.enforcer.Learn(enforce.AppendNotices(nil, facts, links)); err != nil {
		t.Fatal(err)
	}
	g.want("allow vouched", g.send("GET /", token(0)))
	g.want("allow vouched", g.send("GET /", token(1)))
	if g.decision.User != "Alice" || g.decision.Session != (seshat.SessionID{1, 1}) {
		t.Errorf("user %q of session %s", g.decision.User, g.decision.Session)
	}
	g.want("429 Limit/a vouched", g.send("GET /", token(0)))
	g.want("allow vouched", g.send("GET /", token(2)))
	g.want("429 Limit/b vouched", g.send("GET /", token(3)))
}

func TestRateLimitFields(t *testing.T) {
	g := newGateway(t, limitYAML("a", "key: [ip], count: 3, window: 1m")+limitYAML("b", "key: [ip], count: 2, window: 1h")+
		limitYAML("quiet", "key: [ip], count: 1, window: 1h, action: tag"))
	f := func(want string) {
		t.Helper()
		g.send("GET /")
		got := ""
		for _, field := range enforce.AppendFields(nil, &g.decision) {
			got += field.Name + ": " + field.Value + "\n"
		}
		if got != want {
			t.Errorf("fields\n%swant\n%s", got, want)
		}
	}
	f("RateLimit: \"b\";r=1;t=3601, \"a\";r=2;t=61\nRateLimit-Policy: \"b\";q=2;w=3600, \"a\";q=3;w=60\n")
	f("RateLimit: \"b\";r=0;t=3601, \"a\";r=1;t=61\nRateLimit-Policy: \"b\";q=2;w=3600, \"a\";q=3;w=60\n")
	f("RateLimit: \"b\";r=0;t=3601, \"a\";r=1;t=61\nRateLimit-Policy: \"b\";q=2;w=3600, \"a\";q=3;w=60\nRetry-After: 3601\n")
	g.use("", nil)
	f("")
}

// TestRulesChange: counts go on when a limit is applied again, and begin anew for another window.
func TestRulesChange(t *testing.T) {
	g := newGateway(t, limitYAML("a", "key: [ip], count: 2, window: 1m"))
	g.send("GET /")
	g.use(limitYAML("a", "key: [ip], count: 2, window: 1m")+limitYAML("b", "key: [ip], count: 9, window: 1m"), nil)
	g.want("allow", g.send("GET /"))
	g.want("429 Limit/a", g.send("GET /"))
	g.use(limitYAML("a", "key: [ip], count: 3, window: 1m"), nil)
	g.want("allow", g.send("GET /"))
	g.want("429 Limit/a", g.send("GET /"))
	g.use(limitYAML("a", "key: [ip], count: 2, window: 2m"), nil)
	g.want("allow", g.send("GET /"))
}
