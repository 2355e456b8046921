package correlate

import "github.com/seshat-project/seshat"

// Sessions that are known by address alone come in great numbers, most of them of one or two exchanges, and end when
// they were idle for a while. Nothing can continue them then, so that their state is dropped, often before it was
// ever stored. What readers are told of such a session names its end beforehand: see [Correlator.facts].

// idleSlack is how much longer than the idle timeout their state is kept, for exchanges that come late.
const idleSlack = int64(60e9)

// queuedSession is a fallback session in the order in which it may have become idle.
type queuedSession struct {
	id     seshat.SessionID
	device seshat.Digest
	last   int64
}

// idleQueue holds each fallback session once, those that were seen longest ago first, as far as is known.
type idleQueue struct {
	list []queuedSession
	head int
}

func (q *idleQueue) push(s queuedSession) {
	if q.head > 1024 && q.head > len(q.list)/2 {
		q.list = append(q.list[:0], q.list[q.head:]...)
		q.head = 0
	}
	q.list = append(q.list, s)
}

// dropIdle drops the state of fallback sessions that were idle for longer than their timeout at now.
func (c *Correlator) dropIdle(now int64) {
	cutoff := now - int64(c.config.FallbackIdleTimeout) - idleSlack
	q := &c.idle
	for q.head < len(q.list) && q.list[q.head].last < cutoff {
		entry := q.list[q.head]
		q.head++
		s := c.sessions[entry.id]
		switch {
		case s == nil || s.origin != seshat.OriginFallback || !s.merged.IsZero():
			continue
		case s.revoked != 0:
			continue // it is needed when that is taken back, and comes into the queue again then
		case s.last >= cutoff:
			entry.last = s.last
			q.push(entry)
			continue
		}
		// Its facts still have to be told, if it changed since the last flush.
		if _, changed := c.changedSessions[s.id]; changed {
			c.lastFacts = append(c.lastFacts, c.facts(s))
			delete(c.changedSessions, s.id)
		}
		c.drop(seshat.Digest(s.id), s.stored)
		delete(c.sessions, s.id)
		d := c.devices[entry.device]
		if d == nil || d.fallback != s.id {
			continue
		}
		d.fallback = seshat.SessionID{}
		if len(d.sessions) > 0 || d.crowded != 0 && now-d.crowded < crowdMemory {
			c.changedDevices[d.key] = struct{}{}
			continue
		}
		c.drop(d.key, d.stored)
		delete(c.devices, d.key)
		delete(c.changedDevices, d.key)
	}
}

// drop forgets a record, in the store as well if it got there.
func (c *Correlator) drop(key seshat.Digest, stored bool) {
	delete(c.asked, key)
	if stored {
		c.dropped = append(c.dropped, key)
	}
}
