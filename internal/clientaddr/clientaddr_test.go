package clientaddr

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
)

func resolver(t testing.TB, config Config, trusted ...string) *Resolver {
	t.Helper()
	for _, text := range trusted {
		p, err := ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		config.Trusted = append(config.Trusted, p)
	}
	r, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fields reads "Name: value" lines.
func fields(lines ...string) []seshat.Field {
	var out []seshat.Field
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		out = append(out, seshat.Field{Name: name, Value: strings.TrimSpace(value)})
	}
	return out
}

func resolve(r *Resolver, peer string, header []seshat.Field) Client {
	var c Client
	r.Resolve(Connection{Peer: netip.MustParseAddr(peer), Host: "shop.example"}, header, &c)
	return c
}

func TestXForwardedFor(t *testing.T) {
	r := resolver(t, Config{}, "10.0.0.0/8", "2001:db8:1::/48", "::ffff:192.168.0.0/112")
	f := func(peer, want, proxies string, lines ...string) {
		t.Helper()
		c := resolve(r, peer, fields(lines...))
		var got []string
		for _, p := range c.Proxies {
			got = append(got, p.String())
		}
		if c.IP.String() != want || strings.Join(got, " ") != proxies {
			t.Errorf("peer %s, %q: client %s by %q, want %s by %q", peer, lines, c.IP, got, want, proxies)
		}
	}
	f("203.0.113.9", "203.0.113.9", "")
	f("203.0.113.9", "203.0.113.9", "", "X-Forwarded-For: 1.2.3.4")
	f("::ffff:203.0.113.9", "203.0.113.9", "", "X-Forwarded-For: 1.2.3.4")
	f("10.0.0.1", "10.0.0.1", "")
	f("10.0.0.1", "203.0.113.9", "10.0.0.1", "X-Forwarded-For: 203.0.113.9")
	f("::ffff:10.0.0.1", "203.0.113.9", "10.0.0.1", "X-Forwarded-For: 203.0.113.9")
	f("192.168.0.7", "203.0.113.9", "192.168.0.7", "X-Forwarded-For: 203.0.113.9")
	f("10.0.0.1", "203.0.113.9", "10.0.0.1", "X-Forwarded-For: 6.6.6.6, 203.0.113.9")
	f("10.0.0.1", "203.0.113.9", "10.0.0.2 10.0.0.1", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2")
	f("10.0.0.1", "203.0.113.9", "10.0.0.2 10.0.0.1", "X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 203.0.113.9 ,10.0.0.2")
	f("10.0.0.1", "10.0.0.3", "10.0.0.2 10.0.0.1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2") // all of them ours
	f("10.0.0.1", "203.0.113.9", "10.0.0.1", "X-Forwarded-For: 203.0.113.9:4711")
	f("10.0.0.1", "2001:db8::9", "10.0.0.1", "X-Forwarded-For: 2001:db8::9")
	f("10.0.0.1", "2001:db8::9", "10.0.0.1", "X-Forwarded-For: [2001:db8::9]")
	f("10.0.0.1", "2001:db8::9", "2001:db8:1::1 10.0.0.1", "X-Forwarded-For: [2001:db8::9]:443, [2001:db8:1::1]:1")
	f("10.0.0.1", "203.0.113.9", "10.0.0.1", "X-Forwarded-For: , 203.0.113.9, ,")
	f("10.0.0.1", "203.0.113.9", "10.0.0.1", "X-Forwarded-For: ::ffff:203.0.113.9")
	// What names nobody ends the walk at the proxy that wrote it.
	f("10.0.0.1", "10.0.0.1", "", "X-Forwarded-For: 6.6.6.6, unknown")
	f("10.0.0.1", "10.0.0.2", "10.0.0.1", "X-Forwarded-For: 6.6.6.6, nonsense, 10.0.0.2")
	f("10.0.0.1", "10.0.0.1", "", "X-Forwarded-For: 6.6.6.6, fe80::1%eth0")
	f("10.0.0.1", "10.0.0.1", "", "X-Forwarded-For: 6.6.6.6, 203.0.113.9:99999999")
	f("10.0.0.1", "10.0.0.1", "", "X-Forwarded-For: 6.6.6.6, 0203.0.113.9")
	// Another field is not read, whoever sends it.
	f("10.0.0.1", "203.0.113.9", "10.0.0.1", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6", "X-Forwarded-For: 203.0.113.9")
	f("10.0.0.1", "10.0.0.1", "", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6", "X_Forwarded_For: 6.6.6.6")
}

func TestForwarded(t *testing.T) {
	r := resolver(t, Config{Source: Forwarded}, "10.0.0.0/8", "2001:db8:1::/48")
	f := func(want, scheme, host string, lines ...string) {
		t.Helper()
		c := resolve(r, "10.0.0.1", fields(lines...))
		if c.IP.String() != want || c.Scheme != scheme || c.Host != host {
			t.Errorf("%q: %s %s %s, want %s %s %s", lines, c.IP, c.Scheme, c.Host, want, scheme, host)
		}
	}
	const shop = "shop.example"
	f("203.0.113.9", "http", shop, "Forwarded: for=203.0.113.9")
	f("203.0.113.9", "https", "www.example:8443", `Forwarded: For="203.0.113.9:47";Proto=HTTPS;by=_edge;host="www.example:8443"`)
	f("2001:db8::9", "http", shop, `Forwarded: for="[2001:db8::9]:4711"`)
	f("2001:db8::9", "http", shop, `Forwarded: for="[2001:db8::9]:_port"`)
	f("203.0.113.9", "https", shop, `Forwarded: for=6.6.6.6, for=203.0.113.9;proto=https, for="[2001:db8:1::1]", for=10.0.0.9`)
	f("203.0.113.9", "http", shop, `Forwarded: for=6.6.6.6`, `Forwarded: for=203.0.113.9`)
	f("203.0.113.9", "http", "a.example", `Forwarded: for=203.0.113.9; host="a\.example" ; x="a,\"b;c"`)
	f("10.0.0.1", "http", shop, `Forwarded: for=6.6.6.6, for=_hidden`)
	f("10.0.0.1", "http", shop, `Forwarded: for=6.6.6.6, for=unknown`)
	f("10.0.0.1", "https", shop, `Forwarded: for=6.6.6.6, proto=https`)
	f("10.0.0.2", "http", shop, `Forwarded: for=6.6.6.6, for=, for=10.0.0.2`)
	f("10.0.0.1", "http", shop, `Forwarded: for=6.6.6.6, for=1.1.1.1;for=2.2.2.2`)
	f("10.0.0.1", "http", shop, `Forwarded: for=6.6.6.6, for="1.1.1.1`)
	f("10.0.0.1", "http", shop, `Forwarded: for=6.6.6.6, for=1.1.1.1 x`)
	f("10.0.0.1", "http", shop, `Forwarded: for="::1"`)
	f("203.0.113.9", "http", shop, `Forwarded: for=203.0.113.9;host="evil/path";proto=gopher`)
	// A client that opens a quote cannot swallow what the proxy writes behind it.
	f("203.0.113.9", "http", shop, `Forwarded: for=6.6.6.6;x=", for=203.0.113.9`)
	f("203.0.113.9", "http", shop, `Forwarded: for=6.6.6.6;x=", for="203.0.113.9"`)
	f("203.0.113.9", "http", shop, `Forwarded: for=6.6.6.6;x="\, for="203.0.113.9"`)
	f("203.0.113.9", "http", shop, `Forwarded: for=6.6.6.6;x="\", for=203.0.113.9`)
}

func TestRealIP(t *testing.T) {
	r := resolver(t, Config{Source: XRealIP}, "10.0.0.0/8")
	f := func(want string, lines ...string) {
		t.Helper()
		if c := resolve(r, "10.0.0.1", fields(lines...)); c.IP.String() != want {
			t.Errorf("%q: %s, want %s", lines, c.IP, want)
		}
	}
	f("203.0.113.9", "X-Real-IP: 203.0.113.9")
	f("2001:db8::9", "X-Real-IP: 2001:db8::9", "X-Forwarded-For: 6.6.6.6")
	f("10.0.0.1", "X-Real-IP: 6.6.6.6", "X-Real-IP: 203.0.113.9")
	f("10.0.0.1", "X-Real-IP: who")
	f("10.0.0.1", "X-Forwarded-For: 6.6.6.6")
}

func TestXForwardedProtoAndHost(t *testing.T) {
	r := resolver(t, Config{}, "10.0.0.0/8")
	f := func(peer, scheme, host string, lines ...string) {
		t.Helper()
		if c := resolve(r, peer, fields(lines...)); c.Scheme != scheme || c.Host != host {
			t.Errorf("%s %q: %s %s, want %s %s", peer, lines, c.Scheme, c.Host, scheme, host)
		}
	}
	f("203.0.113.9", "http", "shop.example", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example")
	f("10.0.0.1", "https", "www.example", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example")
	f("10.0.0.1", "https", "shop.example", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: wss")
	f("10.0.0.1", "http", "shop.example", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: javascript", "X-Forwarded-Host: a b")
	// Two trusted proxies: the outer one spoke https with the client, the inner one http with it.
	f("10.0.0.1", "https", "a.example", "X-Forwarded-For: 203.0.113.9, 10.0.0.2", "X-Forwarded-Proto: https, http",
		"X-Forwarded-Host: a.example, b.example")
	f("10.0.0.1", "http", "shop.example", "X-Forwarded-For: 6.6.6.6, 203.0.113.9", "X-Forwarded-Proto: https, http")
}

func TestSentFields(t *testing.T) {
	f := func(config Config, peer string, lines []string, want ...string) {
		t.Helper()
		r := resolver(t, config, "10.0.0.0/8")
		c := resolve(r, peer, fields(lines...))
		var got []string
		for _, x := range r.AppendFields(nil, &c) {
			got = append(got, x.Name+": "+x.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %s %q:\ngot  %q\nwant %q", peer, lines, got, want)
		}
		if line := string(r.AppendHeader(nil, &c)); line != strings.Join(got, "\r\n")+"\r\n" {
			t.Errorf("the lines of the header are %q", line)
		}
	}
	f(Config{}, "203.0.113.9", []string{"X-Forwarded-For: 6.6.6.6"},
		"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example")
	f(Config{}, "10.0.0.1", []string{"X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2"},
		"X-Forwarded-For: 203.0.113.9, 10.0.0.2, 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example")
	f(Config{Source: Forwarded, SendForwarded: true, SendRealIP: true}, "10.0.0.1",
		[]string{`Forwarded: for="[2001:db8::9]";proto=https;host="a.example:8443"`},
		"X-Forwarded-For: 2001:db8::9, 10.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example:8443",
		"X-Real-IP: 2001:db8::9", `Forwarded: for="[2001:db8::9]";proto=https;host="a.example:8443", for=10.0.0.1`)
	f(Config{SendForwarded: true, NoXForwarded: true}, "203.0.113.9", nil, "Forwarded: for=203.0.113.9;proto=http;host=shop.example")
}

func TestRemoves(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		if got := Removes(name); got != want {
			t.Errorf("Removes(%q) = %v", name, got)
		}
	}
	for _, name := range []string{
		"X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST", "X_Forwarded_For", "x-forwarded-prefix",
		"Forwarded", "FORWARDED", "X-Real-IP", "x_real-ip",
	} {
		f(name, true)
	}
	for _, name := range []string{"", "X", "X-Forwarded-", "X-Forwarded", "XForwardedFor", "From", "Forwarded2", "X-Real-IPs", "Host"} {
		f(name, false)
	}
}

func TestParsePrefix(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		p, err := ParsePrefix(text)
		if got := p.String(); err == nil && got != want || err != nil && want != "" {
			t.Errorf("%q: got %s, %v, want %q", text, got, err, want)
		}
	}
	f("10.0.0.0/8", "10.0.0.0/8")
	f("10.0.0.1", "10.0.0.1/32")
	f("2001:db8::/32", "2001:db8::/32")
	f("::1", "::1/128")
	f("::ffff:10.0.0.0/104", "10.0.0.0/8")
	f("10.0.0.1/8", "")
	f("fe80::1%eth0", "")
	f("ten", "")
	f("10.0.0.0/33", "")
}
