package api_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
)

// fakeExternal is a provider that believes who says "good".
type fakeExternal struct{ who account.Identity }

func (f *fakeExternal) Method() wire.ExternalMethod {
	return wire.ExternalMethod{Name: "Company SSO", SignOutURL: "https://id.example/out"}
}

func (f *fakeExternal) Begin(_ context.Context, in wire.ExternalBegin) (wire.ExternalAttempt, error) {
	return wire.ExternalAttempt{URL: "https://id.example/auth", Attempt: "sealed " + in.Next, ExpiresAt: start}, nil
}

func (f *fakeExternal) End(_ context.Context, in wire.ExternalAnswer) (account.Identity, string, error) {
	if in.Code != "good" {
		return account.Identity{}, "", &seshat.Error{Kind: seshat.ErrorInvalid, Op: "sign in", Err: errors.New("it is not good")}
	}
	return f.who, strings.TrimPrefix(in.Attempt, "sealed "), nil
}

// external is an API with accounts that people sign in to elsewhere.
func external(t *testing.T, who account.Identity, change func(*api.Options)) (*service, *account.Keeper) {
	t.Helper()
	kv := kvmemory.New(time.Now)
	log, err := audit.Open(t.Context(), kv, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := account.Open(t.Context(), kv, account.Options{Audit: log, Cost: account.Cost{Memory: 64, Passes: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keeper.Close(); log.Close(); _ = kv.Close() })
	o := options(t, 1)
	o.Accounts, o.Audit, o.External = keeper, log, &fakeExternal{who}
	o.Authenticator = api.NewAuthenticator(token, keeper)
	if change != nil {
		change(&o)
	}
	return serve(t, o), keeper
}

func ann() account.Identity {
	return account.Identity{Issuer: "https://id.example", Subject: "1", Name: "Ann O'Hara", DisplayName: "Ann", Role: account.RoleAnalyst}
}

const (
	nobody      = "Authorization: "
	jsonContent = "Content-Type: application/json"
)

func TestExternalSignIn(t *testing.T) {
	s, keeper := external(t, ann(), nil)
	s.get("/api/v1/sign-in/methods", nobody).is(200).has(`"password":true`, `"no_users":true`, `"name":"Company SSO"`, `"sign_out_url":"https://id.example/out"`)
	s.ask("POST", "/api/v1/sign-in/external", `{"next":"/sessions"}`, nobody, jsonContent).is(200).has(`"url":"https://id.example/auth"`, `"attempt":"sealed /sessions"`)
	s.ask("POST", "/api/v1/sign-in/external/end", `{"attempt":"sealed /sessions","code":"bad"}`, nobody, jsonContent).problem(422)
	if len(keeper.Users()) != 0 {
		t.Error("a user is made of somebody who is not known")
	}
	in := decode[wire.ExternalSignedIn](s.ask("POST", "/api/v1/sign-in/external/end", `{"attempt":"sealed /sessions","code":"good"}`, nobody, jsonContent).is(201))
	if in.Next != "/sessions" || in.User != "ann-o-hara" || in.Role != "analyst" || in.Session.How != "oidc" {
		t.Errorf("%+v", in)
	}
	s.get("/api/v1/me", nobody, "Cookie: __Host-seshat="+in.Token).is(200).has(`"role":"analyst"`, `"has_password":false`)
	// The session before ends with the next.
	again := decode[wire.ExternalSignedIn](s.ask("POST", "/api/v1/sign-in/external/end", `{"attempt":"","code":"good"}`, nobody, jsonContent, "Cookie: __Host-seshat="+in.Token).is(201))
	s.get("/api/v1/me", nobody, "Cookie: __Host-seshat="+in.Token).problem(401)
	s.get("/api/v1/me", nobody, "Cookie: __Host-seshat="+again.Token).is(200)
	if users := keeper.Users(); len(users) != 1 || users[0].Subject != "1" {
		t.Errorf("%+v", users)
	}
	s.get("/api/v1/sign-in/methods", nobody).lacks("no_users")
}

// TestExternalIsNobodyElse has somebody of the name of a local user, and somebody without a role.
func TestExternalIsNobodyElse(t *testing.T) {
	who := ann()
	who.Name = "root"
	s, keeper := external(t, who, nil)
	if _, _, err := keeper.Create(t.Context(), account.NewUser{Name: "root", Role: account.RoleAdmin, Password: "four words of no kin"}, "test"); err != nil {
		t.Fatal(err)
	}
	end := func(s *service) { // the words do not tell which users there are
		t.Helper()
		a := s.ask("POST", "/api/v1/sign-in/external/end", `{"attempt":"a","code":"good"}`, nobody, jsonContent).has("cannot be used here").lacks("root")
		a.problem(403)
	}
	end(s)
	who.Role = ""
	s, _ = external(t, who, nil)
	end(s)
}

func TestNoExternal(t *testing.T) {
	s, _ := external(t, ann(), func(o *api.Options) { o.External = nil })
	s.get("/api/v1/sign-in/methods", nobody).is(200).lacks("external")
	s.ask("POST", "/api/v1/sign-in/external", `{}`, nobody, jsonContent).problem(501)
	s.ask("POST", "/api/v1/sign-in/external/end", `{"attempt":""}`, nobody, jsonContent).problem(501)
}

func TestNoPasswords(t *testing.T) {
	s, keeper := external(t, ann(), func(o *api.Options) { o.NoPasswords = true })
	if _, _, err := keeper.Create(t.Context(), account.NewUser{Name: "bob", Role: account.RoleAdmin, Password: "four words of no kin"}, "test"); err != nil {
		t.Fatal(err)
	}
	s.get("/api/v1/sign-in/methods", nobody).has(`"password":false`)
	for _, user := range []string{"bob", "nobody"} {
		s.ask("POST", "/api/v1/console-sessions", `{"user":"`+user+`","password":"four words of no kin"}`, nobody, jsonContent).has("with a password").problem(403)
	}
}

func TestUsableNames(t *testing.T) {
	for name, want := range map[string]string{"auth0|5f7c8ec7": "auth0-5f7c8ec7", "jörg@shop.example": "j-rg@shop.example", "ann": "ann", "|x|": "x"} {
		who := ann()
		who.Name = name
		s, keeper := external(t, who, nil)
		s.ask("POST", "/api/v1/sign-in/external/end", `{"attempt":"a","code":"good"}`, nobody, jsonContent).is(201)
		if users := keeper.Users(); len(users) != 1 || users[0].Name != want {
			t.Errorf("%s is %+v, want %s", name, users, want)
		}
	}
}

// TestTooManySignIns tells who guesses when to try again.
func TestTooManySignIns(t *testing.T) {
	s, _ := external(t, ann(), nil)
	for range 30 {
		a := s.ask("POST", "/api/v1/console-sessions", `{"user":"bob","password":"a guess"}`, nobody, jsonContent)
		if a.status == 401 {
			continue
		}
		a.is(429).has("too many failed sign-ins", "try again in")
		if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
			t.Errorf("Retry-After: %q", a.header.Get("Retry-After"))
		}
		return
	}
	t.Error("somebody may guess as often as they like")
}
