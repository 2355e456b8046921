package sessions_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/sessions"
	"github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/view"
)

// TestElsewhere: sessions that are used from several addresses are marked, found, counted in columns, and put first by them.
func TestElsewhere(t *testing.T) {
	s := consoletest.New(t, sessions.Register)
	kv := memory.New(s.Now)
	t.Cleanup(func() { _ = kv.Close() })
	s.API.Views = view.NewKeeper(kv, s.Now)
	id := func(n int) seshat.SessionID { return seshat.SessionID{byte(n), 0xab} }
	batch := &store.Batch{StoredAt: s.Now()}
	// Session n is used from n addresses, and the third by three programs; the fourth of a hundred addresses is listed with 64.
	for n, addresses := range []int{1: 1, 2: 2, 3: 3, 4: 100} {
		for i := range addresses {
			o := &seshat.Observation{
				Key: seshat.ExchangeKey(1000*n + i), Time: s.Now().Add(-time.Duration(n) * time.Minute), Method: "GET", Host: "shop.example", Path: "/", Status: 200,
				ClientIP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), UserAgent: "curl/1",
			}
			if n == 3 {
				o.UserAgent = fmt.Sprintf("curl/%d", i)
			}
			batch.Exchanges = append(batch.Exchanges, seshat.Assigned{Observation: o, Session: id(n)})
		}
	}
	if err := s.Store.Commit(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	row := func(n int) string { return `id="s-` + id(n).String() + `"` }
	order := func(path string, want ...int) {
		t.Helper()
		text := s.Get(path).Want(http.StatusOK).Body
		for _, n := range want {
			before, after, found := strings.Cut(text, row(n))
			if !found || strings.Contains(before, `id="s-`) {
				t.Fatalf("%s: session %d is not the next of %v", path, n, want)
			}
			text = after
		}
		if strings.Contains(text, `id="s-`) {
			t.Errorf("%s lists more than %v", path, want)
		}
	}
	const all = "/sessions?since=all&columns=who,addresses,agents,from"
	s.Get(all).Want(http.StatusOK, "another device", "192.0.2.0 +2", "64+", "sort=addresses", "sort=user_agents", ">Addresses</a>", ">User agents</a>")
	order(all, 1, 2, 3, 4)
	order(all+"&sort=addresses", 4, 3, 2, 1)
	order(all+"&sort=addresses&order=oldest", 1, 2, 3, 4)
	order(all+"&sort=user_agents", 3, 1, 2, 4)
	order(all+"&filter=addresses%3A%3E1", 2, 3, 4)
	order(all+"&filter=addresses%3A%3E64", 4)
	order(all+"&filter=addresses%3A%3E1+user_agents%3A%3E1", 3)
	s.Get(all+"&filter=addresses%3A192.0.2.1").Want(http.StatusBadRequest, `aria-invalid="true"`, "write ip:192.0.2.1")
}
