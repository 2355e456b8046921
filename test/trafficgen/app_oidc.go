package main

import (
	"fmt"
	"net/url"
	"time"
)

// oidcApp is an application that signs in at an identity provider on another host, by the authorization code flow.
type oidcApp struct {
	service, idp string // services
	provider     string // host of the identity provider
	app, api     string // hosts of the application and its API
	ssoCookie    string
	pending      string // cookie of an interaction that is going on
	style        tokenStyle
	// backend says that the application's own server holds the tokens and makes the API calls (BFF). The browser
	// has a cookie of that server.
	backend       bool
	backendCookie string
}

func (g *generator) oidcApp(name string, backend bool) *oidcApp {
	sso := pick(g, [2]string{"idp.sid", "idp.flow"}, [2]string{"SSOSESSION", "SSOTX"}, [2]string{"idsrv.session", "idsrv.tx"})
	return &oidcApp{
		service: name, idp: name + "-login",
		provider: "login." + name + ".example", app: "my." + name + ".example", api: "api." + name + ".example",
		ssoCookie: sso[0], pending: sso[1],
		style:   pick(g, tokenWithSID, tokenWithJTI, opaqueToken),
		backend: backend, backendCookie: pick(g, "__Host-portal", "portal_session", "bff_sess"),
	}
}

// signedIn is what the client holds after the flow.
type signedIn struct {
	token  token
	server *client // that makes the API calls: the client itself, or the application's server
}

func (a *oidcApp) use(g *generator) {
	p := g.person()
	c := g.browser(p.login)
	a.home(c)
	s := a.signIn(c, p, true)
	for range g.between(1, 4) {
		s = a.work(c, p, s)
		if g.chance(0.2) {
			c.roam()
			if !a.backend {
				s.server = c
			}
		}
		if g.chance(0.1) {
			a.steal(c, s)
		}
	}
	if g.chance(0.5) {
		a.signOut(c)
		if g.chance(0.4) {
			other := p
			if g.chance(0.5) {
				other = g.person()
			}
			c.become(other.login)
			c.think()
			a.home(c)
			a.work(c, other, a.signIn(c, other, true))
		}
	}
}

func (a *oidcApp) home(c *client) {
	c.send(call{service: a.service, host: a.app, path: "/", answer: "<!doctype html><div id=app></div>"})
	c.moment()
}

// signIn goes through the code flow. Without form, the provider's own cookie still lives and it asks for no password.
func (a *oidcApp) signIn(c *client, p person, form bool) signedIn {
	g := c.g
	state, code, callback := g.text(alphanumeric, 22), g.text(alphanumeric, 43), "/signed-in"
	if a.backend {
		callback = "/auth/callback"
		c.send(call{service: a.service, host: a.app, path: "/auth/start", status: 302, replies: a.to("https://" + a.provider + "/authorize?state=" + state)})
		c.moment()
	}
	authorize := url.Values{
		"response_type": {"code"}, "client_id": {"portal"}, "scope": {"openid offline_access"}, "state": {state},
		"redirect_uri": {"https://" + a.app + callback}, "code_challenge": {g.text(alphanumeric, 43)}, "code_challenge_method": {"S256"},
	}
	back := "https://" + a.app + callback + "?code=" + code + "&state=" + state
	k := call{service: a.idp, host: a.provider, path: "/authorize", query: authorize.Encode(), status: 302, replies: a.to(back)}
	if form {
		flow := g.text(alphanumeric, 24)
		k.set, k.replies = []string{a.pending + "=" + flow + "; Path=/; HttpOnly; Secure"}, a.to("/sign-in/"+flow)
		c.send(k)
		c.moment()
		c.send(call{service: a.idp, host: a.provider, path: "/sign-in/" + flow, answer: "<!doctype html><form method=post>"})
		c.think()
		c.send(call{
			service: a.idp, method: "POST", host: a.provider, path: "/sign-in/" + flow, status: 302, replies: a.to(back),
			form: url.Values{"username": {p.login}, "password": {"pw-" + p.id}}.Encode(),
			set:  []string{a.pending + "=; Path=/; Max-Age=0", a.ssoCookie + "=" + g.text(alphanumeric, 36) + "; Path=/; HttpOnly; Secure"},
		})
	} else {
		c.send(k)
	}
	c.moment()

	k = call{service: a.service, host: a.app, path: callback, query: url.Values{"code": {code}, "state": {state}}.Encode()}
	if !a.backend {
		k.answer = "<!doctype html><div id=app></div>"
		c.send(k)
		c.moment()
		return signedIn{a.redeem(c, p, code), c}
	}
	// The server redeems the code before it answers the browser.
	server := a.server(c)
	t := a.redeem(server, p, code)
	k.status, k.replies = 302, a.to("/")
	k.set = []string{a.backendCookie + "=" + g.text(alphanumeric, 40) + "; Path=/; HttpOnly; Secure; SameSite=Lax"}
	c.send(k)
	c.now = server.now
	return signedIn{t, server}
}

func (a *oidcApp) to(location string) [][2]string { return [][2]string{{"location", location}} }

// server is the application's server, which is the same machine for everybody, in c's session.
func (a *oidcApp) server(c *client) *client {
	s := &client{g: c.g, device: device{agent: "portal-backend/3.2 (node 22)"}, ip: "10.20.0.11", now: c.now.Add(3 * time.Millisecond), user: c.user, session: c.session, label: c.label, bare: true}
	return s
}

func (a *oidcApp) redeem(c *client, p person, code string) token {
	t := c.g.issue(a.style, "https://"+a.provider, p, c.now, nil)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://" + a.app}, "client_id": {"portal"}, "code_verifier": {c.g.text(alphanumeric, 64)}}
	a.tokenRequest(c, p, form, &t)
	return t
}

// tokenRequest asks the token endpoint. Without t it is refused.
func (a *oidcApp) tokenRequest(c *client, p person, form url.Values, t *token) {
	k := call{service: a.idp, method: "POST", host: a.provider, path: "/token", form: form.Encode()}
	if t == nil {
		k.status, k.answer = 400, object("error", "invalid_grant")
	} else {
		id := c.g.jwt("iss", "https://"+a.provider, "sub", p.id, "aud", "portal", "sid", t.sid, "email", p.email(), "exp", t.expires.Unix())
		k.answer = object("access_token", t.access, "refresh_token", t.refresh, "id_token", id, "token_type", "Bearer",
			"expires_in", int(t.expires.Sub(c.now).Seconds()))
	}
	c.send(k)
	c.moment()
}

// work uses the API, renews the tokens and, when that is refused, signs in again.
func (a *oidcApp) work(c *client, p person, s signedIn) signedIn {
	g := c.g
	for range g.between(3, 8) {
		if c.now.After(s.token.expires) {
			s = a.renew(c, p, s)
		}
		path := pick(g, "/profile", "/invoices", fmt.Sprintf("/invoices/%d", g.between(100, 999)), "/messages")
		a.call(c, s, path)
		c.think()
	}
	return s
}

func (a *oidcApp) call(c *client, s signedIn, path string) {
	k := call{service: a.service, host: a.api, path: "/v1" + path, headers: [][2]string{{"Authorization", "Bearer " + s.token.access}}, answer: object("ok", raw("true"))}
	if !a.backend {
		c.send(k)
		return
	}
	began := c.now
	s.server.now, s.server.session = began.Add(2*time.Millisecond), c.session
	s.server.send(k)
	c.send(call{service: a.service, host: a.app, path: "/bff" + path, answer: k.answer})
	if s.server.now.After(c.now) {
		c.now = s.server.now
	}
}

func (a *oidcApp) renew(c *client, p person, s signedIn) signedIn {
	g := c.g
	s.server.now, s.server.session = c.now, c.session
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.token.refresh}, "client_id": {"portal"}}
	if g.chance(0.15) {
		// Refused. The provider's cookie still lives, so that signing in needs no password; it is a new session all
		// the same.
		a.tokenRequest(s.server, p, form, nil)
		c.now = s.server.now
		c.restart()
		c.think()
		return a.signIn(c, p, g.chance(0.5))
	}
	next := g.issue(a.style, "https://"+a.provider, p, c.now, &s.token)
	a.tokenRequest(s.server, p, form, &next)
	c.now = s.server.now
	s.token = next
	return s
}

// steal is a thief with what the browser shows: the token, or the cookie of the application's server.
func (a *oidcApp) steal(c *client, s signedIn) {
	if a.backend {
		thief := c.thief(stolenCookie)
		for range c.g.between(2, 6) {
			thief.follow(c)
			thief.send(call{
				service: a.service, host: a.app, path: "/bff/profile", answer: object("ok", raw("true")),
				headers: [][2]string{{"cookie", a.backendCookie + "=" + c.value(a.app, a.backendCookie)}},
			})
			c.think()
		}
		return
	}
	thief := c.thief(stolenToken)
	for range c.g.between(2, 6) {
		thief.follow(c)
		if thief.now.After(s.token.expires) {
			return
		}
		a.call(thief, s, "/profile")
		a.call(c, s, "/messages")
		c.think()
	}
}

func (a *oidcApp) signOut(c *client) {
	if a.backend {
		c.send(call{
			service: a.service, host: a.app, path: "/auth/logout", status: 302, replies: a.to("https://" + a.provider + "/logout"),
			set: []string{a.backendCookie + "=; Path=/; Max-Age=0"},
		})
		c.moment()
	}
	c.send(call{
		service: a.idp, host: a.provider, path: "/logout", query: url.Values{"client_id": {"portal"}, "state": {c.g.hex(4)}}.Encode(),
		status: 302, replies: a.to("https://" + a.app + "/"), set: []string{a.ssoCookie + "=; Path=/; Max-Age=0"},
	})
}
