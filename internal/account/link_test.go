package account

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
)

func (h *house) link(kind LinkKind, user string) string {
	h.t.Helper()
	l, err := h.NewLink(h.t.Context(), kind, user, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	return l.Code
}

func TestLinks(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		redeem := func(r Redemption, want string) *SignedIn {
			t.Helper()
			in, err := h.Redeem(ctx, r, "", Client{Address: "192.0.2." + string(rune('1'+len(r.Code)%9))})
			got := kind(err)
			if errors.Is(err, ErrCode) {
				got = "code"
			}
			if got != want {
				t.Errorf("%+v: %v; want %s", r, err, want)
			}
			return in
		}
		first, second := h.link(LinkFirst, ""), h.link(LinkFirst, "")
		redeem(Redemption{Code: "made up", Name: "ann", Password: good}, "code")
		redeem(Redemption{Code: "", Name: "ann", Password: good}, "code")
		// What is wrong with the rest leaves the link as it was.
		redeem(Redemption{Code: first, Name: "ann"}, "invalid")
		redeem(Redemption{Code: first, Name: "ann", Password: "short"}, "invalid")
		redeem(Redemption{Code: first, Name: "", Password: good}, "invalid")
		if l, err := h.CheckLink(ctx, first, here); err != nil || l.Kind != LinkFirst || l.Code != "" {
			t.Errorf("%+v, %v", l, err)
		}
		in := redeem(Redemption{Code: first, Name: "Ann", Password: good}, "")
		if in == nil || in.Access.Role != RoleAdmin || in.Access.Name != "ann" || in.Access.Session.How != HowLink {
			t.Fatalf("%+v", in)
		}
		known(t, h.Keeper, in.Token, true)
		redeem(Redemption{Code: first, Name: "eve", Password: good}, "code")
		redeem(Redemption{Code: second, Name: "eve", Password: good}, "code") // there is a user
		if _, err := h.NewLink(ctx, LinkFirst, "", "x"); kind(err) != "conflict" {
			t.Errorf("the first again: %v", err)
		}

		admin := h.link(LinkAdmin, "")
		redeem(Redemption{Code: admin, Name: "ann", Password: good}, "conflict")
		redeem(Redemption{Code: admin, Name: "bob", Password: good}, "")

		// A link that sets a password is of one user, and ends their sessions.
		password := h.link(LinkPassword, "ann")
		redeem(Redemption{Code: password, Name: "bob", Password: "ann ann ann ann"}, "invalid")
		again := redeem(Redemption{Code: password, Name: "bob", Password: other}, "")
		if again == nil || again.Access.Name != "ann" {
			t.Fatalf("%+v", again)
		}
		known(t, h.Keeper, in.Token, false)
		known(t, h.Keeper, again.Token, true)
		if _, err := h.SignIn(ctx, "ann", good, "", here); !errors.Is(err, ErrRefused) {
			t.Errorf("the old password: %v", err)
		}
		if _, err := h.SignIn(ctx, "bob", good, "", here); err != nil {
			t.Errorf("that of another user was set: %v", err)
		}
		for what, spoil := range map[string]func() error{
			"a day":    func() error { time.Sleep(LinkTime); return nil },
			"disabled": func() error { _, _, err := h.Change(ctx, "bob", kv.Any, Change{Disabled: ptr(true)}, "x"); return err },
			"deleted":  func() error { return h.Delete(ctx, "bob", kv.Any) },
			"another":  func() error { err := h.Delete(ctx, "bob", kv.Any); h.add("bob", RoleViewer); return err },
		} {
			code := h.link(LinkPassword, "bob")
			if err := spoil(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			redeem(Redemption{Code: code, Password: good}, "code")
			if err := h.Delete(ctx, "bob", kv.Any); err != nil && kind(err) != "not found" {
				t.Fatal(err)
			}
			h.add("bob", RoleViewer)
		}
		if _, err := h.NewLink(ctx, LinkPassword, "nobody", "x"); kind(err) != "not found" {
			t.Errorf("of nobody: %v", err)
		}
		if _, err := h.NewLink(ctx, "what", "", "x"); kind(err) != "invalid" {
			t.Errorf("of no kind: %v", err)
		}
		time.Sleep(LinkTime + sweepEvery)
		if n := h.links.Len(); n > 0 {
			t.Errorf("%d links that have ended are kept", n)
		}
	})
}

// TestLinksAreGoodOnce: of many who have a link, or one of several first links, one gets in.
func TestLinksAreGoodOnce(t *testing.T) {
	within(t, func(h *house) {
		elsewhere := h.another()
		defer elsewhere.Close()
		codes := []string{h.link(LinkFirst, ""), h.link(LinkFirst, "")}
		var all sync.WaitGroup
		var in atomic.Int32
		for i := range 20 {
			all.Go(func() {
				// The second process may not know of the user yet, so it has the same link as some in the first.
				k, code := h.Keeper, codes[i%2]
				if i%5 == 0 {
					k, code = elsewhere, codes[0]
				}
				_, err := k.Redeem(context.Background(), Redemption{Code: code, Name: "user" + string(rune('a'+i)), Password: good}, "", Client{Address: "192.0.2.1" + string(rune('0'+i%10))})
				if err == nil {
					in.Add(1)
				} else if !errors.Is(err, ErrCode) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := in.Load(); n < 1 || n > 2 || n == 2 && len(h.Users()) != 2 {
			t.Errorf("%d got in, %d users", n, len(h.Users()))
		}
		if n := in.Load(); n == 2 {
			t.Log("two processes gave the first administrator away at the same moment, by two links")
		}
	})
}

func TestCodesAreNotGuessed(t *testing.T) {
	within(t, func(h *house) {
		code := h.link(LinkFirst, "")
		for range burst {
			if _, err := h.CheckLink(h.t.Context(), "wrong", here); !errors.Is(err, ErrCode) {
				t.Error(err)
			}
		}
		var l *LimitedError
		if _, err := h.CheckLink(h.t.Context(), code, here); !errors.As(err, &l) {
			t.Errorf("after %d: %v", burst, err)
		}
		for range 50 {
			if _, err := h.CheckLink(h.t.Context(), code, Client{Address: "192.0.2.2"}); err != nil {
				t.Errorf("one that is good counts: %v", err)
			}
		}
		for i := range maxLinks + 1 {
			_, err := h.NewLink(h.t.Context(), LinkFirst, "", "x")
			if (err != nil) != (i >= maxLinks-1) {
				t.Fatalf("link %d: %v", i, err)
			}
		}
	})
}
