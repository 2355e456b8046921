package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// Key is the written form of an exchange's key.
func Key(key seshat.ExchangeKey) string { return fmt.Sprintf("%016x", uint64(key)) }

func equal[T any](t testing.TB, what string, got, want store.Store, ask func(store.Store) (T, error)) {
	t.Helper()
	g, errGot := ask(got)
	w, errWant := ask(want)
	if seshat.KindOfError(errGot) != seshat.KindOfError(errWant) || (errGot == nil) != (errWant == nil) {
		t.Fatalf("%s: error %v; want %v", what, errGot, errWant)
	}
	if diff := cmp.Diff(w, g, compareOptions()); diff != "" {
		t.Errorf("%s: -want +got\n%s", what, diff)
	}
}

// Split cuts a batch into many, without a change of order.
func Split(b *store.Batch, seed uint64) []*store.Batch {
	random := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // tests are to be repeatable
	var parts []*store.Batch
	x, f, l, s := b.Exchanges, b.Sessions, b.Links, b.State
	for len(x)+len(f)+len(l)+len(s) > 0 {
		part := &store.Batch{StoredAt: b.StoredAt}
		part.Exchanges, x = cut(x, random.IntN(20))
		part.Sessions, f = cut(f, random.IntN(8))
		part.Links, l = cut(l, random.IntN(4))
		part.State, s = cut(s, random.IntN(6))
		parts = append(parts, part)
	}
	return parts
}

func cut[T any](list []T, n int) (head, tail []T) {
	n = min(n, len(list))
	return list[:n:n], list[n:]
}

// exchange is a plain exchange of a session.
func exchange(key uint64, session seshat.SessionID, after time.Duration) seshat.Assigned {
	return seshat.Assigned{Session: session, Observation: &seshat.Observation{
		Key: seshat.ExchangeKey(key), Time: Start.Add(after), Method: "GET", Host: "h", Path: "/", Endpoint: "/", Status: 200,
		ClientIP: netip.MustParseAddr("203.0.113.9"),
	}}
}

func testExchange(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	x := exchange(0xabc, seshat.SessionID{1}, 0)
	x.ID, x.Time = "own", Start.Add(789) // nanoseconds
	other := exchange(0xdef, seshat.SessionID{1}, time.Second)
	other.ID = "0000000000000abc" // written as the first one's key: its own ID goes first
	Commit(t, s, &store.Batch{Exchanges: []seshat.Assigned{x, other}, StoredAt: now})
	f := func(id string, want seshat.ExchangeKey) {
		t.Helper()
		got, err := s.Exchange(ctx, id)
		if err != nil || got.Key != want || got.Session != x.Session {
			t.Errorf("Exchange(%q) = %+v, %v; want key %x", id, got, err, uint64(want))
		}
	}
	f("own", 0xabc)
	f("0000000000000abc", 0xdef)
	f("0000000000000def", 0xdef)
	if got, err := s.Exchange(ctx, "own"); err != nil || !got.Time.Equal(Start) || got.Time.Location() != time.UTC {
		t.Errorf("time = %v, %v; want %v in microseconds and UTC", got, err, Start)
	}
	if _, err := s.Exchange(ctx, "OWN"); seshat.KindOfError(err) != seshat.ErrorNotFound {
		t.Errorf("Exchange(OWN) = %v; want not found", err)
	}
}

func testSession(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	id := seshat.SessionID{1}
	facts := seshat.SessionFacts{ID: id, Version: 2, User: "alice", Confidence: 1, IdentifiedBy: "shop", Previous: seshat.SessionID{9}, Roles: []string{"admin"}}
	old := seshat.SessionFacts{ID: id, Version: 1, User: "nobody"}
	failed := exchange(2, id, time.Minute)
	failed.Status, failed.Flows = 404, []seshat.FlowMatch{{Name: "login", Type: seshat.FlowAuthentication}}
	// Facts come before their exchanges, and old ones after new ones.
	Commit(t, s, &store.Batch{Sessions: []seshat.SessionFacts{facts}, StoredAt: now})
	if _, err := s.Session(ctx, id); seshat.KindOfError(err) != seshat.ErrorNotFound {
		t.Errorf("a session without exchanges: %v; want not found", err)
	}
	Commit(t, s, &store.Batch{Exchanges: []seshat.Assigned{exchange(1, id, 0)}, Sessions: []seshat.SessionFacts{old}, StoredAt: now},
		&store.Batch{Exchanges: []seshat.Assigned{failed}, StoredAt: now})
	want := &seshat.Session{
		ID: id, Previous: seshat.SessionID{9}, State: seshat.StateActive, User: "alice", Roles: []string{"admin"}, IdentifiedBy: "shop",
		Confidence: 1, FirstSeen: Start, LastSeen: Start.Add(time.Minute), Exchanges: 2, Errors: 1, Endpoints: []string{"GET h/"},
		IPs: []string{"203.0.113.9"}, Flows: []seshat.FlowShare{{Name: "login", Exchanges: 1, Share: 0.5}},
	}
	got, err := s.Session(ctx, id)
	if diff := cmp.Diff(want, got, compareOptions()); err != nil || diff != "" {
		t.Errorf("Session: %v, -want +got\n%s", err, diff)
	}
	if list := Sessions(t, s, store.Query{Now: now.Add(24 * time.Hour)}); len(list) != 1 || list[0].State != seshat.StateIdle {
		t.Errorf("a day later: %+v; want it idle", list)
	}
}

func testMerge(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	a, b, c := seshat.SessionID{0xa}, seshat.SessionID{0xb}, seshat.SessionID{0xc}
	link := func(id seshat.SessionID, masked string, after time.Duration) seshat.Link {
		return seshat.Link{Session: id, To: seshat.Digest{masked[0]}, Masked: masked, Evidence: seshat.EvidenceFirst, Score: 1, Time: Start.Add(after)}
	}
	Commit(t, s,
		&store.Batch{
			StoredAt: now, Exchanges: []seshat.Assigned{exchange(1, a, 0), exchange(2, b, time.Minute), exchange(3, c, 2*time.Minute)},
			Sessions: []seshat.SessionFacts{{ID: a, Version: 1, User: "alice"}, {ID: b, Version: 2}, {ID: c, Version: 3, Previous: a}},
			Links:    []seshat.Link{link(b, "bbb", 2), link(a, "aaa", 1)},
		},
		// b into a, then c into b: the chain is followed, and c no longer points back to itself.
		&store.Batch{StoredAt: now, Sessions: []seshat.SessionFacts{{ID: b, Version: 4, MergedInto: a}}},
		&store.Batch{StoredAt: now, Sessions: []seshat.SessionFacts{{ID: c, Version: 5, MergedInto: b}, {ID: a, Version: 6, User: "alice", Previous: c}}},
	)
	for _, id := range []seshat.SessionID{a, b, c} {
		session, err := s.Session(ctx, id)
		if err != nil || session.ID != a || session.Exchanges != 3 || session.User != "alice" || !session.Previous.IsZero() ||
			!slices.Equal(session.ClientSessionIDs, []string{"aaa", "bbb"}) {
			t.Errorf("Session(%s) = %+v, %v; want a with everything", id, session, err)
		}
		links, err := s.Lineage(ctx, id)
		if err != nil || len(links) != 2 || links[0].Masked != "aaa" || links[1].Session != a {
			t.Errorf("Lineage(%s) = %+v, %v; want both links, of a", id, links, err)
		}
		for _, x := range Exchanges(t, s, store.Query{Session: id}) {
			if x.Session != a {
				t.Errorf("exchange %d has session %s; want a", x.Key, x.Session)
			}
		}
		if n := len(Exchanges(t, s, store.Query{Session: id})); n != 3 {
			t.Errorf("Exchanges of %s: %d; want 3", id, n)
		}
	}
	if list := Sessions(t, s, store.Query{Now: now}); len(list) != 1 {
		t.Errorf("%d sessions; want 1", len(list))
	}
}

func testKnown(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	Commit(t, s, &store.Batch{StoredAt: now, Exchanges: []seshat.Assigned{
		exchange(1, seshat.SessionID{1}, 0), exchange(1<<63+5, seshat.SessionID{1}, 1500), exchange(3, seshat.SessionID{1}, time.Hour),
	}})
	at := func(d time.Duration) time.Time { return Start.Add(d) }
	got, err := s.Known(ctx, []seshat.ExchangeKey{3, 2, 1, 1<<63 + 5, 3, 4}, []time.Time{at(time.Hour), at(0), at(0), at(1500), at(time.Hour), at(-time.Hour)})
	if want := []bool{true, false, true, true, true, false}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Known = %v, %v; want %v", got, err, want)
	}
	// Far from everything that is stored.
	got, err = s.Known(ctx, []seshat.ExchangeKey{9, 8}, []time.Time{at(-time.Hour), at(-2 * time.Hour)})
	if want := []bool{false, false}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Known = %v, %v; want %v", got, err, want)
	}
	if got, err := s.Known(ctx, nil, nil); err != nil || len(got) != 0 {
		t.Errorf("Known(nothing) = %v, %v", got, err)
	}
}

func testState(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	a, b, c := seshat.Digest{1}, seshat.Digest{2}, seshat.Digest{3}
	record := func(key seshat.Digest, value string) store.StateRecord {
		return store.StateRecord{Key: key, Value: []byte(value)}
	}
	Commit(t, s,
		&store.Batch{StoredAt: now, State: []store.StateRecord{record(a, "old"), record(b, "b"), record(a, "new"), record(c, "")}},
		&store.Batch{StoredAt: now, State: []store.StateRecord{{Key: b}, record(a, "newer\x00\xff")}},
		&store.Batch{StoredAt: now, State: []store.StateRecord{{Key: seshat.Digest{4}}}})
	got, err := s.LoadState(ctx, []seshat.Digest{a, b, c, {4}, {5}, a})
	want := map[seshat.Digest][]byte{a: []byte("newer\x00\xff"), c: {}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("LoadState: %v, -want +got\n%s", err, diff)
	}
	Commit(t, s, &store.Batch{StoredAt: now, State: []store.StateRecord{record(b, "back")}})
	if got, err := s.LoadState(ctx, []seshat.Digest{b}); err != nil || string(got[b]) != "back" {
		t.Errorf("LoadState = %q, %v; want back", got, err)
	}
}

func testPosition(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	Commit(t, s,
		&store.Batch{StoredAt: now, Source: "a", Position: []byte("1")}, &store.Batch{StoredAt: now, Source: "b", Position: []byte("x")},
		&store.Batch{StoredAt: now, Source: "a", Position: []byte("2")}, &store.Batch{StoredAt: now})
	for source, want := range map[string]string{"a": "2", "b": "x", "c": ""} {
		if got, err := s.Position(ctx, source); err != nil || string(got) != want {
			t.Errorf("Position(%s) = %q, %v; want %q", source, got, err, want)
		}
	}
}

func testFindSessions(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	a, b := seshat.SessionID{0x12, 0x34}, seshat.SessionID{0x12, 0x35}
	Commit(t, s, &store.Batch{StoredAt: now, Exchanges: []seshat.Assigned{exchange(1, a, 0), exchange(2, b, 0), exchange(3, seshat.SessionID{0xff}, 0)}})
	f := func(prefix string, limit int, want ...seshat.SessionID) {
		t.Helper()
		got, err := s.FindSessions(ctx, prefix, limit)
		if diff := cmp.Diff(want, got, compareOptions()); err != nil || diff != "" {
			t.Errorf("FindSessions(%q, %d): %v, -want +got\n%s", prefix, limit, err, diff)
		}
	}
	f("12", 10, a, b)
	f("12", 1, a)
	f("1235", 10, b)
	f("12350000-0", 10, b)
	f(b.String(), 10, b)
	f("FF", 10, seshat.SessionID{0xff})
	f("", 10, a, b, seshat.SessionID{0xff})
	f("12350000_", 10)
	f("%", 10)
	f("zz", 10)
	f(b.String()+"0", 10)
}

func testPages(t *testing.T, open Open) {
	s := open(t, now)
	b := &store.Batch{StoredAt: now}
	const many = 3000 // more than any engine reads in one go
	for i := range uint64(many) {
		// Several at one time: the order by key then counts, also over the edge of a page.
		b.Exchanges = append(b.Exchanges, exchange(i*7919%many, seshat.SessionID{byte(i%3) + 1}, time.Duration(i/7)*time.Second))
	}
	Commit(t, s, b)
	for _, oldest := range []bool{false, true} {
		list := Exchanges(t, s, store.Query{OldestFirst: oldest})
		if len(list) != many {
			t.Fatalf("%d exchanges; want %d", len(list), many)
		}
		for i := 1; i < many; i++ {
			a, b := list[i-1], list[i]
			if oldest {
				a, b = b, a
			}
			if a.Time.Before(b.Time) || a.Time.Equal(b.Time) && a.Key <= b.Key {
				t.Fatalf("row %d (%v, %d) is out of order behind (%v, %d)", i, b.Time, b.Key, a.Time, a.Key)
			}
		}
	}
	if n := len(Exchanges(t, s, store.Query{Limit: many - 1})); n != many-1 {
		t.Errorf("Limit %d gave %d", many-1, n)
	}
	n := 0
	if err := s.Exchanges(context.Background(), store.Query{}, func(*seshat.Assigned) bool { n++; return n < 5 }); err != nil || n != 5 {
		t.Errorf("yield was called %d times, %v; want 5", n, err)
	}
}

func testRetention(t *testing.T, open Open) {
	ctx, s, twin := context.Background(), open(t, now), memory.New(func() time.Time { return now })
	traffic := NewTraffic(7, 8)
	day := 24 * time.Hour
	var all []seshat.Assigned
	for i := range 4 {
		b := traffic.Batch(60)
		b.StoredAt = now.Add(time.Duration(i) * day)
		all = append(all, b.Exchanges...)
		Commit(t, s, b)
		Commit(t, twin, b)
	}
	for _, before := range []time.Time{now.Add(-day), now, now.Add(day), now.Add(3*day + time.Hour), now.Add(9 * day)} {
		equal(t, "DropBefore", s, twin, func(s store.Store) (int64, error) { return s.DropBefore(ctx, before) })
		Equal(t, s, twin, "after dropping", store.Query{Now: now})
		compareRest(t, s, twin, &store.Batch{Exchanges: all})
		// Writing goes on.
		b := traffic.Batch(5)
		b.StoredAt = now.Add(3 * day)
		Commit(t, s, b)
		Commit(t, twin, b)
		Equal(t, s, twin, "after going on", store.Query{Now: now})
	}
}

// testReadmitted: newer facts of a session that is not revoked any more have it shown, found and counted as what it is by
// its traffic, whether or not they are written together.
func testReadmitted(t *testing.T, open Open) {
	at := Start.Add(time.Minute)
	s := open(t, at)
	id := seshat.SessionID{1, 2, 3}
	facts := seshat.SessionFacts{ID: id, Version: 1, User: "alice", Started: at, Confidence: 1, IdentifiedBy: "shop", IdleTimeout: time.Hour}
	o := &seshat.Observation{Key: 1, Time: at, Method: "GET", Host: "shop.example", Path: "/"}
	state := func(now time.Time, want seshat.State, by seshat.EndReason) {
		t.Helper()
		one, err := s.Session(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if one.EndedBy != by || (one.EndedAt == nil) != (by == seshat.EndNone) {
			t.Errorf("the session ended by %q at %v, want %q", one.EndedBy, one.EndedAt, by)
		}
		for _, each := range []seshat.State{seshat.StateActive, seshat.StateIdle, seshat.StateRevoked} {
			found := 0
			err := s.Sessions(t.Context(), store.Query{Now: now, Filter: parse(t, "state:"+string(each), filter.Sessions(), now)}, func(one *seshat.Session) bool {
				if found++; one.State != each {
					t.Errorf("state:%s finds one that is %s", each, one.State)
				}
				return true
			})
			if wanted := each == want; err != nil || (found == 1) != wanted {
				t.Errorf("state:%s finds %d sessions, %v; the session is %s", each, found, err, want)
			}
		}
	}
	Commit(t, s, &store.Batch{Exchanges: []seshat.Assigned{{Observation: o, Session: id}}, Sessions: []seshat.SessionFacts{facts}, StoredAt: at})
	state(at, seshat.StateActive, seshat.EndNone)
	for range 2 {
		facts.Version++
		facts.EndedBy, facts.EndedAt = seshat.EndRevoked, at
		Commit(t, s, &store.Batch{Sessions: []seshat.SessionFacts{facts}, StoredAt: at})
		state(at, seshat.StateRevoked, seshat.EndRevoked)
		facts.Version++
		facts.EndedBy, facts.EndedAt = seshat.EndNone, time.Time{}
		Commit(t, s, &store.Batch{Sessions: []seshat.SessionFacts{facts}, StoredAt: at})
		state(at, seshat.StateActive, seshat.EndNone)
		state(at.Add(2*time.Hour), seshat.StateIdle, seshat.EndNone)
	}
}
