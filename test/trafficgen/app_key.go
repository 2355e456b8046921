package main

import "fmt"

// keyApp is an API for programs, which show a key with each request and have no session but that.
type keyApp struct {
	service, host string
	header        string // that carries the key; empty for the query parameter
}

func (a *keyApp) use(g *generator) {
	g.people++
	name := fmt.Sprintf("svc-%03d", g.people)
	c := &client{g: g, ip: g.publicIP(), now: g.beginning(), user: name, label: benign, bare: true}
	c.device = device{agent: pick(g, "python-requests/2.32.5", "Go-http-client/2.0", "axios/1.12.2", "okhttp/4.12.0"), ja4: "t13d1812h1_85036bcba153_b26ce05bbdd6"}
	c.session = g.newSession(name)
	key := pick(g, "sk_live_", "key-", "") + g.text(alphanumeric, 32)
	for range g.between(10, 40) {
		k := call{service: a.service, host: a.host, path: pick(g, "/v1/stock", "/v1/orders/export", "/v1/prices"), answer: object("ok", raw("true"))}
		switch a.header {
		case "":
			k.query = "api_key=" + key
		case "Authorization":
			k.headers = [][2]string{{a.header, "ApiKey " + key}}
		default:
			k.headers = [][2]string{{a.header, key}}
		}
		c.send(k)
		c.think()
		if g.chance(0.15) {
			c.roam() // its instances have addresses of their own
		}
	}
}

// visitor is somebody without cookies and account: a feed reader, a health check, a private window.
type visitor struct{ service, host string }

func (a *visitor) use(g *generator) {
	c := g.browser("")
	c.bare, c.jar = true, nil
	for range g.between(1, 6) {
		c.send(call{service: a.service, host: a.host, path: pick(g, "/feed.xml", "/", "/about", "/news"), answer: "<!doctype html>"})
		c.think()
	}
}
