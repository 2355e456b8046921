package main

import (
	"fmt"
	"net/url"
)

// refreshBy is how a client hands its refresh token in.
type refreshBy int

const (
	refreshCookie refreshBy = iota
	refreshJSON
	refreshForm
)

// tokenApp is an API whose clients, single-page or mobile, hold tokens.
type tokenApp struct {
	service, host string
	mobile        string // the name of the app; empty for a single-page application
	style         tokenStyle
	header        string // that carries the access token; with "Bearer " when it is Authorization
	byHeader      bool   // sign-in and refresh answer with the token in a response header
	refresh       refreshBy
	rotates       bool // a refresh replaces the refresh token too
	graphQL       bool
	stormy        bool // clients refresh several times at once
	byName        bool // people sign in by name rather than by e-mail address
}

func (a *tokenApp) tokenHeader() string {
	if a.header == "Authorization" {
		return "X-Renewed-Token"
	}
	return a.header
}

// credential is the header that shows t.
func (a *tokenApp) credential(t token) [][2]string {
	if a.header == "Authorization" {
		return [][2]string{{a.header, "Bearer " + t.access}}
	}
	return [][2]string{{a.header, t.access}}
}

// use is a person with one or two devices.
func (a *tokenApp) use(g *generator) {
	p := g.person()
	a.useDevice(g, p)
	if g.chance(0.2) {
		a.useDevice(g, p)
	}
}

func (a *tokenApp) useDevice(g *generator, p person) {
	c := a.client(g, p)
	if g.chance(0.6) {
		a.call(c, token{}, "/config")
		c.moment()
	}
	t := a.signIn(c, p)
	for range g.between(1, 4) {
		t = a.work(c, p, t)
		if a.stormy || g.chance(0.15) {
			t = a.storm(c, p, t)
		}
		if g.chance(0.2) {
			c.roam()
		}
		if g.chance(0.05) {
			c.device = c.device.updated()
		}
		if g.chance(0.1) {
			thief := c.thief(stolenToken)
			for range g.between(2, 7) {
				thief.follow(c)
				a.call(thief, t, "/me/addresses")
				a.call(c, t, "/me")
				c.think()
			}
		}
	}
	if g.chance(0.5) {
		a.signOut(c, t)
		if g.chance(0.3) {
			thief := c.thief(logoutReuse)
			a.answerTo(thief, t, "/me", 401)
		}
		if g.chance(0.4) {
			other := p
			if g.chance(0.5) {
				other = g.person()
			}
			c.become(other.login)
			c.think()
			a.work(c, other, a.signIn(c, other))
		}
	}
}

func (a *tokenApp) client(g *generator, p person) *client {
	if a.mobile != "" {
		return g.app(a.mobile, p.login)
	}
	return g.browser(p.login)
}

// work calls the API, and refreshes the token or signs in again when it has lapsed.
func (a *tokenApp) work(c *client, p person, t token) token {
	g := c.g
	for range g.between(3, 9) {
		if c.now.After(t.expires) {
			switch {
			case g.chance(0.75):
				t = a.renew(c, p, t)
			case g.chance(0.5):
				t = a.lapse(c, p, t)
			default:
				t = a.refused(c, p, t)
			}
		}
		a.call(c, t, pick(g, "/me", "/catalogue", fmt.Sprintf("/orders/%d", g.between(1000, 9999)), "/basket", "/notifications"))
		c.think()
	}
	return t
}

// lapse lets the token expire. The same person comes back later and signs in again: a new session, while what a
// thief does with the old token belongs to the old one.
func (a *tokenApp) lapse(c *client, p person, t token) token {
	g := c.g
	a.call(c, t, "/me")
	thief := c.thief(expiredReplay)
	c.restart()
	c.think()
	next := a.signIn(c, p)
	if g.chance(0.3) {
		for range g.between(2, 5) {
			thief.think()
			a.call(thief, t, "/me")
		}
	}
	return next
}

// storm refreshes several times at once with the same refresh token. All succeed; the last answer counts.
func (a *tokenApp) storm(c *client, p person, t token) token {
	var last token
	latest := c.now
	tabs := make([]*client, c.g.between(2, 5))
	for i := range tabs {
		tabs[i] = c.fork() // all with what the jar holds now
	}
	for _, tab := range tabs {
		tab.moment()
		last = a.renew(tab, p, t)
		a.call(tab, last, "/me")
		if tab.now.After(latest) {
			latest = tab.now
		}
		if a.refresh == refreshCookie {
			c.put(a.host, refreshCookieName, last.refresh)
		}
	}
	c.now = latest
	return last
}

// refused is a refresh that fails: after reuse of a rotated token by a thief, or just so. A new sign-in follows.
func (a *tokenApp) refused(c *client, p person, t token) token {
	if a.rotates && c.g.chance(0.5) {
		old := t
		t = a.renew(c, p, t)
		thief := c.thief(rotatedRefreshReuse)
		for range c.g.between(1, 3) {
			thief.think()
			thief.send(a.refreshCall(thief, old, 401))
		}
		c.now = thief.now
		c.think()
	}
	c.send(a.refreshCall(c, t, 401))
	c.restart()
	c.think()
	return a.signIn(c, p)
}

// call asks for a resource. A token that has lapsed is refused.
func (a *tokenApp) call(c *client, t token, path string) {
	status := 200
	if t.access != "" && c.now.After(t.expires) {
		status = 401
	}
	a.answerTo(c, t, path, status)
}

func (a *tokenApp) answerTo(c *client, t token, path string, status int) {
	k := call{service: a.service, host: a.host, path: "/v2" + path, status: status, answer: object("ok", raw("true"))}
	if status == 401 {
		k.answer = object("error", "invalid_token")
	}
	if a.graphQL {
		k.method, k.path = "POST", "/graphql"
		k.json = object("operationName", "Query", "query", "query Query { node(path: "+fmt.Sprintf("%q", path)+") { id } }")
		k.answer = object("data", raw(object("node", raw(object("id", c.g.hex(4))))))
	}
	if t.access != "" {
		k.headers = a.credential(t)
	}
	c.send(k)
}

func (a *tokenApp) signIn(c *client, p person) token {
	t := c.g.issue(a.style, "https://"+a.host, p, c.now, nil)
	k := call{service: a.service, method: "POST", host: a.host, path: "/v2/session"}
	k.json = object("email", p.email(), "password", "pw-"+p.id)
	if a.byName {
		k.json = object("username", p.login, "password", "pw-"+p.id)
	}
	if a.graphQL {
		k.path = "/graphql"
		k.json = object("operationName", "SignIn", "query", "mutation SignIn($email: String!, $password: String!) { signIn(email: $email, password: $password) { accessToken refreshToken } }",
			"variables", raw(object("email", p.email(), "password", "pw-"+p.id)))
	}
	a.deliver(&k, t)
	c.send(k)
	c.moment()
	return t
}

const refreshCookieName = "rtk"

// deliver puts tokens into a response, wherever this API puts them.
func (a *tokenApp) deliver(k *call, t token) {
	members := []any{"token_type", "Bearer", "expires_in", 900}
	if a.byHeader {
		k.replies = append(k.replies, [2]string{a.tokenHeader(), t.access})
	} else {
		members = append(members, "accessToken", t.access)
	}
	if a.refresh == refreshCookie {
		k.set = append(k.set, refreshCookieName+"="+t.refresh+"; Path=/; HttpOnly; Secure; SameSite=Strict")
	} else {
		members = append(members, "refreshToken", t.refresh)
	}
	k.answer = object(members...)
	if a.graphQL {
		k.answer = object("data", raw(object("signIn", raw(k.answer))))
	}
}

func (a *tokenApp) renew(c *client, p person, t token) token {
	next := c.g.issue(a.style, "https://"+a.host, p, c.now, &t)
	if !a.rotates {
		next.refresh = t.refresh
	}
	k := a.refreshCall(c, t, 200)
	a.deliver(&k, next)
	c.send(k)
	c.moment()
	return next
}

// refreshCall is a request for new tokens, and the refusal when status is not 200.
func (a *tokenApp) refreshCall(c *client, t token, status int) call {
	k := call{service: a.service, method: "POST", host: a.host, path: "/v2/session/refresh", status: status}
	switch a.refresh {
	case refreshCookie:
		if c.bare || c.value(a.host, refreshCookieName) == "" {
			k.headers = [][2]string{{"cookie", refreshCookieName + "=" + t.refresh}}
		}
	case refreshJSON:
		k.json = object("refreshToken", t.refresh)
	case refreshForm:
		k.form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.refresh}}.Encode()
	}
	if status != 200 {
		k.answer = object("error", "invalid_grant")
	}
	return k
}

func (a *tokenApp) signOut(c *client, t token) {
	k := call{service: a.service, method: "DELETE", host: a.host, path: "/v2/session", status: 204, headers: a.credential(t)}
	if a.refresh == refreshCookie {
		k.set = []string{refreshCookieName + "=; Path=/; Max-Age=0"}
	}
	c.send(k)
}
