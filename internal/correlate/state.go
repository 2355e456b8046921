package correlate

import (
	"github.com/seshat-project/seshat"
)

// Times of the state are nanoseconds since the Unix epoch; 0 is "not".

// site is the hash of a host, an origin or an endpoint.
type site uint64

// idState is what is known of one client session ID.
type idState struct {
	digest  seshat.Digest
	session seshat.SessionID
	kind    seshat.IDKind
	first   int64
	last    int64 // to the hour, see seenEvery
	expires int64
	// rotated is when a successor was given out for it.
	rotated int64
	// inherited says that it came over from the session of another user of the same client.
	inherited bool
	// dead says that the server took it away: its cookie was deleted, or its token revoked.
	dead bool
}

// sessionState is what is known of one session.
type sessionState struct {
	id       seshat.SessionID
	previous seshat.SessionID
	merged   seshat.SessionID // into which session; zero when it stands for itself
	version  uint64

	first int64
	last  int64
	ended int64
	endBy seshat.EndReason
	// tokenExpires is when the newest of its tokens lapses; cookieExpires the same of its cookies.
	tokenExpires  int64
	cookieExpires int64
	// outlived says that it was used with success after they had lapsed, by an ID that has not.
	outlived bool
	// revoked is since when a person or an engine refuses it; 0 while nobody does. What else ended it stays beside it: a
	// revocation may be taken back.
	revoked int64
	// refused is when the refresh of its newest token was refused.
	refused int64

	idle     int64 // nanoseconds; the rule's idle timeout, 0 when there is none
	lifetime int64

	users []userName
	roles []string
	// devices are those it was last seen from, newest first.
	devices []seshat.Digest

	origin     seshat.Origin
	name       string // of what identified it
	kindKey    bool   // it stands on an API key
	confidence float64
	// presented says that a request has carried one of its IDs; forgetful that its client does not keep them.
	presented bool
	forgetful bool
	// hosts are those that it sends an ID to: what comes without one is somebody else's.
	hosts []site
	// sites are the hosts it goes to and the pages it comes from.
	sites []site

	// takeover is the session that this one seems to continue, until that is certain enough.
	takeover      seshat.SessionID
	takeoverScore float64

	stored bool // there is a record of it in the store
}

// Bounds of the state of one session: what exceeds them is forgotten, oldest first. They keep a live session
// within a few hundred bytes, whatever a client sends.
const (
	maxUsers          = 4
	maxRoles          = 16
	maxDevices        = 4
	maxDeviceSessions = 6
	maxSites          = 8
	maxPrelude        = 8
)

// deviceState is what is known of one address with one user agent.
type deviceState struct {
	key      seshat.Digest
	fallback seshat.SessionID // the session of its exchanges without an ID
	hint     seshat.Digest    // what else the fallback's exchanges had in common
	prelude  []site           // endpoints of the fallback; more than maxPrelude: not a prelude
	sites    []site           // hosts and origins of the fallback
	sessions []deviceSession  // seen lately, newest first
	stored   bool             // there is a record of it in the store
	// crowded is when two sessions were last seen on it at once: an address that people share.
	crowded int64
}

type deviceSession struct {
	id   seshat.SessionID
	last int64
	hint seshat.Digest
}

// root returns the session that id stands for, following merges.
func (c *Correlator) root(id seshat.SessionID) *sessionState {
	s := c.sessions[id]
	for s != nil && !s.merged.IsZero() {
		next := c.sessions[s.merged]
		if next == nil {
			return s
		}
		s = next
	}
	return s
}

func (c *Correlator) device(key seshat.Digest) *deviceState {
	d := c.devices[key]
	if d == nil {
		d = &deviceState{key: key}
		c.devices[key] = d
	}
	c.changedDevices[key] = struct{}{}
	return d
}

func (c *Correlator) changed(s *sessionState) {
	if _, ok := c.changedSessions[s.id]; !ok {
		c.changedSessions[s.id] = struct{}{}
		s.version++
	}
}

func (s *sessionState) seenOn(device seshat.Digest) bool {
	for i := range s.devices {
		if s.devices[i] == device {
			return true
		}
	}
	return false
}
