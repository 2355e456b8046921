package correlate

import (
	"github.com/seshat-project/seshat"
)

// join makes the IDs of the exchange IDs of the session: those that the request presented together, and those that
// the response gave out.
func (c *Correlator) join(s *sessionState, x *exchangeView) {
	for _, id := range x.presented {
		state := c.ids[id.Digest]
		if state == nil {
			if strengthOf(id) == weak {
				continue // unknown to the server as far as was seen: it proves nothing
			}
			evidence := seshat.EvidencePresented
			if s.first == x.now && id == x.first() {
				evidence = seshat.EvidenceFirst
			}
			c.bind(s, x, id, c.companion(s, x, id), evidence, 1)
			continue
		}
		c.seen(state, x.now)
		if other := c.root(state.session); other != nil && other != s {
			switch {
			case !other.takes() && strengthOf(id) == weak:
				state.session = s.id // the client keeps it, and it now links what comes after
				c.changedIDs[id.Digest] = struct{}{}
			case c.merge(s, other, x, id, seshat.EvidencePresented, 1):
				s = c.root(s.id)
			}
		}
	}
	for _, id := range x.issued {
		state := c.ids[id.Digest]
		if state == nil {
			from, evidence := c.predecessor(x, id)
			if s.first == x.now && from.IsZero() && id == x.first() {
				evidence = seshat.EvidenceFirst
			}
			c.bind(s, x, id, from, evidence, 1)
			continue
		}
		c.seen(state, x.now)
		state.dead = false
		if other := c.root(state.session); other != nil && other != s && id.Kind != seshat.KindTransaction {
			if c.merge(s, other, x, id, seshat.EvidenceIssued, 1) {
				s = c.root(s.id)
			}
		}
	}
	c.joinClaims(s, x)
}

// joinClaims binds the session claims of the tokens, so that later tokens with the same claim are recognised.
func (c *Correlator) joinClaims(s *sessionState, x *exchangeView) {
	for _, ids := range [2][]*seshat.ObservedID{x.presented, x.issued} {
		for _, id := range ids {
			claim := id.Token.SessionID
			if claim.IsZero() {
				continue
			}
			state := c.ids[claim]
			if state == nil {
				c.ids[claim] = &idState{digest: claim, session: s.id, kind: seshat.KindClaim, first: x.now, last: x.now}
				c.changedIDs[claim] = struct{}{}
				continue
			}
			other := c.root(state.session)
			switch {
			case other == nil || other == s:
			case c.merge(s, other, x, id, seshat.EvidenceSharedClaim, 1):
				s = c.root(s.id)
			case !other.takes() && !s.over():
				state.session = s.id // the provider goes on with its own session after ours has ended
				c.changedIDs[claim] = struct{}{}
			}
		}
	}
}

// bind makes a new ID one of the session's.
func (c *Correlator) bind(s *sessionState, x *exchangeView, id *seshat.ObservedID, from seshat.Digest, evidence seshat.Evidence, score float64) {
	if id.Digest.IsZero() {
		return
	}
	state := &idState{digest: id.Digest, session: s.id, kind: id.Kind, first: x.now, last: x.now, expires: expiryOf(id, x.now)}
	c.ids[id.Digest] = state
	c.changedIDs[id.Digest] = struct{}{}
	if s.origin == seshat.OriginFallback && id.Origin != seshat.OriginFallback {
		s.standOn(id, c.config.RuleEnds)
		c.changed(s)
	} else if id.Origin < s.origin || s.name == "" {
		s.standOn(id, c.config.RuleEnds)
		c.changed(s)
	}
	if score < 1 && score < s.confidence {
		s.confidence = score
	}
	c.lapse(s, id, state)
	c.link(s, x, id, from, evidence, score)
}

// lapse records how long the session's newest token and cookie live.
func (c *Correlator) lapse(s *sessionState, id *seshat.ObservedID, state *idState) {
	if state.expires == 0 {
		return
	}
	switch {
	case id.Kind == seshat.KindAccessToken, id.Kind == seshat.KindSession && id.Token.IsToken:
		if state.expires > s.tokenExpires {
			s.tokenExpires, s.refused, s.outlived = state.expires, 0, false
			c.changed(s)
		}
	case id.Kind == seshat.KindSession:
		if state.expires > s.cookieExpires {
			s.cookieExpires, s.outlived = state.expires, false
			c.changed(s)
		}
	}
}

func expiryOf(id *seshat.ObservedID, now int64) int64 {
	switch {
	case !id.ExpiresAt.IsZero():
		return nanos(id.ExpiresAt)
	case id.Lifetime > 0:
		return now + int64(id.Lifetime)
	default:
		return 0
	}
}

// seenEvery is how exactly it is known when an ID was last seen. Nothing is decided by it; it is stored so that the state of
// an ID that is in use is not dropped with the day on which it was stored first, and storing it with every exchange would
// be most of what correlation stores.
const seenEvery = int64(3600e9)

func (c *Correlator) seen(state *idState, now int64) {
	if now-state.last >= seenEvery {
		state.last = now
		c.changedIDs[state.digest] = struct{}{}
	}
}

// predecessor finds the presented ID that an issued one follows, and says by which evidence.
func (c *Correlator) predecessor(x *exchangeView, id *seshat.ObservedID) (seshat.Digest, seshat.Evidence) {
	for _, old := range x.presented {
		if old.Where == id.Where && old.Key == id.Key && old.Digest != id.Digest && id.Where == seshat.LocationCookie {
			c.rotate(old.Digest, x.now)
			return old.Digest, seshat.EvidenceRotation
		}
	}
	for _, old := range x.presented {
		if old.Kind == seshat.KindRefreshToken || isToken(old) && isToken(id) {
			c.rotate(old.Digest, x.now)
			return old.Digest, seshat.EvidenceRefresh
		}
	}
	for _, old := range x.presented {
		if c.ids[old.Digest] != nil {
			return old.Digest, seshat.EvidenceIssued
		}
	}
	return seshat.Digest{}, seshat.EvidenceIssued
}

func isToken(id *seshat.ObservedID) bool {
	return id.Kind == seshat.KindAccessToken || id.Token.IsToken
}

// companion is another ID of the session that the request presented together with id.
func (c *Correlator) companion(s *sessionState, x *exchangeView, id *seshat.ObservedID) seshat.Digest {
	for _, other := range x.presented {
		if other == id {
			continue
		}
		if state := c.ids[other.Digest]; state != nil && c.root(state.session) == s {
			return other.Digest
		}
	}
	return seshat.Digest{}
}

func (c *Correlator) rotate(digest seshat.Digest, now int64) {
	if state := c.ids[digest]; state != nil && state.rotated == 0 {
		state.rotated = now
		c.changedIDs[digest] = struct{}{}
	}
}

func (c *Correlator) link(s *sessionState, x *exchangeView, id *seshat.ObservedID, from seshat.Digest, evidence seshat.Evidence, score float64) {
	c.links = append(c.links, seshat.Link{
		Session: s.id, From: from, To: id.Digest, Masked: id.Masked, Kind: id.Kind, Name: id.Name,
		Evidence: evidence, Score: score, Time: x.o.Time, Exchange: x.o.Key,
		ExpiresAt: timeOf(expiryOf(id, x.now)),
	})
}

// merge makes two sessions one, if nothing speaks against it. The one that started first goes on.
func (c *Correlator) merge(a, b *sessionState, x *exchangeView, id *seshat.ObservedID, evidence seshat.Evidence, score float64) bool {
	if a.over() || b.over() || a == b || differ(a.users, b.users) {
		return false
	}
	if a.apiKey() != b.apiKey() {
		return false
	}
	if b.first < a.first || b.first == a.first && string(b.id[:]) < string(a.id[:]) {
		a, b = b, a
	}
	if differ(a.users, x.users) || differ(b.users, x.users) {
		return false
	}
	b.merged = a.id
	c.mergedCount++
	a.last = max(a.last, b.last)
	a.presented = a.presented || b.presented
	if b.origin < a.origin {
		a.origin, a.name, a.idle, a.lifetime = b.origin, b.name, b.idle, b.lifetime
	}
	a.confidence = min(max(a.confidence, b.confidence), score)
	a.tokenExpires = max(a.tokenExpires, b.tokenExpires)
	a.cookieExpires = max(a.cookieExpires, b.cookieExpires)
	a.outlived = a.outlived || b.outlived
	for _, host := range b.hosts {
		a.hosts = addSite(a.hosts, host)
	}
	for _, site := range b.sites {
		a.sites = addSite(a.sites, site)
	}
	for i := range b.users {
		a.addUser(b.users[i])
	}
	for _, role := range b.roles {
		a.addRole(role)
	}
	for i := len(b.devices) - 1; i >= 0; i-- {
		a.addDevice(b.devices[i])
	}
	if a.previous.IsZero() && b.previous != a.id {
		a.previous = b.previous
	}
	if a.takeover == b.id {
		a.takeover, a.takeoverScore = seshat.SessionID{}, 0
	}
	c.changed(a)
	c.changed(b)
	c.link(a, x, id, seshat.Digest{}, evidence, score)
	return true
}

// apiKey reports whether the session is that of a service with a key. Such a session never merges with a person's.
func (s *sessionState) apiKey() bool { return s.kindKey }
