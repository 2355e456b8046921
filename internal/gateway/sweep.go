package gateway

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// sweeper ends what waits too long. Setting a deadline of a net.Conn costs a timer each time, several times a request;
// here it costs one atomic store, and a goroutine looks at all connections every tick. Waits end up to two ticks late.
type sweeper struct {
	tick time.Duration
	now  atomic.Int64 // nanoseconds of the Unix epoch, at most one tick old
	date atomic.Pointer[[]byte]
	each func() // called every tick; nil for nothing

	mutex sync.Mutex
	links []*link
	ended bool
}

// The longest and the shortest tick. The first makes waits exact to half a second at a cost that cannot be seen.
const (
	longestTick  = 250 * time.Millisecond
	shortestTick = 5 * time.Millisecond
)

// newSweeper returns a sweeper that is yet to be started. Ticks are an eighth of the shortest wait, within bounds.
func newSweeper(shortest time.Duration, each func()) *sweeper {
	s := &sweeper{tick: min(max(shortest/8, shortestTick), longestTick), each: each}
	s.advance(time.Now())
	return s
}

// start has the sweeper work. What each uses must be in place.
func (s *sweeper) start() { go s.run() }

// close ends the sweeper once no connection is left.
func (s *sweeper) close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ended = true
}

func (s *sweeper) run() {
	ticker := time.NewTicker(s.tick)
	defer ticker.Stop()
	for now := range ticker.C {
		s.advance(now)
		if s.sweep(now.UnixNano()) {
			return
		}
		if s.each != nil {
			s.each()
		}
	}
}

func (s *sweeper) advance(now time.Time) {
	before := s.now.Swap(now.UnixNano())
	if before/int64(time.Second) != now.Unix() {
		date := now.UTC().AppendFormat(nil, http.TimeFormat)
		s.date.Store(&date)
	}
}

func (s *sweeper) sweep(now int64) (done bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, l := range s.links {
		l.reads.expire(now, l, true)
		l.writes.expire(now, l, false)
	}
	return s.ended && len(s.links) == 0
}

func (s *sweeper) add(l *link) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	l.index = len(s.links)
	s.links = append(s.links, l)
}

func (s *sweeper) remove(l *link) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	last := len(s.links) - 1
	moved := s.links[last]
	s.links[l.index], moved.index = moved, l.index
	s.links[last] = nil
	s.links = s.links[:last]
}

// wait is when something has to have happened, as nanoseconds of the Unix epoch; 0 is never. The sweeper turns what is
// over into expired, once.
type wait struct{ until atomic.Int64 }

const expired = -1

func (w *wait) expire(now int64, l *link, read bool) {
	until := w.until.Load()
	if until <= 0 || now < until || !w.until.CompareAndSwap(until, expired) {
		return
	}
	l.interrupt(read)
}
