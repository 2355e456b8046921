package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"time"
)

// shopName is the shape of the sample capture: one shop with a site, an API for its mobile app and for partners,
// and a terminal in its stores. Unlike the other shapes it has a cast: its sessions are meant to be read.
const shopName = "shop"

const (
	shopSite = "www.shop.example"
	shopAPI  = "api.shop.example"
)

// shop is what the people of the sample use.
type shop struct {
	g    *generator
	site *webApp
	api  *tokenApp
}

func generateShop(seed uint64) []row {
	g := newGenerator(seed, pace{start: firstTime(), spread: 4 * time.Hour, think: 14 * time.Second, tokenLife: 10 * time.Minute})
	s := &shop{
		g: g,
		site: &webApp{
			service: "shop", host: shopSite, cookie: cookieStyle{"connect.sid", expressCookie}, anonymous: true, rotates: true,
			logout: logoutDeletes, userField: "username", pages: shopPage,
		},
		api: &tokenApp{service: "shop-api", host: shopAPI, mobile: "ShopApp", style: tokenWithSID, header: "Authorization", refresh: refreshJSON, rotates: true, byName: true},
	}
	s.stolenCookie()
	s.familyLaptop()
	s.commuter()
	s.refusedRefresh()
	s.admin()
	s.newcomer()
	s.office()
	s.enumeration()
	s.partners()
	s.terminals()
	s.bots()
	s.others()
	return g.finish()
}

// expressCookie is a value as express-session makes it: the ID and its signature.
func expressCookie(g *generator) string {
	signature := base64.StdEncoding.EncodeToString([]byte(g.text(alphanumeric, 32)))
	return "s%3A" + g.text(alphanumeric, 32) + "." + url.QueryEscape(signature)
}

func shopPage(g *generator) string {
	return pick(g, "/", "/products", fmt.Sprintf("/products/%d", g.between(1, 240)), fmt.Sprintf("/products/%d", g.between(1, 240)), "/cart", "/search", "/delivery")
}

// at is the client of a named person that begins at a time of the first hours.
func (s *shop) at(name string, after time.Duration) (*client, person) {
	c := s.g.browser(name)
	c.device, c.ip, c.now = s.g.device(), s.g.publicIP(), s.g.pace.start.Add(after)
	return c, person{id: name, login: name}
}

// page opens one page of the site.
func (s *shop) page(c *client, method, path string, status int) {
	c.send(call{service: "shop", method: method, host: shopSite, path: path, status: status, set: s.site.first(c), answer: "<!doctype html><title>Shop</title>"})
	c.think()
}

// buy puts something into the cart and pays for it.
func (s *shop) buy(c *client) {
	s.page(c, "POST", "/cart/items", 303)
	s.page(c, "GET", "/cart", 200)
	s.page(c, "GET", "/checkout", 200)
	s.page(c, "POST", "/checkout/payment", 303)
	s.page(c, "GET", fmt.Sprintf("/orders/%d", s.g.between(10400, 10900)), 200)
}

// stolenCookie: alice shops; somebody with her cookie reads her account from another network at the same time.
func (s *shop) stolenCookie() {
	c, alice := s.at("alice", 25*time.Minute)
	s.site.browse(c, 4)
	s.site.signIn(c, alice)
	s.buy(c)
	thief := c.thief(stolenCookie)
	thief.ip, thief.device = "203.0.113.66", device{agent: "curl/8.9.1", ja4: "t13d3112h1_e8f1e7e78f70_ce5650b735ce"}
	value := c.value(shopSite, "connect.sid")
	for _, path := range []string{"/account", "/account/addresses", "/account/payment-methods", "/orders", "/orders/10412", "/orders/10398"} {
		thief.follow(c)
		thief.send(call{service: "shop", host: shopSite, path: path, headers: [][2]string{{"cookie", "connect.sid=" + value}}, answer: "<!doctype html><title>Shop</title>"})
		s.site.browse(c, 1)
	}
	thief.follow(c)
	thief.send(call{service: "shop", method: "POST", host: shopSite, path: "/checkout/payment", status: 403, headers: [][2]string{{"cookie", "connect.sid=" + value}}})
	s.site.browse(c, 2)
	s.site.signOut(c)
	thief.follow(c)
	thief.label = logoutReuse
	thief.send(call{service: "shop", host: shopSite, path: "/account", status: 302, headers: [][2]string{{"cookie", "connect.sid=" + value}}})
}

// familyLaptop: bob shops and leaves the browser open; carol signs in as herself; later she signs out.
func (s *shop) familyLaptop() {
	c, bob := s.at("bob", 50*time.Minute)
	s.site.browse(c, 3)
	s.site.signIn(c, bob)
	s.buy(c)
	c.now = c.now.Add(20 * time.Minute)
	s.site.switchTo(c, person{id: "carol", login: "carol"})
	s.site.browse(c, 6)
	s.buy(c)
	s.site.signOut(c)
	c.restart()
	s.site.browse(c, 2)
}

// bursts is an app that is looked at now and then. Its token is renewed when it has lapsed.
func (s *shop) bursts(c *client, p person, t token, times int) token {
	for range times {
		c.now = c.now.Add(s.g.span(4*time.Minute, 16*time.Minute))
		if c.now.After(t.expires) {
			t = s.api.renew(c, p, t)
		}
		for range s.g.between(3, 7) {
			s.api.call(c, t, pick(s.g, "/me", "/products", fmt.Sprintf("/products/%d", s.g.between(1, 240)), "/orders", "/notifications"))
			c.now = c.now.Add(s.g.span(300*time.Millisecond, 9*time.Second))
		}
	}
	return t
}

// phone is a named person with the shop's app.
func (s *shop) phone(name string, after time.Duration) (*client, person) {
	c := s.g.app("ShopApp", name)
	c.ip, c.now = s.g.publicIP(), s.g.pace.start.Add(after)
	return c, person{id: name, login: name}
}

// commuter: dave's app goes on for hours, from home, on the train and at work, with two refreshes that race.
func (s *shop) commuter() {
	c, dave := s.phone("dave", 5*time.Minute)
	s.api.call(c, token{}, "/config")
	t := s.bursts(c, dave, s.api.signIn(c, dave), 4)
	c.roam()
	t = s.bursts(c, dave, t, 4)
	t = s.api.storm(c, dave, t)
	c.roam()
	t = s.bursts(c, dave, t, 6)
	s.api.signOut(c, t)
}

// refusedRefresh: a copy of erin's first refresh token is used after it was replaced. The API revokes the grant, so
// that erin must sign in again.
func (s *shop) refusedRefresh() {
	c, erin := s.phone("erin", 70*time.Minute)
	first := s.api.signIn(c, erin)
	t := s.api.renew(c, erin, s.bursts(c, erin, first, 4))
	thief := c.thief(rotatedRefreshReuse)
	thief.ip, thief.device = "203.0.113.131", device{agent: "python-requests/2.32.5", ja4: "t13d1812h1_85036bcba153_b26ce05bbdd6"}
	for range 2 {
		thief.send(s.api.refreshCall(thief, first, 401))
		thief.think()
	}
	c.now = t.expires.Add(time.Minute)
	c.send(s.api.refreshCall(c, t, 401))
	c.restart()
	c.think()
	s.bursts(c, erin, s.api.signIn(c, erin), 3)
}

// admin: grace runs the shop.
func (s *shop) admin() {
	c, grace := s.at("grace", 15*time.Minute)
	s.site.signIn(c, grace)
	for range 24 {
		path := pick(s.g, "/admin", "/admin/orders", fmt.Sprintf("/admin/orders/%d", s.g.between(10400, 10900)), "/admin/products", "/admin/users")
		s.page(c, pick(s.g, "GET", "GET", "GET", "POST"), path, 200)
		if s.g.chance(0.3) {
			c.now = c.now.Add(s.g.span(time.Minute, 9*time.Minute))
		}
	}
	s.site.signOut(c)
}

// newcomer: frank looks around, opens an account, buys, signs out and looks around again.
func (s *shop) newcomer() {
	c, frank := s.at("frank", 95*time.Minute)
	s.site.browse(c, 7)
	s.page(c, "GET", "/register", 200)
	form := url.Values{"username": {"frank"}, "email": {"frank@mail.example"}, "password": {"pw-frank"}}.Encode()
	c.send(call{service: "shop", method: "POST", host: shopSite, path: "/register", status: 303, form: form})
	c.moment()
	s.site.signIn(c, frank)
	s.buy(c)
	s.site.signOut(c)
	c.restart()
	s.site.browse(c, 3)
}

// office: heidi and ivan share an address and have the same browser.
func (s *shop) office() {
	shared := s.g.networks[0]
	for i, name := range []string{"heidi", "ivan"} {
		c, p := s.at(name, 60*time.Minute+time.Duration(i)*40*time.Second)
		c.ip, c.device = shared.ip, shared.device
		s.site.browse(c, 4)
		s.site.signIn(c, p)
		s.site.browse(c, 5)
		s.buy(c)
	}
}

// enumeration: mallory has an account, and reads other people's orders with it.
func (s *shop) enumeration() {
	c, mallory := s.at("mallory", 130*time.Minute)
	t := s.api.signIn(c, mallory)
	s.api.call(c, t, "/me")
	s.api.call(c, t, "/orders")
	c.label = bolaEnumeration
	for order := range 70 {
		status := 200
		if s.g.chance(0.25) {
			status = 404
		}
		s.api.answerTo(c, t, fmt.Sprintf("/orders/%d", 10400+order), status)
		c.now = c.now.Add(s.g.span(100*time.Millisecond, 500*time.Millisecond))
	}
}

// partners: two programs with keys, one of them on several machines.
func (s *shop) partners() {
	for _, partner := range []struct {
		user, agent, path string
		addresses         []string
		every             time.Duration
	}{
		{"svc-warehouse-sync", "warehouse-sync/2.4 (Go-http-client/2.0)", "/v2/stock", []string{"192.0.2.10", "192.0.2.11", "192.0.2.12"}, 80 * time.Second},
		{"svc-price-feed", "python-requests/2.32.5", "/v2/prices", []string{"198.51.100.23"}, 4 * time.Minute},
	} {
		c := &client{g: s.g, ip: partner.addresses[0], now: s.g.pace.start, user: partner.user, label: benign, bare: true}
		c.device = device{agent: partner.agent, ja4: "t13d190900_9dc949149365_97f8aa674fd9"}
		c.session = s.g.newSession(partner.user)
		key := "shop_live_" + s.g.text(alphanumeric, 32)
		for end := c.now.Add(s.g.pace.spread); c.now.Before(end); c.now = c.now.Add(partner.every) {
			c.ip = pick(s.g, partner.addresses...)
			c.send(call{service: "shop-api", host: shopAPI, path: partner.path, headers: [][2]string{{"X-Api-Key", key}}, answer: object("items", raw("[]"))})
		}
	}
}

// terminals: two stores have a terminal each, behind one address. A customer's loyalty card opens a session that only
// the header X-Loyalty-Session shows, which no framework knows: this is what a session rule is for.
func (s *shop) terminals() {
	cards := []string{"judy", "karl", "lena", "mario", "nadia", "oscar"}
	terminal := device{agent: "ShopTerminal/1.9 (Linux; armv8)", ja4: "t13d1010h2_61a7ad8aa9b6_3a8073edd8ef"}
	for i, user := range cards {
		c := &client{g: s.g, device: terminal, ip: "192.0.2.77", user: user, label: benign, bare: true}
		c.now = s.g.pace.start.Add(30*time.Minute + time.Duration(i)*100*time.Second)
		c.session = s.g.newSession(user)
		card := s.g.hex(12)
		c.send(call{
			service: "shop-api", method: "POST", host: shopAPI, path: "/v2/loyalty/sessions", status: 201,
			json: object("card", fmt.Sprintf("9280-%04d", s.g.between(1000, 9999))), answer: object("loyaltySession", card, "member", user),
		})
		for range s.g.between(5, 9) {
			c.think()
			c.send(call{
				service: "shop-api", host: shopAPI, path: pick(s.g, "/v2/loyalty/points", "/v2/loyalty/coupons", "/v2/products/17"),
				headers: [][2]string{{"X-Loyalty-Session", card}}, answer: object("member", user),
			})
		}
	}
}

// bots: a scraper, and somebody who tries leaked passwords.
func (s *shop) bots() {
	c := s.g.bot(scraper, "Mozilla/5.0 (compatible; pricewatch/1.0)")
	c.ip, c.bare, c.now = "203.0.113.200", true, s.g.pace.start.Add(110*time.Minute)
	for product := range 120 {
		c.send(call{service: "shop", host: shopSite, path: fmt.Sprintf("/products/%d", product+1), answer: "<!doctype html><title>Shop</title>"})
		c.now = c.now.Add(s.g.span(200*time.Millisecond, 700*time.Millisecond))
	}
	c = s.g.bot(credentialStuffing, "python-requests/2.31.0")
	c.ip, c.now = "203.0.113.9", s.g.pace.start.Add(150*time.Minute)
	c.bare = true
	for range 140 {
		form := url.Values{"username": {s.g.leakedLogin()}, "password": {s.g.text(alphanumeric, 9)}}.Encode()
		c.send(call{service: "shop", method: "POST", host: shopSite, path: "/login", status: 401, form: form, answer: "<!doctype html><p>Wrong user name or password."})
		c.now = c.now.Add(s.g.span(300*time.Millisecond, 2*time.Second))
	}
}

// others are who else was there.
func (s *shop) others() {
	names := []string{
		"paula", "quentin", "rosa", "samir", "tess", "umberto", "vera", "walter", "xenia", "yusuf", "zoe", "amir", "bella",
		"cyril", "daria", "elias", "freya", "gustav", "helena", "igor", "jana", "kofi", "lucia", "marek", "nina", "omar",
	}
	for i, name := range names {
		after := s.g.span(0, s.g.pace.spread)
		if i%4 == 3 {
			c, p := s.phone(name, after)
			s.bursts(c, p, s.api.signIn(c, p), s.g.between(2, 5))
			continue
		}
		c, p := s.at(name, after)
		s.site.browse(c, s.g.between(2, 6))
		s.site.signIn(c, p)
		s.site.browse(c, s.g.between(1, 5))
		if s.g.chance(0.6) {
			s.buy(c)
		}
		if s.g.chance(0.5) {
			s.site.signOut(c)
		}
	}
	for range 30 { // visitors who never sign in
		c := s.g.browser("")
		s.site.browse(c, s.g.between(1, 8))
	}
}
