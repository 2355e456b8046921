package recent_test

import (
	"hash/maphash"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/recent"
)

// typical is a request of a browser with a token.
func typical() *seshat.Exchange {
	x := exchange(1, 1, start)
	x.Request.Header = []seshat.Field{
		{Name: "Host", Value: "shop.example"},
		{Name: "Accept", Value: "application/json, text/plain, */*"},
		{Name: "Accept-Language", Value: "en-GB,en;q=0.9,de;q=0.8"},
		{Name: "Accept-Encoding", Value: "gzip, deflate, br"},
		{Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"},
		{Name: "Authorization", Value: "Bearer " + string(make([]byte, 700))},
		{Name: "Cookie", Value: "SESSID=4f0c1d2e3b4a59687786; theme=dark; _ga=GA1.2.1234567.1234567"},
		{Name: "Referer", Value: "https://shop.example/cart"},
	}
	x.Response.Header = append(x.Response.Header, seshat.Field{Name: "Server", Value: "nginx"}, seshat.Field{Name: "Cache-Control", Value: "no-store"})
	return x
}

// BenchmarkAdd is what a request pays.
func BenchmarkAdd(b *testing.B) {
	rules := compiled(b)
	b.Run("taken", func(b *testing.B) {
		r, x := recent.NewRing(recent.Bounds{Exchanges: 5000, Bytes: 32 << 20, PerSecond: 1 << 30}, maphash.MakeSeed()), typical()
		b.ReportAllocs()
		for b.Loop() {
			r.Add(x, rules)
		}
	})
	b.Run("over", func(b *testing.B) {
		r, x := recent.NewRing(recent.Bounds{Exchanges: 5000, Bytes: 32 << 20, PerSecond: 1}, maphash.MakeSeed()), typical()
		for range 100 { // of one client alone, which is left out then
			r.Add(x, rules)
		}
		b.ReportAllocs()
		for b.Loop() {
			r.Add(x, rules)
		}
	})
	b.Run("off", func(b *testing.B) {
		r, x := recent.NewRing(recent.Bounds{}, maphash.MakeSeed()), typical()
		b.ReportAllocs()
		for b.Loop() {
			r.Add(x, rules)
		}
	})
	// 5,000 a second from 1,000 clients, as on a busy gateway.
	b.Run("busy", func(b *testing.B) {
		r := recent.NewRing(recent.DefaultBounds(), maphash.MakeSeed())
		list := make([]*seshat.Exchange, 1000)
		for i := range list {
			list[i] = typical()
			list[i].Client = exchange(i, 0, start).Client
		}
		b.ReportAllocs()
		at, n := start, 0
		for b.Loop() {
			x := list[n%len(list)]
			n++
			at = at.Add(200 * time.Microsecond)
			x.Time = at
			r.Add(x, rules)
		}
	})
}

// BenchmarkSnapshot is what looking at a full ring takes; what it holds up is the time of its lock.
func BenchmarkSnapshot(b *testing.B) {
	r := recent.NewRing(recent.Bounds{Exchanges: 5000, Bytes: 32 << 20, PerSecond: 1 << 30}, maphash.MakeSeed())
	for range 5000 {
		r.Add(typical(), compiled(b))
	}
	for b.Loop() {
		r.Snapshot(5000)
	}
}
