package natskv_test

import (
	"context"
	"testing"

	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/natskv"
)

// BenchmarkOpen opens an empty store and one with content. The goal is 50 ms.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s, err := natskv.Open(context.Background(), natskv.ServerOptions{Dir: dir}, options)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for _, key := range []string{"a", "b", "c"} {
			if _, err := s.Put(context.Background(), key, make([]byte, 1000), kv.Any); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
