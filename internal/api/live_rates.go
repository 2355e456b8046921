package api

import (
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/store"
)

// The places of the classes of status in [live.Sums].
const (
	classNone = iota
	class1xx
	class2xx
	class3xx
	class4xx
	class5xx
)

// newRates is a snapshot as it goes over the wire.
func newRates(s *live.Snapshot) *wire.Rates {
	c, n := &s.Current, float64(max(s.CurrentSeconds, 1))
	out := &wire.Rates{
		Now: store.Time(s.Now), Since: store.Time(s.Began), Position: s.Position.String(), Total: int64(s.Total), Missed: int64(s.Missed),
		Current: wire.Current{
			Seconds: s.CurrentSeconds, Exchanges: float64(c.Exchanges) / n,
			Errors:   float64(c.Status[class4xx]+c.Status[class5xx]) / n,
			Failures: float64(c.Status[class5xx]) / n,
			Refused:  float64(c.Actions[seshat.ActionLimit]+c.Actions[seshat.ActionBlock]) / n,
		},
		Window: newCounts(&s.All), Latency: newLatency(&s.Latency), Series: newSeries(s), Latencies: newLatencies(s),
		Verdicts: make([]wire.RecentVerdict, 0, len(s.Verdicts)),
	}
	for i := range s.Verdicts {
		out.Verdicts = append(out.Verdicts, newRecentVerdict(&s.Verdicts[i]))
	}
	return out
}

func newCounts(s *live.Sums) wire.Counts {
	return wire.Counts{
		Exchanges: int64(s.Exchanges),
		Status: wire.StatusCounts{
			None: int64(s.Status[classNone]), Informational: int64(s.Status[class1xx]), Successful: int64(s.Status[class2xx]),
			Redirection: int64(s.Status[class3xx]), ClientError: int64(s.Status[class4xx]), ServerError: int64(s.Status[class5xx]),
		},
		Actions: wire.ActionCounts{
			Allow: int64(s.Actions[seshat.ActionAllow]), Tag: int64(s.Actions[seshat.ActionTag]),
			Limit: int64(s.Actions[seshat.ActionLimit]), Block: int64(s.Actions[seshat.ActionBlock]),
		},
		Origins: wire.OriginCounts{
			Rule: int64(s.Origins[seshat.OriginRule]), BuiltIn: int64(s.Origins[seshat.OriginBuiltIn]),
			Fallback: int64(s.Origins[seshat.OriginFallback]),
		},
		SessionsStarted: int64(s.Started), SessionsEnded: int64(s.Ended),
	}
}

// newSeries puts sums into columns: a quarter of an hour of objects would be several times as long.
func newSeries(s *live.Snapshot) wire.Series {
	column := func(value func(*live.Sums) uint64) []int64 {
		out := make([]int64, len(s.Series))
		for i := range s.Series {
			out[i] = int64(value(&s.Series[i]))
		}
		return out
	}
	status := func(class int) []int64 { return column(func(n *live.Sums) uint64 { return n.Status[class] }) }
	action := func(a seshat.Action) []int64 { return column(func(n *live.Sums) uint64 { return n.Actions[a] }) }
	origin := func(o seshat.Origin) []int64 { return column(func(n *live.Sums) uint64 { return n.Origins[o] }) }
	return wire.Series{
		From: s.From, StepSeconds: int(s.Step / time.Second),
		Exchanges: column(func(n *live.Sums) uint64 { return n.Exchanges }),
		Status: wire.StatusSeries{
			None: status(classNone), Informational: status(class1xx), Successful: status(class2xx), Redirection: status(class3xx),
			ClientError: status(class4xx), ServerError: status(class5xx),
		},
		Actions: wire.ActionSeries{
			Allow: action(seshat.ActionAllow), Tag: action(seshat.ActionTag), Limit: action(seshat.ActionLimit), Block: action(seshat.ActionBlock),
		},
		Origins: wire.OriginSeries{
			Rule: origin(seshat.OriginRule), BuiltIn: origin(seshat.OriginBuiltIn), Fallback: origin(seshat.OriginFallback),
		},
		SessionsStarted: column(func(n *live.Sums) uint64 { return n.Started }),
		SessionsEnded:   column(func(n *live.Sums) uint64 { return n.Ended }),
	}
}

func newLatency(p *live.Percentiles) wire.Latency {
	return wire.Latency{Exchanges: int64(p.Exchanges), P50: inMS(p.P50), P90: inMS(p.P90), P99: inMS(p.P99)}
}

func newLatencies(s *live.Snapshot) wire.LatencyTable {
	out := wire.LatencyTable{From: s.LatencyFrom, StepSeconds: int(s.LatencyStep / time.Second)}
	n := len(s.Latencies)
	out.Exchanges, out.P50, out.P90, out.P99 = make([]int64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range s.Latencies {
		p := &s.Latencies[i]
		out.Exchanges[i], out.P50[i], out.P90[i], out.P99[i] = int64(p.Exchanges), inMS(p.P50), inMS(p.P90), inMS(p.P99)
	}
	return out
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func newRecentVerdict(j *live.Judged) wire.RecentVerdict {
	x := &j.Last
	return wire.RecentVerdict{
		Count: int64(j.Count), Since: store.Time(j.Since), Several: j.Several,
		Time: store.Time(x.Time), Key: wire.KeyText(x.Key), SessionID: x.Session.String(), User: live.UserOf(x.Observation), IP: x.ClientIP,
		Endpoint: store.EndpointName(x.Observation), Status: x.Status,
		Verdict: wire.Verdict{Action: x.Verdict.Action.String(), By: x.Verdict.By, Tags: x.Verdict.Tags},
	}
}
