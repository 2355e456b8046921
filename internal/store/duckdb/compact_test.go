package duckdb

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
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
	s.whole = 0
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
		for _, text := range []string{"addresses:6", "networks:<5", "user_agents:>3", "users:2..3"} {
			storetest.EqualSessions(t, s, twin, text, now)
		}
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

// TestCompactFails checks that a compaction that fails fails no commit, changes nothing, is told to the log once, and
// is done when it is possible again.
func TestCompactFails(t *testing.T) {
	ctx := context.Background()
	var log bytes.Buffer
	s, err := Open(ctx, t.TempDir(), Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.whole = 0
	defer func() { _ = s.Close() }()
	twin := memory.New(nil)
	traffic := storetest.NewTraffic(5, 6)
	// A view stands where the table of the rewritten rows is to be.
	if _, err := s.conn.ExecContext(ctx, "CREATE TEMP VIEW rewritten AS SELECT 1"); err != nil {
		t.Fatal(err)
	}
	due := func() {
		b := traffic.Batch(100)
		storetest.Commit(t, twin, b)
		s.writer.garbage = 2 * stateGarbage
		storetest.Commit(t, s, b)
		storetest.Equal(t, s, twin, "compaction due", store.Query{Now: storetest.Start.Add(time.Hour)})
	}
	due()
	due()
	if n := strings.Count(log.String(), "could not be compacted"); n != 1 {
		t.Errorf("the log has it %d times:\n%s", n, log.String())
	}
	if s.writer.round != nil {
		t.Error("the round goes on")
	}
	if _, err := s.conn.ExecContext(ctx, "DROP VIEW temp.main.rewritten"); err != nil {
		t.Fatal(err)
	}
	before := s.writer.stateRows
	due()
	if s.writer.stateRows >= before {
		t.Errorf("%d rows of state after compaction, %d before", s.writer.stateRows, before)
	}
}

// TestShortLivedState checks that state that is stored and deleted leaves nothing, and that deleting what was never
// stored writes nothing.
func TestShortLivedState(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.whole = 0
	defer func() { _ = s.Close() }()
	records := func(from, to byte, value []byte) *store.Batch {
		b := &store.Batch{StoredAt: storetest.Start}
		for n := from; n < to; n++ {
			b.State = append(b.State, store.StateRecord{Key: seshat.Digest{n, 7}, Value: value})
		}
		return b
	}
	rows := func(want int64, when string) {
		t.Helper()
		var n int64
		if err := s.conn.QueryRowContext(ctx, "SELECT count(*) FROM state").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != want || s.writer.stateRows != want {
			t.Errorf("%d rows of state, counted as %d, %s; want %d", n, s.writer.stateRows, when, want)
		}
	}
	storetest.Commit(t, s, records(100, 200, nil))
	rows(0, "after deleting what was never there")
	storetest.Commit(t, s, records(0, 10, []byte("a")), records(0, 8, nil))
	rows(18, "before compaction")
	compactAll(t, s, 2)
	rows(2, "after compaction")
	storetest.Commit(t, s, records(0, 8, nil))
	rows(2, "after deleting what was compacted away")
	got, err := s.LoadState(ctx, []seshat.Digest{{0, 7}, {8, 7}, {9, 7}})
	if err != nil || len(got) != 2 {
		t.Errorf("state %v, %v; want that of two keys", got, err)
	}
}

// TestCompactWithinMemory compacts full slices in the memory that an import has, as commits make it due.
func TestCompactWithinMemory(t *testing.T) {
	ctx := context.Background()
	var log bytes.Buffer
	s, err := Open(ctx, t.TempDir(), Options{Memory: ImportMemory, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.whole = 0
	defer func() { _ = s.Close() }()
	const sessions, at, rounds = 16_000, 8_000, 6 // no more than the writer remembers
	for round := range rounds {
		for from := 0; from < sessions; from += at {
			b := &store.Batch{StoredAt: storetest.Start}
			for n := from; n < from+at; n++ {
				id := seshat.SessionID{byte(n), byte(n >> 8), 1}
				b.Sessions = append(b.Sessions, seshat.SessionFacts{
					ID: id, Version: uint64(round), User: "a user with a name of some length", IdentifiedBy: "a rule", Confidence: 1,
				})
				for part := range byte(2) {
					b.State = append(b.State, store.StateRecord{Key: seshat.Digest{byte(n), byte(n >> 8), part}, Value: make([]byte, 200)})
				}
			}
			storetest.Commit(t, s, b)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log has %s", log.String())
	}
	var sessionRows, stateRows int64
	err = s.conn.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM state)").Scan(&sessionRows, &stateRows)
	if err != nil || sessionRows > 4*sessions || stateRows >= 2*sessions*rounds {
		t.Errorf("%d rows of %d sessions and %d of %d keys, %v; want them compacted", sessionRows, sessions, stateRows, 2*sessions, err)
	}
	if stateRows != s.writer.stateRows || sessionRows != s.writer.slices[0].rows {
		t.Errorf("counted %d and %d rows; there are %d and %d", s.writer.slices[0].rows, s.writer.stateRows, sessionRows, stateRows)
	}
}
