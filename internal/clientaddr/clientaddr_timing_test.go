package clientaddr

import (
	"net/netip"
	"testing"
)

// BenchmarkResolve is what a request pays: without trusted proxies, and behind two.
func BenchmarkResolve(b *testing.B) {
	f := func(name string, r *Resolver, peer string, lines ...string) {
		header, at := fields(append(lines, "Host: shop.example", "Accept: */*", "Cookie: SESS=abc")...), netip.MustParseAddr(peer)
		b.Run(name, func(b *testing.B) {
			var c Client
			dst := make([]byte, 0, 512)
			b.ReportAllocs()
			for b.Loop() {
				r.Resolve(Connection{Peer: at, Host: "shop.example"}, header, &c)
				dst = r.AppendHeader(dst[:0], &c)
			}
		})
	}
	f("straight", resolver(b, Config{}), "203.0.113.9", "X-Forwarded-For: 6.6.6.6")
	trusted := []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "2001:db8:1::/48"}
	f("proxies", resolver(b, Config{}, trusted...), "10.0.0.1", "X-Forwarded-For: 203.0.113.9, 10.0.0.2", "X-Forwarded-Proto: https")
	f("forwarded", resolver(b, Config{Source: Forwarded}, trusted...), "10.0.0.1", `Forwarded: for="[2001:db8::9]:47";proto=https, for=10.0.0.2`)
}
