package test

import (
	"net/http"
	"slices"
	"testing"
)

// TestElsewhere: a session that is used from two addresses by two programs is found among others by how many it has, while
// the instance runs and without it.
func TestElsewhere(t *testing.T) {
	s := fresh(t)
	g := s.serve("--upstream", storyOrigin(t), "--listen", "127.0.0.1:0")
	signIn := func(name, cookie string) *shopper {
		c := &shopper{t: t, g: g, c: client(t), cookie: "PHPSESSID=" + cookie, device: firefox}
		c.ask("POST", "/login", "username="+name+"&password=correct-horse")
		c.ask("GET", "/account", "")
		return c
	}
	bob := signIn("bob", "anonymous-of-bob-0123456789")
	alice := &shopper{t: t, g: g, c: client(t), cookie: "PHPSESSID=anonymous-of-alice-0123456789", device: firefox}
	alice.ask("POST", "/login", "username=alicia&password=wrong")
	alice.ask("POST", "/login", "username=alice&password=correct-horse")
	thief := &shopper{t: t, g: g, c: fromAddress(t, "127.0.0.2"), cookie: alice.cookie, device: "python-requests/2.32"}
	if got := thief.ask("GET", "/account", ""); got != http.StatusOK {
		t.Fatalf("the thief gets %d", got)
	}
	// Carol's telephone goes from one network to another.
	carol := signIn("carol", "anonymous-of-carol-0123456789")
	elsewhere := &shopper{t: t, g: g, c: fromAddress(t, "127.0.1.3"), cookie: carol.cookie, device: firefox}
	elsewhere.ask("GET", "/account", "")
	bob.ask("GET", "/account", "")
	g.settled()
	for _, user := range []string{"alice", "bob", "carol"} {
		sessionOf(t, s, user)
	}

	find := func(filter string, want ...string) {
		t.Helper()
		var got []string
		for _, one := range s.sessions(filter) {
			got = append(got, one.User)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s finds the sessions of %q; want %q", filter, got, want)
		}
	}
	asked := func() {
		t.Helper()
		find("addresses:>1", "alice", "carol")
		find("addresses:1", "bob")
		find("networks:>1", "carol")
		find("user_agents:>1", "alice")
		find("addresses:>1 user_agents:>1", "alice")
		find("-addresses:>1 OR user_agents:2..", "alice", "bob")
		find("users:>1", "alice")
		find("users:1", "bob", "carol")
		s.ok("sessions", "--since", "all", "--sort", "user_agents", "--limit", "1", "--format", "csv").prints("alice")
		s.run("sessions", "addresses:127.0.0.2").want(2).says("write ip:127.0.0.2")
	}
	asked()
	g.stop()
	asked()
}
