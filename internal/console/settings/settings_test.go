package settings

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/ui"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
)

func TestSettingsRoundTrip(t *testing.T) {
	duration := func(t *rapid.T, name string) *seshat.Duration {
		if !rapid.Bool().Draw(t, "has "+name) {
			return nil
		}
		d := seshat.Duration(rapid.Int64Range(0, 1e6).Draw(t, name)) * seshat.Duration(time.Second)
		return &d
	}
	consoletest.RoundTrip(t, generalPages(), func(t *rapid.T) seshat.Spec {
		s := &seshat.SettingsSpec{
			Retention: duration(t, "retention"), FallbackIdleTimeout: duration(t, "fallback"), IdleTimeout: duration(t, "idle"),
			GraceTime: duration(t, "grace"), Lateness: duration(t, "lateness"),
			AutoIdentifier: consoletest.Flag(t, "auto"), BuiltIn: consoletest.Flag(t, "built-in"),
		}
		if rapid.Bool().Draw(t, "inference") {
			s.Inference = &seshat.InferenceSettings{Enabled: consoletest.Flag(t, "inferred")}
			if rapid.Bool().Draw(t, "has score") {
				score := rapid.Float64Range(0, 1).Draw(t, "score")
				s.Inference.MinimumScore = &score
			}
		}
		return s
	})
}

// site serves the pages on an API that has accounts, and returns those.
func site(t *testing.T) (*consoletest.Site, *account.Keeper) {
	t.Helper()
	s := consoletest.New(t, Register)
	now := s.Now
	kv, events := kvmemory.New(now), kvmemory.New(now)
	t.Cleanup(func() { _, _ = kv.Close(), events.Close() })
	log, err := audit.Open(t.Context(), events, audit.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	keeper, err := account.Open(t.Context(), kv, account.Options{Audit: log, Now: now, Cost: account.Cost{Memory: 64, Passes: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keeper.Close)
	s.API.Accounts, s.API.Audit = keeper, log
	s.API.Keys = func() ([]wire.Key, error) { return []wire.Key{{ID: "k1", Current: true}}, nil }
	s.API.Status = func(context.Context) wire.Status { return wire.Status{State: wire.StateOK, Version: "test"} }
	return s, keeper
}

func TestGeneralConflict(t *testing.T) {
	s, _ := site(t)
	first := s.Get("/settings").Want(http.StatusOK, "Nothing is declared yet")
	s.Apply("apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {retention: 5d}\n")
	again := first.Submit("/settings", "", "", "spec.retention", "2d").Want(http.StatusConflict, "They have changed since this form was opened", "ben")
	again.Submit("/settings", "", "").Leads("/settings").Want(http.StatusOK, "The settings are saved")
	if got := s.Stored(seshat.KindSettings, "default"); !strings.Contains(got, "retention: 2d") {
		t.Errorf("stored is\n%s", got)
	}
	s.Get("/settings").Submit("/settings", "", "", "spec.retention", "0.1 d", "spec.inference.minimumScore", "NaN").
		Want(http.StatusUnprocessableEntity, "not a duration", "not a number", `aria-invalid="true"`)
	s.Get("/settings").Submit("/settings", "", "", "spec.inference.minimumScore", "7").Want(http.StatusUnprocessableEntity, "is not between 0 and 1")
}

func TestRoles(t *testing.T) {
	s, keeper := site(t)
	if _, _, err := keeper.Create(t.Context(), account.NewUser{Name: "ann", Role: account.RoleAdmin}, "test"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/settings", "/settings/services", "/settings/storage", "/settings/users", "/settings/tokens", "/settings/account", "/settings/audit", "/settings/users/new", "/settings/tokens/new", "/settings/user/ann", "/settings/user/ann/delete"} {
		s.Get(path).Want(http.StatusOK)
	}
	s.Permissions = api.RolePermissions(account.RoleViewer)
	s.Get("/settings").Want(http.StatusOK, "You may look at this").Lacks(`>Save<`, `/settings/users"`, `/settings/audit"`, "Back to the defaults")
	s.Get("/settings/tokens").Want(http.StatusOK).Lacks("all=true")
	for _, path := range []string{"/settings/users", "/settings/users/new", "/settings/user/ann", "/settings/user/ann/delete", "/settings/user/ann/sign-out", "/settings/audit", "/settings/audit/rows", "/settings/tokens?all=true"} {
		s.Get(path).Want(http.StatusForbidden, "This is not for the role")
	}
	for _, path := range []string{"/settings/users/new", "/settings/user/ann/link", "/settings/user/ann/sign-out"} {
		s.Post(path, map[string][]string{"name": {"eve"}, "role": {"admin"}, "how": {"link"}}).Want(http.StatusForbidden)
	}
	for _, path := range []string{"/settings/user/ann", "/settings/user/ann/disabled", "/settings/user/ann/delete"} {
		s.Post(path, map[string][]string{"revision": {"1"}, "role": {"viewer"}, "disabled": {"true"}}).Want(http.StatusForbidden)
	}
	s.Without(api.AccountOwn)
	for _, path := range []string{"/settings/account", "/settings/tokens", "/settings/tokens/new"} {
		s.Get(path).Want(http.StatusForbidden)
	}
}

func TestUserForms(t *testing.T) {
	s, keeper := site(t)
	s.Get("/settings/users").Want(http.StatusOK, "No users yet")
	s.Name = "boss"
	form := s.Get("/settings/users/new")
	for _, c := range []struct{ name, display, role, password, control, wrong, hint string }{
		{"a b", "", "admin", "-", "name", "It has a character that names do not have", "Write letters and digits, and . _ - + @"},
		{"", "", "admin", "-", "name", "It is empty.", "as in ann or ann@shop.example"},
		{strings.Repeat("a", 200), "", "admin", "-", "name", "", "as in ann or ann@shop.example"},
		{"ann", strings.Repeat("a", 200), "admin", "-", "display", "", "Write 128 characters at most"},
		{"ann", "", "king", "-", "role", "", "Choose viewer, analyst or admin."},
		{"ann", "", "admin", "", "password", "It is empty.", "let them choose one by a link"},
		{"ann", "", "admin", "short", "password", "fewer than 12 characters", "Four words that do not belong together"},
		{"ann", "", "admin", "password1234", "password", "", "Four words that do not belong together"},
	} {
		how := "password"
		if c.password == "-" {
			how = "link"
		}
		page := form.Submit("/settings/users/new", "", "", "name", c.name, "display", c.display, "role", c.role, "how", how, "password", c.password).
			Want(http.StatusUnprocessableEntity, `id="`+c.control+`-error"`, c.wrong, c.hint)
		if c.password == "short" {
			page.Lacks("short")
		}
	}
	form.Submit("/settings/users/new", "", "", "name", "ann", "role", "admin", "how", "link").Want(http.StatusOK, "This link is shown once", "/sign-in?code=")
	form.Submit("/settings/users/new", "", "", "name", "ANN", "role", "viewer").Want(http.StatusConflict, `id="name-error"`, "There is a user of that name.", "Choose another name, or change the user who has it.")
	page := s.Get("/settings/user/ann").Want(http.StatusOK)
	page.Submit("/settings/user/ann", "", "", "role", "viewer").Want(http.StatusPreconditionFailed, "It is the last administrator.")
	u, revision, err := keeper.User("ann")
	if err != nil || u.Role != account.RoleAdmin {
		t.Fatal(u, err)
	}
	display := "Ann"
	if _, _, err := keeper.Change(t.Context(), "ann", revision, account.Change{DisplayName: &display}, "test"); err != nil {
		t.Fatal(err)
	}
	page.Submit("/settings/user/ann", "", "", "display", "X").Leads("/settings/user/ann").Want(http.StatusOK, "has changed meanwhile")
	s.Post("/settings/user/ann", map[string][]string{"role": {"viewer"}}).Want(http.StatusBadRequest, "which revision")
	s.Get("/settings/user/nobody").Want(http.StatusNotFound)
	s.Get("/settings/tokens/new").Submit("/settings/tokens/new", "", "", "name", "", "user", "ann").Want(http.StatusUnprocessableEntity)
	s.Post("/settings/tokens/new", map[string][]string{"name": {"x"}, "for": {"7d"}, "user": {"ann"}}).Want(http.StatusUnprocessableEntity, "A token without a scope can do nothing.")
	s.Post("/settings/tokens/new", map[string][]string{"name": {"x"}, "for": {"7d"}, "user": {"ann"}, "scope": {"status:read"}}).Want(http.StatusOK, "curl -H", "/api/v1/status")
}

// TestHostileValues shows what others wrote, everywhere.
func TestHostileValues(t *testing.T) {
	all := map[string]bool{}
	for _, p := range api.Permissions() {
		all[string(p)] = true
	}
	ctx := ui.WithFrame(t.Context(), &ui.Frame{Viewer: &ui.Viewer{Name: "ann", Role: "admin", Permissions: all}, Asset: func(name string) string { return name }})
	now := time.Now()
	for _, bad := range consoletest.Hostile() {
		u := &wire.User{Name: bad, DisplayName: bad, Role: bad, Issuer: bad, Subject: bad, CreatedBy: bad, ChangedBy: bad}
		sessions := []wire.ConsoleSession{{ID: bad, User: bad, Address: bad, UserAgent: bad, How: bad}}
		tokens := []wire.APIToken{{ID: bad, Name: bad, User: bad, Scopes: []string{bad}}}
		p := &places{list: []place{{name: bad, url: "/explorer", rules: []scoped{{bad, bad, "/rules/x"}}}}}
		for name, c := range map[string]templ.Component{
			"users":  usersPage(nil, &people{rows: []wire.User{*u}, all: 1, found: 1, search: bad}),
			"user":   userPage(&person{user: u, sessions: sessions, tokens: tokens, problem: &wire.Problem{Title: bad, Detail: bad, Hint: bad}}, now),
			"new":    newUserPage(&newUser{name: bad, display: bad, role: bad, problem: &wire.Problem{Detail: bad}}),
			"link":   linkPage(bad, bad, &wire.SignInLink{}, now),
			"tokens": tokensPage(nil, tokens, true, now),
			"token":  tokenPage(&wire.CreatedToken{APIToken: tokens[0], Token: bad}, bad),
			"make":   newTokenPage(&newToken{name: bad, user: bad, users: []string{bad}, scopes: []string{bad}, offered: []string{bad}}),
			"audit": auditLogPage(nil, &auditView{by: bad, action: bad, subject: bad, outcome: bad}, &wire.Page[wire.AuditEvent]{NextCursor: bad, Items: []wire.AuditEvent{
				{ID: bad, By: bad, Token: bad, Means: "token", Address: bad, Action: "resource." + bad, Subject: "Limit/" + bad, Before: 1, After: 2, Outcome: bad, Detail: bad},
				{Action: "user.change", Subject: bad, After: 1},
			}}),
			"services": servicesLists(p, p),
			"account":  accountPage(nil, &own{me: &wire.Me{Name: bad, DisplayName: bad, Role: bad, HasPassword: true, Session: &sessions[0]}, sessions: sessions, wrongIn: "new", wrong: bad}, now),
			"storage":  storagePage(nil, &kept{status: &wire.Status{Version: bad, Checks: []wire.Check{{Name: bad, State: bad, Detail: bad}}, Gateway: &wire.GatewayStatus{Addresses: []string{bad}}}, keys: []wire.Key{{ID: bad}}}),
		} {
			var out bytes.Buffer
			if err := c.Render(ctx, &out); err != nil {
				t.Fatal(name, err)
			}
			for _, broken := range consoletest.Breaks() {
				if strings.Contains(out.String(), broken) {
					t.Errorf("%s takes %.40q for HTML: %s", name, bad, broken)
				}
			}
		}
	}
}

func TestAuditLinks(t *testing.T) {
	f := func(e *wire.AuditEvent, subject, history string) {
		t.Helper()
		if got := subjectURL(e); got != subject {
			t.Errorf("%+v is at %q, want %q", e, got, subject)
		}
		if got := historyURL(e); got != history {
			t.Errorf("%+v has its history at %q, want %q", e, got, history)
		}
	}
	f(&wire.AuditEvent{Action: "resource.put", Subject: "Limit/a b", Before: 1, After: 2}, "/limits/limit/a%20b", "/limits/limit/a%20b/history?from=1&to=2")
	f(&wire.AuditEvent{Action: "resource.put", Subject: "Settings/default", After: 2}, "/settings", "/settings/general/default/history?to=2")
	f(&wire.AuditEvent{Action: "resource.delete", Subject: "SessionRule/x", Before: 4}, "/rules/x", "/rules/x/history")
	f(&wire.AuditEvent{Action: "resource.put", Subject: "Evil/x", After: 2}, "", "")
	f(&wire.AuditEvent{Action: "resource.apply", Subject: "12 resources"}, "", "")
	f(&wire.AuditEvent{Action: "user.change", Subject: "ann@x", Before: 1, After: 2}, "/settings/user/ann@x", "")
	f(&wire.AuditEvent{Action: "user.delete", Subject: "ann", Before: 1}, "", "")
}

func TestEveryPermissionHasWords(t *testing.T) {
	for _, p := range api.Permissions() {
		if permissionWords(string(p)) == string(p) {
			t.Errorf("%s has no words", p)
		}
	}
	if got, want := len(permissions()), len(api.Permissions()); got != want {
		t.Error(strconv.Itoa(got) + " permissions have words; there are " + strconv.Itoa(want))
	}
}
