package correlate_test

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

// TestReadmit processes exchanges, revokes the session of the first one before the second and takes that back before the
// third, with and without dropping everything from memory in between, and looks at the groups and at how the first session ended.
func TestReadmit(t *testing.T) {
	f := func(name, exchanges, want string, ended seshat.EndReason) {
		t.Helper()
		for _, restarts := range []bool{false, true} {
			run, stored := scenario{}, map[seshat.Digest][]byte{}
			c := correlate.New(correlate.DefaultConfig(newSessionID))
			var all correlate.Changes
			load := func(observations []*seshat.Observation) {
				for missing := c.Missing(observations); len(missing) > 0; missing = c.Missing(nil) {
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
			}
			flush := func() {
				changes := c.Flush()
				all.Sessions, all.Links, all.Events = append(all.Sessions, changes.Sessions...), append(all.Links, changes.Links...), append(all.Events, changes.Events...)
				for _, record := range changes.State {
					stored[record.Key] = record.Value
				}
				if restarts {
					c = correlate.New(correlate.DefaultConfig(newSessionID))
				}
			}
			for i, o := range parse(t, exchanges) {
				if i > 0 {
					c.Want(run.ids[0])
				}
				load([]*seshat.Observation{o})
				switch i {
				case 1:
					c.Revoke(run.ids[0], o.Time)
				case 2:
					c.Readmit(run.ids[0])
					c.Readmit(run.ids[0]) // a second time changes nothing
				}
				run.ids = append(run.ids, c.Process(o))
				flush()
			}
			run.changes = all
			if got := groups(run); got != want {
				t.Errorf("%s: sessions %s, want %s", name, got, want)
			}
			var facts seshat.SessionFacts
			for _, one := range all.Sessions {
				if one.ID == run.ids[0] && one.Version >= facts.Version {
					facts = one
				}
			}
			if facts.EndedBy != ended {
				t.Errorf("%s: after a restart %v, ended by %q, want %q", name, restarts, facts.EndedBy, ended)
			}
		}
	}
	f("it goes on", "0 pc > c:A\n1 pc > c:A\n2 pc > c:A", "111", seshat.EndNone)
	f("with the cookie that it was given", "0 pc > c:A\n1 pc > c:A < c:B\n2 pc > c:B", "111", seshat.EndNone)
	f("it can end by a logout", "0 pc > c:A\n1 pc > c:A\n2 pc > c:A\n3 pc POST /logout flow=logout > c:A", "1111", seshat.EndLogout)
	f("it had ended before", "0 pc POST /logout flow=logout > c:A\n1 pc > c:A\n2 elsewhere > c:A", "111", seshat.EndLogout)
	f("another user signs in", "0 pc POST /login user=alice > c:A\n1 pc > c:A\n2 pc POST /login user=bob > c:A", "112", seshat.EndUserSwitch)
	f("an address, long after", "0 pc\n1 pc\n2 pc\n4000 pc2", "1112", seshat.EndIdle)
}

// TestReadmitUnknown: what is not known, or not revoked, is left alone.
func TestReadmitUnknown(t *testing.T) {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	id := c.Process(parse(t, "0 pc > c:A")[0])
	c.Flush()
	c.Readmit(seshat.SessionID{1})
	c.Readmit(id)
	if changes := c.Flush(); len(changes.Sessions)+len(changes.Events) > 0 {
		t.Errorf("taking back what was not revoked changed %+v", changes)
	}
}

// TestRefusedByUs: an answer in place of the origin's says nothing of how the session ends.
func TestRefusedByUs(t *testing.T) {
	for _, by := range []seshat.Action{seshat.ActionAllow, seshat.ActionBlock} {
		c := correlate.New(correlate.DefaultConfig(newSessionID))
		exchanges := parse(t, "0 pc > a:T r:R\n1 pc POST /token > r:R")
		id := c.Process(exchanges[0])
		exchanges[1].Status, exchanges[1].Verdict.Action = 401, by
		c.Process(exchanges[1])
		for _, facts := range c.Flush().Sessions {
			if refused := facts.EndedBy == seshat.EndRefused; facts.ID == id && refused != (by == seshat.ActionAllow) {
				t.Errorf("a refresh that was answered with 401, verdict %s: ended by %q", by, facts.EndedBy)
			}
		}
	}
}

// TestWindowReadmits: what is revoked and taken back at one moment is revoked first, and both survive a restart.
func TestWindowReadmits(t *testing.T) {
	id := seshat.SessionID{1}
	w := correlate.NewWindow(10 * time.Second)
	w.Take(&correlate.Arrival{Source: 1, Number: 1, Watermark: at(10), Revocations: []correlate.Item{
		{Time: at(11), Revoked: id, Readmitted: true}, {Time: at(11), Revoked: id},
	}}, func(*correlate.Item) { t.Error("it does not wait") })
	again := correlate.NewWindow(10 * time.Second)
	if err := again.RestoreState(w.AppendState(nil)); err != nil {
		t.Fatal(err)
	}
	var got []bool
	again.Drain(func(i *correlate.Item) { got = append(got, i.Readmitted) })
	if len(got) != 2 || got[0] || !got[1] {
		t.Errorf("taken back: %v", got)
	}
	// As it was written before anything could be taken back.
	old := w.AppendState(nil)
	old[0] = 1
	if err := correlate.NewWindow(time.Second).RestoreState(old); err == nil {
		t.Error("a state of version 1 with flags was taken")
	}
}
