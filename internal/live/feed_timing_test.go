package live_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/live"
)

// usual is an exchange as a gateway has it.
func usual(n int) seshat.Assigned {
	return seshat.Assigned{
		Session: seshat.SessionID{byte(n), byte(n >> 8)},
		Observation: &seshat.Observation{
			Key: seshat.ExchangeKey(n), Time: start, Duration: time.Duration(n%1000) * time.Millisecond, Service: "shop", Method: "GET",
			Scheme: "https", Host: "shop.example", Path: "/orders/4…2", Endpoint: "/orders/{var1}", HTTPVersion: "1.1", Status: 200 + n%4*100,
			ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
			IDs: []seshat.ObservedID{
				{Masked: "abcd…wxyz", Name: "shop", Origin: seshat.OriginRule, Key: "SESSION"}, {Name: "ip", Origin: seshat.OriginFallback},
			},
			Parameters: []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: "alice"}},
		},
	}
}

// BenchmarkPublish is what an exchange costs in all, rates included, in batches of the recorder, with so many who follow and
// read everything; and what the recorder itself waits for it.
func BenchmarkPublish(b *testing.B) {
	const size = 4096
	batch := make([]seshat.Assigned, size)
	for i := range batch {
		batch[i] = usual(i)
	}
	for _, c := range []struct {
		readers int
		filter  string
	}{{0, ""}, {1, ""}, {10, ""}, {10, "status:>=500 user:alice"}} {
		b.Run(fmt.Sprintf("readers=%d,filter=%s", c.readers, c.filter), func(b *testing.B) {
			f := live.NewFeed(fixed)
			var reading sync.WaitGroup
			for range c.readers {
				s := f.Subscribe(expression(b, c.filter))
				reading.Go(func() {
					defer s.Close()
					for {
						if t := s.Take(); t.More {
							continue
						}
						select {
						case <-s.Wake():
						case <-f.Done():
							return
						}
					}
				})
			}
			var waited time.Duration
			published := 0
			for b.Loop() {
				if published%size == 0 {
					began := time.Now()
					f.Publish(batch, nil)
					waited += time.Since(began)
					for f.Rates(live.Ask{Since: time.Second}).Total < uint64(published) { // one batch at a time is on its way
						time.Sleep(10 * time.Microsecond)
					}
				}
				published++
			}
			b.ReportMetric(float64(waited.Nanoseconds())/float64(max(published, 1)), "recorder-ns/op")
			f.Close()
			reading.Wait()
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	r := live.NewRates(start)
	for n := range 900 {
		r.Add(start, []seshat.Assigned{at(start.Add(-time.Duration(n)*time.Second), took(time.Millisecond))}, nil)
	}
	for _, c := range []struct {
		name string
		ask  live.Ask
	}{{"page", live.Ask{Step: 10 * time.Second}}, {"second", live.Ask{Step: 10 * time.Second, Since: 15 * time.Second}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Snapshot(start, c.ask)
			}
		})
	}
}
