package test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The resources of the OpenID scenarios: who may use the API of the application, and that its tokens have a session.
const oidcResources = `
apiVersion: seshat/v1
kind: JWTValidation
metadata: {name: api}
spec:
  scope: {urls: ["^http://app\\.test[^/]*/api/"]}
  jwksURL: %s/jwks
  issuers: [%q]
  audiences: ["https://api.shop.example"]
  action: block
`

// provider is a real OpenID provider.
type provider struct {
	t       testing.TB
	issuer  string
	address string
	console string // the URL of a console that people sign in to; empty when there is none
	cmd     *exec.Cmd
}

// start starts it with a new key.
func (p *provider) start() {
	p.t.Helper()
	folder := filepath.Dir(filepath.Dir(component(p.t, "oidc-provider-*", "node_modules", "oidc-provider")))
	_, port, err := net.SplitHostPort(p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	out := &lines{grown: make(chan struct{}, 1)}
	p.cmd = exec.Command("node", filepath.Join("oidc", "provider.mjs"), folder, p.issuer, port, p.console)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "the provider listens", func() bool { return strings.Contains(out.String(), "listening") })
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("the provider said:\n%s", out)
		}
	})
}

func (p *provider) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// person is somebody with a browser who uses the application.
type person struct {
	t           testing.TB
	http        *http.Client
	app, issuer string
}

// shown is what a browser shows at the end of all redirects.
type shown struct {
	status int
	at     *url.URL
	body   string
}

func (p *person) do(r *http.Request) shown {
	p.t.Helper()
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	response, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return shown{response.StatusCode, response.Request.URL, string(body)}
}

func (p *person) get(address string, fields ...string) shown {
	p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return p.do(r)
}

func (p *person) post(address string, values url.Values) shown {
	p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r)
}

// submit sends the form of a page with its hidden fields, and more.
func (p *person) submit(at shown, more ...string) shown {
	p.t.Helper()
	form := regexp.MustCompile(`<form[^>]* action="([^"]+)"`).FindStringSubmatch(at.body)
	if form == nil {
		p.t.Fatalf("there is no form at %v: status %d, %s", at.at, at.status, at.body)
	}
	values := url.Values{}
	for _, hidden := range regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`).FindAllString(at.body, -1) {
		name := regexp.MustCompile(`name="([^"]*)"`).FindStringSubmatch(hidden)
		value := regexp.MustCompile(`value="([^"]*)"`).FindStringSubmatch(hidden)
		if name != nil && value != nil {
			values.Set(name[1], html.UnescapeString(value[1]))
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	action, err := at.at.Parse(html.UnescapeString(form[1]))
	if err != nil {
		p.t.Fatal(err)
	}
	return p.post(action.String(), values)
}

type oidcTokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

// tokens asks the provider for tokens.
func (p *person) tokens(values url.Values) (out oidcTokens) {
	p.t.Helper()
	values.Set("client_id", "shop")
	a := p.post(p.issuer+"/token", values)
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusOK || out.Access == "" {
		p.t.Fatalf("tokens: status %d, %s", a.status, a.body)
	}
	return out
}

// signIn leads through the authorization code flow with PKCE, and returns the tokens.
func (p *person) signIn(user string) oidcTokens {
	p.t.Helper()
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	at := p.get(p.app + "/login?challenge=" + base64.RawURLEncoding.EncodeToString(sum[:]))
	at = p.submit(at, "login", user, "password", "password-of-"+user)
	at = p.submit(at) // consent
	code := at.at.Query().Get("code")
	if at.status != http.StatusOK || code == "" {
		p.t.Fatalf("after the consent: %v, status %d, %s", at.at, at.status, at.body)
	}
	return p.tokens(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.app + "/callback"}, "code_verifier": {verifier},
	})
}

// refresh exchanges the refresh token, for an access token of a resource if one is named.
func (p *person) refresh(t oidcTokens, resource string) oidcTokens {
	p.t.Helper()
	return p.tokens(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}, "resource": {resource}})
}

// applicationOf is the client of the provider: it begins a sign-in, and has an API.
func applicationOf(issuer, app string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "connect.sid", Value: rand.Text(), Path: "/", HttpOnly: true})
		http.Redirect(w, r, issuer+"/auth?"+url.Values{
			"client_id": {"shop"}, "response_type": {"code"}, "redirect_uri": {app + "/callback"}, "state": {rand.Text()},
			"scope": {"openid offline_access email api"}, "prompt": {"consent"}, "code_challenge_method": {"S256"},
			"code_challenge": {r.FormValue("challenge")},
			"resource":       {"https://api.shop.example", "https://other.example"},
		}.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /api/me", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "you") })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a page") })
	return mux
}

// TestOpenIDProvider leads people through a sign-in at a real OpenID provider behind the gateway, beside the application that
// they sign in to: authorization code with PKCE, tokens, userinfo, refreshes, logout. Each story is one session, of the
// right user; tokens are validated against the keys that the provider publishes, also after it has others.
func TestOpenIDProvider(t *testing.T) {
	need(t, "node")
	address := freePort(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	app, issuer := "http://app.test:"+port, "http://idp.test:"+port
	application := httptest.NewServer(applicationOf(issuer, app))
	defer application.Close()
	idp := &provider{t: t, issuer: issuer, address: freePort(t)}
	idp.start()
	defer func() { idp.stop() }()
	s := fresh(t)
	g := s.serve("-c", file(t, "seshat.yaml", fmt.Sprintf(`
listen: %q
routes: [{hosts: [app.test], upstream: app}, {hosts: [idp.test], upstream: idp}]
upstreams: [{name: app, servers: [%q]}, {name: idp, servers: ["http://%s"]}]
`, address, application.URL, idp.address)))
	s.ok("apply", "-f", file(t, "api.yaml", fmt.Sprintf(oidcResources, "http://"+idp.address, issuer)))

	somebody := func() *person {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := client(t)
		c.Jar, c.CheckRedirect = jar, nil
		c.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address) // whatever the host is
		}
		return &person{t: t, http: c, app: app, issuer: issuer}
	}
	api := func(p *person, token string) shown { return p.get(app+"/api/me", "Authorization", "Bearer "+token) }

	alice := somebody()
	first := alice.signIn("alice")
	if me := alice.get(issuer+"/me", "Authorization", "Bearer "+first.Access); me.status != http.StatusOK || !strings.Contains(me.body, `"alice@shop.example"`) {
		t.Errorf("userinfo: status %d, %s", me.status, me.body)
	}
	second := alice.refresh(first, "https://api.shop.example")
	eventually(t, "the token of the API is accepted", func() bool { return api(alice, second.Access).status == http.StatusOK })
	third := alice.refresh(second, "https://api.shop.example")
	if a := api(alice, third.Access); a.status != http.StatusOK {
		t.Errorf("after a refresh: status %d, %s", a.status, a.body)
	}
	// Somebody else at the same time, from the same address with the same kind of browser.
	bob := somebody()
	bobs := bob.refresh(bob.signIn("bob"), "https://api.shop.example")
	if a := api(bob, bobs.Access); a.status != http.StatusOK {
		t.Errorf("bob's token: status %d, %s", a.status, a.body)
	}

	// Not for this API; not a token of it at all; not signed by the provider.
	fourth := alice.refresh(third, "https://other.example")
	for what, token := range map[string]string{
		"a token for another audience": fourth.Access, "an opaque token": first.Access,
		"a token with another signature": third.Access[:len(third.Access)-8] + "AAAAAAAA",
	} {
		if a := api(somebody(), token); a.status != http.StatusUnauthorized {
			t.Errorf("%s gives %d: %s", what, a.status, a.body)
		}
	}

	logout := alice.get(issuer + "/session/end?" + url.Values{
		"id_token_hint": {first.ID}, "post_logout_redirect_uri": {app + "/"},
	}.Encode())
	if end := alice.submit(logout, "logout", "yes"); end.at.String() != app+"/" && !strings.HasPrefix(end.at.String(), app+"/?") {
		t.Errorf("the logout ends at %v: status %d, %s", end.at, end.status, end.body)
	}
	g.settled()
	for user, exchanges := range map[string]int64{"alice": 20, "bob": 12} {
		found := s.sessions("user:"+user, "exchanges:>1") // the forged token, which says alice too, is a session of its own
		if len(found) != 1 {
			t.Errorf("%s has %d sessions:\n%s", user, len(found), s.ok("explore", "--since", "all", "--limit", "0", "--oldest-first",
				"--columns", "session_id,user,method,host,path,status,identifier,client_session_ids").stdout)
			continue
		}
		if found[0].Exchanges != exchanges {
			t.Errorf("%s's session has %d exchanges, not %d", user, found[0].Exchanges, exchanges)
		}
		if want := "ended"; user == "alice" && found[0].State != want {
			t.Errorf("after the logout alice's session is %s", found[0].State)
		}
		for _, row := range s.explore("user,path", "session:"+found[0].ID) {
			if row[0] != "" && row[0] != user {
				t.Errorf("%s of %s is in the session of %s", row[1], row[0], user)
			}
		}
	}
	for _, token := range []oidcTokens{first, second, third, bobs} {
		noSecrets(t, s.data, token.Access, token.Refresh)
	}
	noSecrets(t, s.data, "password-of-alice")

	// The provider starts again, with another key: old tokens are worth nothing, new ones are accepted.
	idp.stop()
	if a := api(bob, bobs.Access); a.status != http.StatusOK {
		t.Errorf("while the provider is away, a good token gives %d", a.status)
	}
	idp.start()
	carol := somebody()
	carols := carol.refresh(carol.signIn("carol"), "https://api.shop.example")
	// Tokens with keys that are not known have the keys fetched twice a minute at most.
	within(t, 40*time.Second, "a token with the new key is accepted", func() bool { return api(carol, carols.Access).status == http.StatusOK })
	eventually(t, "a token with the old key is refused", func() bool { return api(bob, bobs.Access).status == http.StatusUnauthorized })
}
