package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
)

const (
	good  = "rubber duck violin 77"
	other = "second best umbrella 4"
)

var here = Client{Address: "192.0.2.1", UserAgent: "Firefox"}

// cheap is a cost that tests can pay.
var cheap = Cost{Memory: 8, Passes: 1, Threads: 1}

// house is accounts with everything around them.
type house struct {
	*Keeper
	t     *testing.T
	store *memory.Store
	log   *audit.Log
}

// within runs f in a bubble of time, with accounts.
func within(t *testing.T, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(time.Now)
		h := &house{t: t, store: store}
		h.open()
		f(h)
		h.close()
		_ = store.Close()
	})
}

func (h *house) open() {
	h.t.Helper()
	var err error
	if h.log, err = audit.Open(h.t.Context(), h.store, audit.Options{}); err != nil {
		h.t.Fatal(err)
	}
	if h.Keeper, err = Open(h.t.Context(), h.store, Options{Audit: h.log, Cost: cheap}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) close() {
	h.Close()
	h.log.Close()
}

// another is the same accounts in another process.
func (h *house) another() *Keeper {
	h.t.Helper()
	k, err := Open(h.t.Context(), h.store, Options{Audit: h.log, Cost: cheap})
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

func (h *house) add(name string, role Role) {
	h.t.Helper()
	if _, _, err := h.Create(h.t.Context(), NewUser{Name: name, Role: role, Password: good}, "test"); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) signIn(name string) string {
	h.t.Helper()
	in, err := h.SignIn(h.t.Context(), name, good, "", here)
	if err != nil {
		h.t.Fatalf("%s cannot sign in: %v", name, err)
	}
	return in.Token
}

// known checks whether a session lets somebody in.
func known(t *testing.T, k *Keeper, token string, want bool) {
	t.Helper()
	_, err := k.Authenticate(token, true)
	if (err == nil) != want || err != nil && !errors.Is(err, ErrUnknown) {
		t.Errorf("a session: %v; want it known %t", err, want)
	}
}

func kind(err error) string {
	if err == nil {
		return ""
	}
	return map[seshat.ErrorKind]string{
		seshat.ErrorInvalid: "invalid", seshat.ErrorConflict: "conflict", seshat.ErrorNotFound: "not found", seshat.ErrorUnavailable: "unavailable",
	}[seshat.KindOfError(err)]
}

func ptr[T any](v T) *T { return &v }

func TestNames(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		got, err := NormaliseName(name)
		if got != want || (err == nil) != (want != "") || err != nil && kind(err) != "invalid" {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
	f("ann", "ann")
	f(" Ann@Shop.Example ", "ann@shop.example")
	f("a", "a")
	f("a.b_c-d+e@f", "a.b_c-d+e@f")
	f("007", "007")
	f("", "")
	f("-a", "")
	f("a.", "")
	f("a b", "")
	f("a/b", "")
	f("ünal", "")
	f("аnn", "") // a Cyrillic letter
	f("owner", "")
	f("Instance", "")
	f("current", "")
	f("<script>", "")
	f(strings.Repeat("a", 128), strings.Repeat("a", 128))
	f(strings.Repeat("a", 129), "")
}

func TestPasswords(t *testing.T) {
	f := func(password, want string) {
		t.Helper()
		if got := checkPassword(password, "ann.smith@shop.example"); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q; want %q", password, got, want)
		}
	}
	f(good, "")
	f(other, "")
	f("correct horse battery", "")
	f("пароль длинный и свой", "")
	f("x7#Kq!mP2$vL", "")
	f("short", "fewer than 12")
	f("elevenchars", "fewer than 12")
	f("", "fewer than 12")
	f(strings.Repeat("abcdefg1", 33), "more than 256")
	f("aaaaaaaaaaaaaa", "fewer than 5")
	f("abababababababab", "fewer than 5")
	f("abcdeabcdeabcde", "first that are guessed")
	f("abcdefghijklmnop", "first that are guessed")
	f("123456789012345", "first that are guessed")
	f("Password1234", "first that are guessed")
	f("passwordpassword1", "first that are guessed")
	f("Qwertyuiop123", "first that are guessed")
	f("CorrectHorseBatteryStaple", "first that are guessed")
	f("Welcome2026!", "first that are guessed")
	f("seshat-admin-1", "first that are guessed")
	f("ann.smith@shop.example", "little more than the name")
	f("AnnSmith2026", "little more than the name")
	f("smithsmithsmith", "little more than the name")
	f("xx-smith-violin-duck", "")
	f("tab\tin the middle", "cannot be typed")
	f("nul\x00in the middle", "cannot be typed")
	f("bytes \xff\xfe that are no text", "cannot be typed")
}

func TestUsers(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		u, revision, err := h.Create(ctx, NewUser{Name: "Ann", DisplayName: "  Ann   Example ", Role: RoleAdmin, Password: good}, "root")
		if err != nil || u.Name != "ann" || u.DisplayName != "Ann Example" || u.CreatedBy != "root" || u.UID == "" || revision == 0 {
			t.Fatalf("%+v, %d, %v", u, revision, err)
		}
		f := func(in NewUser, want string) {
			t.Helper()
			if _, _, err := h.Create(ctx, in, "root"); kind(err) != want {
				t.Errorf("%+v: %v; want %s", in, err, want)
			} else if err != nil && strings.Contains(err.Error(), in.Password) && in.Password != "" {
				t.Errorf("an error has the password: %v", err)
			}
		}
		f(NewUser{Name: "ANN", Role: RoleViewer}, "conflict")
		f(NewUser{Name: "a b", Role: RoleViewer}, "invalid")
		f(NewUser{Name: "bob", Role: "root"}, "invalid")
		f(NewUser{Name: "bob", Role: RoleViewer, Password: "secret"}, "invalid")
		f(NewUser{Name: "bob", Role: RoleViewer, DisplayName: "\u202e"}, "invalid")
		f(NewUser{Name: "bob", Role: RoleViewer, DisplayName: strings.Repeat("x", 129)}, "invalid")
		f(NewUser{Name: "bob", Role: RoleViewer, Issuer: "https://id.example"}, "invalid")
		f(NewUser{Name: "bob", Role: RoleViewer, Issuer: "https://id.example", Subject: "1"}, "")
		f(NewUser{Name: "eve", Role: RoleViewer, Issuer: "https://id.example", Subject: "1"}, "conflict")

		// The last administrator stays one.
		for what, err := range map[string]error{
			"demote":  second(h.Change(ctx, "ann", kv.Any, Change{Role: ptr(RoleViewer)}, "x")),
			"disable": second(h.Change(ctx, "ann", kv.Any, Change{Disabled: ptr(true)}, "x")),
			"delete":  h.Delete(ctx, "ann", kv.Any),
		} {
			if kind(err) != "conflict" || !strings.Contains(fmt.Sprint(err), "last administrator") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, _, err := h.Change(ctx, "bob", kv.Any, Change{Role: ptr(RoleAdmin)}, "ann"); err != nil {
			t.Error(err)
		}
		// With another one, who does not count while disabled, it may go.
		if _, _, err := h.Change(ctx, "bob", kv.Any, Change{Disabled: ptr(true)}, "ann"); err != nil {
			t.Error(err)
		}
		if err := h.Delete(ctx, "ann", kv.Any); kind(err) != "conflict" {
			t.Errorf("the last who is not disabled: %v", err)
		}
		changed, now, err := h.Change(ctx, "ann", revision, Change{DisplayName: ptr("A")}, "bob")
		if err != nil || changed.ChangedBy != "bob" || changed.Epoch != u.Epoch {
			t.Errorf("%+v, %v", changed, err)
		}
		for _, stale := range []kv.Revision{revision, now + 1, kv.None} {
			if _, _, err := h.Change(ctx, "ann", stale, Change{DisplayName: ptr("B")}, "bob"); kind(err) != "conflict" {
				t.Errorf("revision %d: %v", stale, err)
			}
			if err := h.Delete(ctx, "ann", stale); kind(err) != "conflict" {
				t.Errorf("revision %d: %v", stale, err)
			}
		}
		for _, err := range []error{
			second(h.Change(ctx, "nobody", kv.Any, Change{}, "x")), second(h.SetPassword(ctx, "no body", good, "x")), h.Delete(ctx, "nobody", kv.Any),
		} {
			if kind(err) != "not found" {
				t.Errorf("nobody: %v", err)
			}
		}
		if users := h.Users(); len(users) != 2 || users[0].Name != "ann" {
			t.Errorf("%+v", users)
		}
	})
}

func second[A, B any](_ A, _ B, err error) error { return err }

// TestSessionsEnd: by time, by who has them, by others, and by what becomes of their user.
func TestSessionsEnd(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		h.add("ann", RoleAdmin)
		h.add("bob", RoleAnalyst)
		elsewhere := h.another()
		defer elsewhere.Close()
		f := func(what string, end func(token string) error, want bool) {
			t.Helper()
			ann, bob := h.signIn("ann"), h.signIn("bob")
			synctest.Wait()
			known(t, elsewhere, bob, true)
			if err := end(bob); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			known(t, h.Keeper, bob, want) // at once here
			synctest.Wait()
			known(t, elsewhere, bob, want) // and as soon as it is told there
			known(t, h.Keeper, ann, true)
			if err := h.SignOut(ctx, bob); err != nil {
				t.Error(err)
			}
		}
		id := func(token string) string {
			access, err := h.Authenticate(token, false)
			if err != nil {
				t.Fatal(err)
			}
			return access.Session.ID
		}
		change := func(c Change) func(string) error {
			return func(string) error { return second(h.Change(ctx, "bob", kv.Any, c, "ann")) }
		}
		f("nothing", func(string) error { return nil }, true)
		f("sign out", func(token string) error { return h.SignOut(ctx, token) }, false)
		f("end it", func(token string) error { return h.EndSession(ctx, id(token), "") }, false)
		f("end one's own", func(token string) error { return h.EndSession(ctx, id(token), "bob") }, false)
		f("end that of another", func(token string) error {
			if err := h.EndSession(ctx, id(token), "ann"); kind(err) != "not found" {
				return fmt.Errorf("ann ends what is bob's: %w", err)
			}
			return nil
		}, true)
		f("end all", func(string) error { return h.EndSessions(ctx, "bob", "ann") }, false)
		f("another display name", change(Change{DisplayName: ptr("B")}), true)
		f("another role", change(Change{Role: ptr(RoleViewer)}), false)
		f("the same role", change(Change{Role: ptr(RoleViewer)}), true)
		f("another password", func(string) error { return second(h.SetPassword(ctx, "bob", good, "ann")) }, false)
		f("disabled", change(Change{Disabled: ptr(true)}), false)
		if _, err := h.SignIn(ctx, "bob", good, "", here); !errors.Is(err, ErrRefused) {
			t.Errorf("who is disabled signs in: %v", err)
		}
		if err := change(Change{Disabled: ptr(false)})(""); err != nil {
			t.Error(err)
		}
		f("deleted and made anew", func(string) error {
			err := h.Delete(ctx, "bob", kv.Any)
			h.add("bob", RoleAnalyst)
			return err
		}, false)
	})
}

func TestSessionTimes(t *testing.T) {
	f := func(what string, every time.Duration, use bool, want time.Duration) {
		t.Helper()
		within(t, func(h *house) {
			h.add("ann", RoleAdmin)
			token, began := h.signIn("ann"), time.Now()
			for time.Since(began) < 24*time.Hour {
				time.Sleep(every)
				if _, err := h.Authenticate(token, use); err != nil {
					break
				}
			}
			if got := time.Since(began); got != want {
				t.Errorf("%s: it ends after %s; want %s", what, got, want)
			}
			if n := len(h.Sessions("ann")); n != 0 {
				t.Errorf("%s: %d sessions are listed", what, n)
			}
			time.Sleep(sweepEvery + time.Second)
			if n := h.sessions.Len(); n != 0 {
				t.Errorf("%s: %d sessions are stored", what, n)
			}
		})
	}
	f("looked at every minute", time.Minute, false, DefaultIdle)
	f("used every half an hour", DefaultIdle, true, DefaultIdle)
	f("used every minute", time.Minute, true, DefaultAbsolute)
	f("used just in time", DefaultIdle-time.Second, true, 25*(DefaultIdle-time.Second)) // the first time after its end
}

// TestUsesAreWritten: at most once a minute, and so that a restart does not end a session that is used.
func TestUsesAreWritten(t *testing.T) {
	within(t, func(h *house) {
		h.add("ann", RoleAdmin)
		token := h.signIn("ann")
		_, text, err := h.CreateToken(h.t.Context(), NewToken{Name: "ci", User: "ann", Scopes: []string{"sessions:read"}})
		if err != nil {
			t.Fatal(err)
		}
		before, err := h.store.Put(h.t.Context(), "x", nil, kv.Any)
		if err != nil {
			t.Fatal(err)
		}
		for range 600 {
			time.Sleep(time.Second)
			known(t, h.Keeper, token, true)
			if _, err := h.AuthenticateToken(text, true); err != nil {
				t.Fatal(err)
			}
		}
		after, err := h.store.Put(h.t.Context(), "x", nil, kv.Any)
		if err != nil {
			t.Fatal(err)
		}
		if n := after - before - 1; n < 16 || n > 22 {
			t.Errorf("10 minutes of use are %d writes; want about 20", n)
		}
		used := time.Now()
		h.close()
		h.open()
		known(t, h.Keeper, token, true)
		if s := h.Sessions("ann"); len(s) != 1 || !s[0].LastUsed.Equal(used) {
			t.Errorf("after a restart: %+v; want used at %s", s, used)
		}
		if tokens := h.Tokens("ann"); len(tokens) != 1 || !tokens[0].LastUsed.Equal(used) {
			t.Errorf("after a restart: %+v", tokens)
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	within(t, func(h *house) {
		h.add("ann", RoleAdmin)
		var tokens []string
		for range maxSessions + 5 {
			time.Sleep(time.Second)
			tokens = append(tokens, h.signIn("ann"))
			known(t, h.Keeper, tokens[0], true) // it is used, and stays
		}
		if n := len(h.Sessions("ann")); n != maxSessions {
			t.Errorf("%d sessions", n)
		}
		for i, token := range tokens {
			known(t, h.Keeper, token, i == 0 || i > 5)
		}
		in, err := h.SignIn(h.t.Context(), "ann", good, tokens[20], Client{Address: "a\x00b", UserAgent: strings.Repeat("é", 300)})
		if err != nil {
			t.Fatal(err)
		}
		known(t, h.Keeper, tokens[20], false) // the browser has another one
		if s := in.Access.Session; s.Address != "a?b" || len(s.UserAgent) > maxUserAgent {
			t.Errorf("what a client says of itself is not bounded: %+v", s)
		}
	})
}

// TestRestartKeepsNothingOfTheOwner: sessions of the owner's links are in memory only.
func TestOwnerLinks(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		link, err := h.NewLink(ctx, LinkOwner, "", "demo")
		if err != nil {
			t.Fatal(err)
		}
		var tokens []string
		for range 3 { // a browser may be closed and opened again
			in, err := h.Redeem(ctx, Redemption{Code: link.Code}, "", here)
			if err != nil || !in.Access.Owner || in.Access.Role != RoleAdmin {
				t.Fatalf("%+v, %v", in, err)
			}
			tokens = append(tokens, in.Token)
		}
		known(t, h.Keeper, tokens[0], true)
		if s := h.Sessions("owner"); len(s) != 3 || s[0].How != HowOwner {
			t.Errorf("%+v", s)
		}
		if err := h.EndSession(ctx, h.Sessions("owner")[0].ID, "ann"); kind(err) != "not found" {
			t.Errorf("somebody else ends it: %v", err)
		}
		if err := h.SignOut(ctx, tokens[0]); err != nil {
			t.Error(err)
		}
		known(t, h.Keeper, tokens[0], false)
		known(t, h.Keeper, tokens[1], true)
		if err := h.EndSessions(ctx, "owner", "x"); err != nil {
			t.Error(err)
		}
		known(t, h.Keeper, tokens[1], false)
		in, err := h.Redeem(ctx, Redemption{Code: link.Code}, "", here)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(DefaultIdle)
		known(t, h.Keeper, in.Token, false)
		list, err := h.store.List(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if !strings.HasPrefix(e.Key, "event/") {
				t.Errorf("%s is stored", e.Key)
			}
		}
		h.close()
		h.open()
		if _, err := h.Redeem(ctx, Redemption{Code: link.Code}, "", here); !errors.Is(err, ErrCode) {
			t.Errorf("after a restart: %v", err)
		}
	})
}

// TestBrokenStoreLetsNobodyIn: what was disabled elsewhere would not be known.
func TestBrokenStoreLetsNobodyIn(t *testing.T) {
	within(t, func(h *house) {
		h.add("ann", RoleAdmin)
		token := h.signIn("ann")
		_ = h.store.Close()
		synctest.Wait()
		_, session := h.Authenticate(token, true)
		_, api := h.AuthenticateToken(TokenPrefix+"x", true)
		_, password := h.SignIn(context.Background(), "ann", good, "", here)
		_, link := h.CheckLink(context.Background(), "x", here)
		for what, err := range map[string]error{"session": session, "token": api, "password": password, "link": link} {
			if kind(err) != "unavailable" {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
