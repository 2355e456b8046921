package test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// asks is the status that the API gives to a script of the page.
func (b *tab) asks(path string) int {
	b.t.Helper()
	return value[int](b, `(() => { const x = new XMLHttpRequest(); x.open("GET", `+script(path)+`, false); x.send(); return x.status })()`)
}

// kept is the cookie of a name that the browser keeps for the page; nil when there is none.
func (b *tab) kept(name string) (out *network.Cookie) {
	b.t.Helper()
	b.do("look at the cookies", chromedp.ActionFunc(func(ctx context.Context) error {
		cookies, err := network.GetCookies().Do(ctx)
		for _, c := range cookies {
			if c.Name == name {
				out = c
			}
		}
		return err
	}))
	return out
}

// TestSignInInABrowser is the way from the first start to a sign-out and in again, in a real browser without TLS on this machine.
func TestSignInInABrowser(t *testing.T) {
	g := fresh(t).serve("--upstream", "http://127.0.0.1:1")
	b := browse(t, g.api)
	b.visit(g.said(`(http://\S+/sign-in\?code=\S+)`))
	b.sees("Create an administrator")
	b.accessible("the first administrator")
	b.fits("the first administrator")
	const password = "correct horse battery staple of ann"
	fill := func(user string) {
		t.Helper()
		b.fill("#user", user)
		b.fill("#password", password)
		b.fill("#again", password)
		b.clickAway("main button[type=submit]")
	}
	fill("an n")
	b.sees("character that names do not have")
	b.accessible("a name that cannot be")
	fill("ann")
	b.until("the console is open", `location.pathname === "/"`)
	if status := b.asks("/api/v1/me"); status != 200 {
		t.Fatalf("the API gives %d to a page of who has just signed in", status)
	}
	// The browser takes the cookie over http from this machine, which it holds for safe, and keeps it from scripts.
	c := b.kept("__Host-seshat")
	if c == nil || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || !c.Session || c.Path != "/" || strings.HasPrefix(c.Domain, ".") {
		t.Errorf("the cookie of the session is %+v", c)
	}
	if got := value[string](b, "document.cookie"); got != "" {
		t.Errorf("scripts see %q", got)
	}
	b.visit("/sign-in?next=/settings")
	b.until("who is signed in is led on", `location.pathname !== "/sign-in"`)
	b.visit("/")
	b.click(".who summary")
	b.clickAway(`form[action="/sign-out"] button`)
	b.sees("You are signed out")
	b.accessible("signed out")
	if b.kept("__Host-seshat") != nil || b.asks("/api/v1/me") != 401 {
		t.Error("the session goes on after the sign-out")
	}
	b.visit("/sessions?filter=user:x")
	b.sees("Sign in")
	b.accessible("the sign-in")
	b.fits("the sign-in")
	b.fill("#user", "ann")
	b.fill("#password", "wrong")
	b.clickAway("main button[type=submit]")
	b.sees("The name or the password is wrong.")
	b.accessible("a wrong password")
	b.fill("#password", password)
	b.clickAway("main button[type=submit]")
	b.until("the page that was wanted is there", `location.pathname + location.search === "/sessions?filter=user:x"`)
}

// TestOpenIDProviderInABrowser signs in and out with a real provider, by clicks.
func TestOpenIDProviderInABrowser(t *testing.T) {
	g, idp := withProvider(t)
	idp.start()
	defer idp.stop()
	b := browse(t, g.api)
	b.visit("/sessions")
	b.sees("Sign in with Company SSO")
	b.accessible("the sign-in with a provider")
	b.fits("the sign-in with a provider")
	b.clickAway(`main a[href^="/sign-in/oidc"]`)
	b.fill("input[name=login]", "ops.alice")
	b.fill("input[name=password]", "password-of-alice")
	b.clickAway("button[type=submit]")
	b.clickAway("button[type=submit]") // consent
	b.until("the page that was wanted is there", `location.pathname === "/sessions"`)
	if c := b.kept("__Host-seshat-sign-in"); c != nil {
		t.Errorf("what the sign-in needed is kept: %+v", c)
	}
	b.click(".who summary")
	b.click(`form[action="/sign-out"] button`)
	b.until("the provider asks whether to sign out there too", `location.origin === `+script(idp.issuer))
	b.clickAway("button[name=logout]")
	b.until("the provider leads back", `location.origin === `+script(g.api)+` && location.pathname === "/sign-in"`)
	if status := b.asks("/api/v1/me"); status != 401 {
		t.Errorf("after the sign-out the API gives %d", status)
	}
	b.clickAway(`main a[href^="/sign-in/oidc"]`)
	b.until("the provider does not know who it is any more", `document.querySelector("input[name=login]")`)
}
