package correlate_test

import (
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

// TestRevoke processes exchanges, revokes the session of the first one before the second, and looks at the groups.
func TestRevoke(t *testing.T) {
	f := func(name, exchanges, want string) {
		t.Helper()
		c := correlate.New(correlate.DefaultConfig(newSessionID))
		var run scenario
		for i, o := range parse(t, exchanges) {
			if i == 1 {
				c.Revoke(run.ids[0], o.Time)
				c.Revoke(run.ids[0], o.Time.Add(1)) // a second time changes nothing
			}
			run.ids = append(run.ids, c.Process(o))
		}
		run.changes = c.Flush()
		if got := groups(run); got != want {
			t.Errorf("%s: sessions %s, want %s", name, got, want)
		}
		facts := run.facts(run.root(run.ids[0]))
		if facts.EndedBy != seshat.EndRevoked || facts.EndedAt != parse(t, exchanges)[1].Time {
			t.Errorf("%s: ended by %s at %s", name, facts.EndedBy, facts.EndedAt)
		}
	}
	f("its cookie", "0 pc > c:A\n1 pc > c:A\n2 elsewhere > c:A", "111")
	f("a cookie that it is given", "0 pc > c:A\n1 pc > c:A < c:B\n2 pc > c:B", "111")
	f("a refresh", "0 pc > a:T r:R\n1 pc POST /token > r:R < a:U r:S\n2 pc > a:U\n3 elsewhere POST /token > r:S < a:V", "1111")
	f("a token of the same provider session", "0 pc > a:T#x\n1 pc > a:U#x\n2 pc > a:T#x", "111")
	f("an address", "0 pc\n1 pc\n2 pc", "111")
	f("nobody else's", "0 pc > c:A\n1 pc2 > c:B\n2 pc > c:A", "121")
	f("somebody else's sign-in", "0 pc POST /login user=alice > c:A\n1 pc POST /login user=bob > c:A", "12")
	f("after a logout", "0 pc POST /logout flow=logout > c:A\n1 pc > c:A\n2 pc > c:A", "111")
}

func TestRevokeUnknown(t *testing.T) {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	id := seshat.SessionID{1}
	c.Want(id)
	if missing := c.Missing(nil); len(missing) != 1 || missing[0] != seshat.Digest(id) {
		t.Errorf("missing %v, want the session", missing)
	}
	c.Revoke(id, at(1))
	if changes := c.Flush(); len(changes.Sessions)+len(changes.Events) > 0 {
		t.Errorf("revoking nothing changed %+v", changes)
	}
}

// TestRevokeAfterRestart: the session is found in what was stored.
func TestRevokeAfterRestart(t *testing.T) {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	id := c.Process(parse(t, "0 pc > c:A")[0])
	stored := map[seshat.Digest][]byte{}
	for _, record := range c.Flush().State {
		stored[record.Key] = record.Value
	}
	c = correlate.New(correlate.DefaultConfig(newSessionID))
	c.Want(id)
	for missing := c.Missing(nil); len(missing) > 0; missing = c.Missing(nil) {
		found := map[seshat.Digest][]byte{}
		for _, key := range missing {
			if value, ok := stored[key]; ok {
				found[key] = value
			}
		}
		if err := c.Restore(found); err != nil {
			t.Fatal(err)
		}
	}
	c.Revoke(id, at(5))
	changes := c.Flush()
	if len(changes.Sessions) != 1 || changes.Sessions[0].EndedBy != seshat.EndRevoked || len(changes.Events) != 1 {
		t.Errorf("%+v", changes)
	}
}
