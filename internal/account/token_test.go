package account

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/kv"
)

// tokenForm is what docs/formats/api-token.md says.
var tokenForm = regexp.MustCompile(`^seshat_[a-z2-7]{13}_[a-z2-7]{59}$`)

func TestTokenForm(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		id, text, digest := newToken()
		if !tokenForm.MatchString(text) || len(text) != tokenChars {
			r.Fatalf("%s", text)
		}
		gotID, secret, ok := parseToken(text)
		if !ok || gotID != id || digestKey(secret) != digest {
			r.Fatalf("%s: %s, %s, %t", text, gotID, secret, ok)
		}
		// One character that is wrong is found without asking anybody.
		i := rapid.IntRange(0, len(text)-1).Draw(r, "i")
		c := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567_A ")).Draw(r, "c")
		if wrong := text[:i] + string(c) + text[i+1:]; wrong != text {
			if _, _, ok := parseToken(wrong); ok {
				r.Errorf("%s passes for %s", wrong, text)
			}
		}
	})
}

func FuzzParseToken(f *testing.F) {
	_, text, _ := newToken()
	f.Add(text)
	f.Add("seshat_")
	f.Add(strings.Repeat("_", tokenChars))
	f.Fuzz(func(t *testing.T, text string) {
		if id, secret, ok := parseToken(text); ok && (TokenPrefix+id+"_"+secret+checksum(TokenPrefix+id+"_"+secret) != text) {
			t.Errorf("%q", text)
		}
	})
}

func FuzzDecodeHash(f *testing.F) {
	f.Add(newHasher(DefaultCost()).dummy)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Fuzz(func(t *testing.T, text string) {
		cost, salt, sum, err := decodeHash(text)
		if err != nil {
			return
		}
		if cost.Memory > maxMemory || cost.Passes > maxPasses || cost.Threads > maxThreads || cost.Memory == 0 || cost.Passes == 0 || cost.Threads == 0 {
			t.Errorf("%q costs %+v", text, cost)
		}
		if again := encodeHash(cost, salt, sum); again != text {
			t.Errorf("%q is written as %q", text, again)
		}
	})
}

func TestHash(t *testing.T) {
	h := newHasher(cheap)
	kept, err := h.hash(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := h.hash(t.Context(), good); again == kept {
		t.Error("two digests are the same")
	}
	f := func(kept, password string, wantGood, wantOutdated bool) {
		t.Helper()
		ok, outdated, err := h.verify(t.Context(), kept, password)
		if err != nil || ok != wantGood || ok && outdated != wantOutdated {
			t.Errorf("%s with %q: %t, %t, %v", kept, password, ok, outdated, err)
		}
	}
	f(kept, good, true, false)
	f(kept, good+"x", false, false)
	f(kept, "", false, false)
	f("", "", false, false)
	f("", good, false, false)
	h.cost.Passes = 2
	f(kept, good, true, true)
	for _, bad := range []string{"x", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", strings.Replace(kept, "m=8", "m=08", 1), strings.Replace(kept, "m=8", "m=99999999", 1), kept + "=", strings.Replace(kept, "v=19", "v=16", 1)} {
		if _, _, err := h.verify(t.Context(), bad, good); !errors.Is(err, errHash) || strings.Contains(err.Error(), "$") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestTokens(t *testing.T) {
	within(t, func(h *house) {
		ctx := h.t.Context()
		h.add("ann", RoleAnalyst)
		h.add("bob", RoleAdmin)
		scopes := []string{"sessions:read", "exchanges:read", "sessions:read"}
		f := func(in NewToken, want string) string {
			t.Helper()
			token, text, err := h.CreateToken(ctx, in)
			if kind(err) != want {
				t.Errorf("%+v: %v; want %s", in, err, want)
			}
			if err == nil && (len(token.Scopes) != 2 || token.User != "ann") {
				t.Errorf("%+v", token)
			}
			return text
		}
		text := f(NewToken{Name: " nightly   export ", User: "Ann", Scopes: scopes}, "")
		f(NewToken{Name: "nightly export", User: "ann", Scopes: scopes}, "conflict")
		f(NewToken{Name: "", User: "ann", Scopes: scopes}, "invalid")
		f(NewToken{Name: "a\u202eb", User: "ann", Scopes: scopes}, "invalid")
		f(NewToken{Name: strings.Repeat("x", 65), User: "ann", Scopes: scopes}, "invalid")
		f(NewToken{Name: "b", User: "ann"}, "invalid")
		f(NewToken{Name: "b", User: "nobody", Scopes: scopes}, "not found")
		f(NewToken{Name: "b", User: "ann", Scopes: scopes, For: MaxTokenTime + 1}, "invalid")
		f(NewToken{Name: "b", User: "ann", Scopes: scopes, For: -1}, "invalid")
		f(NewToken{Name: "b", User: "ann", Scopes: scopes, For: 1, Never: true}, "invalid")
		brief := f(NewToken{Name: "brief", User: "ann", Scopes: scopes, For: time.Hour}, "")
		never := f(NewToken{Name: "never", User: "ann", Scopes: scopes, Never: true}, "")

		good := func(text string, want bool) {
			t.Helper()
			access, err := h.AuthenticateToken(text, true)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrUnknown) {
				t.Errorf("%v; want it good %t", err, want)
			}
			if err == nil && (access.Name != "ann" || access.Role != RoleAnalyst || access.Token.Name == "" || access.Session != nil) {
				t.Errorf("%+v", access)
			}
		}
		good(text, true)
		// The ID of one and the secret of another.
		_, secret, _ := parseToken(never)
		id, _, _ := parseToken(text)
		mixed := TokenPrefix + id + "_" + secret
		good(mixed+checksum(mixed), false)
		made := TokenPrefix + strings.Repeat("a", tokenIDChars) + "_" + secret
		good(made+checksum(made), false)
		time.Sleep(time.Hour)
		good(brief, false)
		good(text, true)
		if tokens := h.Tokens("ann"); len(tokens) != 3 || tokens[0].CreatedAt.Before(tokens[2].CreatedAt) {
			t.Errorf("%+v", tokens)
		}
		if _, err := h.RevokeToken(ctx, id, "bob"); kind(err) != "not found" {
			t.Errorf("somebody else's: %v", err)
		}
		if _, _, err := h.Change(ctx, "ann", kv.Any, Change{Disabled: ptr(true)}, "bob"); err != nil {
			t.Fatal(err)
		}
		good(text, false)
		if _, _, err := h.Change(ctx, "ann", kv.Any, Change{Disabled: ptr(false)}, "bob"); err != nil {
			t.Fatal(err)
		}
		good(text, true)
		if _, err := h.RevokeToken(ctx, id, "ann"); err != nil {
			t.Error(err)
		}
		good(text, false)
		time.Sleep(DefaultTokenTime)
		good(never, true)
		if n := len(h.Tokens("ann")); n != 1 { // what ended long ago is not shown any more
			t.Errorf("%d tokens", n)
		}
		if err := h.Delete(ctx, "ann", kv.Any); err != nil {
			t.Fatal(err)
		}
		h.add("ann", RoleAnalyst)
		good(never, false) // that of another ann
		if n := h.tokens.Len(); n != 0 {
			t.Errorf("%d tokens of who is gone", n)
		}
		for i := range maxTokens + 1 {
			_, _, err := h.CreateToken(ctx, NewToken{Name: strings.Repeat("t", 1+i%60) + string(rune('a'+i/60)), User: "bob", Scopes: scopes})
			if (err != nil) != (i == maxTokens) {
				t.Fatalf("token %d: %v", i, err)
			}
		}
	})
}
