package correlate

import (
	"container/heap"
	"time"

	"github.com/seshat-project/seshat"
)

// Window puts observations that arrive late back in the order of their time. It holds what is younger than the
// newest time seen less the lateness; within that, the order of arrival does not matter. What comes later than
// that is passed on as it comes.
type Window struct {
	lateness time.Duration
	waiting  byTime
	newest   time.Time
}

// DefaultLateness is how late an exchange may arrive, in event time, and still be put in order.
const DefaultLateness = 10 * time.Second

// maxWaiting bounds a window's memory: beyond it the oldest leave before their time. At 100,000 exchanges a second
// and a kilobyte each this is a little over a second and 130 MB.
const maxWaiting = 1 << 17

// NewWindow returns an empty window.
func NewWindow(lateness time.Duration) *Window { return &Window{lateness: lateness} }

// Add puts o into the window and calls yield with every observation whose turn has come, in order.
func (w *Window) Add(o *seshat.Observation, yield func(*seshat.Observation)) {
	if o.Time.After(w.newest) {
		w.newest = o.Time
	}
	heap.Push(&w.waiting, o)
	due := w.newest.Add(-w.lateness)
	for len(w.waiting) > 0 && (w.waiting[0].Time.Before(due) || len(w.waiting) > maxWaiting) {
		yield(heap.Pop(&w.waiting).(*seshat.Observation))
	}
}

// Drain calls yield with everything that is left, in order.
func (w *Window) Drain(yield func(*seshat.Observation)) {
	for len(w.waiting) > 0 {
		yield(heap.Pop(&w.waiting).(*seshat.Observation))
	}
}

// byTime is a heap of observations, the oldest first. Equal times are ordered by key, so that the order does not
// depend on arrival.
type byTime []*seshat.Observation

func (b byTime) Len() int { return len(b) }
func (b byTime) Less(i, j int) bool {
	if b[i].Time.Equal(b[j].Time) {
		return b[i].Key < b[j].Key
	}
	return b[i].Time.Before(b[j].Time)
}
func (b byTime) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b *byTime) Push(x any)   { *b = append(*b, x.(*seshat.Observation)) }
func (b *byTime) Pop() any {
	old := *b
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*b = old[:len(old)-1]
	return last
}
