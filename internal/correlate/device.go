package correlate

import (
	"slices"

	"github.com/seshat-project/seshat"
)

// crowdMemory is how long a device counts as shared by several clients after they were last seen on it at once.
const crowdMemory = int64(3600e9)

// forgetfulAfter is how many IDs given to one device and never sent back make a client that forgets them.
const forgetfulAfter = 3

// fallback is the session of an exchange that carries no ID: everything from its address and user agent, until
// nothing came for the idle time.
func (c *Correlator) fallback(x *exchangeView, d *deviceState) *sessionState {
	idle := int64(c.config.FallbackIdleTimeout)
	if s := c.root(d.fallback); s != nil && s.origin == seshat.OriginFallback && s.takes() {
		if x.now-s.last <= idle && s.first-x.now <= idle {
			if d.hint != x.o.Device {
				d.hint = seshat.Digest{}
			}
			d.follow(x)
			return s
		}
	}
	s := c.start(x, seshat.SessionID{})
	c.idle.push(queuedSession{id: s.id, device: d.key, last: x.now})
	d.fallback, d.hint, d.prelude, d.sites = s.id, x.o.Device, d.prelude[:0], d.sites[:0]
	d.follow(x)
	return s
}

// upgradeFallback turns the anonymous session of a device into an identified one: its first exchanges carried no
// ID yet. That is inferred, and only where one client uses the device.
func (c *Correlator) upgradeFallback(x *exchangeView, d *deviceState) *sessionState {
	s := c.root(d.fallback)
	if s == nil || s.origin != seshat.OriginFallback || s.over() || differ(s.users, x.users) || !c.inferable(x, d) {
		return nil
	}
	if x.now-s.last > int64(c.config.FallbackIdleTimeout) || d.hint != x.o.Device {
		return nil
	}
	if c.liveSession(x, d, true) != nil || !d.leadsTo(x) {
		return nil
	}
	first := x.first()
	s.standOn(first, c.config.RuleEnds)
	s.confidence = min(s.confidence, c.deviceScore(x, d.hint))
	if s.previous.IsZero() {
		s.previous = c.previousOn(x, d)
	}
	d.fallback = seshat.SessionID{}
	c.changed(s)
	return s
}

// follow notes an exchange of the fallback session, as long as it may be the prelude of an identified one: a few
// requests that belong together, the first of them only once. Where it comes again, another client may have arrived.
func (d *deviceState) follow(x *exchangeView) {
	if len(d.prelude) > maxPrelude {
		return
	}
	step := siteOf(x.o.Method, " ", x.o.Host, x.o.Path)
	if len(d.prelude) > 0 && (step == d.prelude[0] || !d.knows(x)) {
		d.prelude = append(d.prelude[:0], make([]site, maxPrelude+1)...)
		return
	}
	d.prelude = append(d.prelude, step)
	d.sites = addSite(addSite(d.sites, x.host), x.origin)
}

// siteOf is the hash (FNV-1a, 64 bits) under which a host, an origin or an endpoint is remembered; 0 stands for none.
func siteOf(parts ...string) site {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	size := 0
	for _, part := range parts {
		size += len(part)
		for i := 0; i < len(part); i++ {
			h = (h ^ uint64(part[i])) * prime
		}
	}
	if size == 0 {
		return 0
	}
	return site(h | 1)
}

func addSite(sites []site, s site) []site {
	if s == 0 || len(sites) >= maxSites || slices.Contains(sites, s) {
		return sites
	}
	return append(sites, s)
}

// knows reports whether the exchange goes to a host of the session or comes from one of its pages.
func (s *sessionState) knows(x *exchangeView) bool {
	return slices.Contains(s.sites, x.host) || x.origin != 0 && slices.Contains(s.sites, x.origin)
}

// leadsTo reports whether the fallback session may be the prelude of the exchange: it is short, and the exchange
// goes to one of its hosts or comes from one of its pages.
func (d *deviceState) leadsTo(x *exchangeView) bool {
	if len(d.prelude) > maxPrelude {
		return false
	}
	return d.knows(x)
}

// knows reports whether the exchange goes to a host of the fallback session or comes from one of its pages.
func (d *deviceState) knows(x *exchangeView) bool {
	return slices.Contains(d.sites, x.host) || x.origin != 0 && slices.Contains(d.sites, x.origin)
}

// findByDevice finds the only session that lives on the device of an exchange without an ID.
func (c *Correlator) findByDevice(x *exchangeView, d *deviceState) *sessionState {
	if !c.inferable(x, d) {
		return nil
	}
	return c.liveSession(x, d, false)
}

// liveSession returns the session that goes on on the device, if there is exactly one. With any it also returns
// one that cannot be the exchange's.
func (c *Correlator) liveSession(x *exchangeView, d *deviceState, anyOne bool) *sessionState {
	var found *sessionState
	for i := range d.sessions {
		ds := &d.sessions[i]
		s := c.root(ds.id)
		if s == nil || s == found || s.over() || s.lapsed(x.now) || s.origin == seshat.OriginFallback {
			continue
		}
		if x.now-ds.last > int64(c.config.FallbackIdleTimeout) {
			continue
		}
		if !anyOne && (ds.hint != x.o.Device || slices.Contains(s.hosts, x.host) || !s.knows(x)) {
			continue
		}
		if found != nil {
			return nil
		}
		found = s
	}
	return found
}

func (c *Correlator) inferable(x *exchangeView, d *deviceState) bool {
	if !c.config.Inference || d.crowded != 0 && x.now-d.crowded < crowdMemory {
		return false
	}
	return c.deviceScore(x, d.hint) >= c.config.MinimumScore
}

// deviceScore is how likely two exchanges of one address and user agent are one client's: 0.75 as such, more with a
// TLS fingerprint, and with equal language and client hints.
func (c *Correlator) deviceScore(x *exchangeView, hint seshat.Digest) float64 {
	score := 0.75
	if x.o.JA4 != "" {
		score += 0.05
	}
	if !hint.IsZero() && hint == x.o.Device {
		score += 0.1
	}
	return score
}

// previousOn is the session that went before on the device, if only one client uses it.
func (c *Correlator) previousOn(x *exchangeView, d *deviceState) seshat.SessionID {
	if d.crowded != 0 && x.now-d.crowded < crowdMemory {
		return seshat.SessionID{}
	}
	for i := range d.sessions {
		if s := c.root(d.sessions[i].id); s != nil && (s.over() || s.lapsed(x.now)) && d.sessions[i].hint == x.o.Device {
			return s.id
		}
	}
	return seshat.SessionID{}
}

// keepsNoCookies handles a client that is given a new ID with every response and never sends one back: a script, a
// crawler. Its exchanges are one session, although each was given an ID of its own. Two such IDs may be two people
// who have just arrived at one address; from the third on it is one client that forgets.
func (c *Correlator) keepsNoCookies(x *exchangeView, d *deviceState) *sessionState {
	if len(x.presented) > 0 || x.signsIn || !c.config.Inference {
		return nil
	}
	var waiting []*sessionState
	for i := range d.sessions {
		s := c.root(d.sessions[i].id)
		if s == nil || s.presented || s.over() || len(s.users) > 0 || d.sessions[i].hint != x.o.Device ||
			x.now-d.sessions[i].last > int64(c.config.FallbackIdleTimeout) || slices.Contains(waiting, s) {
			continue
		}
		waiting = append(waiting, s)
	}
	if len(waiting) == 1 && waiting[0].forgetful {
		return waiting[0]
	}
	if len(waiting) < forgetfulAfter {
		return nil
	}
	score := c.deviceScore(x, x.o.Device)
	if score < c.config.MinimumScore {
		return nil
	}
	s := waiting[0]
	for _, other := range waiting[1:] {
		if c.merge(s, other, x, x.first(), seshat.EvidenceDevice, score) {
			s = c.root(s.id)
		}
	}
	s.forgetful = true
	return s
}

// touchDevice records that the session was seen on the device.
func (c *Correlator) touchDevice(d *deviceState, s *sessionState, x *exchangeView) {
	if !x.success && len(x.presented) > 0 {
		return // a replay that was refused does not make the device the session's
	}
	if x.identified() {
		s.hosts = addSite(s.hosts, x.host)
	}
	s.sites = addSite(addSite(s.sites, x.host), x.origin)
	if s.origin == seshat.OriginFallback {
		return
	}
	at := -1
	for i := range d.sessions {
		if c.root(d.sessions[i].id) == s {
			at = i
			break
		}
	}
	if at > 0 {
		if other := c.root(d.sessions[0].id); other != nil && !other.over() && !other.lapsed(x.now) {
			d.crowded = x.now // one, the other, and the first one again
		}
	}
	switch {
	case at < 0 && len(d.sessions) < maxDeviceSessions:
		d.sessions = append(d.sessions, deviceSession{})
		at = len(d.sessions) - 1
	case at < 0:
		at = len(d.sessions) - 1
	}
	copy(d.sessions[1:at+1], d.sessions[:at])
	d.sessions[0] = deviceSession{id: s.id, last: x.now, hint: x.o.Device}
}
