package enforce_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func TestVouching(t *testing.T) {
	vouched := func(g *gateway, want bool, fields ...string) {
		t.Helper()
		if got := g.send("GET /account", fields...).Vouched; got != want {
			t.Errorf("%v: vouched %t, want %t", fields, got, want)
		}
	}
	exchange := func(g *gateway, line string, status int, fields ...string) {
		g.send(line, fields...)
		g.answer(status)
	}

	g := newGateway(t, sessionRule)
	vouched(g, false, "Cookie: SESSID=a")
	exchange(g, "GET /account", 200, "Cookie: SESSID=a")
	vouched(g, true, "Cookie: SESSID=a") // nothing is known of the endpoint yet
	exchange(g, "GET /account", 401, "Cookie: SESSID=a")
	vouched(g, false, "Cookie: SESSID=a")
	exchange(g, "GET /account", 200, "Cookie: SESSID=a")
	vouched(g, true, "Cookie: SESSID=a")

	// Where those are let in who show nothing, it proves nothing.
	exchange(g, "GET /prices/17", 200)
	exchange(g, "GET /prices/18", 200, "Cookie: SESSID=b")
	vouched(g, false, "Cookie: SESSID=b")
	exchange(g, "POST /prices/18", 304, "Cookie: SESSID=b")
	vouched(g, true, "Cookie: SESSID=b")

	// Neither does a redirect, a failure or the absence of an answer.
	for _, status := range []int{302, 303, 403, 404, 500, 0} {
		exchange(g, "GET /elsewhere", status, "Cookie: SESSID=c")
		vouched(g, false, "Cookie: SESSID=c")
	}

	// gRPC says 200 whatever happens.
	for status, want := range map[string]bool{"": false, "16": false, "7": false, "0": true} {
		g.send("POST /shop.Orders/List"+status, "Cookie: SESSID=grpc"+status)
		fields := []string{"content-type: application/grpc+proto"}
		if status != "" {
			fields = append(fields, "grpc-status: "+status)
		}
		g.answer(200, fields...)
		vouched(g, want, "Cookie: SESSID=grpc"+status)
	}

	// One good ID does not speak for another.
	exchange(g, "GET /both", 200, "Cookie: SESSID=b", "Authorization: made-up")
	vouched(g, false, "Authorization: made-up")

	// What the origin gives out is good, until it takes it away. An echo is not given out.
	g.send("POST /login")
	g.answer(200, "Set-Cookie: SESSID=d")
	vouched(g, true, "Cookie: SESSID=d")
	g.send("POST /logout", "Cookie: SESSID=d")
	g.answer(302, "Set-Cookie: SESSID=gone; Max-Age=0")
	vouched(g, false, "Cookie: SESSID=d")
	g.send("GET /echo", "Cookie: SESSID=e")
	g.answer(500, "Set-Cookie: SESSID=e")
	vouched(g, false, "Cookie: SESSID=e")
}

// TestVouchingByUnknownEndpoints: whoever knows many public places that nobody visits gets few sessions.
func TestVouchingByUnknownEndpoints(t *testing.T) {
	f := func(what string, prepare func(g *gateway), want int) {
		t.Helper()
		g := newGateway(t, sessionRule)
		prepare(g)
		n := 0
		for i := range 50 {
			cookie := fmt.Sprintf("Cookie: SESSID=made-up-%d", i)
			g.send("GET /blog/"+string(rune('a'+i%26))+"-story", cookie)
			g.answer(200)
			if g.send("GET /", cookie).Vouched {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d sessions are vouched for, want %d", what, n, want)
		}
	}
	f("unknown", func(*gateway) {}, 20)
	f("known to be public", func(g *gateway) {
		for i := range 26 {
			g.send("GET /blog/" + string(rune('a'+i)) + "-story")
			g.answer(200)
		}
	}, 0)
	f("known to refuse", func(g *gateway) {
		for i := range 26 {
			g.send("GET /blog/"+string(rune('a'+i))+"-story", "From: 198.51.100.1")
			g.answer(401)
		}
	}, 50)
}

func TestNoticesVouchForWhatWasIssued(t *testing.T) {
	g := newGateway(t, sessionRule)
	id := seshat.SessionID{1}
	learn(t, g, []seshat.SessionFacts{{ID: id, User: "alice", Started: start()}}, []seshat.Link{
		{Session: id, To: digestOf("a"), Evidence: seshat.EvidenceFirst, Time: start()},
		{Session: id, To: digestOf("b"), Evidence: seshat.EvidenceRotation, Time: start()},
		{Session: id, To: digestOf("c"), Evidence: seshat.EvidencePresented, Time: start()},
	})
	for cookie, want := range map[string]string{"a": "allow", "b": "allow vouched", "c": "allow"} {
		g.want(want, g.send("GET /", "Cookie: SESSID="+cookie))
		if g.decision.Session != id || g.decision.User != "alice" {
			t.Errorf("%s: session %s of %q", cookie, g.decision.Session, g.decision.User)
		}
	}
	// A session that somebody ended is worth nothing any more.
	learn(t, g, []seshat.SessionFacts{{ID: id, EndedBy: seshat.EndLogout, EndedAt: start(), Started: start()}}, nil)
	g.want("allow", g.send("GET /", "Cookie: SESSID=b"))
}

// TestFallbackSessions are known by address and user agent, and end when they are idle.
func TestFallbackSessions(t *testing.T) {
	g := newGateway(t, sessionRule)
	first := g.send("GET /", "User-Agent: x").Session
	if other := g.send("GET /", "User-Agent: y").Session; other == first {
		t.Error("two clients are one session")
	}
	for range 3 {
		g.wait(29 * time.Minute)
		if s := g.send("GET /", "User-Agent: x").Session; s != first {
			t.Errorf("the session ended while it was used")
		}
	}
	g.wait(31 * time.Minute)
	if s := g.send("GET /", "User-Agent: x").Session; s == first || s.IsZero() {
		t.Errorf("the session goes on after 31 minutes")
	}
	g.use(sessionRule+"---\napiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {fallbackIdleTimeout: 5m}\n", nil)
	first = g.send("GET /", "User-Agent: x").Session
	g.wait(6 * time.Minute)
	if s := g.send("GET /", "User-Agent: x").Session; s == first {
		t.Errorf("the settings end it after 5 minutes")
	}
}
