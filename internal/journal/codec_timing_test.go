package journal

import (
	"net/netip"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

// typical is what is kept of an API request with a cookie, a bearer token and the fallback.
func typical() *seshat.Observation {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	return &seshat.Observation{
		Key: 0x1122334455667788, ID: "x000001", Time: at, Duration: 12345678, Environment: "prod", Service: "shop",
		Method: "POST", Scheme: "https", Host: "api.shop.example", Path: "/orders/42/items", Endpoint: "/orders/{var1}/items",
		HTTPVersion: "1.1", Status: 200, RequestBytes: 321, ResponseBytes: 4567,
		ClientIP:  netip.MustParseAddr("203.0.113.9"),
		UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
		JA4:       "t13d1516h2_8daaf6152771_e5627efa2ab1", Device: seshat.Digest{9, 8, 7}, Origin: "https://app.shop.example",
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		IDs: []seshat.ObservedID{
			{
				Digest: seshat.Digest{1, 2, 3}, Masked: "eyJh…Q5cK", Name: "bearer", Origin: seshat.OriginBuiltIn,
				Kind: seshat.KindAccessToken, Where: seshat.LocationHeader, Key: "Authorization",
				Token: seshat.ObservedClaims{
					IsToken: true, Issuer: "https://op.shop.example", Subject: "alice", SessionID: seshat.Digest{4},
					IssuedAt: at.Add(-time.Minute), ExpiresAt: at.Add(time.Hour),
				},
				ExpiresAt: at.Add(time.Hour),
			},
			{
				Digest: seshat.Digest{5, 6, 7}, Masked: "s%3A…OvE2", Rule: seshat.RuleIDFor("shop"), Name: "shop", Where: seshat.LocationCookie,
				Key: "connect.sid", Lifetime: 30 * time.Minute,
			},
			{Digest: seshat.Digest{8, 9}, Masked: "203.0.113.9", Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationClientIP},
		},
		Grouping:   1,
		Parameters: []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: "alice"}},
		Flows:      []seshat.FlowMatch{{Name: "checkout", Type: seshat.FlowBilling}},
	}
}

func BenchmarkAppend(b *testing.B) {
	o := typical()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], o)
	}
	b.ReportMetric(float64(len(dst)), "B/observation")
}

func BenchmarkDecode(b *testing.B) {
	src := Append(nil, typical())
	d := NewDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Decode(src); err != nil {
			b.Fatal(err)
		}
	}
}
