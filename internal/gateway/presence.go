package gateway

import "time"

// A client that goes away while its request is at the origin is noticed by writing to it, which may be never. So the
// sweeper looks after those that have waited for a while; it costs the others nothing.

// presenceAfter is how long a client waits until it is looked after, and again from then on.
const presenceAfter = time.Second

// await says that the client waits for bytes of up.
func (c *conn) await(up *upstream) {
	c.since.Store(c.in.sweeper.now.Load())
	c.awaited.Store(up)
}

// arrived says that it does not any more. It reports false when the client was found to be gone: then up was interrupted and
// cannot be used again.
func (c *conn) arrived() bool { return c.awaited.Swap(nil) != nil }

// lookAfterClients interrupts what clients that are gone have waited for.
func (s *Server) lookAfterClients() {
	now := s.sweeper.now.Load()
	if now-s.looked < int64(presenceAfter)/2 {
		return
	}
	s.looked = now
	var long []*conn
	s.mutex.Lock()
	for c := range s.conns {
		if c.awaited.Load() != nil && now-c.since.Load() >= int64(presenceAfter) {
			c.since.Store(now)
			long = append(long, c)
		}
	}
	s.mutex.Unlock()
	for _, c := range long {
		// The connection to the server may be somebody else's by the time that it is interrupted, unless it is claimed.
		if up := c.awaited.Load(); up != nil && gone(c.in.conn) && c.awaited.CompareAndSwap(up, nil) {
			up.interrupt(true)
		}
	}
}
