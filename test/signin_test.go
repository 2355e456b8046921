package test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// trusting is a jar that sends secure cookies to this machine without TLS too, as browsers do: nobody is on the way.
type trusting struct{ *cookiejar.Jar }

func (j trusting) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	j.Jar.SetCookies(u, cookies)
}

// browserOf is somebody with a browser of their own who looks at a console.
func browserOf(t testing.TB, console string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t)
	c.Jar, c.CheckRedirect = trusting{jar}, nil
	return &person{t: t, http: c, app: console}
}

// cookie is the value of a cookie that the visitor's browser keeps for the console.
func (p *person) cookie(name string) string {
	p.t.Helper()
	u, err := url.Parse(p.app)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range p.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// me is who the console takes the visitor for.
type me struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	Role        string `json:"role"`
	CSRF        string `json:"csrf"`
	Status      int    `json:"status"`
}

func (p *person) me() (out me) {
	p.t.Helper()
	a := p.get(p.app + "/api/v1/me")
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		p.t.Fatalf("%v: %s", err, a.body)
	}
	return out
}

// enter signs in to the console with the provider, and shows where that leads.
func (p *person) enter(user, next string) shown {
	p.t.Helper()
	at := p.get(p.app + "/sign-in/oidc?next=" + url.QueryEscape(next))
	at = p.submit(at, "login", user, "password", "password-of-"+user)
	return p.submit(at) // consent
}

// callback signs in at the provider, and returns where it sends the browser back to, before the browser goes there.
func (p *person) callback(user string) string {
	p.t.Helper()
	back, all := "", p.http.CheckRedirect
	p.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.Path, "/sign-in/oidc/callback") {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	defer func() { p.http.CheckRedirect = all }()
	p.enter(user, "/")
	if back == "" {
		p.t.Fatal("the provider does not lead back")
	}
	return back
}

// says fails the test unless the page has the status and the texts.
func (p *person) says(at shown, status int, texts ...string) {
	p.t.Helper()
	if at.status != status {
		p.t.Errorf("%v has the status %d, not %d: %s", at.at, at.status, status, brief(at.body))
	}
	for _, text := range texts {
		if !strings.Contains(at.body, text) {
			p.t.Errorf("%v does not say %q: %s", at.at, text, brief(at.body))
		}
	}
}

// withProvider is an instance whose console people sign in to with a provider that is not started yet.
func withProvider(t testing.TB) (g *running, idp *provider) {
	t.Helper()
	need(t, "node")
	address, at := freePort(t), freePort(t)
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	idp = &provider{t: t, issuer: "http://localhost:" + port, address: at, console: "http://" + address}
	secret := file(t, "oidc.secret", "a-secret-of-the-console\n")
	g = fresh(t).launch("run", "-c", file(t, "seshat.yaml", fmt.Sprintf(`
listen: "127.0.0.1:0"
upstreams: [{name: none, servers: ["http://127.0.0.1:1"]}]
api:
  address: %q
  signIn:
    oidc:
      issuer: %s
      clientID: seshat
      clientSecretFile: %q
      name: Company SSO
      scopes: [email, profile, groups]
      roles: {claim: groups, admin: [ops], viewer: [staff]}
`, address, idp.issuer, secret)))
	return g, idp
}

// TestSignInWithOpenIDProvider leads people into the console by a real OpenID provider, and tries what must not work.
func TestSignInWithOpenIDProvider(t *testing.T) {
	g, idp := withProvider(t)
	alice := browserOf(t, g.api)
	page := alice.get(g.api + "/sign-in?next=/sessions")
	alice.says(page, http.StatusOK, "Sign in with Company SSO", `href="/sign-in/oidc?next=%2Fsessions"`)
	if strings.Contains(page.body, "<form") {
		t.Error("there is a form for a password, and nobody has one")
	}
	alice.says(alice.get(g.api+"/sign-in/oidc"), http.StatusServiceUnavailable, "The sign-in service cannot be reached")
	idp.start()
	defer idp.stop()
	eventually(t, "the provider is found", func() bool { return strings.HasPrefix(alice.get(g.api+"/sign-in/oidc").at.Path, "/interaction/") })

	// In, by the groups that the name says; the page that was wanted is there.
	at := alice.enter("ops.staff.alice", "/sessions?filter=user:x")
	if at.at.String() != g.api+"/sessions?filter=user:x" {
		t.Errorf("after the sign-in: %v, status %d: %s", at.at, at.status, brief(at.body))
	}
	who := alice.me()
	if who.Name != "ops.staff.alice@shop.example" || who.DisplayName != "ops.staff.alice of the shop" || who.Role != "admin" {
		t.Errorf("alice is %+v", who)
	}
	if alice.cookie("__Host-seshat-sign-in") != "" {
		t.Error("what the sign-in needed is still kept")
	}
	first := alice.cookie("__Host-seshat")
	bob := browserOf(t, g.api)
	bob.enter("staff.bob", "https://evil.example/")
	if who := bob.me(); who.Role != "viewer" {
		t.Errorf("bob is %+v", who)
	}

	// Nobody gives carol a role.
	carol := browserOf(t, g.api)
	carol.says(carol.enter("carol", "/"), http.StatusUnprocessableEntity, "Your account may not use this console", `href="/sign-in"`)
	if carol.cookie("__Host-seshat") != "" || carol.me().Status != http.StatusUnauthorized {
		t.Error("carol is in")
	}

	// The answer of the provider is of use in one browser, once, as it is.
	mallory, victim := browserOf(t, g.api), browserOf(t, g.api)
	answer := mallory.callback("staff.mallory")
	const foreign = "This sign-in was not begun in this browser"
	victim.says(victim.get(answer), http.StatusUnprocessableEntity, foreign) // login CSRF
	victim.get(g.api + "/sign-in/oidc")
	victim.says(victim.get(answer), http.StatusUnprocessableEntity, foreign) // with an attempt of the victim's own
	mallory.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if kept := mallory.cookie("__Host-seshat-sign-in"); kept == "" || len(kept) > 1000 {
		t.Errorf("a browser keeps %d bytes", len(kept))
	}
	changed := regexp.MustCompile(`code=[^&]+`).ReplaceAllString(answer, "code=another")
	mallory.says(mallory.get(changed), http.StatusUnprocessableEntity, "did not say who you are")
	mallory.says(mallory.get(answer), http.StatusUnprocessableEntity, foreign) // what was kept is gone
	dave := browserOf(t, g.api)
	answer = dave.callback("staff.dave")
	state := regexp.MustCompile(`state=[^&]+`).ReplaceAllString(answer, "state=another")
	kept := dave.cookie("__Host-seshat-sign-in")
	dave.says(dave.get(state), http.StatusUnprocessableEntity, foreign)
	again := func() shown {
		r, err := http.NewRequest(http.MethodGet, answer, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "__Host-seshat-sign-in", Value: kept})
		return dave.do(r)
	}
	if at := again(); at.at.Path != "/" || dave.me().Role != "viewer" {
		t.Errorf("the true answer leads to %v, status %d", at.at, at.status)
	}
	dave.says(again(), http.StatusUnprocessableEntity, "has ended already")

	// Another sign-in in the same browser ends the session before.
	at = alice.get(g.api + "/sign-in/oidc") // the provider knows her, and asks nothing
	if at.at.Path != "/" || alice.cookie("__Host-seshat") == first || alice.me().Role != "admin" {
		t.Errorf("a second sign-in leads to %v", at.at)
	}
	if a := ask(t, client(t), "GET", g.api+"/api/v1/me", "", "Cookie", "__Host-seshat="+first); a.status != http.StatusUnauthorized {
		t.Errorf("the session before the second sign-in gives %d", a.status)
	}

	// Out: here, and then at the provider.
	last := alice.cookie("__Host-seshat")
	if at := alice.post(g.api+"/sign-out", url.Values{}); alice.me().Status != 0 {
		t.Errorf("without the CSRF token the sign-out gives %d", at.status)
	}
	out, err := alice.http.PostForm(g.api+"/sign-out", url.Values{"csrf": {alice.me().CSRF}})
	if err != nil {
		t.Fatal(err)
	}
	_ = out.Body.Close()
	refresh := out.Header.Get("Refresh")
	if out.StatusCode != http.StatusOK || !strings.Contains(refresh, idp.issuer+"/session/end?client_id=seshat&post_logout_redirect_uri=") {
		t.Errorf("the sign-out: status %d, Refresh %q", out.StatusCode, refresh)
	}
	if alice.cookie("__Host-seshat") != "" || alice.me().Status != http.StatusUnauthorized {
		t.Error("alice is still in")
	}
	if a := ask(t, client(t), "GET", g.api+"/api/v1/me", "", "Cookie", "__Host-seshat="+last); a.status != http.StatusUnauthorized {
		t.Errorf("the session that was signed out of gives %d", a.status)
	}
	_, end, _ := strings.Cut(refresh, "url=")
	at = alice.submit(alice.get(end), "logout", "yes")
	if at.at.Path != "/sign-in" || at.at.Host != strings.TrimPrefix(g.api, "http://") {
		t.Errorf("after the sign-out of the provider: %v, status %d", at.at, at.status)
	}
	if at := alice.get(g.api + "/sign-in/oidc"); !strings.HasPrefix(at.at.Path, "/interaction/") {
		t.Errorf("the provider still knows alice: %v", at.at)
	}
	noSecrets(t, g.data, first, last, "a-secret-of-the-console", "password-of-")
}

// TestSignInWithPassword begins with the link of the first start, and tries what must not work.
func TestSignInWithPassword(t *testing.T) {
	g := fresh(t).serve("--upstream", "http://127.0.0.1:1")
	link := g.said(`(http://\S+/sign-in\?code=\S+)`)
	ann := browserOf(t, g.api)
	ann.says(ann.get(g.api+"/sessions"), http.StatusOK, "Nobody has an account here yet")
	at := ann.get(link)
	ann.says(at, http.StatusOK, "Create an administrator", `autocomplete="new-password"`)
	const password = "correct horse battery staple of ann"
	ann.says(ann.submit(at, "user", "ann", "password", password, "again", password+"x"), http.StatusUnprocessableEntity, "not the same")
	ann.says(ann.submit(at, "user", "an n", "password", password, "again", password), http.StatusUnprocessableEntity, "character that names do not have")
	ann.says(ann.submit(at, "user", "ann", "password", "short", "again", "short"), http.StatusUnprocessableEntity, "Password")
	in := ann.submit(at, "user", "ann", "password", password, "again", password)
	if in.at.Path != "/" || ann.me().Role != "admin" {
		t.Fatalf("the first sign-in leads to %v, status %d: %s", in.at, in.status, brief(in.body))
	}
	eve := browserOf(t, g.api)
	eve.says(eve.get(link), http.StatusUnauthorized, "good for nothing any more")

	// What a browser keeps, and what it is told.
	c := client(t)
	origin := []string{
		"Content-Type", "application/x-www-form-urlencoded", "Origin", g.api, "Sec-Fetch-Site", "same-origin", "Cookie", "__Host-seshat-probe=1",
	}
	form := url.Values{"user": {"ann"}, "password": {password}, "next": {"//evil.example"}}.Encode()
	a := ask(t, c, "POST", g.api+"/sign-in", form, origin...)
	set := a.header.Values("Set-Cookie")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a sign-in: status %d, Location %q, %q", a.status, a.header.Get("Location"), a.header)
	}
	if len(set) == 0 || !regexp.MustCompile(`^__Host-seshat=[\w-]{43}; Path=/; HttpOnly; Secure; SameSite=Lax$`).MatchString(set[0]) {
		t.Errorf("the cookie of a session: %q", set)
	}
	for what, fields := range map[string][]string{
		"another origin": {"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"another site":   {"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-site"},
		"an old browser": {"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example"},
	} {
		if a := ask(t, c, "POST", g.api+"/sign-in", form, fields...); a.status != http.StatusForbidden || a.header.Get("Set-Cookie") != "" {
			t.Errorf("a form of %s gives %d", what, a.status)
		}
	}
	// A browser that keeps no cookies is told so, once it has signed in.
	a = ask(t, c, "POST", g.api+"/sign-in", form, origin[:6]...)
	if to := a.header.Get("Location"); to != "/sign-in?kept=no&next=%2F" {
		t.Errorf("a sign-in without cookies leads to %q", to)
	}
	ann.says(browserOf(t, g.api).get(g.api+a.header.Get("Location")), http.StatusOK, "did not keep the cookie", "Safari")
	if at := ann.get(g.api + a.header.Get("Location")); at.at.Path != "/" {
		t.Errorf("who is signed in sees %v", at.at)
	}
	// The same words for a wrong password, and for nobody.
	words := func(user string) string {
		t.Helper()
		a := ask(t, c, "POST", g.api+"/sign-in", url.Values{"user": {user}, "password": {"wrong"}}.Encode(), origin...)
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, "The name or the password is wrong.") {
			t.Errorf("%s with a wrong password: status %d: %s", user, a.status, brief(a.body))
		}
		return strings.ReplaceAll(a.body, `value="`+user+`"`, "")
	}
	if words("ann") != words("bob") {
		t.Error("a page says whether there is such a user")
	}
	var limited answerOf
	for range 20 {
		if limited = ask(t, c, "POST", g.api+"/sign-in", url.Values{"user": {"bob"}, "password": {"wrong"}}.Encode(), origin...); limited.status != http.StatusUnauthorized {
			break
		}
	}
	if limited.status != http.StatusTooManyRequests || limited.header.Get("Retry-After") == "" || !strings.Contains(limited.body, "Try again in") {
		t.Errorf("after many failures: status %d, Retry-After %q: %s", limited.status, limited.header.Get("Retry-After"), brief(limited.body))
	}
	// Those who are not signed in are led to where they can be, and back.
	a = ask(t, c, "GET", g.api+"/sessions?filter=user:x", "")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/sign-in?next=%2Fsessions%3Ffilter%3Duser%3Ax" {
		t.Errorf("a page without a sign-in: %d, %q", a.status, a.header.Get("Location"))
	}
	a = ask(t, c, "GET", g.api+"/sessions", "", "HX-Request", "true")
	if a.status != http.StatusUnauthorized || a.header.Get("HX-Redirect") != "/sign-in" {
		t.Errorf("a part of a page without a sign-in: %d, %q", a.status, a.header.Get("HX-Redirect"))
	}
	noSecrets(t, g.data, password, ann.cookie("__Host-seshat"))
}
