package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
)

// visitor looks around and never signs in.
func (c *Clients) visitor(ctx context.Context, d *client) {
	d.get(ctx, "/")
	for range 3 + d.random.IntN(8) {
		d.think(ctx, 1)
		d.get(ctx, "/products/"+strconv.Itoa(1+d.random.IntN(500)))
	}
}

// shopper begins anonymously, signs in, orders, and mostly signs out.
func (c *Clients) shopper(ctx context.Context, d *client) {
	c.visitor(ctx, d)
	d.signIn(ctx, []string{"alice", "bob", "carol", "dave"}[d.random.IntN(4)])
	forgets := c.forgets(d) // to sign out
	for range 2 + d.random.IntN(6) {
		d.think(ctx, 1)
		d.form(ctx, "/cart", "product", strconv.Itoa(1+d.random.IntN(500)))
	}
	d.think(ctx, 1)
	d.form(ctx, "/orders")
	d.think(ctx, 2)
	if !forgets {
		d.form(ctx, "/logout")
	}
}

// forgets decides whether a shopper who has signed in will not sign out. Then somebody steals the cookie, which is of use
// until the session is ended by somebody else. The first shopper does, so that it need not be waited for.
func (c *Clients) forgets(d *client) bool {
	cookie := d.cookie()
	c.mu.Lock()
	defer c.mu.Unlock()
	forgets := d.random.IntN(4) == 0 || !c.theft
	if cookie == nil || !forgets {
		return false
	}
	c.stolen, c.theft = cookie, true
	return true
}

// family shares one browser: two users, one after the other.
func (c *Clients) family(ctx context.Context, d *client) {
	for _, user := range []string{"carol", "dave"} {
		d.get(ctx, "/")
		d.signIn(ctx, user)
		for range 4 {
			d.think(ctx, 1)
			d.get(ctx, "/account")
		}
	}
}

// tokens are what the API grants.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (d *client) grant(ctx context.Context, path, body string) (t tokens) {
	status, answer := d.do(ctx, http.MethodPost, path, "application/json", body)
	if status != http.StatusOK || json.Unmarshal([]byte(answer), &t) != nil {
		return tokens{}
	}
	return t
}

// app signs in to the API and refreshes its token whenever that has lapsed.
func (c *Clients) app(ctx context.Context, d *client) {
	d.agent = app
	user := []string{"alice", "bob", "carol"}[d.random.IntN(3)]
	t := d.grant(ctx, "/api/login", `{"username":"`+user+`","password":"`+Users()[user]+`"}`)
	d.get(ctx, "/api/events", "Authorization", "Bearer "+t.Access)
	for range 40 + d.random.IntN(40) {
		d.think(ctx, 1)
		path := []string{"/api/me", "/api/search?q=tea", "/api/orders/1000"}[d.random.IntN(3)]
		if d.get(ctx, path, "Authorization", "Bearer "+t.Access) != http.StatusUnauthorized || ctx.Err() != nil {
			continue
		}
		if t = d.grant(ctx, "/api/refresh", `{"refresh_token":"`+t.Refresh+`"}`); t.Access == "" {
			return
		}
	}
}

// warehouse is a service with a key.
func (c *Clients) warehouse(ctx context.Context, d *client) {
	d.agent, d.ip = "warehouse/1.9", "192.0.2.10"
	for range 60 {
		d.think(ctx, 1)
		d.get(ctx, "/api/inventory/"+strconv.Itoa(1+d.random.IntN(500)), apiKeyName, APIKey)
	}
}
