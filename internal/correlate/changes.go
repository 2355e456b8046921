package correlate

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
)

// Changes are what a run of observations has changed, to be stored together with them.
type Changes struct {
	Sessions []seshat.SessionFacts
	Links    []seshat.Link
	Events   []seshat.Event
	State    []StateRecord
	Merged   int // how many sessions turned out to belong to another one
}

// StateRecord is one piece of state under its key. A nil value says that there is none any more.
type StateRecord struct {
	Key   seshat.Digest
	Value []byte
}

// Flush returns what has changed since the last call. It is ordered, so that equal runs give equal changes.
func (c *Correlator) Flush() Changes {
	changes := Changes{Sessions: c.lastFacts, Links: c.links, Events: c.events, Merged: c.mergedCount}
	c.lastFacts, c.links, c.events, c.mergedCount = nil, nil, nil, 0
	for id := range c.changedSessions {
		s := c.sessions[id]
		changes.Sessions = append(changes.Sessions, c.facts(s))
		s.stored = true
		changes.State = append(changes.State, StateRecord{seshat.Digest(id), s.append(nil)})
	}
	for key := range c.changedIDs {
		changes.State = append(changes.State, StateRecord{key, c.ids[key].append(nil)})
	}
	for key := range c.changedDevices {
		if d := c.devices[key]; !d.fallback.IsZero() || len(d.sessions) > 0 || d.crowded != 0 {
			d.stored = true
			changes.State = append(changes.State, StateRecord{key, d.append(nil)})
		}
	}
	for key := range c.changedSubjects {
		changes.State = append(changes.State, StateRecord{key, c.subjects[key].append(nil)})
	}
	for _, key := range c.dropped {
		if c.devices[key] == nil && c.sessions[seshat.SessionID(key)] == nil { // it may have come back since
			changes.State = append(changes.State, StateRecord{Key: key})
		}
	}
	c.dropped = nil
	clear(c.changedSessions)
	clear(c.changedIDs)
	clear(c.changedDevices)
	clear(c.changedSubjects)
	slices.SortFunc(changes.Sessions, func(a, b seshat.SessionFacts) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	slices.SortFunc(changes.State, func(a, b StateRecord) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	slices.SortStableFunc(changes.Links, func(a, b seshat.Link) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) })
	return changes
}

// facts is what readers are told of a session.
func (c *Correlator) facts(s *sessionState) seshat.SessionFacts {
	f := seshat.SessionFacts{
		ID: s.id, Previous: s.previous, MergedInto: s.merged, Version: s.version,
		User: s.user(), Roles: slices.Clone(s.roles), Started: timeOf(s.first),
		EndedAt: timeOf(s.ended), EndedBy: s.endBy,
		IdentifiedBy: s.name, Origin: s.origin, Confidence: s.confidence,
		IdleTimeout: c.config.IdleTimeout,
	}
	switch {
	case s.revoked != 0:
		f.EndedAt, f.EndedBy = timeOf(s.revoked), seshat.EndRevoked
	case s.ended == 0 && s.refused != 0:
		f.EndedAt, f.EndedBy = timeOf(s.refused), seshat.EndRefused
	}
	switch {
	case s.idle > 0:
		f.IdleTimeout = time.Duration(s.idle)
	case s.origin == seshat.OriginFallback:
		f.IdleTimeout = c.config.FallbackIdleTimeout
	}
	switch {
	case s.outlived:
	case s.tokenExpires != 0:
		f.ExpiresAt = timeOf(s.tokenExpires)
	case s.cookieExpires != 0:
		f.ExpiresAt = timeOf(s.cookieExpires)
	}
	if f.EndedBy != seshat.EndNone {
		return f
	}
	// Ends that come by themselves are named beforehand, and move while exchanges come: nobody has to be there to tell.
	comes := func(at time.Time, reason seshat.EndReason) {
		if f.EndedBy == seshat.EndNone || at.Before(f.EndedAt) {
			f.EndedAt, f.EndedBy = at, reason
		}
	}
	if !f.ExpiresAt.IsZero() {
		comes(f.ExpiresAt, seshat.EndExpiry)
	}
	if s.idle > 0 || s.origin == seshat.OriginFallback {
		comes(timeOf(s.last+int64(f.IdleTimeout)), seshat.EndIdle)
	}
	if s.lifetime > 0 {
		comes(timeOf(s.first+s.lifetime), seshat.EndLifetime)
	}
	return f
}

// Missing returns the keys whose state may be stored and is needed to process the observations. The caller loads
// them, calls [Correlator.Restore], and asks again until nothing is missing.
func (c *Correlator) Missing(observations []*seshat.Observation) []seshat.Digest {
	missing := c.wanted
	c.wanted = nil
	want := func(key seshat.Digest) {
		if key.IsZero() {
			return
		}
		if _, ok := c.asked[key]; !ok {
			c.asked[key] = struct{}{}
			missing = append(missing, key)
		}
	}
	for _, o := range observations {
		for i := range o.IDs {
			id := &o.IDs[i]
			if c.ids[id.Digest] == nil && c.devices[id.Digest] == nil {
				want(id.Digest)
			}
			if claim := id.Token.SessionID; c.ids[claim] == nil {
				want(claim)
			}
			if id.Token.IsToken && id.Token.Subject != "" {
				if key := subjectKey(id); c.subjects[key] == nil {
					want(key)
				}
			}
		}
	}
	return missing
}

// Restore takes back state that [Correlator.Flush] once returned. It returns an error for state that it cannot
// read; such state counts as absent.
func (c *Correlator) Restore(state map[seshat.Digest][]byte) error {
	var first error
	keys := make([]seshat.Digest, 0, len(state))
	for key := range state {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b seshat.Digest) int { return bytes.Compare(a[:], b[:]) })
	for _, key := range keys {
		if err := c.restore(key, state[key]); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// wantSession asks for a session that restored state refers to.
func (c *Correlator) wantSession(id seshat.SessionID) {
	key := seshat.Digest(id)
	if id.IsZero() || c.sessions[id] != nil {
		return
	}
	if _, ok := c.asked[key]; !ok {
		c.asked[key] = struct{}{}
		c.wanted = append(c.wanted, key)
	}
}

// Size is the number of records in memory.
func (c *Correlator) Size() int {
	return len(c.ids) + len(c.sessions) + len(c.devices) + len(c.subjects) + len(c.asked)
}

// Forget drops all state from memory. It must follow a [Correlator.Flush] whose changes are stored: what is needed
// again is asked for again.
func (c *Correlator) Forget() {
	clear(c.ids)
	clear(c.sessions)
	clear(c.devices)
	clear(c.subjects)
	clear(c.asked)
	c.wanted = nil
	c.idle = idleQueue{}
}
