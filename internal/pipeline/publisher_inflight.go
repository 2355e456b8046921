package pipeline

import (
	"sync/atomic"
	"time"
)

const (
	// slotLength is how exactly the start of an exchange that goes on is known: those that start after it wait up to so
	// much longer.
	slotLength = 100 * time.Millisecond
	// slots is how many slots there are: a power of two, for 12.8 seconds.
	slots = 128
	// longestHold is up to how long an exchange can hold others back: what the slots have room for.
	longestHold = (slots - 8) * slotLength
	// slotCountBits are the bits of a slot that count; the others hold its number.
	slotCountBits = 24
	slotCountMask = 1<<slotCountBits - 1
)

// inFlight knows when the exchanges that go on have started, to a tenth of a second: a ring of slots, each with the
// number of the time that it stands for at present, and with how many exchanges started then and have not ended. An
// exchange that goes on for longer than the ring lasts is forgotten.
type inFlight struct{ ring [slots]atomic.Uint64 }

func slotOf(nanoseconds int64) int64 { return nanoseconds / int64(slotLength) }

// begin counts an exchange.
func (f *inFlight) begin(start time.Time) Ticket {
	n := slotOf(start.UnixNano())
	if n <= 0 {
		return Ticket{}
	}
	slot := &f.ring[n%slots]
	for {
		old := slot.Load()
		var now uint64
		switch number := int64(old >> slotCountBits); {
		case number == n && old&slotCountMask < slotCountMask:
			now = old + 1
		case number < n:
			now = uint64(n)<<slotCountBits | 1
		default:
			return Ticket{} // long ago
		}
		if slot.CompareAndSwap(old, now) {
			return Ticket{n}
		}
	}
}

// end takes an exchange off the count.
func (f *inFlight) end(t Ticket) {
	if t.slot == 0 {
		return
	}
	slot := &f.ring[t.slot%slots]
	for {
		old := slot.Load()
		if int64(old>>slotCountBits) != t.slot || old&slotCountMask == 0 || slot.CompareAndSwap(old, old-1) {
			return
		}
	}
}

// oldest is when the oldest exchange started, of those that started since, in nanoseconds. False when there is none.
func (f *inFlight) oldest(since, now int64) (int64, bool) {
	for n := slotOf(since); n <= slotOf(now)+1; n++ {
		if n <= 0 {
			continue
		}
		if v := f.ring[n%slots].Load(); int64(v>>slotCountBits) == n && v&slotCountMask > 0 {
			return n * int64(slotLength), true
		}
	}
	return 0, false
}

// reset forgets all exchanges.
func (f *inFlight) reset() {
	for i := range f.ring {
		f.ring[i].Store(0)
	}
}
