package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const accountPassword = "rubber duck violin 77"

// consoleSession is a session of the console.
type consoleSession struct {
	Token, CSRF, User, Role string
}

func postJSON[T any](t *testing.T, c *http.Client, url string, body any, want int, fields ...string) T {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, c, http.MethodPost, url, string(text), append([]string{"Content-Type", "application/json"}, fields...)...)
	if a.status != want {
		t.Fatalf("%s: %d %s; want %d", url, a.status, a.body, want)
	}
	var out T
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%s: %v\n%s", url, err, a.body)
	}
	return out
}

// codeOf is the code in a link.
func codeOf(t *testing.T, link string) string {
	t.Helper()
	_, code, found := strings.Cut(strings.TrimSpace(link), "/sign-in?code=")
	if !found || len(code) < 24 {
		t.Fatalf("no link: %s", link)
	}
	return code
}

// TestFirstAdministrator: from the link that the first start prints to a session, across restarts.
func TestFirstAdministrator(t *testing.T) {
	origin := httptest.NewServer(http.NotFoundHandler())
	defer origin.Close()
	s := fresh(t)
	c := client(t)
	g := s.serve("--upstream", origin.URL)
	old := codeOf(t, g.said(`(http://\S+/sign-in\?code=\S+)`))
	g.stop()
	g = s.serve("--upstream", origin.URL)
	code := codeOf(t, g.said(`(http://\S+/sign-in\?code=\S+)`))
	if code == old {
		t.Error("two starts print one link")
	}
	sessions := g.api + "/api/v1/console-sessions"
	request := map[string]string{"code": code, "user": "ann", "password": accountPassword}
	in := postJSON[consoleSession](t, c, sessions, request, http.StatusCreated)
	if in.User != "ann" || in.Role != "admin" {
		t.Errorf("%+v", in)
	}
	request["user"], request["code"] = "eve", old
	postJSON[any](t, c, sessions, request, http.StatusUnauthorized)

	// Commands ask the instance, and what they change holds at once.
	s.runWith("four words that nobody guesses\n", "user", "add", "bob", "--role", "viewer").want(0)
	bob := postJSON[consoleSession](t, c, sessions, map[string]string{"user": "bob", "password": "four words that nobody guesses"}, http.StatusCreated)
	me := func(token string, want int) {
		t.Helper()
		if a := ask(t, c, http.MethodGet, g.api+"/api/v1/me", "", "Authorization", "Bearer "+token); a.status != want {
			t.Errorf("%d %s; want %d", a.status, a.body, want)
		}
	}
	me(bob.Token, http.StatusOK)
	s.ok("user", "set-role", "bob", "analyst")
	me(bob.Token, http.StatusUnauthorized)
	token := strings.TrimSpace(s.ok("token", "create", "ci", "--user", "bob", "--scope", "status:read").stdout)
	me(token, http.StatusOK)

	g.kill()
	g = s.serve("--upstream", origin.URL)
	me(in.Token, http.StatusOK) // sessions outlive the instance
	me(token, http.StatusOK)
	if log := g.stderr.String(); strings.Contains(log, "sign-in?code=") {
		t.Errorf("there are users, and a link is printed:\n%s", log)
	}
	s.ok("user", "disable", "bob")
	me(token, http.StatusUnauthorized)
	reset := codeOf(t, s.ok("user", "link", "--user", "ann").stdout)
	postJSON[consoleSession](t, c, g.api+"/api/v1/console-sessions", map[string]string{"code": reset, "password": "another one of mine 5"}, http.StatusCreated)
	me(in.Token, http.StatusUnauthorized)
	if log := s.ok("audit", "--format", "ndjson", "--limit", "0").stdout; !strings.Contains(log, `"link.redeem"`) || !strings.Contains(log, `"means":"owner"`) || strings.Count(log, "\n") < 8 {
		t.Errorf("the audit log:\n%s", log)
	}
	g.stop()
	s.ok("user", "enable", "bob") // without an instance
	s.run("user", "link").want(1)
	if users := s.ok("user", "list", "--format", "json").stdout; !strings.Contains(users, `"name": "bob"`) || strings.Contains(users, "argon2") {
		t.Errorf("users: %s", users)
	}
}

// TestNoCredentialIsKeptOrShown: of passwords, tokens and codes there is nothing in any file, in the log, or in what commands
// and the audit log say.
func TestNoCredentialIsKeptOrShown(t *testing.T) {
	origin := httptest.NewServer(http.NotFoundHandler())
	defer origin.Close()
	s := fresh(t)
	c := client(t)
	held := &secrets{raw: map[string]string{
		"password": accountPassword, "second password": "second best umbrella 4", "wrong password": "not the right password", "password as name": "typed in the wrong field 9",
	}}
	g := s.launch("--verbose", "--log", "json", "run", "--api", "127.0.0.1:0", "--upstream", origin.URL)
	if log := g.stderr.String(); strings.Contains(log, "code=") {
		t.Errorf("a link in a log that is collected:\n%s", log)
	}
	api := g.api + "/api/v1"
	keep := func(place string, in consoleSession) consoleSession {
		held.raw["session of "+place], held.raw["CSRF token of "+place] = in.Token, in.CSRF
		return in
	}
	link := func(args ...string) string {
		code := codeOf(t, s.ok(append([]string{"user", "link"}, args...)...).stdout)
		held.raw["code "+fmt.Sprint(args)] = code
		return code
	}
	in := keep("a link", postJSON[consoleSession](t, c, api+"/console-sessions", map[string]string{"code": link(), "user": "ann", "password": accountPassword}, http.StatusCreated))
	keep("the owner", postJSON[consoleSession](t, c, api+"/console-sessions", map[string]string{"code": link("--owner")}, http.StatusCreated))
	in = keep("a password", postJSON[consoleSession](t, c, api+"/console-sessions", map[string]string{"user": "ann", "password": accountPassword}, http.StatusCreated, "Cookie", "__Host-seshat="+in.Token))
	link("--user", "ann") // not used
	for _, wrong := range []map[string]string{
		{"user": "ann", "password": "not the right password"},
		{"user": "typed in the wrong field 9", "password": ""},
		{"user": "typed in the wrong field 9"},
		{"code": "not the right password"},
	} {
		postJSON[any](t, c, api+"/console-sessions", wrong, http.StatusUnauthorized)
	}
	cookie := []string{"Cookie", "__Host-seshat=" + in.Token, "X-Seshat-CSRF", in.CSRF}
	token := postJSON[struct{ Token string }](t, c, api+"/tokens", map[string]any{"name": "ci", "scopes": []string{"sessions:read"}}, http.StatusCreated, cookie...).Token
	held.raw["API token"] = token
	held.raw["secret of the API token"] = token[strings.LastIndexByte(token, '_')+1:][:52]
	s.runWith("second best umbrella 4\n", "user", "add", "bob", "--role", "admin").want(0)
	for _, path := range []string{"/api/v1/sessions", "/api/v1/me", "/sign-in?code=" + held.raw["code [--user ann]"], "/"} {
		ask(t, c, http.MethodGet, g.api+path, "", "Authorization", "Bearer "+token)
		ask(t, c, http.MethodGet, g.api+path, "", cookie...)
	}
	changed := postJSON[struct {
		SignedIn consoleSession `json:"signed_in"`
	}](t, c, api+"/users/ann/password", map[string]string{"current": accountPassword, "password": "second best umbrella 4"}, http.StatusOK, cookie...)
	keep("a new password", changed.SignedIn)
	for _, args := range [][]string{{"user", "list", "--format", "json"}, {"token", "list", "--format", "json"}, {"audit", "--limit", "0", "--format", "json"}, {"status"}} {
		r := s.ok(args...)
		held.find(t, fmt.Sprint("seshat ", args), []byte(r.stdout+r.stderr))
	}
	held.find(t, "the audit log", []byte(ask(t, c, http.MethodGet, api+"/audit?limit=1000", "", "Authorization", "Bearer "+changed.SignedIn.Token).body))
	held.files(t, s.data)
	g.kill()
	held.files(t, s.data)
	held.find(t, "the log", []byte(g.stderr.String()))
}
