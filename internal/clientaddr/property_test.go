package clientaddr

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"pgregory.net/rapid"
)

var (
	trustedNetworks = []string{"10.0.0.0/8", "2001:db8:1::/48"}
	hostileTexts    = []string{
		"6.6.6.6", "10.0.0.7", "for=6.6.6.6", `for="6.6.6.6"`, `for="[::6]"`, `x="`, `"`, `\`, `\"`, ",", ";", " ", "=", "unknown",
		"for=_a", "[", "]", "::6", ":80", "for=10.0.0.9", `";for=6.6.6.6`, `", for="6.6.6.6`, "\t", "host=evil.example", "é", "\x00",
	}
)

// hostileFields draws what a client might send.
func hostileFields(t *rapid.T) []seshat.Field {
	names := []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "x-forwarded-for", "X_Forwarded_For", "FORWARDED", "X-Forwarded-Proto"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) seshat.Field {
		return seshat.Field{
			Name: rapid.SampledFrom(names).Draw(t, "name"),
			Value: strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostileTexts), rapid.String()), 0, 8).
				Draw(t, "value"), ""),
		}
	}), 0, 4).Draw(t, "fields")
}

// proxied is what a proxy makes of the fields of a request: it appends the address of its peer to the field it keeps, in a
// line of its own or in the last one, as real proxies do, and passes the others on.
func proxied(t *rapid.T, source Source, header []seshat.Field, peer netip.Addr) []seshat.Field {
	name, value := nameXForwardedFor, peer.String()
	switch source {
	case XRealIP:
		header = slices.DeleteFunc(slices.Clone(header), func(f seshat.Field) bool { return equalFold(f.Name, nameXRealIP) })
		return append(header, seshat.Field{Name: nameXRealIP, Value: value})
	case Forwarded:
		name = nameForwarded
		switch form := rapid.IntRange(0, 2).Draw(t, "form"); {
		case peer.Is6():
			value = `for="[` + value + `]:4711";proto=https`
		case form == 0:
			value = "for=" + value
		case form == 1:
			value = `proto=http;for="` + value + `:80";by=_p;host="a\"b"`
		default:
			value = `for="` + value + `"`
		}
	case XForwardedFor:
		if rapid.Bool().Draw(t, "with port") {
			value = netip.AddrPortFrom(peer, 4711).String()
		}
	}
	header = slices.Clone(header)
	for i := len(header) - 1; i >= 0; i-- {
		if equalFold(header[i].Name, name) && rapid.Bool().Draw(t, "join") {
			// The last line of the field, so that the order stays.
			header[i].Value += ", " + value
			return header
		} else if equalFold(header[i].Name, name) {
			break
		}
	}
	return append(header, seshat.Field{Name: name, Value: value})
}

// TestClientsCannotChooseTheirAddress sends whatever a client may send through any chain of trusted proxies: the client's
// address is the one that the outermost trusted proxy saw, always.
func TestClientsCannotChooseTheirAddress(t *testing.T) {
	addresses := rapid.SampledFrom([]string{"203.0.113.9", "198.51.100.7", "2001:db8:2::9", "192.0.2.1"})
	proxies := rapid.SliceOfN(rapid.SampledFrom([]string{"10.0.0.1", "10.9.8.7", "2001:db8:1::5"}), 0, 4)
	rapid.Check(t, func(rt *rapid.T) {
		source := rapid.SampledFrom([]Source{XForwardedFor, Forwarded}).Draw(rt, "source")
		r := resolver(t, Config{Source: source}, trustedNetworks...)
		client := netip.MustParseAddr(addresses.Draw(rt, "client"))
		header, peer := hostileFields(rt), client
		var way []netip.Addr
		for _, text := range proxies.Draw(rt, "proxies") {
			header = proxied(rt, source, header, peer)
			peer = netip.MustParseAddr(text)
			way = append(way, peer)
		}
		var c Client
		r.Resolve(Connection{Peer: peer}, header, &c)
		if c.IP != client || !slices.Equal(c.Proxies, way) {
			rt.Fatalf("client %s by %s, fields %q: resolved to %s by %s", client, way, header, c.IP, c.Proxies)
		}
		for _, f := range header {
			if n := strings.ToLower(f.Name); !Removes(n) {
				rt.Fatalf("%q would reach the origin", f.Name)
			}
		}
	})
}

// TestRealIPCannotBeChosen is the same for a field that a single proxy replaces.
func TestRealIPCannotBeChosen(t *testing.T) {
	r := resolver(t, Config{Source: XRealIP}, trustedNetworks...)
	client, proxy := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("10.0.0.1")
	rapid.Check(t, func(rt *rapid.T) {
		hostile := hostileFields(rt)
		var c Client
		r.Resolve(Connection{Peer: client}, hostile, &c)
		if c.IP != client {
			rt.Fatalf("straight, fields %q: resolved to %s", hostile, c.IP)
		}
		r.Resolve(Connection{Peer: proxy}, proxied(rt, XRealIP, hostile, client), &c)
		if c.IP != client {
			rt.Fatalf("by a proxy, fields %q: resolved to %s", hostile, c.IP)
		}
	})
}

// TestSentFieldsAreUnderstood checks that what one gateway sends, the next one reads as it was meant.
func TestSentFieldsAreUnderstood(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		source := rapid.SampledFrom([]Source{XForwardedFor, Forwarded}).Draw(rt, "source")
		r := resolver(t, Config{Source: source, SendForwarded: true, SendRealIP: true}, trustedNetworks...)
		first := Client{
			IP:     netip.MustParseAddr(rapid.SampledFrom([]string{"203.0.113.9", "2001:db8:2::9"}).Draw(rt, "client")),
			Scheme: rapid.SampledFrom([]string{"http", "https"}).Draw(rt, "scheme"),
			Host:   rapid.SampledFrom([]string{"a.example", "a.example:8443", "[::1]:80"}).Draw(rt, "host"),
		}
		if rapid.Bool().Draw(rt, "by a proxy") {
			first.Proxies = []netip.Addr{netip.MustParseAddr("10.0.0.1")}
		}
		peer := netip.MustParseAddr("10.0.0.2") // the gateway, to the next one
		var second Client
		r.Resolve(Connection{Peer: peer, Host: "origin"}, r.AppendFields(nil, &first), &second)
		if second.IP != first.IP || second.Scheme != first.Scheme || second.Host != first.Host ||
			!slices.Equal(second.Proxies, append(slices.Clone(first.Proxies), peer)) {
			rt.Fatalf("sent %+v, read %+v", first, second)
		}
	})
}

// FuzzResolve looks for panics, for addresses that are not valid, and for fields that the next server would misread.
func FuzzResolve(f *testing.F) {
	f.Add(uint8(0), "1.2.3.4, 10.0.0.2", "", "https")
	f.Add(uint8(1), `for="[2001:db8::9]:47";proto=https;host="a, b"`, `for=_x;by="\""`, "")
	f.Add(uint8(1), `for=6.6.6.6;x="`, `for=10.0.0.2;x="\\"`, "")
	f.Add(uint8(2), "1.2.3.4", "", "http,https")
	f.Fuzz(func(t *testing.T, source uint8, a, b, proto string) {
		r := resolver(t, Config{Source: Source(source % 3), SendForwarded: true}, trustedNetworks...)
		name := []string{nameXForwardedFor, nameForwarded, nameXRealIP}[source%3]
		header := []seshat.Field{{Name: name, Value: a}, {Name: nameXForwardedProto, Value: proto}, {Name: name, Value: b}}
		var c Client
		r.Resolve(Connection{Peer: netip.MustParseAddr("10.0.0.1"), Host: "h"}, header, &c)
		if !c.IP.IsValid() || c.IP.Zone() != "" || c.IP.Is4In6() || c.Scheme != "http" && c.Scheme != "https" || !hostOK(c.Host) {
			t.Fatalf("%q %q: %+v", a, b, c)
		}
		if lines := string(r.AppendHeader(nil, &c)); strings.Count(lines, "\n") != 4 || strings.ContainsAny(lines, "\x00\x7f") {
			t.Fatalf("sent %q", lines)
		}
		r.Resolve(Connection{Peer: netip.MustParseAddr("6.6.6.6")}, header, &c)
		if c.IP != netip.MustParseAddr("6.6.6.6") {
			t.Fatalf("an untrusted peer chose %s", c.IP)
		}
	})
}

// forwards is the slow twin of reading backwards: it splits a well-formed list from its beginning.
func forwards(value string) (elements []string, ok bool) {
	start, inside := 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case c == ',' && !inside:
			elements = append(elements, value[start:i])
			start = i + 1
		}
	}
	elements = append(elements, value[start:])
	return elements, !inside
}

// FuzzBackwards checks that well-formed lists are the same read from either end.
func FuzzBackwards(f *testing.F) {
	f.Add(`for=1.2.3.4, for="a,b\"", x="\\", y`)
	f.Add(`for=a;x="\\\",",for=b`)
	f.Fuzz(func(t *testing.T, value string) {
		elements, ok := forwards(value)
		if !ok {
			return
		}
		var want []string
		for _, e := range elements {
			if e = trim(e); e == "" {
				continue
			}
			if _, ok := parseForwarded(e); !ok {
				return // not well-formed
			}
			want = append(want, e)
		}
		slices.Reverse(want)
		var got []string
		for b := newBackwards([]seshat.Field{{Name: "Forwarded", Value: value}}, nameForwarded, true); ; {
			e, ok := b.next()
			if !ok {
				break
			}
			got = append(got, e)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: backwards %q, forwards %q", value, got, want)
		}
	})
}
