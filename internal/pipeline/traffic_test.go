package pipeline_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/seshat-project/seshat"
)

// typical is a request of visitor n with a cookie and a token, as identification and digesting leave it.
func typical(n int) *seshat.Observation {
	at := time.Now()
	digest := func(kind byte) (d seshat.Digest) {
		binary.BigEndian.PutUint64(d[:], uint64(n)+1)
		d[15] = kind
		return d
	}
	address := netip.AddrFrom4([4]byte{203, 0, byte(113 + n>>8), byte(n)})
	return &seshat.Observation{
		Time: at, Duration: 12345678, Environment: "prod", Service: "shop", Method: "GET", Scheme: "https",
		Host: "api.shop.example", Path: "/orders/42/items", Endpoint: "/orders/{var1}/items", HTTPVersion: "1.1", Status: 200,
		RequestBytes: 321, ResponseBytes: 4567, ClientIP: address,
		UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
		JA4:       "t13d1516h2_8daaf6152771_e5627efa2ab1", Device: digest('d'),
		IDs: []seshat.ObservedID{
			{Digest: digest('c'), Masked: "s%3A…OvE2", Name: "connect.sid", Origin: seshat.OriginBuiltIn, Where: seshat.LocationCookie, Key: "connect.sid"},
			{
				Digest: digest('t'), Masked: "eyJh…Q5cK", Name: "bearer", Origin: seshat.OriginBuiltIn, Kind: seshat.KindAccessToken,
				Where: seshat.LocationHeader, Key: "Authorization",
				Token: seshat.ObservedClaims{
					IsToken: true, Issuer: "https://op.shop.example", Subject: fmt.Sprint("user", n), IssuedAt: at.Add(-time.Minute).Truncate(time.Second),
					ExpiresAt: at.Add(time.Hour).Truncate(time.Second),
				},
				ExpiresAt: at.Add(time.Hour).Truncate(time.Second),
			},
			{Digest: digest('f'), Masked: address.String(), Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationClientIP},
		},
		Parameters: []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: fmt.Sprint("user", n)}},
	}
}
