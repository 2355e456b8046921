package protect

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
)

func BenchmarkHash(b *testing.B) {
	h := NewDigester([]byte("key")).Hasher()
	value := []byte(strings.Repeat("v", 40))
	b.ReportAllocs()
	for b.Loop() {
		h.Hash(value)
	}
}

func BenchmarkHashConcurrent(b *testing.B) {
	d := NewDigester([]byte("key"))
	value := []byte(strings.Repeat("v", 40))
	b.ReportAllocs()
	for b.Loop() {
		d.Hash(value)
	}
}

func BenchmarkObserve(b *testing.B) {
	o := testObserver()
	b.Run("full", func(b *testing.B) {
		x, id := testExchange(), testIdentity()
		b.ReportAllocs()
		for b.Loop() {
			o.Observe(x, id, nil)
		}
	})
	b.Run("typical", func(b *testing.B) {
		x, id := testExchange(), testIdentity()
		x.Request.Path = "/api/v1/orders/4711"
		id.IDs = []seshat.FoundID{id.IDs[0], id.IDs[6]}
		id.Parameters, id.Grouping = nil, 0
		b.ReportAllocs()
		for b.Loop() {
			o.Observe(x, id, nil)
		}
	})
}
