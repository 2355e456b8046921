package enforce

import (
	"math"
	"time"
)

// sliceCount is how many slices a window is counted in. Seven whole ones cover it, and the eighth is the one that goes on.
const sliceCount = 8

// window counts the requests of one key that were let through: a sliding window in slices. With the key and the time at
// which it lapses it fills one cache line.
//
// A request is let through when the eight slices up to now hold less than the quota. They reach back at least the whole
// window and at most a seventh further, so that no window of that length ever sees more than the quota, and no request is
// refused unless the quota was used up within 8/7 of the window. Requests that are refused do not count.
type window struct {
	newest  uint32 // the number of the newest slice: the time divided by the length of a slice, modulo 2³²
	until   uint32 // the key is refused until then, in seconds since 1970; 0 when it is not
	pending uint32 // what was counted since the counts were last shared
	counts  [sliceCount]uint32
}

// span is the length of a window in slices.
type span struct {
	slice int64 // nanoseconds
	count uint32
	hold  time.Duration // how long a key is refused once it went over
}

func newSpan(count int, length, hold time.Duration) span {
	const whole = sliceCount - 1
	return span{slice: (int64(length) + whole - 1) / whole, count: uint32(count), hold: hold} //nolint:gosec // bounded by rule.MaxCount
}

func (s *span) number(now int64) uint32 { return uint32(now / s.slice) } //nolint:gosec // modulo 2³² is meant

// lapses is when nothing of what is counted now matters any more, in seconds.
func (s *span) lapses(now int64) uint32 { return ceilSeconds(now+sliceCount*s.slice) + 1 }

func ceilSeconds(nanoseconds int64) uint32 {
	return uint32((nanoseconds + int64(time.Second) - 1) / int64(time.Second)) //nolint:gosec // until the year 2106
}

// advance makes a slice the newest one. A clock that went back a little counts in the newest slice there is; one that went
// back, or ahead, by more than a window begins anew.
func (w *window) advance(number uint32) {
	switch ahead := int32(number - w.newest); { //nolint:gosec // the difference modulo 2³²
	case ahead <= -sliceCount || ahead >= sliceCount:
		w.counts = [sliceCount]uint32{}
	case ahead <= 0:
		return
	default:
		for i := w.newest + 1; i != number+1; i++ {
			w.counts[i%sliceCount] = 0
		}
	}
	w.newest = number
}

func (w *window) sum() uint32 {
	c := &w.counts
	sum := uint64(c[0]) + uint64(c[1]) + uint64(c[2]) + uint64(c[3]) + uint64(c[4]) + uint64(c[5]) + uint64(c[6]) + uint64(c[7])
	return uint32(min(sum, math.MaxUint32)) //nolint:gosec // it was just made to fit
}

// take counts a request, if it may pass.
func (w *window) take(s *span, now int64) bool {
	w.advance(s.number(now))
	if w.until != 0 {
		if int64(w.until)*int64(time.Second) > now {
			return false
		}
		w.until = 0
	}
	if w.sum() >= s.count {
		if s.hold > 0 {
			w.until = ceilSeconds(now + int64(s.hold))
		}
		return false
	}
	w.counts[w.newest%sliceCount]++
	return true
}

// giveBack takes a request back that was counted in a slice and did not pass after all.
func (w *window) giveBack(number uint32) {
	if w.newest-number < sliceCount && w.counts[number%sliceCount] > 0 {
		w.counts[number%sliceCount]--
		if w.pending > 0 {
			w.pending--
		}
	}
}

// add counts requests that passed elsewhere, in the slice in which they did.
func (w *window) add(number, n uint32) {
	if int32(number-w.newest) > 0 { //nolint:gosec // the difference modulo 2³²
		w.advance(number)
	}
	if w.newest-number >= sliceCount {
		return
	}
	c := &w.counts[number%sliceCount]
	*c += min(n, math.MaxUint32-*c)
}

// remaining is how many requests may pass now: none of a key that is refused for a time, whatever the window holds.
func (w *window) remaining(s *span) int {
	if w.until != 0 {
		return 0 // take has looked whether it is over
	}
	if sum := w.sum(); sum < s.count {
		return int(s.count - sum)
	}
	return 0
}

// whole is how long it takes until the quota is whole again.
func (w *window) whole(s *span, now int64) time.Duration {
	for back := range uint32(sliceCount) {
		if w.counts[(w.newest-back)%sliceCount] > 0 {
			return max(w.gone(s, back, now), w.held(now))
		}
	}
	return w.held(now)
}

// room is how long it takes until a request may pass.
func (w *window) room(s *span, now int64) time.Duration {
	left := w.sum()
	for back := sliceCount - 1; back >= 0 && left >= s.count; back-- {
		if n := w.counts[(w.newest-uint32(back))%sliceCount]; n > 0 { //nolint:gosec // small
			if left -= min(n, left); left < s.count {
				return max(w.gone(s, uint32(back), now), w.held(now)) //nolint:gosec // small
			}
		}
	}
	return w.held(now)
}

// gone is how long it takes until the slice that is so many before the newest one does not count any more.
func (w *window) gone(s *span, back uint32, now int64) time.Duration {
	current := now / s.slice
	ahead := int64(int32(w.newest - back - uint32(current))) //nolint:gosec // the difference modulo 2³²
	return time.Duration((current+ahead+sliceCount)*s.slice - now)
}

func (w *window) held(now int64) time.Duration {
	return max(time.Duration(int64(w.until)*int64(time.Second)-now), 0)
}
