package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
)

type added struct {
	o       seshat.Observation
	source  int
	content uint64
}

// slowMerge sorts and counts the obvious way. It returns observations without keys.
func slowMerge(all []added) []added {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b added) int {
		if c := a.o.Time.Compare(b.o.Time); c != 0 {
			return c
		}
		return a.source - b.source
	})
	return sorted
}

func mergeAll(t interface{ Fatal(...any) }, s *Spool) []*seshat.Observation {
	var got []*seshat.Observation
	if err := s.Merge(func(o *seshat.Observation) error { got = append(got, o); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestMergesLikeSort(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s, err := New(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) added {
			return added{
				o: seshat.Observation{
					Time: time.Unix(rapid.Int64Range(-1, 3).Draw(t, "s"), rapid.Int64Range(0, 1).Draw(t, "ns")).UTC(),
					ID:   rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "id"),
				},
				source: rapid.IntRange(0, 2).Draw(t, "source"), content: rapid.Uint64Range(0, 2).Draw(t, "content"),
			}
		}), 0, 200).Draw(t, "added")
		spillEvery := rapid.IntRange(1, 300).Draw(t, "spill every")
		for i := range all {
			all[i].o.Path = fmt.Sprint(i)
			if err := s.Add(&all[i].o, all[i].source, uint64(i), all[i].content); err != nil {
				t.Fatal(err)
			}
			if i%spillEvery == spillEvery-1 {
				if err := s.spill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := mergeAll(t, s)
		want := slowMerge(all)
		if len(got) != len(want) {
			t.Fatalf("%d observations, want %d", len(got), len(want))
		}
		for i := range want {
			o := *got[i]
			o.Key = 0
			if !reflect.DeepEqual(o, want[i].o) {
				t.Fatalf("observation %d: %+v, want %+v", i, o, want[i].o)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if left := files(t, dir); len(left) > 0 {
			t.Fatalf("left behind: %v", left)
		}
	})
}

func files(t interface{ Fatal(...any) }, dir string) []string {
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// line is an observation of a line of a log, without an ID of its own.
func line(second int64) *seshat.Observation {
	return &seshat.Observation{Time: time.Unix(second, 0).UTC()}
}

func keysOf(t *testing.T, add func(*Spool)) []seshat.ExchangeKey {
	t.Helper()
	s, err := New(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	add(s)
	var keys []seshat.ExchangeKey
	for _, o := range mergeAll(t, s) {
		keys = append(keys, o.Key)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return keys
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeys(t *testing.T) {
	file := func(s *Spool, source int) {
		must(t, s.Add(line(1), source, 1, 7))
		must(t, s.Add(line(2), source, 2, 8))
		must(t, s.Add(line(1), source, 3, 7)) // equal to the first
		must(t, s.Add(&seshat.Observation{ID: "x", Time: time.Unix(3, 4).UTC()}, source, 4, 9))
	}
	once := keysOf(t, func(s *Spool) { file(s, 0) })
	if len(once) != 4 || len(slices.Compact(slices.Sorted(slices.Values(once)))) != 4 {
		t.Errorf("keys of one file: %v, want four different ones", once)
	}
	if again := keysOf(t, func(s *Spool) { file(s, 5) }); !slices.Equal(again, once) {
		t.Errorf("the same file again: %v, want %v", again, once)
	}
	twice := keysOf(t, func(s *Spool) { file(s, 0); file(s, 1) })
	if want := slices.Repeat(once, 2); !slices.Equal(slices.Sorted(slices.Values(twice)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the same file twice: %v, want those of %v", twice, want)
	}
	// What was written to disk today is compared with keys that are made in years.
	want := []seshat.ExchangeKey{0x3b251f63c63ec0c8, 0x83c2a89141b13c03, 0x3b8b782bee9363fd, 0x7779cde3eca74ddd}
	if !slices.Equal(once, want) {
		t.Errorf("keys changed: %#v, want %#v", once, want)
	}
	zero := keysOf(t, func(s *Spool) { must(t, s.Add(line(0), 0, 1, 0)) })
	if other := keysOf(t, func(s *Spool) { must(t, s.Add(line(0), 0, 1, 0)); must(t, s.Add(line(0), 0, 2, 0)) }); zero[0] != other[0] || other[0] == other[1] {
		t.Errorf("keys of the first and of two equal lines: %v and %v", zero, other)
	}
}

func TestNothingIsWrittenWhenItFits(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := New(dir, 0)
	must(t, err)
	for i := range 1000 {
		must(t, s.Add(line(int64(i)), 0, uint64(i), uint64(i)))
	}
	if got := mergeAll(t, s); len(got) != 1000 {
		t.Errorf("%d observations, want 1000", len(got))
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
}

// TestManyRuns merges more runs than are open at a time.
func TestManyRuns(t *testing.T) {
	dir := t.TempDir()
	s, err := New(dir, 0)
	must(t, err)
	const n = 1000
	for i := range n {
		must(t, s.Add(line(int64(i*7919%n)), 0, uint64(i), 0))
		must(t, s.spill())
	}
	second := int64(0)
	must(t, s.Merge(func(o *seshat.Observation) error {
		if o.Time.Unix() != second {
			return fmt.Errorf("second %d, want %d", o.Time.Unix(), second)
		}
		second++
		return nil
	}))
	if second != n {
		t.Errorf("%d observations, want %d", second, n)
	}
	if left := files(t, dir); len(left) > fanIn {
		t.Errorf("%d files are left, want at most %d", len(left), fanIn)
	}
	must(t, s.Close())
}

func TestSpillsWithinItsMemory(t *testing.T) {
	dir := t.TempDir()
	s, err := New(dir, LeastMemory)
	must(t, err)
	big := &seshat.Observation{UserAgent: string(make([]byte, 3*chunkBytes))}
	for i := range 20_000 {
		must(t, s.Add(small(i), 0, uint64(i), uint64(i)))
		if i%4000 == 0 {
			must(t, s.Add(big, 0, uint64(i), uint64(i)))
		}
		held := int64(cap(s.entries)) * entryBytes
		for _, c := range s.chunks {
			held += int64(cap(c))
		}
		if limit := int64(LeastMemory + 8*chunkBytes); held > limit {
			t.Fatalf("%d bytes are held after %d observations, want at most %d", held, i, limit)
		}
	}
	written := files(t, dir)
	if len(written) == 0 {
		t.Fatal("nothing was spilled")
	}
	for _, name := range written {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
	if got := mergeAll(t, s); len(got) != 20_005 {
		t.Errorf("%d observations, want 20005", len(got))
	}
	must(t, s.Close())
}

func TestCleansWhatAKilledProcessLeft(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "run-000001.spool"), []byte("left"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "other"), []byte("not mine"), 0o600))
	_, err := New(dir, 0)
	must(t, err)
	if left := files(t, dir); len(left) != 1 || filepath.Base(left[0]) != "other" {
		t.Errorf("left: %v, want other alone", left)
	}
}

func TestErrorOfYieldIsReturned(t *testing.T) {
	s, err := New(t.TempDir(), 0)
	must(t, err)
	must(t, s.Add(line(1), 0, 1, 1))
	must(t, s.spill())
	must(t, s.Add(line(2), 0, 2, 2))
	stop := errors.New("stop")
	calls := 0
	if err := s.Merge(func(*seshat.Observation) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
		t.Errorf("error %v after %d calls, want stop after 1", err, calls)
	}
	must(t, s.Close())
}

func TestSpillFailsClearly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	s, err := New(file, 0)
	must(t, err)
	must(t, s.Add(line(1), 0, 1, 1))
	if err := s.spill(); err == nil || seshat.KindOfError(err) != seshat.ErrorInternal {
		t.Errorf("spilling into a file: %v", err)
	}
	if got := mergeAll(t, s); len(got) != 1 {
		t.Errorf("%d observations after a failed spill, want 1", len(got))
	}
}
