package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// client is one instance of a browser, an app or a program: one cookie jar, one clock. Its requests are made by
// scripts, which also decide what the server answers.
type client struct {
	g       *generator
	device  device
	ip      string
	now     time.Time
	jar     []cookie
	session *session
	user    string // of the truth; empty for somebody without an account
	label   label
	headers [][2]string // sent with every request
	bare    bool        // keeps no cookies
	page    string      // the host of the page that a browser shows, which it names to others
}

// cookie is one entry of a jar.
type cookie struct {
	domain      string // of the host that set it, or the wider one it named
	name, value string
}

// call is one request and its response.
type call struct {
	service      string
	method, host string // GET when there is no method
	path, query  string
	headers      [][2]string
	json, form   string // the body, in one of two forms
	status       int    // 200 when it is 0
	set          []string
	replies      [][2]string
	answer       string // JSON when it begins with a brace or bracket, else HTML
}

// browser is a client with an address of its own, or behind a shared one where it looks like its neighbours.
func (g *generator) browser(user string) *client {
	c := &client{g: g, device: g.device(), ip: g.publicIP(), now: g.beginning(), user: user, label: benign}
	if g.chance(0.2) {
		shared := pick(g, g.networks...)
		c.ip, c.device = shared.ip, shared.device
	}
	c.session = g.newSession(user)
	c.addNoise()
	return c
}

// app is a client that is a mobile app.
func (g *generator) app(name, user string) *client {
	c := &client{g: g, device: g.phone(name), ip: g.publicIP(), now: g.beginning(), user: user, label: benign}
	if g.chance(0.25) {
		c.ip = pick(g, g.networks...).ip
	}
	c.headers = [][2]string{{"X-Installation-Id", c.device.id}, {"X-App-Version", fmt.Sprint(c.device.version)}}
	c.session = g.newSession(user)
	return c
}

// addNoise fills the jar with cookies that outlive sessions, or are the same in many jars.
func (c *client) addNoise() {
	g := c.g
	if g.chance(0.6) {
		c.put("example", "_ga", fmt.Sprintf("GA1.1.%d.%d", g.between(1e8, 2e9), g.between(17e8, 176e7)))
	}
	if g.chance(0.4) {
		c.put("example", "_fbp", fmt.Sprintf("fb.1.%d.%d", g.between(17e8, 176e7), g.between(1e8, 1e9)))
	}
	if g.chance(0.3) {
		c.put("example", "_hjSessionUser_2290416", "eyJpZCI6Ij"+g.text(alphanumeric, 40)+"==")
	}
	if g.chance(0.5) {
		c.put("example", "cookieconsent_status", "dismiss")
	}
	if g.chance(0.4) {
		c.put("example", "ab_bucket", pick(g, "a", "b", "control"))
	}
	if g.chance(0.4) {
		c.put("example", "theme", pick(g, "dark", "light"))
	}
}

// clear empties the jar, as a private window does, and gives it noise again.
func (c *client) clear() {
	c.jar, c.page = nil, ""
	c.addNoise()
	c.restart()
}

// restart says that what comes next is a new session.
func (c *client) restart() { c.session = c.g.newSession(c.user) }

// become says that what comes next is a new session of somebody else.
func (c *client) become(user string) {
	c.user = user
	c.restart()
}

// fork is another tab: the same jar as of now, the same session, its own clock.
func (c *client) fork() *client {
	tab := *c
	tab.jar = slices.Clone(c.jar)
	tab.headers = slices.Clone(c.headers)
	return &tab
}

// thief is somebody elsewhere, now, in the victim's session.
func (c *client) thief(what label) *client {
	t := &client{g: c.g, device: c.g.device(), ip: c.g.publicIP(), now: c.now, user: c.user, session: c.session, label: what, bare: true}
	return t
}

// follow puts a thief's clock a moment after the victim's, so that the two go on side by side.
func (c *client) follow(victim *client) {
	c.now = victim.now
	c.moment()
}

// think lets the time pass that a person needs.
func (c *client) think() {
	mean := float64(c.g.pace.think)
	c.now = c.now.Add(time.Duration(mean * (0.2 + c.g.rng.ExpFloat64())))
}

// moment lets the time pass that a program needs.
func (c *client) moment() { c.now = c.now.Add(c.g.span(5*time.Millisecond, 60*time.Millisecond)) }

// roam moves to another network.
func (c *client) roam() { c.ip = c.g.publicIP() }

// put puts a cookie into the jar. An empty value removes it.
func (c *client) put(domain, name, value string) {
	i := slices.IndexFunc(c.jar, func(k cookie) bool { return k.domain == domain && k.name == name })
	switch {
	case value == "" && i >= 0:
		c.jar = slices.Delete(c.jar, i, i+1)
	case value == "":
	case i >= 0:
		c.jar[i].value = value
	default:
		c.jar = append(c.jar, cookie{domain, name, value})
	}
}

// value returns the value of the cookie that a host would be sent.
func (c *client) value(host, name string) string {
	for _, k := range c.jar {
		if k.name == name && k.sentTo(host) {
			return k.value
		}
	}
	return ""
}

func (k cookie) sentTo(host string) bool {
	return host == k.domain || strings.HasSuffix(host, "."+k.domain)
}

// keep takes over what a Set-Cookie says.
func (c *client) keep(host, line string) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	domain := host
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(attribute), "=")
		switch {
		case strings.EqualFold(key, "Domain"):
			domain = v
		case strings.EqualFold(key, "Max-Age") && v == "0":
			value = ""
		}
	}
	c.put(domain, name, value)
}

// send makes one exchange.
func (c *client) send(k call) {
	g := c.g
	x := exchange{Environment: "prod", Service: k.service, Client: address{c.ip, c.device.ja4}}
	x.Request = request{Method: k.method, Scheme: "https", Host: k.host, Path: k.path, Query: k.query, HTTPVersion: "2"}
	if x.Request.Method == "" {
		x.Request.Method = "GET"
	}
	x.Request.Headers = c.requestHeaders(&k)
	x.Request.Body = k.json + k.form
	x.Request.BodyBytes = len(x.Request.Body)

	took := g.span(time.Millisecond, 40*time.Millisecond)
	x.DurationMS = float64(took.Microseconds()) / 1000
	x.Response = response{Status: k.status, Body: k.answer, BodyBytes: len(k.answer)}
	if k.status == 0 {
		x.Response.Status = 200
	}
	kind := "text/html; charset=utf-8"
	if k.answer != "" && strings.ContainsAny(k.answer[:1], "{[") {
		kind = "application/json"
	}
	if k.answer != "" {
		x.Response.Headers = append(x.Response.Headers, [2]string{"content-type", kind})
	}
	x.Response.Headers = append(x.Response.Headers, [2]string{"server", "envoy"})
	x.Response.Headers = append(x.Response.Headers, k.replies...)
	for _, line := range k.set {
		x.Response.Headers = append(x.Response.Headers, [2]string{"set-cookie", line})
		if !c.bare {
			c.keep(k.host, line)
		}
	}
	if strings.HasPrefix(k.answer, "<") {
		c.page = k.host
	}
	x.Time = stamp(c.now)
	g.rows = append(g.rows, row{exchange: x, time: c.now, done: c.now.Add(took), session: c.session, label: c.label})
	c.now = c.now.Add(took)
}

func (c *client) requestHeaders(k *call) [][2]string {
	h := [][2]string{{"host", k.host}, {"user-agent", c.device.agent}}
	switch {
	case c.device.browser && (k.json != "" || strings.HasPrefix(k.answer, "{")):
		h = append(h, [2]string{"accept", "application/json, text/plain, */*"})
	case c.device.browser:
		h = append(h, [2]string{"accept", "text/html,application/xhtml+xml,*/*;q=0.8"})
	default:
		h = append(h, [2]string{"accept", "*/*"})
	}
	if c.device.language != "" {
		h = append(h, [2]string{"accept-language", c.device.language})
	}
	if c.device.browser {
		h = append(h, [2]string{"accept-encoding", "gzip, deflate, br, zstd"})
	}
	h = append(h, c.provenance(k)...)
	h = append(h, c.headers...)
	h = append(h, k.headers...)
	switch {
	case k.json != "":
		h = append(h, [2]string{"content-type", "application/json"})
	case k.form != "":
		h = append(h, [2]string{"content-type", "application/x-www-form-urlencoded"})
	}
	if c.g.chance(0.3) {
		h = append(h, [2]string{"x-request-id", c.g.hex(16)})
	}
	var pairs []string
	for _, kept := range c.jar {
		if kept.sentTo(k.host) {
			pairs = append(pairs, kept.name+"="+kept.value)
		}
	}
	if len(pairs) > 0 {
		h = append(h, [2]string{"cookie", strings.Join(pairs, "; ")})
	}
	return h
}

// provenance is what a browser says of the page that a request comes from (Fetch, section 3.2; Referrer Policy,
// "strict-origin-when-cross-origin").
func (c *client) provenance(k *call) [][2]string {
	switch {
	case !c.device.browser:
		return nil
	case c.page == "":
		return [][2]string{{"sec-fetch-site", "none"}}
	case c.page == k.host:
		return [][2]string{{"sec-fetch-site", "same-origin"}, {"referer", "https://" + c.page + "/"}}
	}
	h := [][2]string{{"sec-fetch-site", "same-site"}, {"referer", "https://" + c.page + "/"}}
	if !strings.HasPrefix(k.answer, "<") && (k.status == 0 || k.status == 200) || k.method != "" {
		h = append(h, [2]string{"origin", "https://" + c.page})
	}
	return h
}
