package correlate

import (
	"time"

	"github.com/seshat-project/seshat"
)

// Revoke notes that a session is revoked by a person or an engine. It keeps the IDs that it has: what is done with them
// later stays in it, and so do IDs that it gains later. A session that ended otherwise counts as revoked from then on. The
// session's state must be in memory, see [Correlator.Want]; one that is not known is ignored.
func (c *Correlator) Revoke(id seshat.SessionID, at time.Time) {
	s := c.root(id)
	if s == nil || s.revoked != 0 {
		return
	}
	s.revoked = nanos(at)
	c.changed(s)
	if s.ended != 0 {
		return // that it ended was told before
	}
	c.events = append(c.events, seshat.Event{
		Type: seshat.EventEnd, Time: timeOf(s.revoked), Session: s.id, Previous: s.previous, Reason: seshat.EndRevoked,
	})
}

// Readmit takes the revocation of a session back: it is what it would be without, and goes on if nothing else ended it. As
// with [Correlator.Revoke], its state must be in memory.
func (c *Correlator) Readmit(id seshat.SessionID) {
	s := c.root(id)
	if s == nil || s.revoked == 0 {
		return
	}
	s.revoked = 0
	c.changed(s)
	if s.origin == seshat.OriginFallback && len(s.devices) > 0 {
		c.idle.push(queuedSession{id: s.id, device: s.devices[0], last: s.last})
	}
}

// Want has [Correlator.Missing] ask for a session.
func (c *Correlator) Want(id seshat.SessionID) { c.wantSession(id) }

// over reports whether the session does not go on: it ended, or it is revoked.
func (s *sessionState) over() bool { return s.ended != 0 || s.revoked != 0 }

// takes reports whether exchanges that are found to be the session's, but do not carry one of its IDs, are given to it: it
// goes on, or it is revoked, which a client does not escape by taking another way.
func (s *sessionState) takes() bool { return s.ended == 0 || s.revoked != 0 }

// SetConfig changes how sessions are made from here on.
func (c *Correlator) SetConfig(config Config) { c.config = config }
