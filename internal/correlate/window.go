package correlate

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
)

// Window puts what arrives from several sources in the order of its time. It holds what may still be overtaken, by what
// the sources say (their watermarks), and in any case no longer than the lateness: what comes later than that is passed
// on as it comes. What it passes on, and in which order, depends on the arrivals alone.
//
// A source counts while its watermark is within the lateness of the newest one, and it has not said that nobody need wait
// for it. When none counts, nothing is held. A watermark that falls says that the clock of its source was set back: what
// was held is passed on, and the newest is that one.
type Window struct {
	lateness time.Duration
	waiting  byTime
	sources  map[uint64]*source
	newest   time.Time // watermark
}

// Arrival is a batch of one source.
type Arrival struct {
	Sequence     uint64 // of the arrival
	Source, Node uint64 // the processes of one node follow each other; 0 when it is not known
	Number       uint64 // of the batch, of this source; 0 when it has none
	// Watermark says that what this source sends later started then or after it. Zero says nothing.
	Watermark    time.Time
	Away         bool // nobody need wait for this source until it is heard of again
	Observations []*seshat.Observation
	Revocations  []Item
}

// Item is something that happened: an exchange, the revocation of a session, or the end of one.
type Item struct {
	Time     time.Time
	Sequence uint64 // of its arrival
	// Observation is nil for a revocation.
	Observation *seshat.Observation
	Revoked     seshat.SessionID
	Readmitted  bool // the revocation was taken back
}

// source is what is known of one source.
type source struct {
	node, number, sequence uint64
	watermark              time.Time
	away                   bool
}

// DefaultLateness is how late, in event time, an exchange may arrive and still be put in order.
const DefaultLateness = 10 * time.Second

const (
	// maxWaiting bounds a window's memory: beyond it the oldest leave before their time. At 100,000 exchanges a second and
	// a kilobyte each this is a little over a second and 130 MB.
	maxWaiting = 1 << 17
	// maxSources is how many sources are remembered. A fleet has some dozens; those that were heard of longest ago make
	// room.
	maxSources = 256
)

// NewWindow returns an empty window.
func NewWindow(lateness time.Duration) *Window {
	return &Window{lateness: lateness, sources: map[uint64]*source{}}
}

// SetLateness changes how long what arrives is held.
func (w *Window) SetLateness(lateness time.Duration) { w.lateness = lateness }

// Taken reports whether a batch was taken before.
func (w *Window) Taken(from, number uint64) bool {
	s := w.sources[from]
	return s != nil && number != 0 && number <= s.number
}

// Take takes a batch, and calls yield with everything whose turn has come, in order.
func (w *Window) Take(a *Arrival, yield func(*Item)) {
	s := w.sources[a.Source]
	if s == nil {
		w.makeRoom()
		s = &source{node: a.Node}
		w.sources[a.Source] = s
		for _, before := range w.sources {
			if before != s && before.node == a.Node && a.Node != 0 {
				before.away = true // its process is gone
			}
		}
	}
	watermark := a.Watermark
	if watermark.IsZero() {
		watermark = s.watermark
		for _, o := range a.Observations {
			if least := o.Time.Add(-w.lateness); least.After(watermark) {
				watermark = least
			}
		}
		if newest := watermark.Add(w.lateness); newest.After(w.newest) {
			w.newest = newest
		}
	}
	if watermark.Before(s.watermark) {
		w.Drain(yield)
		w.newest = watermark
	}
	s.number, s.sequence, s.watermark, s.away = a.Number, a.Sequence, watermark, a.Away
	if watermark.After(w.newest) {
		w.newest = watermark
	}
	for _, o := range a.Observations {
		heap.Push(&w.waiting, &Item{Time: o.Time, Sequence: a.Sequence, Observation: o})
	}
	for i := range a.Revocations {
		item := a.Revocations[i]
		item.Sequence = a.Sequence
		heap.Push(&w.waiting, &item)
	}
	w.Release(yield)
}

// Release calls yield with everything whose turn has come, in order. [Window.Take] does so by itself.
func (w *Window) Release(yield func(*Item)) {
	due, all := w.due()
	for len(w.waiting) > 0 && (all || w.waiting[0].Time.Before(due) || len(w.waiting) > maxWaiting) {
		yield(heap.Pop(&w.waiting).(*Item))
	}
}

// due is up to when what waits can be overtaken by nothing any more. All says that everything can go.
func (w *Window) due() (due time.Time, all bool) {
	least := w.newest.Add(-w.lateness)
	all = true
	for _, s := range w.sources {
		if s.away || s.watermark.Before(least) {
			continue
		}
		if all || s.watermark.Before(due) {
			due = s.watermark
		}
		all = false
	}
	return due, all
}

// Drain calls yield with everything that waits, in order.
func (w *Window) Drain(yield func(*Item)) {
	for len(w.waiting) > 0 {
		yield(heap.Pop(&w.waiting).(*Item))
	}
}

// Len is how much waits.
func (w *Window) Len() int { return len(w.waiting) }

// Oldest is the sequence of the oldest arrival of which something waits; 0 when nothing does.
func (w *Window) Oldest() uint64 {
	var oldest uint64
	for _, item := range w.waiting {
		if oldest == 0 || item.Sequence < oldest {
			oldest = item.Sequence
		}
	}
	return oldest
}

// Latest is the greatest time of what waits; zero when nothing does.
func (w *Window) Latest() time.Time {
	var latest time.Time
	for _, item := range w.waiting {
		if item.Time.After(latest) {
			latest = item.Time
		}
	}
	return latest
}

// Newest is how far the sources are: the newest watermark.
func (w *Window) Newest() time.Time { return w.newest }

// Hold puts something back that waited when the state of the window was saved.
func (w *Window) Hold(item *Item) { heap.Push(&w.waiting, item) }

// makeRoom forgets the source that was heard of longest ago when there are too many.
func (w *Window) makeRoom() {
	if len(w.sources) < maxSources {
		return
	}
	var oldest uint64
	found := false
	for id, s := range w.sources {
		if !found || s.sequence < w.sources[oldest].sequence || s.sequence == w.sources[oldest].sequence && id < oldest {
			oldest, found = id, true
		}
	}
	delete(w.sources, oldest)
}

// byTime is a heap, the oldest first. What has one time is ordered by what it is, so that the order does not depend on
// arrival.
type byTime []*Item

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].compare(b[j]) < 0 }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byTime) Push(x any)        { *b = append(*b, x.(*Item)) }
func (b *byTime) Pop() any {
	old := *b
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*b = old[:len(old)-1]
	return last
}

func (i *Item) compare(j *Item) int {
	if c := i.Time.Compare(j.Time); c != 0 {
		return c
	}
	switch {
	case i.Observation == nil && j.Observation == nil:
		c := bytes.Compare(i.Revoked[:], j.Revoked[:])
		switch {
		case c != 0 || i.Readmitted == j.Readmitted:
			return c
		case j.Readmitted:
			return -1
		default:
			return 1
		}
	case i.Observation == nil:
		return 1 // what happened at that moment was before the revocation
	case j.Observation == nil:
		return -1
	default:
		return cmp.Compare(i.Observation.Key, j.Observation.Key)
	}
}

// sorted are the IDs of the sources in order.
func (w *Window) sorted() []uint64 {
	ids := make([]uint64, 0, len(w.sources))
	for id := range w.sources {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
