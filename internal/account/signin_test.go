package account

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
)

func TestSignIn(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		h.add("ann", RoleAnalyst)
		if _, _, err := h.Create(ctx, NewUser{Name: "link", Role: RoleViewer}, "x"); err != nil {
			t.Fatal(err)
		}
		f := func(name, password string, want error) {
			t.Helper()
			in, err := h.SignIn(ctx, name, password, "", Client{Address: "203.0.113." + string(rune('1'+len(password)%9))})
			if !errors.Is(err, want) {
				t.Errorf("%q with %q: %v; want %v", name, password, err, want)
			}
			if err == nil && (in.Access.Name != "ann" || in.Access.Role != RoleAnalyst || in.Access.Session.How != HowPassword) {
				t.Errorf("%+v", in.Access)
			}
		}
		f("ann", good, nil)
		f(" ANN ", good, nil)
		f("ann", good+" ", ErrRefused)
		f("ann", "", ErrRefused)
		f("ann", strings.Repeat("x", 10_000), ErrRefused)
		f("link", "", ErrRefused)
		f("nobody", good, ErrRefused)
		f("", "", ErrRefused)
		f("owner", good, ErrRefused)
		f("my password instead of a name", "", ErrRefused)
		events, _ := h.log.List(audit.Query{})
		for _, e := range events {
			if strings.Contains(e.Subject+e.Detail+e.By, "instead") || strings.Contains(e.Subject+e.Detail, good) {
				t.Errorf("the audit log has what somebody typed: %+v", e)
			}
		}
		if len(events) != 10 || events[0].Detail != "no such user" || events[0].Outcome != audit.Refused || events[9].Outcome != audit.Done || events[9].By != "ann" {
			t.Errorf("the audit log: %+v", events)
		}
	})
}

// TestGuessing: how often somebody may be wrong.
func TestGuessing(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		h.add("ann", RoleAdmin)
		h.add("bob", RoleAdmin)
		from := func(address string) Client { return Client{Address: address} }
		limited := func(name, password string, c Client) time.Duration {
			t.Helper()
			_, err := h.SignIn(ctx, name, password, "", c)
			var l *LimitedError
			if errors.As(err, &l) {
				return l.RetryAfter
			}
			return 0
		}
		for i := range burst {
			if wait := limited("ann", "wrong", from("192.0.2.1")); wait > 0 {
				t.Fatalf("attempt %d waits for %s", i, wait)
			}
		}
		// Now neither ann from anywhere, nor anybody from there.
		if wait := limited("ann", good, from("198.51.100.7")); wait != userEvery {
			t.Errorf("another address waits for %s", wait)
		}
		if wait := limited("bob", good, from("192.0.2.1")); wait != addressEvery {
			t.Errorf("another user waits for %s", wait)
		}
		if wait := limited("bob", good, from("198.51.100.7")); wait != 0 {
			t.Errorf("another user from another address waits for %s", wait)
		}
		time.Sleep(addressEvery)
		if wait := limited("bob", good, from("192.0.2.1")); wait != 0 {
			t.Errorf("later, another user waits for %s", wait)
		}
		time.Sleep(userEvery - addressEvery)
		if wait := limited("ann", good, from("192.0.2.1")); wait != 0 {
			t.Errorf("later, ann waits for %s", wait)
		}
		// Who got in may be wrong ten times again.
		for i := range burst {
			if wait := limited("ann", "wrong", from("198.51.100.9")); wait > 0 {
				t.Errorf("after a success, attempt %d waits for %s", i, wait)
			}
		}
		// All of an IPv6 network counts as one, and users who are not there are counted like others.
		for i := range burst {
			limited("nobody", "wrong", from("2001:db8::"+string(rune('a'+i%6))))
		}
		if wait := limited("bob", good, from("2001:db8::ffff")); wait == 0 {
			t.Error("another address of the network does not wait")
		}
		if wait := limited("nobody", good, from("198.51.100.10")); wait == 0 {
			t.Error("who is not there does not wait")
		}
		if wait := limited("bob", good, from("2001:db8:0:1::1")); wait != 0 {
			t.Errorf("another network waits for %s", wait)
		}
		if wait := limited("bob", good, from("::ffff:198.51.100.9")); wait == 0 {
			t.Error("an address of IPv4 written as one of IPv6 does not wait")
		}
	})
}

// TestGuessingAtOnce: many attempts at once are no more than one after the other.
func TestGuessingAtOnce(t *testing.T) {
	within(t, func(h *house) {
		h.add("ann", RoleAdmin)
		var all sync.WaitGroup
		var mu sync.Mutex
		tried := 0
		for range 100 {
			all.Go(func() {
				_, err := h.SignIn(context.Background(), "ann", "wrong", "", here)
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, ErrRefused) {
					tried++
				}
			})
		}
		all.Wait()
		if tried != burst {
			t.Errorf("%d attempts were tried; want %d", tried, burst)
		}
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	a, now := newAttempts(), time.Unix(1e9, 0)
	for i := range 3 * maxCounted {
		_ = a.begin(string(rune(i%0xd000+1))+string(rune(i/0xd000+1)), "192.0.2.1"+string(rune(i%0xd000+1)), now)
	}
	if n, m := a.users.order.Len(), a.addresses.order.Len(); n != maxCounted || m != maxCounted || len(a.users.byKey) != n || len(a.addresses.byKey) != m {
		t.Errorf("%d users and %d addresses are counted", n, m)
	}
}

// TestNothingIsDoneInSecret: who cannot be written down does not get in.
func TestNothingIsDoneInSecret(t *testing.T) {
	store := memory.New(time.Now)
	events := memory.New(time.Now)
	log, err := audit.Open(t.Context(), events, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := Open(t.Context(), store, Options{Audit: log, Cost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Keeper: k, t: t, store: store, log: log}
	h.add("ann", RoleAdmin)
	first, err := k.NewLink(t.Context(), LinkPassword, "ann", "x")
	if err != nil {
		t.Fatal(err)
	}
	owner, err := k.NewLink(t.Context(), LinkOwner, "", "x")
	if err != nil {
		t.Fatal(err)
	}
	_ = events.Close()
	_, right := k.SignIn(t.Context(), "ann", good, "", here)
	_, wrong := k.SignIn(t.Context(), "ann", "wrong", "", here)
	_, link := k.Redeem(t.Context(), Redemption{Code: first.Code, Password: other}, "", here)
	_, byOwner := k.Redeem(t.Context(), Redemption{Code: owner.Code}, "", here)
	_, identity := k.SignInIdentity(t.Context(), Identity{Issuer: "i", Subject: "s", Name: "eve", Role: RoleAdmin}, "", here)
	for what, err := range map[string]error{"right": right, "wrong": wrong, "link": link, "owner": byOwner, "identity": identity} {
		if kind(err) != "unavailable" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(k.Sessions("")) > 0 || len(k.Users()) != 1 || k.links.Len() != 1 {
		t.Errorf("something was done: %+v, %+v, %d links", k.Sessions(""), k.Users(), k.links.Len())
	}
	k.Close()
	log.Close()
	_ = store.Close()
}

func TestIdentities(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		h.add("ann", RoleAdmin)
		f := func(id Identity, want error, name string, role Role) {
			t.Helper()
			in, err := h.SignInIdentity(ctx, id, "", here)
			if !errors.Is(err, want) {
				t.Errorf("%+v: %v; want %v", id, err, want)
			}
			if err == nil && (in.Access.Name != name || in.Access.Role != role || in.Access.Session.How != HowOIDC) {
				t.Errorf("%+v: %+v; want %s, %s", id, in.Access, name, role)
			}
		}
		const issuer = "https://id.example"
		f(Identity{Issuer: issuer, Subject: "1", Name: "bob"}, ErrRefused, "", "") // no role
		f(Identity{Issuer: issuer, Subject: "1", Name: "bob", Role: RoleViewer}, nil, "bob", RoleViewer)
		f(Identity{Issuer: issuer, Subject: "1", Name: "robert"}, nil, "bob", RoleViewer)
		f(Identity{Issuer: issuer, Subject: "1", Name: "bob", Role: RoleAnalyst}, nil, "bob", RoleAnalyst)
		if n := len(h.Sessions("bob")); n != 1 { // those of the other role have ended
			t.Errorf("%d sessions", n)
		}
		f(Identity{Issuer: issuer, Subject: "2", Name: "ann", Role: RoleAdmin}, ErrRefused, "", "") // never somebody who was there before
		f(Identity{Issuer: "https://evil.example", Subject: "1", Name: "bob", Role: RoleAdmin}, ErrRefused, "", "")
		f(Identity{Issuer: issuer, Name: "eve", Role: RoleAdmin}, ErrRefused, "", "")
		f(Identity{Subject: "1", Name: "eve", Role: RoleAdmin}, ErrRefused, "", "")
		f(Identity{Issuer: issuer, Subject: "3", Name: "no name", Role: RoleAdmin}, ErrRefused, "", "")
		if _, err := h.SignIn(ctx, "bob", "", "", here); !errors.Is(err, ErrRefused) {
			t.Errorf("who has no password signs in with none: %v", err)
		}
		if _, _, err := h.Change(ctx, "bob", kv.Any, Change{Disabled: ptr(true)}, "ann"); err != nil {
			t.Fatal(err)
		}
		f(Identity{Issuer: issuer, Subject: "1", Name: "bob", Role: RoleAdmin}, ErrRefused, "", "")
		if events, _ := h.log.List(audit.Query{Action: "user.", Outcome: audit.Done}); len(events) != 2 || events[0].Means != audit.MeansProvider || events[1].Action != "user.create" || events[0].Action != "user.change" {
			t.Errorf("the audit log: %+v", events)
		}
	})
}

// TestRenewal: digests at an old cost become ones at the new cost when their user signs in.
func TestRenewal(t *testing.T) {
	within(t, func(h *house) {
		h.add("ann", RoleAdmin)
		token := h.signIn("ann")
		before, _ := h.users.Get("ann")
		h.hasher = newHasher(Cost{Memory: 16, Passes: 2, Threads: 1})
		h.signIn("ann")
		after, _ := h.users.Get("ann")
		if after.Value.Hash == before.Value.Hash || !strings.Contains(after.Value.Hash, "$m=16,t=2,p=1$") {
			t.Errorf("before %s, after %s", before.Value.Hash, after.Value.Hash)
		}
		known(t, h.Keeper, token, true)
		h.signIn("ann")
		if again, _ := h.users.Get("ann"); again.Revision != after.Revision {
			t.Error("what is not outdated is made anew")
		}
	})
}

func TestCheckPassword(t *testing.T) {
	within(t, func(h *house) {
		h.add("ann", RoleAdmin)
		if err := h.CheckPassword(h.t.Context(), "ann", good, here); err != nil {
			t.Error(err)
		}
		for range burst {
			if err := h.CheckPassword(h.t.Context(), "ann", "wrong", here); !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
		}
		var l *LimitedError
		if err := h.CheckPassword(h.t.Context(), "ann", good, here); !errors.As(err, &l) {
			t.Errorf("it may be guessed: %v", err)
		}
	})
}
