package correlate

import "github.com/seshat-project/seshat"

// findByRequest finds the session of the strongest ID that the request carries and that is known. A session that
// goes on is preferred to one that has ended.
func (c *Correlator) findByRequest(x *exchangeView) (*sessionState, *idState) {
	var ended *sessionState
	var endedID *idState
	for _, id := range x.presented {
		state := c.ids[id.Digest]
		if state == nil {
			continue
		}
		s := c.root(state.session)
		switch {
		case s == nil, s.over() && strengthOf(id) == weak:
			// What only links cannot tell whether a session that has ended goes on.
		case !s.over():
			return s, state
		case ended == nil:
			ended, endedID = s, state
		}
	}
	return ended, endedID
}

// findByClaim finds the session whose tokens share a session claim with a token of the exchange.
func (c *Correlator) findByClaim(x *exchangeView) *sessionState {
	for _, ids := range [2][]*seshat.ObservedID{x.presented, x.issued} {
		for _, id := range ids {
			claim := id.Token.SessionID
			if claim.IsZero() {
				continue
			}
			if state := c.ids[claim]; state != nil {
				// A claim that another user's token shares proves nothing: it may have been made up.
				if s := c.root(state.session); s != nil && s.takes() && !differ(s.users, x.users) {
					return s
				}
			}
		}
	}
	return nil
}

// findByIssued finds the session of an ID that the response gives out and that is known from elsewhere.
func (c *Correlator) findByIssued(x *exchangeView) *sessionState {
	for _, id := range x.issued {
		if state := c.ids[id.Digest]; state != nil {
			if s := c.root(state.session); s != nil && s.takes() {
				return s
			}
		}
	}
	return nil
}

// start makes a new session that stands on the exchange's first ID.
func (c *Correlator) start(x *exchangeView, previous seshat.SessionID) *sessionState {
	first := x.first()
	id := c.config.NewSessionID(first.Digest, x.o.Time)
	for c.sessions[id] != nil {
		// The same ID may start two sessions in one instant, as when two users sign in with one cookie; the later
		// one is derived from the earlier one, so that every node still derives the same.
		id = c.config.NewSessionID(seshat.Digest(id), x.o.Time)
	}
	s := &sessionState{id: id, previous: previous, first: x.now, last: x.now}
	s.standOn(first, c.config.RuleEnds)
	c.sessions[id] = s
	c.changed(s)
	c.events = append(c.events, seshat.Event{Type: seshat.EventStart, Time: x.o.Time, Session: id, Previous: previous})
	return s
}

// standOn records what identifies the session.
func (s *sessionState) standOn(id *seshat.ObservedID, ends map[seshat.RuleID]RuleEnds) {
	s.origin, s.name = id.Origin, id.Name
	s.confidence = confidenceOf(id)
	s.kindKey = id.Kind == seshat.KindAPIKey
	e := ends[id.Rule]
	s.idle, s.lifetime = int64(e.IdleTimeout), int64(e.AbsoluteLifetime)
}

// confidenceOf is how sure one can be that equal values of id mean one session, before any inference. A rule says
// what its author knows; the built-in set knows names; an address is only where somebody is.
func confidenceOf(id *seshat.ObservedID) float64 {
	switch {
	case id.Kind == seshat.KindAddress:
		return 0.3
	case id.Kind == seshat.KindUserAgent:
		return 0.5
	case id.Origin == seshat.OriginRule:
		return 1
	case id.Kind == seshat.KindTransaction:
		return 0.8
	default:
		return 0.95
	}
}

// startAfter ends nothing, but starts the session that follows s in the same client, and hands it the IDs that
// the client keeps using.
func (c *Correlator) startAfter(s *sessionState, x *exchangeView, d *deviceState) *sessionState {
	next := c.upgradeFallback(x, d)
	if next == nil {
		next = c.start(x, s.id)
	}
	next.previous = s.id
	c.handOver(s, next, x)
	return next
}

// handOver gives the IDs of the request that are the old session's to the one that follows it in the same client.
func (c *Correlator) handOver(old, next *sessionState, x *exchangeView) {
	for _, id := range x.presented {
		state := c.ids[id.Digest]
		if state != nil && c.root(state.session) == old {
			state.session = next.id
			state.dead = false
			state.inherited = true
			c.changedIDs[id.Digest] = struct{}{}
			c.link(next, x, id, seshat.Digest{}, seshat.EvidenceFirst, 1)
		}
	}
}
