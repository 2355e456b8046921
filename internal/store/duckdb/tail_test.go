package duckdb

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// sameBatch is how two batches differ.
func sameBatch(a, b *store.Batch) string {
	for i := range min(len(a.State), len(b.State)) {
		if (a.State[i].Value == nil) != (b.State[i].Value == nil) { // nothing is not the same as no value
			return "only one of two records of state deletes"
		}
	}
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}))
}

func TestBatchCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := storetest.NewTraffic(rapid.Uint64().Draw(t, "seed"), 4).Batch(rapid.IntRange(0, 20).Draw(t, "exchanges"))
		b.Source, b.Position = rapid.String().Draw(t, "source"), []byte(rapid.String().Draw(t, "position"))
		b.State = append(b.State, store.StateRecord{Key: seshat.Digest{1}}, store.StateRecord{Key: seshat.Digest{2}, Value: []byte{}})
		encoded := appendBatch(nil, b)
		decoded, err := decodeBatch(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameBatch(b, decoded); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
		if cut := rapid.IntRange(0, len(encoded)-1).Draw(t, "cut"); true {
			if _, err := decodeBatch(encoded[:cut]); !errors.Is(err, errTail) {
				t.Fatalf("the first %d of %d bytes were read: %v", cut, len(encoded), err)
			}
		}
	})
}

// FuzzDecodeBatch looks for bytes that are read as a batch which is not written as it was.
func FuzzDecodeBatch(f *testing.F) {
	f.Add(appendBatch(nil, storetest.NewTraffic(1, 2).Batch(3)))
	f.Add(appendBatch(nil, &store.Batch{Source: "journal", Position: []byte{1}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeBatch(data)
		if err != nil {
			return
		}
		again, err := decodeBatch(appendBatch(nil, b))
		if err != nil {
			t.Fatalf("what was read is not read again: %v", err)
		}
		if !bytes.Equal(appendBatch(nil, b), appendBatch(nil, again)) { // which tells one NaN from another
			t.Fatalf("read as %+v and as %+v", b, again)
		}
	})
}

// tailOf returns the content of the tail file of a store that has committed batches and was killed then.
func tailOf(t *testing.T, batches []*store.Batch) []byte {
	t.Helper()
	dir := t.TempDir()
	file, err := openTail(dir, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := file.append(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, TailName))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestTornTail cuts the file at every place, and flips bits in it: what is whole before that is read, nothing else is,
// and the file goes on from there.
func TestTornTail(t *testing.T) {
	traffic := storetest.NewTraffic(5, 2)
	batches := []*store.Batch{traffic.Batch(1), traffic.Batch(2), {StoredAt: storetest.Start, Source: "a", Position: []byte("x")}}
	content := tailOf(t, batches)
	ends := []int{tailHeader}
	for i := range batches {
		ends = append(ends, ends[i]+entryHeader+len(appendBatch(nil, batches[i])))
	}
	whole := func(at int) int { // entries before a place
		n := 0
		for n < len(batches) && ends[n+1] <= at {
			n++
		}
		return n
	}
	f := func(what string, content []byte, want int) {
		t.Helper()
		dir := t.TempDir()
		path := filepath.Join(dir, TailName)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for round, want := range []int{want, want + 1} {
			var read []*store.Batch
			file, err := openTail(dir, 0, func(b *store.Batch) error {
				read = append(read, b)
				return nil
			})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if len(read) != want {
				t.Fatalf("%s: %d batches were read in round %d, want %d", what, len(read), round, want)
			}
			for i := range min(want, len(batches)) {
				if diff := sameBatch(batches[i], read[i]); i < len(read)-round && diff != "" {
					t.Fatalf("%s: batch %d: -want +got\n%s", what, i, diff)
				}
			}
			if err := file.append(batches[0]); err != nil {
				t.Fatal(err)
			}
			if err := file.close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for cut := tailHeader; cut <= len(content); cut += 7 {
		f("cut", content[:cut], whole(cut))
	}
	f("whole", content, len(batches))
	for at := tailHeader; at < len(content); at += 31 {
		flipped := slices.Clone(content)
		flipped[at] ^= 0x10
		f("flipped", flipped, whole(at))
	}
	// A header that is not whole is of a file that was about to begin anew.
	f("no header", content[:tailHeader-1], 0)
	dir := t.TempDir()
	newer := slices.Clone(content)
	newer[len(tailMagic)]++
	if err := os.WriteFile(filepath.Join(dir, TailName), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dir, Options{}); seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Errorf("a newer file: %v; want unsupported", err)
	}
}

// TestSettledTwice kills the process between the moment the tail is in the tables and the moment its file is emptied,
// and before: nothing is there twice, nothing is missing.
func TestSettledTwice(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, TailName)
	clock := Options{Now: func() time.Time { return storetest.Start.Add(time.Hour) }}
	twin := memory.New(clock.Now)
	traffic := storetest.NewTraffic(8, 3)
	for range 3 {
		s, err := Open(ctx, dir, clock)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b := traffic.Batch(30)
			storetest.Commit(t, s, b)
			storetest.Commit(t, twin, b)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Equal(t, s, twin, "before", store.Query{Now: clock.Now()}) // which moves it into the tables
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(ctx, dir, clock)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Equal(t, again, twin, "after", store.Query{Now: clock.Now()})
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnsettled makes moving into the tables fail: nothing is lost, and what was said of it is known all the same.
func TestUnsettled(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	var log bytes.Buffer
	s, err := Open(ctx, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	rename := func(from, to string) {
		t.Helper()
		if _, err := s.conn.ExecContext(ctx, "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("links", "hidden")
	b := storetest.NewTraffic(9, 3).Batch(100)
	b.State = append(b.State, store.StateRecord{Key: seshat.Digest{77}, Value: []byte("kept")})
	b.Source, b.Position = "journal", []byte("5")
	storetest.Commit(t, s, b)
	for range 2 {
		if span, err := s.Span(ctx); err != nil || span.Exchanges != 0 {
			t.Errorf("span %+v, %v; want what there was before", span, err)
		}
	}
	if n := strings.Count(log.String(), "cannot be shown yet"); n != 1 {
		t.Errorf("the log has it %d times:\n%s", n, log.String())
	}
	check := func(when string) {
		t.Helper()
		known, err := s.Known(ctx, []seshat.ExchangeKey{b.Exchanges[7].Key, 1}, []time.Time{b.Exchanges[7].Time, b.Exchanges[7].Time})
		if err != nil || !slices.Equal(known, []bool{true, false}) {
			t.Errorf("%s: known %v, %v", when, known, err)
		}
		state, err := s.LoadState(ctx, []seshat.Digest{{77}, {78}})
		if err != nil || len(state) != 1 || string(state[seshat.Digest{77}]) != "kept" {
			t.Errorf("%s: state %v, %v", when, state, err)
		}
		if position, err := s.Position(ctx, "journal"); err != nil || string(position) != "5" {
			t.Errorf("%s: position %q, %v", when, position, err)
		}
	}
	check("while it fails")
	// Before a batch of another day there has to be room for it, as there has to be when there is enough of one day.
	if err := s.Commit(ctx, &store.Batch{StoredAt: storetest.Start.Add(24 * time.Hour)}); err == nil {
		t.Error("a batch was taken that there is no room for")
	}
	rename("hidden", "links")
	if span, err := s.Span(ctx); err != nil || span.Exchanges != 100 {
		t.Errorf("span %+v, %v; want 100 exchanges", span, err)
	}
	check("afterwards")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStaleness reads what may be a second old.
func TestStaleness(t *testing.T) {
	ctx, now := context.Background(), storetest.Start
	s, err := Open(ctx, t.TempDir(), Options{Staleness: time.Second, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	f := func(after time.Duration, want int64) {
		t.Helper()
		now = storetest.Start.Add(after)
		if span, err := s.Span(ctx); err != nil || span.Exchanges != want {
			t.Errorf("after %v: %+v, %v; want %d exchanges", after, span, err, want)
		}
	}
	traffic := storetest.NewTraffic(2, 3)
	storetest.Commit(t, s, traffic.Batch(10))
	f(900*time.Millisecond, 0)
	storetest.Commit(t, s, traffic.Batch(10))
	f(1100*time.Millisecond, 20)
	storetest.Commit(t, s, traffic.Batch(10))
	f(1200*time.Millisecond, 20)
}

// TestDayChange commits small batches on two days: numbers belong to one day, and each day can be dropped.
func TestDayChange(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	traffic := storetest.NewTraffic(2, 3)
	for day := range 3 {
		b := traffic.Batch(10)
		b.StoredAt = storetest.Start.Add(time.Duration(day) * 24 * time.Hour)
		storetest.Commit(t, s, b)
	}
	for day := range 4 {
		before := storetest.Start.Add(time.Duration(day) * 24 * time.Hour)
		if dropped, err := s.DropBefore(ctx, before); err != nil || dropped != int64(10*min(day, 1)) {
			t.Errorf("dropped %d before day %d, %v", dropped, day, err)
		}
	}
}

// TestWhole runs the suite with every batch going into the tables at once, as those of imports do.
func TestWhole(t *testing.T) {
	storetest.Run(t, func(t testing.TB, now time.Time) store.Store {
		s, err := Open(context.Background(), t.TempDir(), Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		s.whole = 0
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}
