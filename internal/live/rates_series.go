package live

import (
	"slices"
	"time"

	"github.com/seshat-project/seshat"
)

// Ask says what of the rates is wanted.
type Ask struct {
	// Step is the length of an element of the series, in whole seconds; 1 s when it is less.
	Step time.Duration
	// Since is how far back the series go: all of [Window] when it is 0.
	Since time.Duration
	// Verdicts is how many of the last verdicts are wanted at most.
	Verdicts int
}

// Sums are what exchanges add up to.
type Sums struct {
	Exchanges      uint64
	Status         [statusClasses]uint64 // none, 1xx, 2xx, 3xx, 4xx, 5xx
	Actions        [seshat.ActionBlock + 1]uint64
	Origins        [seshat.OriginFallback + 1]uint64
	Started, Ended uint64 // sessions
}

func (s *Sums) add(n *second) {
	s.Exchanges += uint64(n.exchanges)
	for i := range n.status {
		s.Status[i] += uint64(n.status[i])
	}
	for i := range n.actions {
		s.Actions[i] += uint64(n.actions[i])
	}
	for i := range n.origins {
		s.Origins[i] += uint64(n.origins[i])
	}
	s.Started += uint64(n.started)
	s.Ended += uint64(n.ended)
}

// Snapshot is what rates add up to at a time.
type Snapshot struct {
	Now   time.Time
	Began time.Time // when counting began: before it, nothing is known
	// Position is behind what is counted; set by [Feed.Rates].
	Position Position
	// Total is how many exchanges were committed since then, imports included; Early are those of them that had happened
	// before the window, and Missed those that were not looked at since too many came at once.
	Total, Early, Missed uint64

	// Current are the complete seconds of the last ten: those up to [Settled] ago. Seconds is how many they are.
	Current        Sums
	CurrentSeconds int
	// All is the whole window, and Latency those of its last minute that are complete.
	All     Sums
	Latency Percentiles

	// From is when the first element of Series begins; each is Step long. The last one holds now, and the seconds ahead.
	From   time.Time
	Step   time.Duration
	Series []Sums
	// Latencies begin at LatencyFrom, each LatencyStep long.
	LatencyFrom time.Time
	LatencyStep time.Duration
	Latencies   []Percentiles
	// Verdicts are the last that were not simply to let pass, the newest first. What they point to must not be changed.
	Verdicts []Judged
}

// currentSeconds is what the rate of now is the mean of: the commits of a recorder are less than a second apart, and people
// want to see a change at once.
const currentSeconds = 10

// Snapshot returns what the rates add up to. Elements begin at whole multiples of the step, so that those of two snapshots
// are the same stretches of time; the first may begin before the window, and is then not complete.
func (r *Rates) Snapshot(now time.Time, ask Ask) *Snapshot {
	newest := now.Unix()
	out := &Snapshot{Now: now, Began: r.began, Total: r.total, Early: r.early, Missed: r.missed}
	step := max(int64(ask.Step/time.Second), 1)
	length := windowSeconds
	if since := int64(ask.Since / time.Second); since > 0 && since < length {
		length = since
	}
	from := (newest - length + 1) / step * step
	out.From, out.Step = time.Unix(from, 0).UTC(), time.Duration(step)*time.Second
	out.Series = make([]Sums, newest/step-from/step+1)
	settled := newest - int64(Settled/time.Second)
	for at := newest - windowSeconds + 1; at <= newest+int64(ahead/time.Second); at++ {
		s := &r.seconds[at%ringSeconds]
		if s.at != at {
			continue
		}
		out.All.add(s)
		if at >= from {
			out.Series[min(at, newest)/step-from/step].add(s)
		}
		if at <= settled && at > settled-currentSeconds {
			out.Current.add(s)
		}
	}
	out.CurrentSeconds = int(min(currentSeconds, max(settled-r.began.Unix()+1, 1)))
	r.latenciesOf(out, newest, from, step)
	out.Verdicts = slices.Clone(r.verdicts.list[:min(r.verdicts.n, max(ask.Verdicts, 0))])
	return out
}

// latencyOver is over how many tens of seconds the latency of now is taken.
const latencyOver = 6

func (r *Rates) latenciesOf(out *Snapshot, newest, from, step int64) {
	if step < latencySeconds || step%latencySeconds != 0 {
		step = (step + latencySeconds - 1) / latencySeconds * latencySeconds
	}
	from = from / step * step
	out.LatencyFrom, out.LatencyStep = time.Unix(from, 0).UTC(), time.Duration(step)*time.Second
	merged := make([]sketch, newest/step-from/step+1)
	var recent sketch
	for ten := (newest - windowSeconds + 1) / latencySeconds; ten <= (newest+int64(ahead/time.Second))/latencySeconds; ten++ {
		l := &r.latencies[ten%ringLatencies]
		if l.at != ten {
			continue
		}
		if at := ten * latencySeconds; at >= from {
			merged[min(at, newest)/step-from/step].merge(&l.sketch)
		}
		if ten > newest/latencySeconds-latencyOver {
			recent.merge(&l.sketch)
		}
	}
	out.Latency = recent.percentiles()
	out.Latencies = make([]Percentiles, len(merged))
	for i := range merged {
		out.Latencies[i] = merged[i].percentiles()
	}
}
