package store_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/store"
)

func TestNewAxis(t *testing.T) {
	f := func(since, until string, wanted int, start, width string, buckets int) {
		t.Helper()
		at := func(text string) time.Time {
			out, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		a := store.NewAxis(at(since), at(until), wanted)
		if !a.Start.Equal(at(start)) || store.WidthText(a.Width) != width || a.Buckets != buckets {
			t.Errorf("%s to %s in %d: from %v by %s, %d; want from %s by %s, %d", since, until, wanted, a.Start, store.WidthText(a.Width), a.Buckets, start, width, buckets)
		}
	}
	f("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 60, "2026-01-01T00:00:00Z", "30m", 48)
	f("2026-01-01T00:10:00Z", "2026-01-02T00:10:00Z", 24, "2026-01-01T00:00:00Z", "2h", 13)
	f("2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z", 60, "2026-01-01T00:00:00Z", "3h", 56)
	f("2026-01-01T10:00:00Z", "2026-03-01T00:00:00Z", 10, "2025-12-29T00:00:00Z", "7d", 9) // a Monday
	f("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.000001Z", 60, "2026-01-01T10:00:00Z", "1ms", 1)
	f("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", 60, "2026-01-01T10:00:00Z", "1ms", 0)
	f("2026-01-01T10:00:00Z", "2025-01-01T10:00:00Z", 60, "2026-01-01T10:00:00Z", "1ms", 0)
	f("1996-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 5, "1994-03-14T00:00:00Z", "2912d", 4)
}

// TestAxis: whatever is cut, the first stretch has the beginning, the last one the end, and every time its own.
func TestAxis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Int64Range(-62135596800_000_000, 253402300799_000_000)
		since := time.UnixMicro(at.Draw(t, "since"))
		until := since.Add(time.Duration(rapid.Int64Range(1, int64(time.Hour)*24*365*290).Draw(t, "length")))
		wanted := rapid.IntRange(1, store.MaxBuckets).Draw(t, "wanted")
		a := store.NewAxis(since, until, wanted)
		if a.Buckets > max(wanted, 8) || a.Buckets < 0 {
			t.Fatalf("%d stretches of %v; %d are wanted", a.Buckets, a.Width, wanted)
		}
		if a.Buckets == 0 {
			return // within a microsecond
		}
		if a.Since.Before(a.Start) || !a.Since.Before(a.Time(1)) || a.Time(a.Buckets).Before(a.Until) || !a.Time(a.Buckets-1).Before(a.Until) {
			t.Fatalf("from %v to %v: %d stretches of %v from %v", a.Since, a.Until, a.Buckets, a.Width, a.Start)
		}
		i := rapid.IntRange(0, a.Buckets-1).Draw(t, "stretch")
		if got := a.Stretch(a.Time(i)); got != i {
			t.Fatalf("the beginning of stretch %d is in stretch %d", i, got)
		}
		if !store.BucketStart(a.Time(i), a.Width).Equal(a.Time(i)) {
			t.Fatalf("stretch %d does not begin where stretches do", i)
		}
	})
}
