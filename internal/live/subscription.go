package live

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// Subscription is one who follows a [Feed]. It belongs to one goroutine.
type Subscription struct {
	feed   *Feed
	filter filter.Expr
	awake  chan struct{}
	next   uint64 // the number of the exchange that is read next
	buffer []seshat.Assigned
}

// Item is an exchange that was committed, and the position behind it.
type Item struct {
	seshat.Assigned
	After Position
}

// Taken is what a subscription took.
type Taken struct {
	// Items are the exchanges that the filter let through, in the order in which they were committed. They must not be
	// changed, and may be kept.
	Items []Item
	// LeftOut is how many exchanges, whatever the filter says of them, were gone before they could be read.
	LeftOut uint64
	// More says that there may be more already.
	More bool
	// After is behind everything that was looked at.
	After Position
}

// takeAtOnce is how many exchanges are looked at in one go: the ring is locked while they are copied, for some microseconds.
const takeAtOnce = 256

// Subscribe follows the feed from now on; it has to be closed. A nil filter lets everything through.
func (f *Feed) Subscribe(expr filter.Expr) *Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.subscribe(expr, f.next)
}

// Resume follows the feed from a position on that was given out before. What is gone is told by the first [Subscription.Take].
// Of a position of another run of the process, known is false; then everything that is kept is read, which another run
// cannot have shown.
func (f *Feed) Resume(expr filter.Expr, after Position) (s *Subscription, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known = after.run == f.run && after.next <= f.next; known {
		return f.subscribe(expr, after.next), true
	}
	return f.subscribe(expr, f.first), false
}

func (f *Feed) subscribe(expr filter.Expr, next uint64) *Subscription {
	if f.kept == nil {
		f.kept = make([]seshat.Assigned, maxKept)
		f.first = f.next
	}
	s := &Subscription{feed: f, filter: expr, awake: make(chan struct{}, 1), next: next, buffer: make([]seshat.Assigned, 0, takeAtOnce)}
	f.subscribers[s] = struct{}{}
	return s
}

// Close ends the subscription.
func (s *Subscription) Close() {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.subscribers, s)
	if len(f.subscribers) == 0 {
		f.left = f.now()
	}
}

// Wake says when there may be something to take.
func (s *Subscription) Wake() <-chan struct{} { return s.awake }

func (s *Subscription) wake() {
	select {
	case s.awake <- struct{}{}:
	default: // it is told already
	}
}

// Take takes what has come, without waiting.
func (s *Subscription) Take() Taken {
	var out Taken
	s.read(&out)
	for i := range s.buffer {
		x := &s.buffer[i]
		if filter.Match(s.filter, store.ExchangeRow{Assigned: x}) {
			out.Items = append(out.Items, Item{*x, Position{out.After.run, s.next - uint64(len(s.buffer)-1-i)}})
		}
		*x = seshat.Assigned{} // what the reader does not keep, nobody does
	}
	return out
}

// read copies the next exchanges out of the ring.
func (s *Subscription) read(out *Taken) {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.next < f.first {
		out.LeftOut = f.first - s.next
		s.next = f.first
	}
	s.buffer = s.buffer[:0]
	for s.next < f.next && len(s.buffer) < cap(s.buffer) {
		s.buffer = append(s.buffer, f.kept[s.next%maxKept])
		s.next++
	}
	out.More, out.After = s.next < f.next, Position{f.run, s.next}
}
