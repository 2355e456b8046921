package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkHTTP2 is a request by HTTP/2 through the gateway to an origin of either version, client and origin included.
func BenchmarkHTTP2(b *testing.B) {
	answer := strings.Repeat("x", 350)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
	for name, two := range map[string]bool{"origin of HTTP 1.1": false, "origin of HTTP 2": true} {
		b.Run(name, func(b *testing.B) {
			e := newEdge(b, handler, edgeOptions{http2: two})
			b.ReportAllocs()
			for b.Loop() {
				r := request(b, http.MethodGet, "http://shop.example/orders/42", nil)
				r.Header.Set("Cookie", "SESS=abc")
				do(b, e.plain, r)
			}
		})
	}
}
