package enforce

import (
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

func TestWindowFillsACacheLine(t *testing.T) {
	if size := unsafe.Sizeof(entry[window]{}); size != 64 {
		t.Errorf("%d bytes, want 64", size)
	}
}

// TestWindowBounds holds a window to an exact list of the requests that it let through: never more than the quota within
// any window, and none refused unless the quota was used up within 8/7 of it.
func TestWindowBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(int64(time.Second), int64(2*time.Hour)).Draw(t, "length"))
		s := newSpan(rapid.IntRange(1, 12).Draw(t, "count"), length, 0)
		var w window
		var passed []int64
		now := int64(1_800_000_000_000_000_000) + rapid.Int64Range(0, int64(length)).Draw(t, "start")
		within := func(reach int64) (n int) {
			for _, p := range passed {
				if p > now-reach {
					n++
				}
			}
			return n
		}
		step := rapid.OneOf(rapid.Int64Range(0, int64(length)/40), rapid.Int64Range(0, int64(length)/3), rapid.Just(int64(length)),
			rapid.Just(s.slice), rapid.Just(s.slice-1), rapid.Int64Range(0, 2*int64(length)))
		for range rapid.IntRange(1, 120).Draw(t, "requests") {
			now += step.Draw(t, "step")
			before := within(int64(length))
			reach := within(sliceCount * s.slice)
			if w.take(&s, now) {
				if before >= int(s.count) {
					t.Fatalf("request %d of a window of %d passed", before+1, s.count)
				}
				passed = append(passed, now)
				continue
			}
			if reach < int(s.count) {
				t.Fatalf("refused with %d of %d in 8/7 of the window", reach, s.count)
			}
			// Trying again when it is said to help does help, and not a moment earlier.
			room := int64(w.room(&s, now))
			early, late := w, w
			if room <= 0 || early.take(&s, now+room-1) || !late.take(&s, now+room) {
				t.Fatalf("room in %s: wrong", time.Duration(room))
			}
		}
		if whole := w.whole(&s, now); len(passed) > 0 && whole > 0 {
			early, late := w, w
			early.advance(s.number(now + int64(whole) - 1))
			late.advance(s.number(now + int64(whole)))
			if early.sum() == 0 || late.sum() != 0 {
				t.Fatalf("whole in %s: wrong", whole)
			}
		}
	})
}

func TestWindowHoldsBack(t *testing.T) {
	const base = int64(1_800_000_000) * int64(time.Second)
	s := newSpan(2, time.Second, 10*time.Second)
	var w window
	f := func(after time.Duration, want bool) {
		t.Helper()
		if got := w.take(&s, base+int64(after)); got != want {
			t.Errorf("after %s: passed %t, want %t", after, got, want)
		}
	}
	f(0, true)
	f(0, true)
	f(100*time.Millisecond, false) // from here on, for 10 seconds
	f(5*time.Second, false)        // does not make it longer
	f(10*time.Second, false)
	f(11*time.Second, true)
}

func TestWindowWhenTheClockMoves(t *testing.T) {
	const base = int64(1_800_000_000) * int64(time.Second)
	s := newSpan(2, 7*time.Second, 0)
	var w window
	f := func(after time.Duration, want bool) {
		t.Helper()
		if got := w.take(&s, base+int64(after)); got != want {
			t.Errorf("after %s: passed %t, want %t", after, got, want)
		}
	}
	f(0, true)
	f(-2*time.Second, true) // counts where the clock was
	f(-2*time.Second, false)
	f(time.Second, false)
	f(365*24*time.Hour, true) // a clock that is set wrong
	f(365*24*time.Hour, true)
	f(365*24*time.Hour, false)
	f(2*time.Second, true) // and right again does not refuse for a year
}

func TestGiveBack(t *testing.T) {
	const base = int64(1_800_000_000) * int64(time.Second)
	s := newSpan(1, 7*time.Second, 0)
	var w window
	if !w.take(&s, base) || w.take(&s, base) {
		t.Fatal("a quota of one")
	}
	w.giveBack(s.number(base))
	w.giveBack(s.number(base)) // nothing more to give back
	w.giveBack(s.number(base) - 100)
	if !w.take(&s, base) || w.take(&s, base) {
		t.Error("what was given back is to be had once")
	}
}
