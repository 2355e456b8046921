package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// testCounts counts different values over sessions that are merged, that last for days, and whose days are dropped.
func testCounts(t *testing.T, open Open) {
	ctx, s := context.Background(), open(t, now)
	a, b, c := seshat.SessionID{0xa}, seshat.SessionID{0xb}, seshat.SessionID{0xc}
	key := uint64(0)
	seen := func(session seshat.SessionID, ip, agent, user string) seshat.Assigned {
		key++
		x := exchange(key, session, time.Duration(key)*time.Second)
		x.ClientIP, x.UserAgent = netip.Addr{}, agent
		if ip != "" {
			x.ClientIP = netip.MustParseAddr(ip)
		}
		if user != "" {
			x.Parameters = []seshat.Parameter{{Name: "login", Type: seshat.ParameterUser, Value: user}}
		}
		return x
	}
	counts := func(id seshat.SessionID, addresses, networks, agents, users int) {
		t.Helper()
		for _, f := range []string{
			fmt.Sprintf("id:%s addresses:%d networks:%d user_agents:%d users:%d", id, addresses, networks, agents, users),
			fmt.Sprintf("id:%s -addresses:<%d -networks:>%d user_agents:%d..%d users:(99,>=%d)", id, addresses, networks, agents, agents, users),
		} {
			if got := Sessions(t, s, store.Query{Now: now, Filter: parse(t, f, filter.Sessions(), now)}); len(got) != 1 || got[0].ID != id {
				t.Errorf("%q finds %d sessions; want one", f, len(got))
			}
		}
		m := Aggregate(t, store.DatasetSessions, "", "sum:addresses sum:networks sum:user_agents sum:users", "")
		m.Session = id
		got := aggregates(t, s, m).Groups[0].Numbers
		if want := fmt.Sprint([]int{addresses, networks, agents, users}); fmt.Sprint(got) != want {
			t.Errorf("%s has %v; want %s", id, got, want)
		}
	}
	Commit(t, s, &store.Batch{StoredAt: now, Exchanges: []seshat.Assigned{
		seen(a, "192.0.2.1", "curl", "alice"), seen(a, "192.0.2.1", "curl", "Alice"), seen(a, "::ffff:192.0.2.1", "curl", ""),
		seen(b, "192.0.2.1", "curl", ""), seen(b, "192.0.2.2", "Curl", "bob"), seen(b, "192.0.3.1", "", ""),
		seen(c, "", "", ""),
	}})
	counts(a, 1, 1, 1, 1)
	counts(b, 3, 2, 2, 1)
	counts(c, 0, 0, 0, 0)
	// The next day goes on with a, from a place that b had too, and has more of c.
	Commit(t, s, &store.Batch{StoredAt: now.Add(24 * time.Hour), Exchanges: []seshat.Assigned{
		seen(a, "192.0.2.2", "curl", "ALICE"), seen(c, "2001:db8::1", "x", "ü"), seen(c, "2001:db8:0:1::1", "y", "Ü"), seen(c, "2001:db8:1::1", "y", ""), seen(c, "::1", "y", ""),
	}})
	counts(a, 2, 1, 1, 1)
	counts(c, 4, 3, 2, 1)
	// What both of two sessions had that turn out to be one counts once.
	Commit(t, s, &store.Batch{StoredAt: now.Add(24 * time.Hour), Sessions: []seshat.SessionFacts{{ID: b, Version: 4, MergedInto: a}}})
	counts(a, 3, 2, 2, 2)
	// What is dropped counts no more.
	if _, err := s.DropBefore(ctx, now.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	counts(a, 1, 1, 1, 1)
	counts(c, 4, 3, 2, 1)
}

// testCountFilters asks both for random filters about counts and other fields, over merged sessions of several days, some of
// which were dropped.
func testCountFilters(t *testing.T, open Open) {
	s, twin := open(t, now), memory.New(func() time.Time { return now })
	traffic := NewTraffic(600, 14)
	for i := range 4 {
		b := traffic.Batch(70)
		b.StoredAt = now.Add(time.Duration(i) * 24 * time.Hour)
		Commit(t, s, Split(b, uint64(i))...)
		Commit(t, twin, b)
	}
	equal(t, "DropBefore", s, twin, func(s store.Store) (int64, error) { return s.DropBefore(context.Background(), now.Add(24*time.Hour)) })
	number := rapid.Custom(func(t *rapid.T) string {
		n := rapid.IntRange(0, 7).Draw(t, "number")
		return rapid.SampledFrom([]string{
			fmt.Sprint(n), fmt.Sprintf(">%d", n), fmt.Sprintf(">=%d.5", n), fmt.Sprintf("<%d", n), fmt.Sprintf("<=%d", n),
			fmt.Sprintf("%d..%d", n, n+2), fmt.Sprintf("..%d", n), fmt.Sprintf("(%d,>%d)", n, n+2), "*", ">-1",
		}).Draw(t, "test")
	})
	term := rapid.Custom(func(t *rapid.T) string {
		field := rapid.SampledFrom([]string{"addresses", "networks", "user_agents", "users", ""}).Draw(t, "field")
		if field == "" {
			return rapid.SampledFrom([]string{"exchanges:>18", "user:alice", "status:>=500", "state:(active,idle)", "endpoint:/login", "-ended_by:*", "orders"}).Draw(t, "other")
		}
		return rapid.SampledFrom([]string{"", "-"}).Draw(t, "not") + field + ":" + number.Draw(t, "numbers")
	})
	terms := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(term, 1, 3).Draw(t, "terms"), rapid.SampledFrom([]string{" ", " OR "}).Draw(t, "between"))
	})
	rapid.Check(t, func(rt *rapid.T) {
		text := "(" + strings.Join(rapid.SliceOfN(terms, 1, 3).Draw(rt, "groups"), rapid.SampledFrom([]string{") (", ") OR (", ") -("}).Draw(rt, "between")) + ")"
		q := randomQuery(t, rt, store.DatasetSessions, traffic)
		q.Filter, q.OldestFirst, q.Limit = parse(t, text, filter.Sessions(), now), rapid.Bool().Draw(rt, "oldest"), rapid.SampledFrom([]int{0, 1, 5}).Draw(rt, "limit")
		listed := q
		listed.Session = seshat.SessionID{} // narrows counts, and not lists
		ids := func(s store.Store) (list []string) {
			for _, one := range Sessions(t, s, listed) {
				list = append(list, one.ID.String())
			}
			return list
		}
		if want, got := fmt.Sprint(ids(twin)), fmt.Sprint(ids(s)); got != want {
			rt.Fatalf("%s\nfinds %s\nwant  %s", text, got, want)
		}
		q.Limit = 0
		m := Aggregate(t, store.DatasetSessions, "", "count max:addresses sum:networks avg:user_agents p50:users", "")
		m.Query = q
		if want, got := aggregates(t, twin, m), aggregates(t, s, m); fmt.Sprintf("%.6v", got.Groups) != fmt.Sprintf("%.6v", want.Groups) {
			rt.Fatalf("%s\ncounts %v\nwant   %v", text, got.Groups, want.Groups)
		}
	})
}
