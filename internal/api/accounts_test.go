package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
)

const asJSON = "Content-Type: application/json"

// post sends JSON as somebody.
func (s *service) post(path, body string, fields ...string) *answered {
	s.t.Helper()
	return s.ask("POST", path, body, append([]string{asJSON}, fields...)...)
}

func TestSigningIn(t *testing.T) {
	o := options(t, 1)
	s := serve(t, o)
	const sessions, nobody = "/api/v1/console-sessions", "Authorization: "
	link, err := o.Accounts.NewLink(t.Context(), account.LinkFirst, "", "test")
	if err != nil {
		t.Fatal(err)
	}
	s.post("/api/v1/sign-in-links/check", `{"code":"`+link.Code+`"}`, nobody).is(200).has(`"kind":"first"`)
	s.post("/api/v1/sign-in-links/check", `{"code":"wrong"}`, nobody).problem(401)
	first := decode[wire.SignedIn](s.post(sessions, `{"code":"`+link.Code+`","user":"Ann","password":"`+goodPassword+`"}`, nobody).is(201))
	if first.User != "ann" || first.Role != "admin" || first.Session.How != "link" || first.CSRF != wire.CSRFToken(first.Token) {
		t.Errorf("%+v", first)
	}
	cookie := func(in *wire.SignedIn) string { return "Cookie: other=1; " + wire.SessionCookie + "=" + in.Token }

	me := decode[wire.Me](s.get("/api/v1/me", nobody, cookie(&first)).is(200))
	if me.Name != "ann" || me.Role != "admin" || me.Means != "console" || me.CSRF != first.CSRF || me.Session == nil || !me.Session.Current || !me.HasPassword {
		t.Errorf("%+v", me)
	}
	// A sign-in in the same browser ends the session before.
	in := decode[wire.SignedIn](s.post(sessions, `{"user":"ann","password":"`+goodPassword+`"}`, nobody, cookie(&first)).is(201))
	s.get("/api/v1/me", nobody, cookie(&first)).problem(401)
	if in.Token == first.Token || in.Session.How != "password" {
		t.Errorf("%+v", in)
	}

	// The cookie alone changes nothing.
	user := `{"name":"bob","role":"viewer","password":"` + goodPassword + `"}`
	for _, csrf := range []string{"", wire.CSRFHeader + ": ", wire.CSRFHeader + ": " + first.CSRF, wire.CSRFHeader + ": " + in.CSRF + "x", wire.CSRFHeader + ": " + in.Token} {
		if p := s.post("/api/v1/users", user, nobody, cookie(&in), csrf).problem(403); !strings.Contains(p.Detail, "page of this session") {
			t.Errorf("%q: %+v", csrf, p)
		}
	}
	csrf := wire.CSRFHeader + ": " + in.CSRF
	s.post("/api/v1/users", user, nobody, cookie(&in), csrf, "Origin: https://evil.example").problem(403)
	s.post("/api/v1/users", user, nobody, cookie(&in), csrf).is(201).has(`"created_by":"ann"`)
	s.get("/api/v1/users", nobody, "Cookie: "+wire.SessionCookie+"="+in.Token+"; "+wire.SessionCookie+"="+first.Token).problem(401)

	list := s.get(sessions, nobody, cookie(&in)).is(200)
	if items := decode[struct{ Items []wire.ConsoleSession }](list).Items; len(items) != 1 || !items[0].Current || items[0].ID != in.Session.ID {
		t.Errorf("%s", list.body)
	}
	s.ask("DELETE", sessions+"/current", "", nobody, cookie(&in), csrf).is(204)
	s.get("/api/v1/me", nobody, cookie(&in)).problem(401)
	s.ask("DELETE", sessions+"/current", "").problem(400) // the owner has no session

	// Too many are refused, with a time to come back.
	for range 10 {
		s.post(sessions, `{"user":"ann","password":"wrong"}`, nobody).problem(401)
	}
	if a := s.post(sessions, `{"user":"ann","password":"`+goodPassword+`"}`, nobody); a.problem(429).Hint == "" || a.header.Get("Retry-After") != "60" {
		t.Errorf("%v %s", a.header, a.body)
	}
}

// TestOwnAndOthers: what somebody may do to their own things, and to those of others.
func TestOwnAndOthers(t *testing.T) {
	o := options(t, 1)
	employ(t, &o)
	s := serve(t, o)
	vic, ada := session(t, &o, "vic"), session(t, &o, "ada")
	body := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// Tokens.
	mine := decode[wire.CreatedToken](s.post("/api/v1/tokens", body(wire.NewAPIToken{Name: "mine", Scopes: []string{"sessions:read"}}), vic...).is(201))
	if mine.User != "vic" || !strings.HasPrefix(mine.Token, "seshat_"+mine.ID+"_") || mine.ExpiresAt.Sub(mine.CreatedAt) != account.DefaultTokenTime {
		t.Errorf("%+v", mine)
	}
	f := func(fields []string, in wire.NewAPIToken, status int) {
		t.Helper()
		if in.Name == "" {
			in.Name = strings.Join(in.Scopes, " ") + in.For
		}
		if a := s.post("/api/v1/tokens", body(in), fields...); a.status != status {
			t.Errorf("%+v: %d %s; want %d", in, a.status, a.body, status)
		}
	}
	f(vic, wire.NewAPIToken{Scopes: []string{"resources:write"}}, 400) // more than the role has
	f(ada, wire.NewAPIToken{Scopes: []string{"users:write"}}, 400)
	f(ada, wire.NewAPIToken{Scopes: []string{"account:own"}}, 400)
	f(ada, wire.NewAPIToken{Scopes: []string{"nothing"}}, 400)
	f(ada, wire.NewAPIToken{Scopes: []string{}}, 422)
	f(vic, wire.NewAPIToken{Scopes: []string{"sessions:read"}, User: "ada"}, 403)
	f(ada, wire.NewAPIToken{Scopes: []string{"status:read"}, User: "VIC"}, 201)
	f(ada, wire.NewAPIToken{Scopes: []string{"resources:write"}, User: "vic"}, 400)
	f(ada, wire.NewAPIToken{Scopes: []string{"status:read"}, User: "nobody"}, 404)
	f(nil, wire.NewAPIToken{Scopes: []string{"status:read"}}, 400) // the owner is no user
	f(ada, wire.NewAPIToken{Scopes: []string{"status:read"}, For: "never"}, 201)
	f(ada, wire.NewAPIToken{Scopes: []string{"status:read"}, For: "366d"}, 201)
	f(ada, wire.NewAPIToken{Scopes: []string{"status:read"}, For: "367d"}, 422)
	f(ada, wire.NewAPIToken{Scopes: []string{"status:read"}, For: "soon"}, 400)
	s.post("/api/v1/tokens", body(wire.NewAPIToken{Name: "x", Scopes: []string{"status:read"}}), "Authorization: Bearer "+mine.Token).problem(403)
	s.get("/api/v1/sessions", "Authorization: Bearer "+mine.Token).is(200)
	s.get("/api/v1/status", "Authorization: Bearer "+mine.Token).problem(403)

	count := func(path string, want int, fields ...string) {
		t.Helper()
		if items := decode[struct{ Items []any }](s.get(path, fields...).is(200)).Items; len(items) != want {
			t.Errorf("%s: %d of them; want %d", path, len(items), want)
		}
	}
	count("/api/v1/tokens", 2, vic...)
	count("/api/v1/tokens", 2, ada...)
	count("/api/v1/tokens?all=true", 4, ada...)
	s.get("/api/v1/tokens?all=true", vic...).problem(403)
	theirs := o.Accounts.Tokens("ada")[0].ID
	s.ask("DELETE", "/api/v1/tokens/"+theirs, "", vic...).problem(404) // it does not say that there is one
	s.ask("DELETE", "/api/v1/tokens/"+mine.ID, "", ada...).is(204)
	s.get("/api/v1/sessions", "Authorization: Bearer "+mine.Token).problem(401)

	// Sessions.
	count("/api/v1/console-sessions", 1, vic...)
	count("/api/v1/console-sessions?all=true", 2, ada...)
	s.get("/api/v1/console-sessions?all=true", vic...).problem(403)
	hers := o.Accounts.Sessions("ada")[0].ID
	s.ask("DELETE", "/api/v1/console-sessions/"+hers, "", vic...).problem(404)

	// Passwords.
	change := func(password, current string) string {
		return body(wire.PasswordChange{Password: password, Current: current})
	}
	const another = "second best umbrella 4"
	s.post("/api/v1/users/ada/password", change(another, goodPassword), vic...).problem(403)
	s.post("/api/v1/users/vic/password", change(another, ""), vic...).problem(422)
	s.post("/api/v1/users/vic/password", change(another, "wrong"), vic...).problem(422)
	s.post("/api/v1/users/vic/password", change("short", goodPassword), vic...).problem(422)
	changed := decode[wire.PasswordChanged](s.post("/api/v1/users/VIC/password", change(another, goodPassword), vic...).is(200))
	s.get("/api/v1/me", vic...).problem(401)
	if changed.SignedIn == nil {
		t.Fatal("no session in place of the one that asked")
	}
	vic = []string{"Authorization: Bearer " + changed.SignedIn.Token}
	s.get("/api/v1/me", vic...).is(200)
	if a := decode[wire.PasswordChanged](s.post("/api/v1/users/vic/password", change(goodPassword, ""), ada...).is(200)); a.SignedIn != nil {
		t.Error("an administrator gets a session of somebody else")
	}
	s.get("/api/v1/me", vic...).problem(401)

	// Users: conditions, and what ends sessions.
	u := s.get("/api/v1/users/vic", ada...).is(200)
	tag := u.header.Get("ETag")
	s.ask("PATCH", "/api/v1/users/vic", `{"display_name":"Vic"}`, append(ada, asJSON, "If-Match: "+tag)...).is(200).has(`"display_name":"Vic"`, `"changed_by":"ada"`)
	s.ask("PATCH", "/api/v1/users/vic", `{"display_name":"V"}`, append(ada, asJSON, "If-Match: "+tag)...).problem(412)
	s.ask("DELETE", "/api/v1/users/vic", "", append(ada, "If-Match: "+tag)...).problem(412)
	s.ask("PATCH", "/api/v1/users/vic", `{"role":"king"}`, append(ada, asJSON)...).problem(422)
	vic = session(t, &o, "vic")
	s.ask("PATCH", "/api/v1/users/vic", `{"role":"analyst"}`, append(ada, asJSON)...).is(200)
	s.get("/api/v1/me", vic...).problem(401)
	vic = session(t, &o, "vic")
	s.ask("DELETE", "/api/v1/users/vic/console-sessions", "", ada...).is(204)
	s.get("/api/v1/me", vic...).problem(401)

	// Links: an administrator lets nobody in as the owner.
	s.post("/api/v1/sign-in-links", `{"owner":true}`, ada...).problem(403)
	s.post("/api/v1/sign-in-links", `{"owner":true}`).is(201).has(`"kind":"owner"`, `"path":"/sign-in?code=`)
	s.post("/api/v1/sign-in-links", `{"user":"vic"}`, ada...).is(201).has(`"kind":"password"`, `"user":"vic"`)
	s.post("/api/v1/sign-in-links", `{"user":"vic","owner":true}`).problem(400)

	s.ask("DELETE", "/api/v1/users/vic", "", ada...).is(204)
	s.get("/api/v1/users/vic", ada...).problem(404)
}

// TestAuditOfRequests: who did what, with which means, and what became of it.
func TestAuditOfRequests(t *testing.T) {
	o := options(t, 1)
	employ(t, &o)
	s := serve(t, o)
	ada := session(t, &o, "ada")
	const rule = `{"apiVersion":"seshat/v1","kind":"SessionRule","metadata":{"name":"shop"},"spec":{"identifiers":[{"cookie":"SHOP"}]}}`
	f := func(a *answered, want audit.Event) {
		t.Helper()
		events, _ := o.Audit.List(audit.Query{Limit: 1})
		got := events[0]
		if got.Action != want.Action || got.By != want.By || got.Means != want.Means || got.Token != want.Token || got.Outcome != want.Outcome || !strings.Contains(got.Subject, want.Subject) || !strings.Contains(got.Detail, want.Detail) {
			t.Errorf("%s, %d: the audit log has %+v; want %+v", a.request, a.status, got, want)
		}
	}
	f(s.ask("PUT", "/api/v1/resources/sessionrule/shop", rule, ada...), audit.Event{Action: "resource.put", By: "ada", Means: audit.MeansConsole, Outcome: audit.Done, Subject: "/shop"})
	f(s.ask("PUT", "/api/v1/resources/sessionrule/shop", "{", ada...), audit.Event{Action: "resource.put", By: "ada", Means: audit.MeansConsole, Outcome: audit.Refused, Subject: "shop"})
	before, _ := o.Audit.List(audit.Query{})
	s.ask("PUT", "/api/v1/resources/sessionrule/shop?dry_run=true", rule, ada...).is(200)
	s.post("/api/v1/resources/validate", rule, ada...).is(200)
	s.post("/api/v1/resources", rule).is(200)
	if after, _ := o.Audit.List(audit.Query{}); len(after) != len(before)+1 {
		t.Errorf("%d entries for one change", len(after)-len(before))
	}
	f(s.post("/api/v1/revocations", `{"user":"alice"}`, "Seshat-Author: root"), audit.Event{Action: "denylist.revoke", By: "root", Means: audit.MeansOwner, Outcome: audit.Done})
	token := "Authorization: Bearer " + apiToken(t, &o, "ada", 0, "denylist:write")
	f(s.post("/api/v1/revocations", `{"user":"alice"}`, token, "Seshat-Author: root"), audit.Event{Action: "denylist.revoke", By: "ada", Means: audit.MeansToken, Token: "t", Outcome: audit.Done})
	f(s.post("/api/v1/users", `{"name":"new","role":"viewer","password":"`+goodPassword+`"}`, ada...), audit.Event{Action: "user.create", By: "ada", Means: audit.MeansConsole, Outcome: audit.Done, Subject: "new", Detail: "role viewer"})
	f(s.ask("PATCH", "/api/v1/users/new", `{"role":"analyst"}`, append(ada, asJSON)...), audit.Event{Action: "user.change", By: "ada", Means: audit.MeansConsole, Outcome: audit.Done, Subject: "new", Detail: "role viewer to analyst"})
	f(s.ask("DELETE", "/api/v1/users/ghost", "", ada...), audit.Event{Action: "user.delete", By: "ada", Means: audit.MeansConsole, Outcome: audit.Refused, Subject: "ghost"})

	page := decode[wire.Page[wire.AuditEvent]](s.get("/api/v1/audit?limit=2&action=user.", ada...).is(200))
	next := decode[wire.Page[wire.AuditEvent]](s.get("/api/v1/audit?limit=2&action=user.&cursor="+page.NextCursor, ada...).is(200))
	if len(page.Items) != 2 || page.NextCursor == "" || len(next.Items) != 1 || next.NextCursor != "" || next.Items[0].Action != "user.create" || next.Items[0].Address != "127.0.0.1" {
		t.Errorf("%+v\n%+v", page, next)
	}
	if all := s.get("/api/v1/audit?limit=1000").is(200).body; strings.Contains(all, goodPassword) || strings.Contains(all, "seshat_") {
		t.Errorf("the audit log has secrets: %s", all)
	}
}

// full is a store that takes nothing any more.
type full struct {
	kv.Store
	now bool
}

func (f *full) Put(ctx context.Context, key string, value []byte, expected kv.Revision) (kv.Revision, error) {
	if f.now {
		return 0, errors.New("no space left on device")
	}
	return f.Store.Put(ctx, key, value, expected)
}

// TestNothingIsChangedInSecret: where the audit log cannot be written, reading goes on, and everything else is refused.
func TestNothingIsChangedInSecret(t *testing.T) {
	o := options(t, 2)
	employ(t, &o)
	store := &full{Store: kvmemory.New(time.Now)}
	log, err := audit.Open(t.Context(), store, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	o.Audit = log
	s := serve(t, o)
	ada := session(t, &o, "ada")
	store.now = true
	const rule = `{"apiVersion":"seshat/v1","kind":"SessionRule","metadata":{"name":"shop"},"spec":{"identifiers":[{"cookie":"SHOP"}]}}`
	for _, a := range []*answered{
		s.post("/api/v1/resources", rule, ada...),
		s.post("/api/v1/resources", rule),
		s.post("/api/v1/revocations", `{"user":"alice"}`, ada...),
		s.post("/api/v1/users", `{"name":"eve","role":"admin"}`, ada...),
		s.post("/api/v1/tokens", `{"name":"x","scopes":["status:read"]}`, ada...),
		s.get("/api/v1/exports/exchanges?format=har", ada...),
		s.get("/api/v1/exchanges?reveal=true", ada...),
		s.get("/api/v1/exchanges", append(ada, "Accept: "+wire.NDJSON)...),
	} {
		if p := a.problem(503); p.Op != "write the audit log" || strings.Contains(p.Detail, "device") {
			t.Errorf("%s: %+v", a.request, p)
		}
	}
	s.get("/api/v1/exchanges", ada...).is(200)
	if list, err := o.Registry.List(t.Context(), ""); err != nil || len(list) > 0 {
		t.Errorf("there are resources: %v, %v", list, err)
	}
	if _, _, err := o.Accounts.User("eve"); err == nil {
		t.Error("there is a user")
	}
	if list, _ := o.Denylist.List(t.Context()); len(list) > 0 {
		t.Errorf("something is denied: %v", list)
	}
}

// TestStartNeedsAudit: who has accounts has an audit log.
func TestStartNeedsAudit(t *testing.T) {
	o := options(t, 1)
	o.Audit = nil
	if _, err := api.New(o); err == nil {
		t.Error("an API whose accounts nobody watches")
	}
	o.Accounts = nil
	s := serve(t, o)
	for _, path := range []string{"/api/v1/users", "/api/v1/tokens", "/api/v1/audit", "/api/v1/console-sessions"} {
		s.get(path).problem(http.StatusNotImplemented)
	}
	s.get("/api/v1/me").is(200)
}
