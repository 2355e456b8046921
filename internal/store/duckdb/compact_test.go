package duckdb

import (
	"context"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// TestCompact checks that compaction makes rows fewer and changes no answer, again and again, with writing between.
func TestCompact(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, t.TempDir(), Options{Memory: ImportMemory})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	twin := memory.New(nil)
	traffic := storetest.NewTraffic(5, 6)
	rows := func() (sessions, state int64) {
		err := s.conn.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM state)").Scan(&sessions, &state)
		if err != nil {
			t.Fatal(err)
		}
		return sessions, state
	}
	now := storetest.Start.Add(time.Hour)
	for round := range 3 {
		b := traffic.Batch(150)
		storetest.Commit(t, twin, b)
		storetest.Commit(t, s, storetest.Split(b, uint64(round))...)
		before, stateBefore := rows()
		if s.writer.slices[0].garbage == 0 || s.writer.garbage == 0 {
			t.Fatalf("garbage %+v of sessions, %d of state; want some", s.writer.slices[0], s.writer.garbage)
		}
		compactAll(t, s, 3)
		after, stateAfter := rows()
		if after != 6 || after >= before || stateAfter >= stateBefore {
			t.Errorf("%d rows of 6 sessions made of %d, %d of state made of %d", after, before, stateAfter, stateBefore)
		}
		storetest.Equal(t, s, twin, "compacted", store.Query{Now: now})
		for n := range byte(20) {
			key := []seshat.Digest{{n, 1}}
			got, err := s.LoadState(ctx, key)
			want, _ := twin.LoadState(ctx, key)
			if err != nil || string(got[key[0]]) != string(want[key[0]]) {
				t.Errorf("state %d: %q, %v; want %q", n, got[key[0]], err, want[key[0]])
			}
		}
	}
}

// compactAll compacts everything, state in 2^bits slices.
func compactAll(t *testing.T, s *Store, bits int) {
	t.Helper()
	ctx := context.Background()
	for n := range s.writer.slices {
		if err := s.compactSlice(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	s.writer.round = &stateRound{bits: bits, filter: newStateFilter(0)}
	for slices := 0; s.writer.round != nil; slices++ {
		if err := s.compactState(ctx); err != nil {
			t.Fatal(err)
		}
		if slices > 1<<bits {
			t.Fatalf("more than %d slices", 1<<bits)
		}
	}
}
