package correlate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

// randomTraffic draws exchanges of a few clients with a few IDs, so that everything meets everything: shared
// devices, replays, refreshes, logouts, sign-ins as other users.
func randomTraffic(t *rapid.T) []*seshat.Observation {
	devices := []string{"pc", "phone", "nat"}
	users := []string{"alice", "bob"}
	n := rapid.IntRange(1, 60).Draw(t, "exchanges")
	var out []*seshat.Observation
	pause := 0.0
	for i := range n {
		if rapid.IntRange(0, 15).Draw(t, "pause") == 0 {
			pause += float64(rapid.IntRange(100, 4000).Draw(t, "seconds"))
		}
		second := pause + float64(i) + float64(rapid.IntRange(0, 3).Draw(t, "gap"))/4
		words := []string{fmt.Sprint(second), rapid.SampledFrom(devices).Draw(t, "device")}
		words = append(words, "host="+rapid.SampledFrom([]string{"shop", "api", "op"}).Draw(t, "host"))
		if rapid.IntRange(0, 5).Draw(t, "sign-in") == 0 {
			words = append(words, "POST", "/login", "user="+rapid.SampledFrom(users).Draw(t, "user"))
		} else if rapid.IntRange(0, 9).Draw(t, "logout") == 0 {
			words = append(words, "POST", "/logout", "flow=logout")
		}
		id := func(label string) string {
			kind := rapid.SampledFrom([]string{"c", "a", "r", "o", "k", "t"}).Draw(t, label+" kind")
			value := kind + string(rune('A'+rapid.IntRange(0, 5).Draw(t, label)))
			if kind == "a" {
				value += rapid.SampledFrom([]string{"", "@" + users[value[1]%2], "#" + value}).Draw(t, label+" claims")
				value += rapid.SampledFrom([]string{"", fmt.Sprintf("!%d", i+5)}).Draw(t, label+" expiry")
			}
			return kind + ":" + value
		}
		words = append(words, ">")
		for range rapid.IntRange(0, 2).Draw(t, "presented") {
			words = append(words, id("presented"))
		}
		words = append(words, "<")
		for range rapid.IntRange(0, 2).Draw(t, "issued") {
			words = append(words, id("issued"))
		}
		words = append(words, "=", fmt.Sprint(rapid.SampledFrom([]int{200, 200, 200, 303, 401}).Draw(t, "status")))
		out = append(out, parseLine(&testing.T{}, i, words))
	}
	return out
}

func run(t *rapid.T, observations []*seshat.Observation) scenario {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	var s scenario
	for _, o := range observations {
		if o == nil {
			t.Fatal("nil observation")
		}
		s.ids = append(s.ids, c.Process(o))
	}
	s.changes = c.Flush()
	return s
}

// runInBatches cuts the observations anywhere, stores the changes after each batch, and may forget everything.
func runInBatches(t *rapid.T, observations []*seshat.Observation) scenario {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	stored := map[seshat.Digest][]byte{}
	facts := map[seshat.SessionID]seshat.SessionFacts{}
	var s scenario
	for len(observations) > 0 {
		n := rapid.IntRange(1, len(observations)).Draw(t, "batch")
		batch := observations[:n]
		observations = observations[n:]
		for missing := c.Missing(batch); len(missing) > 0; missing = c.Missing(batch) {
			found := map[seshat.Digest][]byte{}
			for _, key := range missing {
				if value, ok := stored[key]; ok {
					found[key] = value
				}
			}
			if err := c.Restore(found); err != nil {
				t.Fatalf("restoring state: %v", err)
			}
		}
		for _, o := range batch {
			s.ids = append(s.ids, c.Process(o))
		}
		changes := c.Flush()
		for _, record := range changes.State {
			if record.Value == nil {
				delete(stored, record.Key)
				continue
			}
			stored[record.Key] = record.Value
		}
		for _, f := range changes.Sessions {
			facts[f.ID] = f
		}
		s.changes.Links = append(s.changes.Links, changes.Links...)
		s.changes.Events = append(s.changes.Events, changes.Events...)
		if rapid.Bool().Draw(t, "forget") {
			c.Forget()
		}
	}
	for _, f := range facts {
		s.changes.Sessions = append(s.changes.Sessions, f)
	}
	return s
}

func TestBatchesAndRestartsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		observations := randomTraffic(t)
		whole, parts := run(t, observations), runInBatches(t, observations)
		if groups(whole) != groups(parts) {
			t.Fatalf("in one batch %s, in several %s", groups(whole), groups(parts))
		}
		if len(whole.changes.Links) != len(parts.changes.Links) {
			t.Fatalf("%d links in one batch, %d in several", len(whole.changes.Links), len(parts.changes.Links))
		}
		for i := range whole.ids {
			a, b := whole.facts(whole.ids[i]), parts.facts(whole.ids[i])
			a.Version, b.Version = 0, 0
			if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
				t.Fatalf("facts of session %d\n in one batch %+v\n in several   %+v", i, a, b)
			}
		}
	})
}

// Two users are never merged into one session: whatever the traffic, no session holds tokens of both.
func TestTwoUsersNeverMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		observations := randomTraffic(t)
		s := run(t, observations)
		users := map[seshat.SessionID]string{}
		for i, o := range observations {
			if o.Status >= 400 {
				continue
			}
			for _, p := range o.Parameters {
				id := s.root(s.ids[i])
				if before := users[id]; before != "" && before != p.Value {
					t.Fatalf("session %s has sign-ins of %s and %s: %s", id, before, p.Value, groups(s))
				}
				users[id] = p.Value
			}
		}
	})
}

func TestMergeDoesNotDependOnWhichSideIsSeenFirst(t *testing.T) {
	// Three sessions that an exchange with all three IDs joins: the order of the IDs must not matter.
	ids := []string{"c:A", "a:T", "r:R"}
	var want seshat.SessionID
	for i, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := process(t, "0 pc > c:A\n1 ph > a:T\n2 tv > r:R\n3 pc > "+ids[order[0]]+" "+ids[order[1]]+" "+ids[order[2]])
		if got := groups(s); got != "1111" {
			t.Errorf("IDs in order %v: sessions %s, want 1111", order, got)
		}
		root := s.root(s.ids[3])
		if i == 0 {
			want = root
		}
		if root != want || root != s.ids[0] {
			t.Errorf("IDs in order %v: the session is %s, want the oldest, %s", order, root, want)
		}
	}
}

func FuzzRestore(f *testing.F) {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // reproducible
	for i := range 20 {
		c.Process(parseLine(&testing.T{}, i, strings.Fields(fmt.Sprintf("%d pc POST /login user=u%d > c:A a:T%d@x < c:B%d", i, rng.IntN(2), i, i))))
	}
	for _, record := range c.Flush().State {
		f.Add(record.Key[:], record.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var k seshat.Digest
		copy(k[:], key)
		c := correlate.New(correlate.DefaultConfig(newSessionID))
		_ = c.Restore(map[seshat.Digest][]byte{k: value}) // must not panic, nor take more memory than the input
		c.Process(parseLine(&testing.T{}, 1, strings.Fields("0 pc > c:A")))
		if len(c.Flush().Sessions) == 0 {
			t.Error("nothing was assigned after restoring hostile state")
		}
	})
}
