package enforce

import (
	"time"

	"github.com/seshat-project/seshat"
)

// denials are the denylist made ready: what can be looked up is. They are immutable.
type denials struct {
	sessions map[seshat.SessionID]*denied
	ids      map[seshat.Digest]*denied
	users    map[hash]*denied // by the hash of the name without case
	// before are of everybody; beforeUser and beforeIssuer of theirs only.
	before       *denied
	beforeUser   map[hash]*denied
	beforeIssuer map[string]*denied
}

// denied is an entry of the denylist.
type denied struct {
	seshat.Denial
	by       string
	reason   string
	counters *counters
	next     *denied // another entry for the same
}

func deniedBy(d *seshat.Denial) string { return "Denylist/" + d.Name }

// Deny replaces the denylist. The session, client session ID or user of an entry is refused wherever it shows.
func (e *Enforcer) Deny(list []seshat.Denial) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append([]seshat.Denial(nil), list...)
	e.makeDenials()
	e.dropCounters(e.rules.Load())
}

// makeDenials makes the denylist ready. The caller has locked e.
func (e *Enforcer) makeDenials() {
	if len(e.list) == 0 {
		e.denials.Store(nil)
		return
	}
	out := &denials{
		sessions: map[seshat.SessionID]*denied{}, ids: map[seshat.Digest]*denied{}, users: map[hash]*denied{},
		beforeUser: map[hash]*denied{}, beforeIssuer: map[string]*denied{},
	}
	for i := range e.list {
		d := &denied{Denial: e.list[i], by: deniedBy(&e.list[i])}
		if d.Status != 403 {
			d.Status = 401
		}
		d.counters = e.countersOf(d.by)
		switch {
		case !d.Session.IsZero():
			d.reason = "the session was revoked"
			e.denySession(out, d)
		case !d.ClientSessionID.IsZero():
			d.reason = "the session was revoked"
			d.next, out.ids[d.ClientSessionID] = out.ids[d.ClientSessionID], d
		case !d.IssuedBefore.IsZero():
			d.reason = "the session is too old"
			switch {
			case d.User != "":
				k := e.userKey(d.User)
				d.next, out.beforeUser[k] = out.beforeUser[k], d
			case d.Issuer != "":
				d.next, out.beforeIssuer[d.Issuer] = out.beforeIssuer[d.Issuer], d
			default:
				d.next, out.before = out.before, d
			}
		case d.User != "":
			d.reason = "the user is denied"
			k := e.userKey(d.User)
			d.next, out.users[k] = out.users[k], d
		}
	}
	e.denials.Store(out)
}

// denySession adds a session, and what it turned out to be a part of.
func (e *Enforcer) denySession(out *denials, d *denied) {
	id := d.Session
	for range maxMerges {
		add := *d
		add.next, out.sessions[id] = out.sessions[id], &add
		k := keyOf(id)
		shard, h := e.sessions.lock(k)
		s := shard.find(k, h, 0) // what is denied for good has not lapsed
		if s != nil {
			id = s.value.merged
		}
		shard.mu.Unlock()
		if s == nil || id.IsZero() {
			return
		}
	}
}

// userKey is what a user is found by. Letter case does not count: a user who signs in as Alice is the one who was denied
// as alice.
func (e *Enforcer) userKey(user string) hash {
	h := e.base
	h.text("user")
	h.folded(user)
	return h.sum()
}

// check looks the request up, and refuses it if it is denied.
func (l *denials) check(e *Enforcer, r *Request, d *Decision) bool {
	found := l.find(e, r, d)
	if found == nil {
		return false
	}
	found.counters.hits.Add(1)
	found.counters.refused.Add(1)
	retry := time.Duration(0)
	if !found.Until.IsZero() {
		retry = found.Until.Sub(r.Now)
	}
	d.refuse(seshat.ActionBlock, found.Status, found.by, found.reason, retry)
	return true
}

func (l *denials) find(e *Enforcer, r *Request, d *Decision) *denied {
	ids := d.work.ids
	for i := range ids {
		if !presented(r, i) {
			continue
		}
		if found := l.ids[r.Digests[i]].inForce(r.Now); found != nil {
			return found
		}
		if !ids[i].known {
			continue
		}
		if found := l.sessions[ids[i].raw].inForce(r.Now); found != nil {
			return found
		}
		if found := l.sessions[ids[i].session].inForce(r.Now); found != nil {
			return found
		}
	}
	// Correlation may have named the session before any of its IDs was seen here.
	if found := l.sessions[d.Session].inForce(r.Now); found != nil {
		return found
	}
	if found := l.findBefore(l.before, r, d); found != nil {
		return found
	}
	if len(l.users) > 0 || len(l.beforeUser) > 0 {
		if found := l.findUser(e, d.User, r, d); found != nil {
			return found
		}
		for i := range ids {
			if ids[i].user != "" && ids[i].user != d.User {
				if found := l.findUser(e, ids[i].user, r, d); found != nil {
					return found
				}
			}
		}
		for i := range r.Identity.Parameters {
			p := &r.Identity.Parameters[i]
			if p.Type == seshat.ParameterUser && p.Side == seshat.InRequest && !p.Weak && p.Value != d.User {
				if found := l.findUser(e, p.Value, r, d); found != nil {
					return found
				}
			}
		}
	}
	if len(l.beforeIssuer) > 0 {
		for i := range r.Identity.IDs {
			id := &r.Identity.IDs[i]
			if id.Side != seshat.InRequest || id.Token.IssuedAt.IsZero() {
				continue
			}
			for found := l.beforeIssuer[id.Token.Issuer].inForce(r.Now); found != nil; found = found.next.inForce(r.Now) {
				if id.Token.IssuedAt.Before(found.IssuedBefore) {
					return found
				}
			}
		}
	}
	return nil
}

func (l *denials) findUser(e *Enforcer, user string, r *Request, d *Decision) *denied {
	if user == "" {
		return nil
	}
	k := e.userKey(user)
	if found := l.users[k].inForce(r.Now); found != nil {
		return found
	}
	return l.findBefore(l.beforeUser[k], r, d)
}

// findBefore returns the first entry of a list that speaks of a time after the request's tokens were issued, or, where
// they do not say when, after its session started. Who is known by address only has nothing that could be too old, and
// must be able to sign in.
func (l *denials) findBefore(list *denied, r *Request, d *Decision) *denied {
	for found := list.inForce(r.Now); found != nil; found = found.next.inForce(r.Now) {
		dated := false
		for i := range r.Identity.IDs {
			id := &r.Identity.IDs[i]
			if id.Side != seshat.InRequest || id.Token.IssuedAt.IsZero() {
				continue
			}
			dated = true
			if id.Token.IssuedAt.Before(found.IssuedBefore) {
				return found
			}
		}
		by := d.work.by
		if dated || by >= len(d.work.ids) || fallback(&r.Identity.IDs[by]) || !d.work.ids[by].known {
			continue
		}
		if int64(d.work.ids[by].started) < found.IssuedBefore.Unix() {
			return found
		}
	}
	return nil
}

// inForce returns the first entry of a list that has an effect.
func (d *denied) inForce(now time.Time) *denied {
	for ; d != nil; d = d.next {
		if !d.Expired(now) {
			return d
		}
	}
	return nil
}
