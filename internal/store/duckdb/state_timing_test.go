package duckdb_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// BenchmarkLoadState loads what a batch of an import asks for, 20,000 keys, of a million that are stored. The goal is
// 20 ms, and next to nothing when none of them is stored.
func BenchmarkLoadState(b *testing.B) {
	s := open(b, b.TempDir(), duckdb.Options{Memory: duckdb.ImportMemory})
	const stored, asked = 1_000_000, 20_000
	key := func(n int) seshat.Digest { return digest16("state", strconv.Itoa(n)) }
	for n := 0; n < stored; n += 50_000 {
		batch := &store.Batch{StoredAt: storetest.Start}
		for i := range 50_000 {
			batch.State = append(batch.State, store.StateRecord{Key: key(n + i), Value: make([]byte, 80)})
		}
		storetest.Commit(b, s, batch)
	}
	f := func(name string, from, step, want int) {
		keys := make([]seshat.Digest, asked)
		for i := range keys {
			keys[i] = key(from + i*step)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				state, err := s.LoadState(context.Background(), keys)
				if err != nil || len(state) != want {
					b.Fatalf("%d keys, %v; want %d", len(state), err, want)
				}
			}
		})
	}
	f("all", 0, stored/asked, asked)
	f("tenth", stored-asked/10, 1, asked/10)
	f("none", stored, 1, 0)
}
