package correlate

import "github.com/seshat-project/seshat"

// startsOver reports whether a request that carries a known ID of s begins another session: s has ended, or ends
// here, and its own client goes on.
func (c *Correlator) startsOver(s *sessionState, x *exchangeView, known *idState) bool {
	if s.revoked != 0 {
		return false // nobody escapes a revocation by waiting
	}
	if s.ended == 0 {
		switch {
		case s.lifetime > 0 && x.now-s.first > s.lifetime:
			c.close(s, s.first+s.lifetime, seshat.EndLifetime)
			return true
		case s.idle > 0 && x.now-s.last > s.idle:
			c.close(s, s.last+s.idle, seshat.EndIdle)
			return true
		}
	}
	if !s.seenOn(x.deviceKey) || carriesToken(x) {
		return false // used elsewhere, or a token that outlived its session: a replay belongs to the session
	}
	switch s.endBy {
	case seshat.EndLogout, seshat.EndRefused:
		// The server let the client keep its cookie: what it does now is somebody's next session.
		return !known.dead && known.kind == seshat.KindSession && x.now > s.ended && !x.refused && !x.logsOut
	case seshat.EndNone:
		// The provider's own cookie outlives the tokens it gave out: signing in anew is a new session.
		return s.lapsed(x.now) && x.signsIn && (known.kind == seshat.KindSession || known.kind == seshat.KindTransaction)
	default:
		return false
	}
}

func carriesToken(x *exchangeView) bool {
	for _, id := range x.presented {
		switch id.Kind {
		case seshat.KindAccessToken, seshat.KindRefreshToken, seshat.KindAPIKey:
			return true
		default:
			if id.Token.IsToken {
				return true
			}
		}
	}
	return false
}

// lapsed reports whether the session has tokens and none that still holds.
func (s *sessionState) lapsed(now int64) bool {
	return s.tokenExpires != 0 && now > s.tokenExpires || s.refused != 0
}

// end ends the session where the exchange says so.
func (c *Correlator) end(s *sessionState, x *exchangeView) {
	if x.o.Verdict.Action.Refuses() {
		return // the answer is not the origin's: what it holds of the session is not known
	}
	deletes, handedOver := false, false
	for _, id := range x.deleted {
		state := c.ids[id.Digest]
		if state == nil || c.root(state.session) != s {
			continue
		}
		state.dead = true
		c.changedIDs[id.Digest] = struct{}{}
		switch {
		case state.kind != seshat.KindSession || c.replaced(x, id):
		case state.inherited:
			handedOver = true // the sign-out of the user before, completed
		default:
			deletes = true
		}
	}
	if x.refused {
		c.refuse(s, x)
	}
	if s.over() {
		return
	}
	if deletes && !c.keepsOne(s, x) || x.logsOut && !handedOver && x.success && (x.o.Method != "GET" && x.o.Method != "HEAD" || x.o.Status >= 300) {
		c.close(s, x.now, seshat.EndLogout)
	}
}

// keepsOne reports whether the request carried an ID of the session that the response leaves alone: then what it
// deletes is not what the session stands on.
func (c *Correlator) keepsOne(s *sessionState, x *exchangeView) bool {
	for _, id := range x.presented {
		state := c.ids[id.Digest]
		if state == nil || state.dead || strengthOf(id) != strong || c.root(state.session) != s {
			continue
		}
		return true
	}
	return false
}

// replaced reports whether the response gives out another ID under the name of the one that it deletes.
func (c *Correlator) replaced(x *exchangeView, id *seshat.ObservedID) bool {
	for _, issued := range x.issued {
		if issued.Where == id.Where && issued.Key == id.Key {
			return true
		}
	}
	return false
}

// refuse notes that the refresh of the session's newest refresh token was refused. That of one that was rotated
// before says nothing of the session: somebody else tries it.
func (c *Correlator) refuse(s *sessionState, x *exchangeView) {
	for _, id := range x.presented {
		if id.Kind != seshat.KindRefreshToken && !x.refreshes {
			continue
		}
		if state := c.ids[id.Digest]; state != nil && state.rotated == 0 && s.refused == 0 {
			s.refused = x.now
			c.changed(s)
		}
	}
}

func (c *Correlator) close(s *sessionState, at int64, reason seshat.EndReason) {
	s.ended, s.endBy = at, reason
	c.changed(s)
	c.events = append(c.events, seshat.Event{
		Type: seshat.EventEnd, Time: timeOf(at), Session: s.id, Previous: s.previous, Reason: reason,
	})
}
