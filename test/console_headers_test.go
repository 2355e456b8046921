package test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// consoleClient is somebody who uses the console with the cookie of a session.
type consoleClient struct {
	t      *testing.T
	c      *http.Client
	g      *running
	cookie string
	csrf   string
}

// newConsoleClient signs in a new administrator.
func newConsoleClient(t *testing.T, g *running, name string) *consoleClient {
	t.Helper()
	g.runWith(accountPassword+"\n", "user", "add", name, "--role", "admin").want(0)
	c := client(t)
	in := postJSON[consoleSession](t, c, g.api+"/api/v1/console-sessions", map[string]string{"user": name, "password": accountPassword}, http.StatusCreated)
	return &consoleClient{t: t, c: c, g: g, cookie: "__Host-seshat=" + in.Token, csrf: in.CSRF}
}

func (v *consoleClient) get(path string, fields ...string) answerOf {
	v.t.Helper()
	return ask(v.t, v.c, http.MethodGet, v.g.api+path, "", append([]string{"Cookie", v.cookie}, fields...)...)
}

func (v *consoleClient) post(path string, form url.Values, fields ...string) answerOf {
	v.t.Helper()
	return ask(v.t, v.c, http.MethodPost, v.g.api+path, form.Encode(), append([]string{"Cookie", v.cookie, "Content-Type", "application/x-www-form-urlencoded"}, fields...)...)
}

// guarded fails unless an answer of the console has the fields that all have.
func guarded(t *testing.T, what string, a answerOf) {
	t.Helper()
	for field, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.header.Get(field); got != want {
			t.Errorf("%s: %d: %s is %q, want %q", what, a.status, field, got, want)
		}
	}
	policy := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: %d: the content security policy lacks %s: %q", what, a.status, want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("%s: the content security policy allows too much: %q", what, policy)
	}
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode || !strings.HasPrefix(c.Name, "__Host-") || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s: the cookie %s may be read or sent where it should not", what, c.Name)
		}
	}
}

var (
	assetAddress = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)
	postForms    = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	formField    = regexp.MustCompile(`(?s)<(?:input|button|textarea|select)\b[^>]*>`)
	attributes   = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// attributesOf are the attributes of a tag.
func attributesOf(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attributes.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// sentForm is a form of a page, as a browser would send it.
type sentForm struct {
	action string
	values url.Values
}

// formsOf are the forms of a page that change something.
func formsOf(page, path string) []sentForm {
	var out []sentForm
	for _, m := range postForms.FindAllStringSubmatch(page, -1) {
		form := attributesOf(m[1])
		if !strings.EqualFold(form["method"], "post") {
			continue
		}
		f := sentForm{form["action"], url.Values{}}
		if f.action == "" {
			f.action = path
		}
		for _, tag := range formField.FindAllString(m[2], -1) {
			a := attributesOf(tag)
			if kind := a["type"]; a["name"] == "" || (kind == "checkbox" || kind == "radio") && !strings.Contains(tag, " checked") {
				continue
			}
			if f.values.Get(a["name"]) == "" {
				f.values.Set(a["name"], a["value"])
			}
		}
		out = append(out, f)
	}
	return out
}

// TestConsoleHeaders asks for every page and asset, and sends every form as pages of others would: each is guarded, and nothing
// is changed.
func TestConsoleHeaders(t *testing.T) {
	g := hostileInstance(t)
	v := newConsoleClient(t, g, "root")
	_ = v.post("/views", url.Values{"name": {"mine"}, "page": {"sessions"}, "query": {"since=1h"}, "csrf": {v.csrf}}, "X-Seshat-CSRF", v.csrf)
	p := placesOf(t, g, "")
	assets, forms := map[string]bool{}, []sentForm{}
	for _, pattern := range addresses(t, "GET") {
		if strings.HasSuffix(pattern, "/events") {
			continue // a stream
		}
		path := p.fill(t, pattern)
		a := v.get(path)
		guarded(t, path, a)
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control is %q", path, a.header.Get("Cache-Control"))
		}
		if a.status >= http.StatusInternalServerError && !strings.HasPrefix(pattern, "/sign-in/oidc") {
			t.Errorf("%s: %d %s", path, a.status, brief(a.body))
		}
		for _, m := range assetAddress.FindAllStringSubmatch(a.body, -1) {
			assets[m[1]] = true
		}
		forms = append(forms, formsOf(a.body, path)...)
		if !strings.HasPrefix(pattern, "/sign-in") {
			out := ask(t, v.c, http.MethodGet, g.api+path, "")
			guarded(t, path+", signed out", out)
			if out.status != http.StatusSeeOther || !strings.HasPrefix(out.header.Get("Location"), "/sign-in") {
				t.Errorf("%s, signed out: %d to %q", path, out.status, out.header.Get("Location"))
			}
		}
		if other := v.get(path, "Host", "seshat.attacker.example"); other.status != http.StatusMisdirectedRequest {
			t.Errorf("%s of another host: %d", path, other.status)
		}
	}
	if len(assets) < 3 {
		t.Errorf("assets: %v", assets)
	}
	for asset := range assets {
		a := v.get(asset)
		guarded(t, asset, a)
		if a.status != http.StatusOK || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", asset, a.status, a.header)
		}
	}
	v.refused(forms, p)
}

// refused sends every form as it must not be sent.
func (v *consoleClient) refused(forms []sentForm, p places) {
	v.t.Helper()
	before := v.state()
	patterns := addresses(v.t, "POST")
	tried := map[string]bool{}
	for _, pattern := range patterns { // those that no page of this instance has a form for are sent empty
		path := p.fill(v.t, pattern)
		if !slices.ContainsFunc(forms, func(f sentForm) bool { return f.action == path }) {
			forms = append(forms, sentForm{path, url.Values{"confirm": {"yes"}}})
		}
	}
	forbidden := 0
	for _, f := range forms {
		path, _, _ := strings.Cut(f.action, "?")
		for _, pattern := range patterns {
			if p.fill(v.t, pattern) == path {
				tried[pattern] = true
			}
		}
		for name, fields := range map[string][]string{
			"without a token": {}, "with a wrong token": {"X-Seshat-CSRF", strings.Repeat("a", len(v.csrf))},
			"from another origin": {"X-Seshat-CSRF", v.csrf, "Origin", "https://evil.example"},
			"from another site":   {"X-Seshat-CSRF", v.csrf, "Sec-Fetch-Site", "cross-site"},
			"from a sibling":      {"X-Seshat-CSRF", v.csrf, "Sec-Fetch-Site", "same-site"},
			"to another host":     {"X-Seshat-CSRF", v.csrf, "Host", "seshat.attacker.example"},
		} {
			form := url.Values{}
			for k, values := range f.values {
				if k != csrfFieldName {
					form[k] = values
				}
			}
			if name == "with a wrong token" {
				form.Set(csrfFieldName, strings.Repeat("b", len(v.csrf)))
			}
			a := v.post(f.action, form, fields...)
			switch {
			case strings.HasPrefix(name, "from") && a.status != http.StatusForbidden, strings.HasPrefix(name, "to") && a.status != http.StatusMisdirectedRequest:
				v.t.Errorf("POST %s %s: %d", f.action, name, a.status)
			case a.status == http.StatusForbidden:
				forbidden++
			case path == "/sign-in" && a.status/100 != 5: // nobody has a token there yet
			case !strings.HasPrefix(name, "to"):
				v.t.Errorf("POST %s %s: %d to %q\n%s", f.action, name, a.status, a.header.Get("Location"), form.Encode())
			}
		}
	}
	for _, pattern := range patterns {
		if !tried[pattern] {
			v.t.Errorf("POST %s was not tried", pattern)
		}
	}
	if after := v.state(); after != before {
		v.t.Errorf("something was changed:\n%s\nwas\n%s", after, before)
	}
	v.t.Logf("%d forms, %d times forbidden", len(forms), forbidden)
}

// csrfFieldName is the name of the field that holds the token in forms.
const csrfFieldName = "csrf"

// state is all that the console can change.
func (v *consoleClient) state() string {
	v.t.Helper()
	var out strings.Builder
	for _, path := range []string{"/api/v1/resources", "/api/v1/users", "/api/v1/tokens?all=true", "/api/v1/denylist", "/api/v1/session-rules/order"} {
		a := v.g.owned("GET", path, "")
		if a.status != http.StatusOK {
			v.t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		out.WriteString(a.body)
	}
	a := v.get("/api/v1/views")
	if a.status != http.StatusOK {
		v.t.Fatalf("the session has ended: %d %s", a.status, a.body)
	}
	return regexp.MustCompile(`"last_(?:used|seen|sign_in)[a-z_]*":"[^"]*"`).ReplaceAllString(out.String()+a.body, "")
}

// mostBytes is what a page with all that it loads may have, when the browser has nothing of it yet.
const mostBytes = 400 << 10

// TestConsoleFirstLoad loads every page of the navigation into an empty cache: little is sent, nothing is asked of anybody
// else, and nothing moves while it loads.
func TestConsoleFirstLoad(t *testing.T) {
	g := consoleTraffic(t, 30, 10)
	b := asAdmin(t, g)
	b.visit("/sessions?since=all")
	b.until("sessions are there", `document.querySelector("tbody a[href^='/sessions/']")`)
	session := value[string](b, `document.querySelector("tbody a[href^='/sessions/']").getAttribute("href")`)
	for _, path := range []string{
		"/", "/sessions", session, "/explorer", "/explorer/groups", "/explorer/attributes", "/explorer/live", "/rules", "/rules/new", "/rules/shop", "/rules/shop/edit",
		"/context", "/context/flows", "/context/masks", "/limits", "/limits/jwt", "/limits/denylist", "/settings", "/settings/services", "/settings/storage", "/settings/users",
		"/settings/tokens", "/settings/account", "/settings/audit", "/sign-in",
	} {
		b.do("empty the cache", chromedp.ActionFunc(network.ClearBrowserCache().Do))
		b.visit(path)
		b.until(path+" is loaded", `document.readyState === "complete" && !document.querySelector(".htmx-request")`)
		entries := value[[]struct {
			Name         string
			TransferSize int
		}](b, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map(e => ({Name: e.name, TransferSize: e.transferSize}))`)
		total := 0
		for _, e := range entries {
			total += e.TransferSize
			if !strings.HasPrefix(e.Name, g.api+"/") {
				t.Errorf("%s asks %s", path, e.Name)
			}
		}
		if total > mostBytes || total < 4<<10 {
			t.Errorf("%s loads %d bytes: %v", path, total, entries)
		}
		t.Logf("%-24s %4d kB in %d requests", path, total>>10, len(entries))
		b.steady(path)
	}
}
