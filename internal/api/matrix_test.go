package api_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
)

// Who may do what. This says again, in other words, what the table of routes and the roles say, so that neither can be
// changed by mistake: a new route fails the test until somebody has thought of who may use it.
var (
	viewers  = []string{"sessions:read", "exchanges:read", "resources:read", "denylist:read", "status:read", "views:own", "account:own"}
	analysts = append(slices.Clone(viewers), "exchanges:reveal", "exchanges:export", "denylist:write", "imports:write", "rules:try", "views:share")
	admins   = append(slices.Clone(analysts), "resources:write", "users:read", "users:write", "audit:read")

	// perRoute is the permission of each operation: "" for those that need none, and "*" for those that only need somebody.
	perRoute = map[string]string{
		"GET /api/v1/sessions":                          "sessions:read",
		"GET /api/v1/sessions/{id}":                     "sessions:read",
		"GET /api/v1/sessions/{id}/lineage":             "sessions:read",
		"GET /api/v1/sessions/{id}/timeline":            "exchanges:read",
		"GET /api/v1/sessions/{id}/exchanges":           "exchanges:read",
		"GET /api/v1/exchanges":                         "exchanges:read",
		"GET /api/v1/exchanges/{id}":                    "exchanges:read",
		"GET /api/v1/exchanges/tail":                    "exchanges:read",
		"GET /api/v1/lookup/sessions":                   "sessions:read",
		"GET /api/v1/lookup/exchange":                   "exchanges:read",
		"GET /api/v1/span":                              "sessions:read",
		"GET /api/v1/overview":                          "sessions:read",
		"GET /api/v1/overview/live":                     "exchanges:read",
		"GET /api/v1/overview/rates":                    "exchanges:read",
		"GET /api/v1/aggregates/exchanges":              "exchanges:read",
		"GET /api/v1/aggregates/sessions":               "sessions:read",
		"GET /api/v1/facets/exchanges":                  "exchanges:read",
		"GET /api/v1/facets/sessions":                   "sessions:read",
		"GET /api/v1/histograms/exchanges":              "exchanges:read",
		"GET /api/v1/histograms/sessions":               "sessions:read",
		"GET /api/v1/exports/{dataset}":                 "exchanges:export",
		"GET /api/v1/resources":                         "resources:read",
		"POST /api/v1/resources":                        "resources:write",
		"POST /api/v1/resources/validate":               "resources:read",
		"GET /api/v1/resources/schema":                  "resources:read",
		"GET /api/v1/resources/{kind}/{name}":           "resources:read",
		"PUT /api/v1/resources/{kind}/{name}":           "resources:write",
		"DELETE /api/v1/resources/{kind}/{name}":        "resources:write",
		"GET /api/v1/resources/{kind}/{name}/history":   "resources:read",
		"GET /api/v1/resources/{kind}/{name}/diff":      "resources:read",
		"POST /api/v1/resources/{kind}/{name}/rollback": "resources:write",
		"POST /api/v1/resources/{kind}/{name}/enabled":  "resources:write",
		"GET /api/v1/session-rules/order":               "resources:read",
		"POST /api/v1/session-rules/order":              "resources:write",
		"GET /api/v1/presets":                           "resources:read",
		"GET /api/v1/presets/{name}":                    "resources:read",
		"GET /api/v1/limits":                            "resources:read",
		"GET /api/v1/views":                             "views:own",
		"POST /api/v1/views":                            "views:own",
		"GET /api/v1/views/{id}":                        "views:own",
		"PUT /api/v1/views/{id}":                        "views:own",
		"DELETE /api/v1/views/{id}":                     "views:own",
		"GET /api/v1/denylist":                          "denylist:read",
		"PUT /api/v1/denylist/{name}":                   "denylist:write",
		"DELETE /api/v1/denylist/{name}":                "denylist:write",
		"POST /api/v1/revocations":                      "denylist:write",
		"POST /api/v1/imports":                          "imports:write",
		"POST /api/v1/explain":                          "rules:try",
		"POST /api/v1/rule-tests":                       "rules:try",
		"POST /api/v1/previews":                         "rules:try",
		"GET /api/v1/previews/source":                   "rules:try",
		"GET /api/v1/status":                            "status:read",
		"GET /api/v1/keys":                              "status:read",
		"GET /api/v1/filters/fields":                    "status:read",
		"GET /api/v1/filters/check":                     "status:read",
		"GET /api/v1/filters/suggest":                   "status:read",
		"GET /api/v1/me":                                "*",
		"GET /api/v1/console-sessions":                  "account:own",
		"DELETE /api/v1/console-sessions/current":       "account:own",
		"DELETE /api/v1/console-sessions/{id}":          "account:own",
		"GET /api/v1/tokens":                            "account:own",
		"POST /api/v1/tokens":                           "account:own",
		"DELETE /api/v1/tokens/{id}":                    "account:own",
		"GET /api/v1/users":                             "users:read",
		"POST /api/v1/users":                            "users:write",
		"GET /api/v1/users/{name}":                      "users:read",
		"PATCH /api/v1/users/{name}":                    "users:write",
		"DELETE /api/v1/users/{name}":                   "users:write",
		"POST /api/v1/users/{name}/password":            "account:own",
		"DELETE /api/v1/users/{name}/console-sessions":  "users:write",
		"POST /api/v1/sign-in-links":                    "users:write",
		"GET /api/v1/audit":                             "audit:read",
		"POST /api/v1/console-sessions":                 "",
		"POST /api/v1/sign-in-links/check":              "",
		"GET /api/v1/sign-in/methods":                   "",
		"POST /api/v1/sign-in/external":                 "",
		"POST /api/v1/sign-in/external/end":             "",
	}
)

// caller is somebody who asks: with which fields of the request, and what they may do.
type caller struct {
	name string
	// fields are made anew for each request: one of them signs out.
	fields  func(t *testing.T, permission string) []string
	known   bool
	allowed func(permission string) bool
}

const goodPassword = "rubber duck violin 77"

// employ makes users of each role, one who is to be disabled, and one to be demoted.
func employ(t *testing.T, o *api.Options) {
	t.Helper()
	for name, role := range map[string]account.Role{"vic": account.RoleViewer, "ana": account.RoleAnalyst, "ada": account.RoleAdmin, "dis": account.RoleAdmin, "dem": account.RoleAdmin} {
		if _, _, err := o.Accounts.Create(t.Context(), account.NewUser{Name: name, Role: role, Password: goodPassword}, "test"); err != nil {
			t.Fatal(err)
		}
	}
}

// session is a cookie with its CSRF token, of a session that has just begun.
func session(t *testing.T, o *api.Options, user string) []string {
	t.Helper()
	in, err := o.Accounts.SignIn(t.Context(), user, goodPassword, "", account.Client{Address: "192.0.2.1"})
	if err != nil {
		t.Fatalf("sign in %s: %v", user, err)
	}
	return []string{"Authorization: ", "Cookie: " + wire.SessionCookie + "=" + in.Token, wire.CSRFHeader + ": " + wire.CSRFToken(in.Token)}
}

// apiToken is an API token with scopes.
func apiToken(t *testing.T, o *api.Options, user string, life time.Duration, scopes ...string) string {
	t.Helper()
	token, text, err := o.Accounts.CreateToken(t.Context(), account.NewToken{Name: "t", User: user, Scopes: scopes, For: life})
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}
	t.Cleanup(func() { _, _ = o.Accounts.RevokeToken(context.Background(), token.ID, "") })
	return text
}

// withToken is a token that takes the place of those of its user.
func withToken(t *testing.T, o *api.Options, user string, scopes ...string) []string {
	t.Helper()
	for _, old := range o.Accounts.Tokens(user) {
		if _, err := o.Accounts.RevokeToken(t.Context(), old.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	_, text, err := o.Accounts.CreateToken(t.Context(), account.NewToken{Name: "t", User: user, Scopes: scopes})
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}
	return []string{"Authorization: Bearer " + text}
}

func among(permissions []string) func(string) bool {
	return func(p string) bool { return slices.Contains(permissions, p) }
}

func nothing(string) bool { return false }

func anything(string) bool { return true }

// callers are all who may ask.
func callers(t *testing.T, o *api.Options, later *atomic.Int64) []caller {
	fixed := func(fields ...string) func(*testing.T, string) []string {
		return func(*testing.T, string) []string { return fields }
	}
	as := func(user string) func(*testing.T, string) []string {
		return func(t *testing.T, _ string) []string { return session(t, o, user) }
	}
	disabledSession, disabledToken := session(t, o, "dis"), apiToken(t, o, "dis", 0, "sessions:read")
	yes := true
	if _, _, err := o.Accounts.Change(t.Context(), "dis", kv.Any, account.Change{Disabled: &yes}, "test"); err != nil {
		t.Fatal(err)
	}
	// A token that had more than its user has now has nothing left.
	_, demoted, err := o.Accounts.CreateToken(t.Context(), account.NewToken{Name: "t", User: "dem", Scopes: []string{"users:read", "audit:read", "resources:write"}})
	if err != nil {
		t.Fatal(err)
	}
	viewer := account.RoleViewer
	if _, _, err := o.Accounts.Change(t.Context(), "dem", kv.Any, account.Change{Role: &viewer}, "test"); err != nil {
		t.Fatal(err)
	}
	expired := apiToken(t, o, "ada", time.Hour, "sessions:read", "resources:write")
	later.Store(int64(2 * time.Hour))
	return []caller{
		{"nobody", fixed("Authorization: "), false, nothing},
		{"a wrong token", fixed("Authorization: Bearer wrong"), false, nothing},
		{"half of the instance's token", fixed("Authorization: Bearer " + token[1:]), false, nothing},
		{"another scheme", fixed("Authorization: Basic " + token), false, nothing},
		{"an API token that was made up", fixed("Authorization: Bearer seshat_aaaaaaaaaaaaa_" + strings.Repeat("a", 59)), false, nothing},
		{"an expired token", fixed("Authorization: Bearer " + expired), false, nothing},
		{"a disabled user", fixed(disabledSession...), false, nothing},
		{"a token of a disabled user", fixed("Authorization: Bearer " + disabledToken), false, nothing},
		{"a wrong token beside a good cookie", func(t *testing.T, _ string) []string {
			return append(session(t, o, "ada"), "Authorization: Bearer wrong")
		}, false, nothing},
		{"a viewer", as("vic"), true, among(viewers)},
		{"an analyst", as("ana"), true, among(analysts)},
		{"an administrator", as("ada"), true, among(admins)},
		{"an administrator by bearer", func(t *testing.T, _ string) []string {
			cookie := session(t, o, "ada")[1]
			return []string{"Authorization: Bearer " + cookie[strings.IndexByte(cookie, '=')+1:]}
		}, true, among(admins)},
		{"a token without a scope left", fixed("Authorization: Bearer " + demoted), true, nothing},
		{"a token with another scope", func(t *testing.T, p string) []string {
			if p == "status:read" {
				return withToken(t, o, "ana", "sessions:read")
			}
			return withToken(t, o, "ana", "status:read")
		}, true, nothing},
		{"a token with the scope", func(t *testing.T, p string) []string {
			if p == "account:own" || p == "users:write" || p == "" || p == "*" {
				p = "status:read"
			}
			return withToken(t, o, "ada", p)
		}, true, func(p string) bool { return p != "account:own" && p != "users:write" }},
		{"the owner", fixed("Authorization: Bearer " + token), true, anything},
	}
}

// TestAuthorizationMatrix asks every operation as everybody.
func TestAuthorizationMatrix(t *testing.T) {
	var later atomic.Int64 // of those who look at the clock at the same time
	now := func() time.Time { return start.Add(time.Hour + time.Duration(later.Load())) }
	o := optionsAt(t, 2, now)
	employ(t, &o)
	all := callers(t, &o, &later)
	s := serve(t, o)
	operations := described(s)
	if want := slices.Sorted(maps.Keys(perRoute)); !slices.Equal(want, slices.Sorted(maps.Keys(operations))) {
		for pattern := range operations {
			if _, ok := perRoute[pattern]; !ok {
				t.Errorf("%s is not in the matrix: say who may use it", pattern)
			}
		}
		for _, pattern := range want {
			if _, ok := operations[pattern]; !ok {
				t.Errorf("the matrix has %s, which the API does not", pattern)
			}
		}
	}
	for pattern := range operations {
		permission := perRoute[pattern]
		method, path, _ := strings.Cut(pattern, " ")
		for _, c := range all {
			fields := append(c.fields(t, permission), "Content-Type: application/json")
			status, challenge := s.status(method, samples.Replace(path), "{}", fields...)
			switch {
			case permission == "":
				if status == http.StatusForbidden || status == http.StatusInternalServerError {
					t.Errorf("%s as %s: %d", pattern, c.name, status)
				}
			case !c.known:
				if status != http.StatusUnauthorized || !challenge {
					t.Errorf("%s as %s: %d; want 401, with a challenge (%t)", pattern, c.name, status, challenge)
				}
			case permission != "*" && !c.allowed(permission):
				if status != http.StatusForbidden {
					t.Errorf("%s as %s: %d; want 403", pattern, c.name, status)
				}
			case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusInternalServerError:
				t.Errorf("%s as %s: %d", pattern, c.name, status)
			}
		}
	}
}

// status asks, and looks at the head of the answer only: some go on for ever.
func (s *service) status(method, path, body string, fields ...string) (status int, challenge bool) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range fields {
		if name, value, _ := strings.Cut(f, ": "); value != "" {
			r.Header.Set(name, value)
		}
	}
	res, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("WWW-Authenticate") != ""
}

// TestRolesAndScopes checks the sets themselves.
func TestRolesAndScopes(t *testing.T) {
	for role, want := range map[account.Role][]string{account.RoleViewer: viewers, account.RoleAnalyst: analysts, account.RoleAdmin: admins, "": nil} {
		var got []string
		for _, p := range api.RolePermissions(role) {
			got = append(got, string(p))
		}
		slices.Sort(got)
		if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
			t.Errorf("%s: %v; want %v", role, got, want)
		}
	}
	for _, never := range []api.Permission{api.AccountOwn, api.UsersWrite} {
		if slices.Contains(api.Scopes(), never) {
			t.Errorf("a token can have %s", never)
		}
	}
	if len(api.Scopes()) != len(api.Permissions())-2 || len(admins) != len(api.Permissions()) {
		t.Errorf("%d scopes, %d permissions of administrators, %d permissions", len(api.Scopes()), len(admins), len(api.Permissions()))
	}
}
