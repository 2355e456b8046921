package identify_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
)

// typical is a browser's request with 20 header fields and 4 cookies.
func typical() *seshat.Exchange {
	return &seshat.Exchange{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Environment: "prod", Service: "shop",
		Client: seshat.Client{IP: netip.MustParseAddr("203.0.113.9"), JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		Request: seshat.Request{
			Method: "GET", Scheme: "https", Host: "api.shop.example", Path: "/v1/orders/42", Query: "page=2", HTTPVersion: "2",
			Header: fields([]string{
				"Host: api.shop.example", "Connection: keep-alive", "Cache-Control: max-age=0",
				`Sec-Ch-Ua: "Chromium";v="131"`, "Sec-Ch-Ua-Mobile: ?0", `Sec-Ch-Ua-Platform: "Linux"`,
				"Upgrade-Insecure-Requests: 1", "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
				"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Site: same-origin",
				"Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1", "Sec-Fetch-Dest: document", "Accept-Encoding: gzip, deflate, br, zstd",
				"Accept-Language: en-GB,en;q=0.9", "Referer: https://shop.example/orders", "Origin: https://shop.example",
				"X-Request-Id: 7d1f4d0e", "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
				"Cookie: _ga=GA1.2.1811.1700; connect.sid=s%3AMThmYWQwZWNiY2EzOTFkMTU3MGNjZGY0.h9LEI; lang=en; csrf=efb504a0fdd667c95f6cda9b664368b8",
			}),
		},
		Response: seshat.Response{Status: 200, Header: fields([]string{"Content-Type: text/html", "Cache-Control: no-store", "Vary: Cookie"})},
	}
}

// ruleNumber is one of the rules that a benchmark has: about services, hosts and URL prefixes.
func ruleNumber(i int, foreign bool) seshat.Resource {
	spec := &seshat.SessionRuleSpec{Identifiers: []seshat.Identifier{
		{Cookie: fmt.Sprintf("sess%d", i)}, {Header: fmt.Sprintf("X-Session-%d", i)},
	}}
	switch service := fmt.Sprintf("service-%d", i); {
	case foreign && i%2 == 0:
		spec.Scope.Services = []string{service}
	case foreign:
		spec.Scope.URLs = []string{fmt.Sprintf(`^https?://%s\.example/`, service)}
	case i%3 == 1:
		spec.Scope.Services = []string{"shop"}
	case i%3 == 2:
		spec.Scope.URLs = []string{`^https://api\.shop\.example/`}
	}
	return declare(fmt.Sprintf("rule-%04d", i), spec)
}

func rules(n int) []seshat.Resource {
	out := make([]seshat.Resource, 0, n)
	for i := range n {
		out = append(out, ruleNumber(i, i >= 10))
	}
	return out
}

func measure(b *testing.B, e *identify.Engine, x *seshat.Exchange) {
	b.Helper()
	w := e.NewWorker()
	var out seshat.Identity
	w.Identify(x, &out)
	if n := testing.AllocsPerRun(10, func() { w.Identify(x, &out) }); n != 0 {
		b.Errorf("%v allocations for an exchange", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.Identify(x, &out)
	}
}

func BenchmarkIdentify10Rules(b *testing.B)   { measure(b, engine(b, rules(10)...), typical()) }
func BenchmarkIdentify1000Rules(b *testing.B) { measure(b, engine(b, rules(1000)...), typical()) }
func BenchmarkIdentifyNoRules(b *testing.B)   { measure(b, engine(b), typical()) }

const sampleToken = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ." +
	"eyJpc3MiOiJodHRwczovL2lkLnNob3AuZXhhbXBsZSIsInN1YiI6InUtNDIiLCJzaWQiOiI4ZjNkMTdhMiIsImF1ZCI6ImFwaSIsImlhdCI6MTc2NzMyMzAwMCwiZXhwIjoxNzY3MzI2NjAwLCJzY29wZSI6Im9wZW5pZCBlbWFpbCIsImVtYWlsIjoiYWxpY2VAc2hvcC5leGFtcGxlIn0." +
	"c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl"

func BenchmarkIdentifyJWTClaim(b *testing.B) {
	x := typical()
	x.Request.Header = append(x.Request.Header, seshat.Field{Name: "Authorization", Value: "Bearer " + sampleToken})
	measure(b, engine(b, sessionRule("claim", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{Header: "Authorization", Claim: "sid"}})), x)
}

// BenchmarkIdentifyBearer is the same exchange as BenchmarkIdentifyJWTClaim with a rule that reads no claim: the
// difference is what a claim costs beside the built-in set, which reads the token anyway.
func BenchmarkIdentifyBearer(b *testing.B) {
	x := typical()
	x.Request.Header = append(x.Request.Header, seshat.Field{Name: "Authorization", Value: "Bearer " + sampleToken})
	measure(b, engine(b, sessionRule("header", seshat.Identifier{Header: "X-Session"})), x)
}

// BenchmarkIdentifyJWTClaimOnly is a rule that reads a claim, without the built-in set; BenchmarkIdentifyNothing is the
// exchange without a token in it, for comparison. The difference is what a claim costs, decoding included.
func BenchmarkIdentifyJWTClaimOnly(b *testing.B) {
	x := typical()
	x.Request.Header = append(x.Request.Header, seshat.Field{Name: "Authorization", Value: "Bearer " + sampleToken})
	measure(b, engine(b, noBuiltIn(), sessionRule("claim", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{Header: "Authorization", Claim: "sid"}})), x)
}

func BenchmarkIdentifyNothing(b *testing.B) {
	measure(b, engine(b, noBuiltIn(), sessionRule("claim", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{Header: "Authorization", Claim: "sid"}})), typical())
}
