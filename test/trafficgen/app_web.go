package main

import (
	"fmt"
	"net/url"
)

// logoutKind is what a server does when somebody signs out.
type logoutKind int

const (
	logoutDeletes logoutKind = iota // the response deletes the cookie
	logoutRotates                   // the response sets a new, anonymous one
	logoutKeeps                     // the server forgets; the cookie stays as it is
)

// webApp is a site that keeps its session in a cookie and renders pages.
type webApp struct {
	service, host string
	cookie        cookieStyle
	anonymous     bool // visitors get a cookie before they sign in
	rotates       bool // signing in changes the cookie
	logout        logoutKind
	userField     string // of the sign-in form
	pages         func(g *generator) string
}

func (g *generator) webApp(name string, cookie cookieStyle) *webApp {
	return &webApp{
		service:   name,
		host:      "www." + name + ".example",
		cookie:    cookie,
		anonymous: g.chance(0.7),
		rotates:   g.chance(0.7),
		logout:    pick(g, logoutDeletes, logoutRotates, logoutKeeps),
		userField: pick(g, "username", "email", "login", "user[login]"),
		pages:     catalogue,
	}
}

// catalogue draws the path of a page.
func catalogue(g *generator) string {
	return pick(g, "/", "/catalogue", fmt.Sprintf("/catalogue/%d", g.between(1, 400)), "/basket", "/help", fmt.Sprintf("/orders/%d", g.between(1000, 9999)))
}

// use is a person with a browser: visits, perhaps with a sign-in, and what goes wrong with them.
func (a *webApp) use(g *generator) {
	p := g.person()
	c := g.browser(p.login)
	a.browse(c, g.between(1, 4))
	if g.chance(0.3) {
		return // never signs in
	}
	a.signIn(c, p)
	a.browse(c, g.between(2, 5))
	a.happenings(c)
	a.browse(c, g.between(2, 6))
	switch {
	case g.chance(0.5):
		a.leave(c, p)
	case g.chance(0.15):
		// Somebody else at the same browser signs in without the first one signing out.
		other := g.person()
		a.switchTo(c, other)
		a.browse(c, g.between(2, 6))
	case g.chance(0.3):
		c.clear()
		a.browse(c, g.between(1, 3))
	}
}

// leave signs out, after which the same jar may go on, as the same person or another.
func (a *webApp) leave(c *client, p person) {
	g := c.g
	old := c.value(a.host, a.cookie.name)
	a.signOut(c)
	if g.chance(0.2) {
		thief := c.thief(logoutReuse)
		for range g.between(2, 6) {
			thief.think()
			a.replay(thief, old, 302)
		}
	}
	if !g.chance(0.6) {
		return
	}
	if g.chance(0.4) {
		p = g.person()
		c.user = p.login
	}
	c.restart()
	c.think()
	a.browse(c, g.between(1, 3))
	if g.chance(0.6) {
		a.signIn(c, p)
		a.browse(c, g.between(2, 5))
	}
}

// happenings are what does not end a session: another address, an update, parallel tabs; and a thief.
func (a *webApp) happenings(c *client) {
	g := c.g
	if g.chance(0.25) {
		c.roam()
	}
	if g.chance(0.08) {
		c.device = c.device.updated()
	}
	if g.chance(0.3) {
		latest := c.now
		for range g.between(1, 3) {
			tab := c.fork()
			tab.moment()
			a.browse(tab, g.between(1, 3))
			if tab.now.After(latest) {
				latest = tab.now
			}
		}
		c.now = latest
	}
	if g.chance(0.12) {
		thief := c.thief(stolenCookie)
		cookie := c.value(a.host, a.cookie.name)
		for range g.between(3, 8) {
			thief.follow(c)
			a.replay(thief, cookie, 200)
			a.browse(c, 1)
		}
	}
}

// first returns the Set-Cookie lines of a response to a request without a session cookie.
func (a *webApp) first(c *client) []string {
	if !a.anonymous || c.value(a.host, a.cookie.name) != "" {
		return nil
	}
	return []string{a.setCookie(c.g)}
}

func (a *webApp) setCookie(g *generator) string {
	return a.cookie.name + "=" + a.cookie.value(g) + "; Path=/; HttpOnly; Secure; SameSite=Lax"
}

func (a *webApp) open(c *client, path string) {
	c.send(call{service: a.service, host: a.host, path: path, set: a.first(c), answer: "<!doctype html><title>" + a.service + "</title>"})
}

func (a *webApp) browse(c *client, pages int) {
	g := c.g
	for range pages {
		a.open(c, a.pages(g))
		if g.chance(0.4) {
			c.moment()
			c.send(call{service: a.service, host: a.host, path: "/assets/site.css", set: a.first(c)})
		}
		c.think()
	}
}

func (a *webApp) signIn(c *client, p person) {
	if c.g.chance(0.8) {
		a.open(c, "/login")
		c.think()
	}
	a.submit(c, p)
}

// switchTo signs in as somebody else where somebody is signed in. The form still belongs to the old session.
func (a *webApp) switchTo(c *client, other person) {
	a.open(c, "/login")
	c.think()
	c.become(other.login)
	a.submit(c, other)
}

// submit sends the sign-in form.
func (a *webApp) submit(c *client, p person) {
	k := call{service: a.service, method: "POST", host: a.host, path: "/login", status: 303, replies: [][2]string{{"location", "/account"}}}
	k.form = url.Values{a.userField: {p.login}, "password": {"pw-" + p.id}}.Encode()
	if a.rotates || c.value(a.host, a.cookie.name) == "" {
		k.set = []string{a.setCookie(c.g)}
	}
	c.send(k)
	c.moment()
	a.open(c, "/account")
	c.think()
}

func (a *webApp) signOut(c *client) {
	k := call{service: a.service, method: "POST", host: a.host, path: "/logout", status: 303, replies: [][2]string{{"location", "/"}}}
	switch a.logout {
	case logoutDeletes:
		k.set = []string{a.cookie.name + "=; Path=/; Max-Age=0"}
	case logoutRotates:
		k.set = []string{a.setCookie(c.g)}
	case logoutKeeps:
	}
	c.send(k)
	c.think()
}

// replay is a request with a cookie from elsewhere.
func (a *webApp) replay(c *client, value string, status int) {
	k := call{service: a.service, host: a.host, path: pick(c.g, "/account", "/orders", "/account/addresses"), status: status}
	k.headers = [][2]string{{"cookie", a.cookie.name + "=" + value}}
	c.send(k)
}
