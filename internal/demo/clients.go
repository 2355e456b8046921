package demo

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Clients are everybody who uses the shop, and some who abuse it.
type Clients struct {
	// Base is where the gateway is, such as http://127.0.0.1:8080.
	Base string
	// Pace is how long a client thinks between two requests, on average.
	Pace time.Duration
	// Seed makes the same clients do the same.
	Seed uint64

	mu     sync.Mutex
	stolen *http.Cookie // of a shopper who did not sign out
	theft  bool         // there was one
}

// Run lets all clients work until ctx ends.
func (c *Clients) Run(ctx context.Context) {
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	var all sync.WaitGroup
	for i, kind := range []struct {
		name string
		live func(context.Context, *client)
	}{
		{"visitor", c.visitor},
		{"visitor", c.visitor},
		{"shopper", c.shopper},
		{"shopper", c.shopper},
		{"shopper", c.shopper},
		{"family", c.family},
		{"app", c.app},
		{"app", c.app},
		{"warehouse", c.warehouse},
		{"thief", c.thief},
		{"stuffer", c.stuffer},
		{"enumerator", c.enumerator},
		{"inventor", c.inventor},
	} {
		all.Go(func() {
			for n := uint64(0); ctx.Err() == nil; n++ {
				who := c.newClient(transport, uint64(i), n)
				kind.live(ctx, who)
				who.think(ctx, 3)
			}
		})
	}
	all.Wait()
}

// client is one device.
type client struct {
	http   *http.Client
	base   string
	agent  string
	ip     string
	random *rand.Rand
	pace   time.Duration
}

// The user agents of the demo's devices.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
	app     = "ShopApp/4.2 (Android 15)"
)

func (c *Clients) newClient(transport http.RoundTripper, kind, n uint64) *client {
	random := rand.New(rand.NewPCG(c.Seed, kind<<32|n)) //nolint:gosec // a play has no secrets
	jar, _ := cookiejar.New(nil)                        // it fails only for options that are wrong
	return &client{
		http: &http.Client{
			Transport: transport, Jar: jar, Timeout: 30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return nil },
		},
		base: c.Base, agent: []string{firefox, safari, chrome}[random.IntN(3)], random: random, pace: c.Pace,
		// The networks for documentation (RFC 5737).
		ip: [...]string{"192.0.2.", "198.51.100.", "203.0.113."}[random.IntN(3)] + itoa(101+random.IntN(150)),
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// think waits some multiple of the pace.
func (d *client) think(ctx context.Context, times float64) {
	timer := time.NewTimer(time.Duration((0.3 + 1.4*d.random.Float64()) * times * float64(d.pace)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// maxAnswer is how much of an answer a client reads.
const maxAnswer = 1 << 20

// do sends a request and returns status and body; 0 when it could not.
func (d *client) do(ctx context.Context, method, path, contentType, body string, fields ...string) (int, string) {
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	r.Host = Host
	r.Header.Set("User-Agent", d.agent)
	r.Header.Set("X-Forwarded-For", d.ip)
	r.Header.Set("X-Forwarded-Proto", "https")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response, err := d.http.Do(r)
	if err != nil {
		d.think(ctx, 5)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, string(answer)
}

func (d *client) get(ctx context.Context, path string, fields ...string) int {
	status, _ := d.do(ctx, http.MethodGet, path, "", "", fields...)
	return status
}

func (d *client) form(ctx context.Context, path string, fields ...string) int {
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	status, _ := d.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", values.Encode())
	return status
}

func (d *client) signIn(ctx context.Context, user string) int {
	return d.form(ctx, "/login", "username", user, "password", Users()[user])
}

// cookie is the session cookie that the client has; nil when there is none. The jar keeps it for the host that was asked
// for, wherever the connection led.
func (d *client) cookie() *http.Cookie {
	for _, cookie := range d.http.Jar.Cookies(&url.URL{Scheme: "http", Host: Host, Path: "/"}) {
		if cookie.Name == cookieName {
			return cookie
		}
	}
	return nil
}

// Host is what clients ask for.
const Host = "shop.example"
