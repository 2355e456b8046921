package main

import (
	"fmt"
	"net/url"
	"time"
)

// attackers are clients of their own, each with one session, against the sign-in, the objects and the catalogue of a
// site. Those who use something stolen are part of the applications' own scripts, where there is something to steal.

// stuffer tries one password each on many accounts. None succeeds.
type stuffer struct{ site *webApp }

func (a *stuffer) use(g *generator) {
	c := g.bot(credentialStuffing, "python-requests/2.31.0")
	for range g.between(15, 40) {
		c.send(call{
			service: a.site.service, method: "POST", host: a.site.host, path: "/login", status: 401,
			form:   url.Values{a.site.userField: {g.leakedLogin()}, "password": {g.text(alphanumeric, 9)}}.Encode(),
			answer: "<!doctype html><p>Wrong user name or password.",
		})
		c.now = c.now.Add(g.span(50*time.Millisecond, 900*time.Millisecond))
	}
}

// leakedLogin draws a name from a list of names that are not those of the site's people.
func (g *generator) leakedLogin() string {
	return g.text("abcdefghijklmnopqrstuvwxyz", g.between(4, 9)) + fmt.Sprint(g.between(1, 99))
}

// walker reads the whole catalogue: with a cookie and several addresses, or with one address and no cookie.
type walker struct{ site *webApp }

func (a *walker) use(g *generator) {
	c := g.bot(scraper, pick(g, "Scrapy/2.13 (+https://scrapy.org)", "Mozilla/5.0 (compatible; pricewatch/1.0)"))
	c.bare = g.chance(0.5)
	addresses := []string{c.ip}
	if !c.bare {
		addresses = append(addresses, g.publicIP(), g.publicIP())
	}
	for page := range g.between(20, 60) {
		c.ip = addresses[page%len(addresses)]
		k := call{service: a.site.service, host: a.site.host, path: fmt.Sprintf("/catalogue/%d", page+1), answer: "<!doctype html>"}
		if !c.bare {
			k.set = a.site.first(c)
		}
		c.send(k)
		c.now = c.now.Add(g.span(30*time.Millisecond, 300*time.Millisecond))
	}
}

// enumerator signs in with an account of its own and walks through other people's objects.
type enumerator struct{ api *tokenApp }

func (a *enumerator) use(g *generator) {
	p := g.person()
	c := g.browser(p.login)
	t := a.api.signIn(c, p)
	a.api.call(c, t, "/me")
	c.label = bolaEnumeration
	first := g.between(1000, 9000)
	for i := range g.between(20, 40) {
		if c.now.After(t.expires) {
			return
		}
		status := 200
		if g.chance(0.4) {
			status = 403
		}
		a.api.answerTo(c, t, fmt.Sprintf("/orders/%d", first+i), status)
		c.now = c.now.Add(g.span(40*time.Millisecond, 200*time.Millisecond))
	}
}

// bot is a program without account and jar noise.
func (g *generator) bot(what label, agent string) *client {
	c := &client{g: g, ip: g.publicIP(), now: g.beginning(), label: what}
	c.device = device{agent: agent, ja4: "t13d1812h1_85036bcba153_b26ce05bbdd6"}
	c.session = g.newSession("")
	return c
}
