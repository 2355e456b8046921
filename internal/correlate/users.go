package correlate

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// switchUser starts a new session when the exchange belongs to another user than the session does: another person
// has signed in in the same client.
func (c *Correlator) switchUser(s *sessionState, x *exchangeView, d *deviceState) *sessionState {
	if len(x.users) == 0 || !differ(s.users, x.users) {
		return s
	}
	if !x.success {
		// Somebody tried to be another user and was not let in.
		x.users = x.users[:0]
		return s
	}
	if !s.over() {
		c.close(s, x.now, seshat.EndUserSwitch)
	}
	return c.startAfter(s, x, d)
}

// followCode takes an exchange to the session that its authorization code comes from, where the client's cookie still
// belongs to another user's: that user's client has just signed in as somebody else at the provider.
func (c *Correlator) followCode(s *sessionState, x *exchangeView) *sessionState {
	for _, id := range x.presented {
		state := c.ids[id.Digest]
		if id.Kind != seshat.KindAuthorizationCode || state == nil {
			continue
		}
		next := c.root(state.session)
		if next == nil || next == s || next.over() || !differ(s.users, next.users) {
			continue
		}
		if !s.over() {
			c.close(s, x.now, seshat.EndUserSwitch)
		}
		if next.previous.IsZero() {
			next.previous = s.id
		}
		c.handOver(s, next, x)
		c.changed(next)
		return next
	}
	return s
}

// differ reports whether the two lists name different users: some source names one user in one list and another
// in the other.
func differ(a, b []userName) bool {
	for i := range a {
		for j := range b {
			if a[i].token == b[j].token && a[i].source == b[j].source && !sameName(a[i].name, b[j].name) {
				return true
			}
		}
	}
	return false
}

// sameName reports whether two names may be one user's: letter case does not count, and "alice" may be the local
// part of "alice@example.com".
func sameName(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	i, j := strings.IndexByte(a, '@'), strings.IndexByte(b, '@')
	switch {
	case i > 0 && j < 0:
		return strings.EqualFold(a[:i], b)
	case j > 0 && i < 0:
		return strings.EqualFold(b[:j], a)
	default:
		return false
	}
}

func (s *sessionState) addUser(u userName) bool {
	for i := range s.users {
		if known := &s.users[i]; known.source == u.source && known.token == u.token {
			if strings.IndexByte(known.name, '@') < 0 && strings.IndexByte(u.name, '@') > 0 {
				known.name = strings.Clone(u.name) // "alice" turned out to be alice@example.com, and nobody else's alice
			}
			return false
		}
	}
	if len(s.users) == maxUsers {
		return false
	}
	u.source, u.name = strings.Clone(u.source), strings.Clone(u.name)
	s.users = append(s.users, u)
	return true
}

func (s *sessionState) addRole(role string) bool {
	if len(s.roles) == maxRoles || slices.Contains(s.roles, role) {
		return false
	}
	s.roles = append(s.roles, role)
	return true
}

// user is the name to show: what the server or a token vouches for, before what the client stated.
func (s *sessionState) user() string {
	weak := ""
	for i := range s.users {
		if !s.users[i].weak {
			return s.users[i].name
		}
		if weak == "" {
			weak = s.users[i].name
		}
	}
	return weak
}

// learn adds what the exchange says of its session.
func (c *Correlator) learn(s *sessionState, x *exchangeView) {
	if x.now < s.first {
		s.first = x.now
		c.changed(s)
	}
	s.last = max(s.last, x.now)
	c.changed(s)
	if len(x.presented) > 0 {
		s.presented = true
	}
	if !differ(s.users, x.users) {
		for _, u := range x.users {
			s.addUser(u)
		}
	}
	for _, role := range x.roles {
		s.addRole(role)
	}
	if x.success {
		s.addDevice(x.deviceKey)
		s.outlived = s.outlived || c.outlives(s, x)
	}
}

// outlives reports whether the exchange shows that the session goes on although its tokens and cookies have lapsed, as
// far as they say so: it carries one of its IDs that still holds.
func (c *Correlator) outlives(s *sessionState, x *exchangeView) bool {
	lapse := s.tokenExpires
	if lapse == 0 {
		lapse = s.cookieExpires
	}
	if lapse == 0 || x.now <= lapse {
		return false
	}
	for _, id := range x.presented {
		state := c.ids[id.Digest]
		if state != nil && !state.dead && strengthOf(id) == strong && (state.expires == 0 || state.expires > x.now) && c.root(state.session) == s {
			return true
		}
	}
	return false
}

func (s *sessionState) addDevice(key seshat.Digest) {
	if i := slices.Index(s.devices, key); i >= 0 {
		copy(s.devices[1:i+1], s.devices[:i])
		s.devices[0] = key
		return
	}
	if len(s.devices) < maxDevices {
		s.devices = append(s.devices, seshat.Digest{})
	}
	copy(s.devices[1:], s.devices)
	s.devices[0] = key
}
