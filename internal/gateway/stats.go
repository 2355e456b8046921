package gateway

import (
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat/internal/http1"
)

// stripes is how many copies of the counters there are, so that connections on different processors do not wait for each
// other's cache lines. Two threads in sixteen meet rarely.
const stripes = 16

type counts [stripes]stripe

// stripe counts what some of the connections did.
type stripe struct {
	statuses          [6]atomic.Int64 // by class; 0 is for what is none
	opened, closed    atomic.Int64
	bytesIn, bytesOut atomic.Int64
	aborts, panics    atomic.Int64
	slowHeads, cutHeads, cutBodies, cutResponses,
	unrecorded, tunnels atomic.Int64
	_ [64]byte
}

func (c *counts) stripe(n uint32) *stripe { return &c[n%stripes] }

func (s *stripe) status(status int) {
	class := status / 100
	if class < 1 || class >= len(s.statuses) {
		class = 0
	}
	s.statuses[class].Add(1)
}

// refusedCounts count requests that could not be understood, by reason.
type refusedCounts [http1.Reasons]atomic.Int64

func (r *refusedCounts) add(reason http1.Reason) { r[reason].Add(1) }

// Stats are what a server did since its start. All but Connections and Tunnels only grow.
type Stats struct {
	// Responses are final responses by the class of their status, 1 to 5; 101 is in class 1. 0 is for odd ones.
	Responses   [6]int64
	Connections int64 // open now
	Accepted    int64
	Tunnels     int64 // open now
	BytesIn     int64 // from clients
	BytesOut    int64 // to clients
	Aborted     int64 // the client went away before the end of the response
	// Requests whose head, or body, did not come in time or was cut; and responses that a server broke off.
	SlowHeads, CutHeads, CutBodies, CutResponses int64
	// Unrecorded are responses that were held back because the journal did not take their exchange.
	Unrecorded int64
	Panics     int64
	// Refused are requests that could not be understood, by the name of the reason.
	Refused map[string]int64
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	out := Stats{Refused: map[string]int64{}}
	for i := range s.counts {
		c := &s.counts[i]
		for j := range c.statuses {
			out.Responses[j] += c.statuses[j].Load()
		}
		closed := c.closed.Load() // before opened, so that the difference is never negative
		opened := c.opened.Load()
		out.Connections += opened - closed
		out.Accepted += opened
		out.Tunnels += c.tunnels.Load()
		out.BytesIn += c.bytesIn.Load()
		out.BytesOut += c.bytesOut.Load()
		out.Aborted += c.aborts.Load()
		out.SlowHeads += c.slowHeads.Load()
		out.CutHeads += c.cutHeads.Load()
		out.CutBodies += c.cutBodies.Load()
		out.CutResponses += c.cutResponses.Load()
		out.Unrecorded += c.unrecorded.Load()
		out.Panics += c.panics.Load()
	}
	for i := range s.refused {
		if n := s.refused[i].Load(); n > 0 {
			out.Refused[http1.Reason(i).Name()] = n
		}
	}
	return out
}

// PoolStats are what a pool did since its start.
type PoolStats struct {
	Name     string
	Servers  []BackendStats
	Waiting  int64 // requests that wait for their turn now
	Retries  int64
	Refused  int64 // too many waited
	TimedOut int64 // waited for too long
	// Latency counts the times from a request to the head of its response; see [LatencyBounds].
	Latency    [LatencyBuckets]int64
	LatencySum time.Duration
}

// BackendStats are what a server of a pool did since its start.
type BackendStats struct {
	Address  string
	Healthy  bool
	Ejected  bool
	InFlight int64 // now
	Idle     int   // connections, now
	Requests int64
	Failed   int64
	Dialed   int64 // connections
	Reused   int64 // requests on connections that were there already
}

// Stats returns the counters.
func (p *Pool) Stats() PoolStats {
	out := PoolStats{
		Name: p.config.Name, Waiting: p.waiting.Load(), Retries: p.retries.Load(),
		Refused: p.refused.Load(), TimedOut: p.timeouts.Load(),
	}
	out.Latency, out.LatencySum = p.latency.Counts()
	for _, b := range p.servers {
		b.mutex.Lock()
		idle := len(b.idle)
		b.mutex.Unlock()
		out.Servers = append(out.Servers, BackendStats{
			Address: b.Address, Healthy: b.Healthy(), Ejected: b.Ejected(), InFlight: b.flight.Load(), Idle: idle,
			Requests: b.requests.Load(), Failed: b.failed.Load(), Dialed: b.dialed.Load(), Reused: b.reused.Load(),
		})
	}
	return out
}
