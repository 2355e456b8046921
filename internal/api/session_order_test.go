package api_test

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/store"
)

// TestSessionsElsewhere: sessions are found by how many addresses and user agents they are used from, and listed in the order
// of these, page by page.
func TestSessionsElsewhere(t *testing.T) {
	o := options(t, 3)
	batch := &store.Batch{StoredAt: start}
	for i := range 12 { // 12 more, of 1 to 4 addresses and 1 to 3 user agents
		for j := range 12 {
			batch.Exchanges = append(batch.Exchanges, seshat.Assigned{Session: sessionID(100 + i), Observation: &seshat.Observation{
				Key: seshat.ExchangeKey(10_000 + 100*i + j), Time: start.Add(time.Duration(i/2) * time.Minute), Method: "GET", Host: "shop.example", Path: "/",
				Status: 200, ClientIP: netip.AddrFrom4([4]byte{198, 51, 100, byte(j % (1 + i%4))}), UserAgent: fmt.Sprintf("curl/%d", j%(1+i%3)),
			}})
		}
	}
	if err := o.Store.(store.Store).Commit(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	s := serve(t, o)
	id := func(one wire.Session) string { return one.ID.String() }
	for sort, list := range map[string]func(*seshat.Session) []string{
		"addresses":   func(s *seshat.Session) []string { return s.IPs },
		"user_agents": func(s *seshat.Session) []string { return s.UserAgents },
	} {
		path := "/api/v1/sessions?sort=" + sort
		all := decode[wire.Page[wire.Session]](s.get(path + "&limit=100").is(200)).Items
		if len(all) != 15 || !slices.IsSortedFunc(all, func(a, b wire.Session) int { return len(list(&b.Session)) - len(list(&a.Session)) }) {
			t.Errorf("by %s: %+v", sort, all)
		}
		if got := pages(s, path+"&limit=2", id); !slices.Equal(got, lines(s, path, id)) {
			t.Errorf("by %s, pages of 2: %v", sort, got)
		}
		for n := range 4 {
			text := fmt.Sprintf("%s:>%d", sort, n)
			want := 0
			for i := range all {
				if len(list(&all[i].Session)) > n {
					want++
				}
			}
			if got := lines(s, "/api/v1/sessions?filter="+url.QueryEscape(text), id); len(got) != want {
				t.Errorf("%s finds %d sessions; want %d", text, len(got), want)
			}
		}
	}
	counted := decode[wire.Aggregates](s.get("/api/v1/aggregates/sessions?measure=max:addresses&measure=avg:networks&measure=max:user_agents").is(200))
	if n := counted.Groups[0].Numbers; *n[0] != 4 || *n[1] != 1 || *n[2] != 3 {
		t.Errorf("at most %v addresses and %v user agents, in %v networks; want 4, 3, 1", *n[0], *n[2], *n[1])
	}
	if p := s.get("/api/v1/sessions?filter=" + url.QueryEscape("addresses:10.0.0.1")).problem(400); p.Hint == "" || p.Column != 11 {
		t.Errorf("an address in place of a number: %+v", p)
	}
}
