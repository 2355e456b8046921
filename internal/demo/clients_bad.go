package demo

import (
	"context"
	"net/http"
	"strconv"
)

// ThiefAddress is in a network that nobody else comes from.
const ThiefAddress = "203.0.113.66"

// thief uses the cookie of somebody who did not sign out, from another network and another browser, for as long as it is
// of use.
func (c *Clients) thief(ctx context.Context, d *client) {
	d.think(ctx, 5)
	c.mu.Lock()
	cookie := c.stolen
	c.stolen = nil
	c.mu.Unlock()
	if cookie == nil {
		return
	}
	d.agent, d.ip, d.http.Jar = "python-requests/2.32", ThiefAddress, nil
	for ctx.Err() == nil {
		if d.get(ctx, "/account", "Cookie", cookieName+"="+cookie.Value) == http.StatusUnauthorized {
			return
		}
		d.think(ctx, 2)
	}
}

// stuffer tries passwords that leaked elsewhere.
func (c *Clients) stuffer(ctx context.Context, d *client) {
	d.agent, d.ip = "Go-http-client/1.1", "198.51.100.77"
	d.think(ctx, 15)
	for n := range 30 {
		d.think(ctx, 0.2)
		d.http.Jar = nil
		d.form(ctx, "/login", "username", "customer"+strconv.Itoa(d.random.IntN(1000)), "password", "leaked-"+strconv.Itoa(n))
	}
}

// enumerator is signed in and tries the orders of others.
func (c *Clients) enumerator(ctx context.Context, d *client) {
	d.agent, d.ip = "curl/8.14.1", "198.51.100.13"
	d.think(ctx, 10)
	t := d.grant(ctx, "/api/login", `{"username":"erin","password":"`+Users()["erin"]+`"}`)
	for n := range 60 {
		d.think(ctx, 0.2)
		if d.get(ctx, "/api/orders/"+strconv.Itoa(firstOrder+n), "Authorization", "Bearer "+t.Access) == http.StatusUnauthorized {
			return
		}
	}
}

// inventor makes up a new session for every request, so that limits on sessions would not find it.
func (c *Clients) inventor(ctx context.Context, d *client) {
	d.agent, d.ip, d.http.Jar = "python-requests/2.32", "203.0.113.99", nil
	d.think(ctx, 10)
	for range 120 {
		d.think(ctx, 0.1)
		d.get(ctx, "/api/search?q=cheap", "Cookie", cookieName+"="+random())
	}
}
