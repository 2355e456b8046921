package live

import (
	"time"

	"github.com/seshat-project/seshat"
)

// The extent of [Rates]: a quarter of an hour in seconds, and latencies in steps of ten.
const (
	// Window is how far back rates go.
	Window = 15 * time.Minute
	// ahead is how far in the future an exchange may have begun, by a clock elsewhere. Those further ahead count now.
	ahead = 5 * time.Second
	// Settled is how long after it began a usual exchange has been committed: a second in the journal until those that began
	// before it have come, and the time between two transactions. The seconds since then are not complete.
	Settled = 3 * time.Second

	windowSeconds = int64(Window / time.Second)
	// ringSeconds is more than the window and what may be ahead of it, so that no two seconds of interest share a place.
	ringSeconds = windowSeconds + 2*int64(ahead/time.Second) + latencySeconds
	// latencySeconds is the step in which latencies are kept: enough exchanges for a percentile.
	latencySeconds = 10
	ringLatencies  = ringSeconds/latencySeconds + 2
	// maxVerdicts is how many of the last verdicts are kept that were not simply to let pass.
	maxVerdicts = 50
)

// Rates add up what was committed: by second, for a quarter of an hour. Time is the time of the exchanges themselves, when
// their requests started, so that a second is what really happened in it, whenever it was committed, and agrees with what the
// store says of it; the price is that the last [Settled] seconds are not complete. Exchanges of before the window, as an import
// has, count in no second.
//
// All its memory is fixed: 60 KB for the seconds, 70 KB for the latencies, the observations of the last verdicts, and up to
// 4 MB for what acted, if that has a thousand names. It is a function of its arguments, and belongs to one goroutine at a time.
type Rates struct {
	began     time.Time
	total     uint64
	early     uint64 // of before the window
	missed    uint64
	seconds   [ringSeconds]second
	latencies [ringLatencies]tenSeconds
	verdicts  verdicts
	acting    acting
}

// second is what happened within one second.
type second struct {
	at             int64 // seconds since 1970
	exchanges      uint32
	status         [statusClasses]uint32 // by class; 0 is of those without a response
	actions        [seshat.ActionBlock + 1]uint32
	origins        [seshat.OriginFallback + 1]uint32
	started, ended uint32 // sessions
}

// statusClasses are none, 1xx, 2xx, 3xx, 4xx and 5xx.
const statusClasses = 6

// NewRates returns rates in which nothing has happened since a time.
func NewRates(began time.Time) *Rates {
	return &Rates{began: began, acting: newActing()}
}

// Add adds what was committed at a time.
func (r *Rates) Add(now time.Time, exchanges []seshat.Assigned, events []seshat.Event) {
	newest := now.Unix()
	r.total += uint64(len(exchanges))
	for i := range exchanges {
		x := &exchanges[i]
		at, within := placed(x.Time, newest)
		if v := &x.Verdict; v.Action != seshat.ActionAllow || v.By != "" || len(v.Tags) > 0 {
			r.verdicts.add(x)
			r.acting.add(x, at, newest)
		}
		if !within {
			r.early++
			continue
		}
		s := r.second(at)
		s.exchanges++
		s.status[statusClass(x.Status)]++
		s.actions[min(x.Verdict.Action, seshat.ActionBlock)]++
		s.origins[originOf(x.Observation)]++
		if x.Duration > 0 {
			r.latency(at).add(x.Duration)
		}
	}
	for i := range events {
		at, within := placed(events[i].Time, newest)
		if !within {
			continue
		}
		switch s := r.second(at); events[i].Type {
		case seshat.EventStart:
			s.started++
		case seshat.EventEnd:
			s.ended++
		}
	}
}

// Missed notes exchanges that were committed and not looked at.
func (r *Rates) Missed(n uint64) {
	r.total += n
	r.missed += n
}

// placed is the second that a time counts in, and whether that is within the window.
func placed(t time.Time, newest int64) (at int64, within bool) {
	at = t.Unix()
	if at > newest+int64(ahead/time.Second) {
		at = newest
	}
	return at, at > newest-windowSeconds
}

func (r *Rates) second(at int64) *second {
	s := &r.seconds[at%ringSeconds]
	if s.at != at {
		*s = second{at: at}
	}
	return s
}

func (r *Rates) latency(at int64) *tenSeconds {
	ten := at / latencySeconds
	l := &r.latencies[ten%ringLatencies]
	if l.at != ten {
		*l = tenSeconds{at: ten}
	}
	return l
}

func statusClass(status int) int {
	if class := status / 100; class > 0 && class < statusClasses {
		return class
	}
	return 0
}

// originOf is how the exchange was given its session.
func originOf(o *seshat.Observation) seshat.Origin {
	if o.Grouping < 0 || o.Grouping >= len(o.IDs) {
		return seshat.OriginFallback
	}
	return min(o.IDs[o.Grouping].Origin, seshat.OriginFallback)
}
