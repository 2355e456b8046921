package spool

import (
	"net/netip"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

// small is what is kept of a line of an access log.
func small(i int) *seshat.Observation {
	return &seshat.Observation{
		Time: time.Unix(1_767_323_045, int64(i)*1_000_000).UTC(), Service: "shop.example", Method: "GET", Host: "shop.example",
		Path: "/products/42", Endpoint: "/products/{var1}", HTTPVersion: "1.1", Status: 200, ResponseBytes: int64(1000 + i%5000),
		ClientIP:  netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}),
		UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
		IDs: []seshat.ObservedID{{
			Digest: seshat.Digest{1, 2, byte(i >> 8), byte(i), 7, 8, 9}, Masked: "203.0.113.9", Name: "ip+user-agent", Origin: seshat.OriginFallback,
			Kind: seshat.KindUserAgent, Where: seshat.LocationClientIP,
		}},
	}
}

func benchmark(b *testing.B, memory int64, order func(i int) int) {
	const n = 400_000
	observations := make([]*seshat.Observation, 4096)
	for i := range observations {
		observations[i] = small(i)
	}
	total := 0
	for b.Loop() {
		s, err := New(b.TempDir(), memory)
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			o := observations[i%len(observations)]
			o.Time = time.Unix(1_767_323_045, int64(order(i))*1_000_000).UTC()
			if err := s.Add(o, 0, uint64(i), uint64(i)*0x9E3779B97F4A7C15); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Merge(func(*seshat.Observation) error { total++; return nil }); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if total%n != 0 {
		b.Fatalf("%d observations", total)
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "observations/s")
}

func inOrder(i int) int   { return i }
func scattered(i int) int { return int(uint64(i) * 0x9E3779B97F4A7C15 >> 44) }

func BenchmarkInMemoryInOrder(b *testing.B)   { benchmark(b, 1<<30, inOrder) }
func BenchmarkInMemoryScattered(b *testing.B) { benchmark(b, 1<<30, scattered) }
func BenchmarkSpilledInOrder(b *testing.B)    { benchmark(b, 16<<20, inOrder) }
func BenchmarkSpilledScattered(b *testing.B)  { benchmark(b, 16<<20, scattered) }
