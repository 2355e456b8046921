package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/live"
)

// BenchmarkTail is what it takes to send an exchange to one who follows everything, all the way but for the network.
func BenchmarkTail(b *testing.B) {
	o := options(b, 1)
	o.Feed = live.NewFeed(time.Now)
	handler, err := api.New(o)
	if err != nil {
		b.Fatal(err)
	}
	const size = 1000
	batch := make([]seshat.Assigned, size)
	for i := range batch {
		batch[i] = seshat.Assigned{Session: sessionID(i), Observation: &seshat.Observation{
			Key: seshat.ExchangeKey(i), Time: start, Duration: time.Millisecond, Service: "shop", Method: "GET", Scheme: "https", Host: "shop.example",
			Path: "/orders/4…2", Endpoint: "/orders/{var1}", HTTPVersion: "1.1", Status: 200, ClientIP: netip.MustParseAddr("203.0.113.9"),
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
			IDs: []seshat.ObservedID{
				{Masked: "abcd…wxyz", Name: "shop", Origin: seshat.OriginRule, Key: "SESSION"}, {Name: "ip", Origin: seshat.OriginFallback},
			},
			Parameters: []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: "alice"}},
		}}
	}
	out := &counting{header: http.Header{}, grown: make(chan int, 1<<16)}
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://localhost/api/v1/exchanges/tail", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	done := make(chan struct{})
	go func() {
		defer close(done)
		handler.ServeHTTP(out, r)
	}()
	<-out.grown
	<-out.grown // ready
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%size == 1 {
			o.Feed.Publish(batch, nil)
			for written := 0; written < size; {
				written += <-out.grown
			}
		}
	}
	b.StopTimer()
	o.Feed.Close()
	<-done
	b.SetBytes(out.bytes / int64(max(n, 1)))
}

// counting counts events.
type counting struct {
	header http.Header
	grown  chan int
	bytes  int64
}

func (c *counting) Header() http.Header { return c.header }
func (c *counting) WriteHeader(int)     {}
func (c *counting) Flush()              {}

func (c *counting) Write(p []byte) (int, error) {
	n := 0
	for i := 1; i < len(p); i++ {
		if p[i] == '\n' && p[i-1] == '\n' {
			n++
		}
	}
	c.bytes += int64(len(p))
	c.grown <- n
	return len(p), nil
}
