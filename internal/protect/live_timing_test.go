package protect_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// liveToken is a token of an OpenID provider.
const liveToken = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ." +
	"eyJpc3MiOiJodHRwczovL2lkLnNob3AuZXhhbXBsZSIsInN1YiI6InUtNDIiLCJzaWQiOiI4ZjNkMTdhMiIsImF1ZCI6ImFwaSIsImlhdCI6MTc2NzMyMzAwMCwiZXhwIjoxNzY3MzI2NjAwLCJzY29wZSI6Im9wZW5pZCBlbWFpbCIsImVtYWlsIjoiYWxpY2VAc2hvcC5leGFtcGxlIn0." +
	"c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl"

// liveExchange is the request that gateways are compared by: a cookie, a bearer token, and a JSON answer of 350 bytes.
func liveExchange(token string) *seshat.Exchange {
	return &seshat.Exchange{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: time.Millisecond, Environment: "prod", Service: "shop",
		Client: seshat.Client{IP: netip.MustParseAddr("203.0.113.9")},
		Request: seshat.Request{
			Method: "GET", Scheme: "http", Host: "api.shop.example", Path: "/v1/orders/42", HTTPVersion: "1.1",
			Header: []seshat.Field{
				{Name: "Host", Value: "api.shop.example"},
				{Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"},
				{Name: "Accept", Value: "application/json"},
				{Name: "Accept-Encoding", Value: "gzip"},
				{Name: "Cookie", Value: "session=3f1c2a9e7b418c559d0e5a6b7c8d9e0f; theme=dark"},
				{Name: "Authorization", Value: "Bearer " + token},
			},
		},
		Response: seshat.Response{Status: 200, Header: []seshat.Field{
			{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Length", Value: "350"}, {Name: "Date", Value: "Fri, 02 Jan 2026 03:04:05 GMT"},
		}, Body: seshat.Body{Size: 350}},
	}
}

func liveEngine(b *testing.B) *identify.Engine {
	b.Helper()
	var resources []seshat.Resource
	for i := range 10 {
		resources = append(resources, seshat.Resource{
			APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "rule-" + string(rune('a'+i))},
			Spec: &seshat.SessionRuleSpec{Scope: seshat.Scope{Services: []string{"shop"}[:i%2]}, Identifiers: []seshat.Identifier{{Header: "X-Session-" + string(rune('a'+i))}}},
		})
	}
	rules, faults := rule.Compile(resources)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	return identify.New(rules, nil)
}

// BenchmarkLive is what identification and digests cost a live exchange: Begin is the part before the request is passed
// on, End the one after its answer. The goal is 3 µs for both, and 2 allocations.
func BenchmarkLive(b *testing.B) {
	for name, token := range map[string]string{"JWT": liveToken, "opaque": strings.Repeat("a1B2", 8)} {
		engine := liveEngine(b)
		whole := liveExchange(token)
		request := *whole
		request.Response = seshat.Response{}
		digester := protect.NewDigester([]byte("key"))
		worker, observer, hasher := engine.NewWorker(), protect.NewObserver(digester), digester.Hasher()
		var id seshat.Identity
		var digests []seshat.Digest
		b.Run(name+"/Begin", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				worker.Identify(&request, &id)
				digests = protect.Digests(hasher, &id, digests[:0])
			}
		})
		b.Run(name+"/EndPooled", func(b *testing.B) {
			b.ReportAllocs()
			var o seshat.Observation
			for b.Loop() {
				worker.Identify(whole, &id)
				observer.ObserveInto(&o, whole, &id, nil, worker)
			}
		})
		b.Run(name+"/End", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				worker.Identify(whole, &id)
				observer.Observe(whole, &id, worker)
			}
		})
	}
}
