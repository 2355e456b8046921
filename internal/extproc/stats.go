package extproc

import "sync/atomic"

// Stats count what a [Server] did since it started.
type Stats struct {
	Open      int64 // streams under way
	Streams   int64 // requests that came
	Refused   int64 // answered in place of the origin
	Cut       int64 // streams that ended before the response's header was seen: clients that went away, timeouts of Envoy
	Observed  int64 // requests of an Envoy that does not wait for answers (observability_mode)
	Bodies    int64 // bodies that were asked for
	Missed    int64 // bodies that were asked for and did not come
	Overload  int64 // streams that were refused because too many were under way
	Malformed int64 // streams that were not what the protocol says
	Failed    int64 // exchanges that the journal did not take where the configuration forbids to answer then
}

type counters struct {
	open, streams, refused, cut, observed, bodies, missed, overload, malformed, failed atomic.Int64
}

func (c *counters) stats() Stats {
	return Stats{
		Open: c.open.Load(), Streams: c.streams.Load(), Refused: c.refused.Load(), Cut: c.cut.Load(), Observed: c.observed.Load(),
		Bodies: c.bodies.Load(), Missed: c.missed.Load(), Overload: c.overload.Load(), Malformed: c.malformed.Load(),
		Failed: c.failed.Load(),
	}
}
