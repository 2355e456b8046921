package correlate

import (
	"time"

	"github.com/seshat-project/seshat"
)

// Revoke ends a session that a person or an engine has revoked. It keeps the IDs that it has: what is done with them
// later stays in it, and so do IDs that it gains later. A session that ended otherwise counts as revoked from then on. The
// session's state must be in memory, see [Correlator.Want]; one that is not known is ignored.
func (c *Correlator) Revoke(id seshat.SessionID, at time.Time) {
	s := c.root(id)
	switch {
	case s == nil || s.endBy == seshat.EndRevoked:
	case s.ended != 0:
		s.ended, s.endBy = nanos(at), seshat.EndRevoked // that it ended was told before
		c.changed(s)
	default:
		c.close(s, nanos(at), seshat.EndRevoked)
	}
}

// Want has [Correlator.Missing] ask for a session.
func (c *Correlator) Want(id seshat.SessionID) { c.wantSession(id) }

// takes reports whether exchanges that are found to be the session's, but do not carry one of its IDs, are given to it: it
// goes on, or it was revoked, which a client does not escape by taking another way.
func (s *sessionState) takes() bool { return s.ended == 0 || s.endBy == seshat.EndRevoked }

// SetConfig changes how sessions are made from here on.
func (c *Correlator) SetConfig(config Config) { c.config = config }
