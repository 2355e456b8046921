package enforce

import (
	"encoding/binary"
	"time"
	"unique"
	"unsafe"

	"github.com/seshat-project/seshat"
)

// link is what is known of a client session ID.
type link struct {
	meta    uint32 // flags, and when it was first seen
	session seshat.SessionID
}

// session is what is known of a session beyond its IDs.
type session struct {
	started uint32 // seconds since 1970; 0 when it is not known
	dead    bool   // ended by somebody: its IDs are worth nothing any more
	user    unique.Handle[string]
	merged  seshat.SessionID
}

// The parts of link.meta.
const (
	linkVouched = 1 << 31
	linkLearned = 1 << 30 // correlation said so
	linkSince   = 1<<30 - 1
	linkEpoch   = 1_577_836_800 // 2020-01-01: linkSince has seconds from then on, until 2054
)

// How long, in seconds, what is known is kept after it was last used.
const (
	// lifeOfKnown is as long as exchanges are kept by default: correlation tells of a link once, and a gateway that
	// forgets it would take the session for a new one.
	lifeOfKnown = 7 * 24 * 3600
	// lifeOfUnknown is for IDs that nobody vouches for and that correlation did not name: it names them within seconds.
	lifeOfUnknown = 3600
	// touchInterval is how much longer an entry must live for it to be written: reading leaves a cache line shared.
	touchInterval = 60
)

// maxMerges is how many merges in a row are followed. Each merge makes one session of two, so that a chain of n means
// that n+1 parts of one session were seen before anything connected them.
const maxMerges = 16

// seen is what is known of one ID of a request.
type seen struct {
	raw     seshat.SessionID // that the ID was linked to
	session seshat.SessionID // that this one is part of
	started uint32
	user    string
	known   bool
	vouched bool
}

func seconds(t time.Time) uint32 { return uint32(t.Unix()) } //nolint:gosec // until the year 2106

func keyOf(id [16]byte) hash {
	return hash{binary.LittleEndian.Uint64(id[:8]), binary.LittleEndian.Uint64(id[8:])}
}

func worthOfLink(e *entry[link], now uint32) uint64 {
	worth := uint64(e.expires - now)
	if e.expires <= now {
		worth = 0
	}
	if e.value.meta&(linkVouched|linkLearned) != 0 {
		worth += 1 << 40 // whoever invents IDs gets rid of invented ones only
	}
	return worth
}

func (l *link) since() uint32 { return l.meta&linkSince + linkEpoch }

func (l *link) life() uint32 {
	if l.meta&(linkVouched|linkLearned) != 0 {
		return lifeOfKnown
	}
	return lifeOfUnknown
}

// presented reports whether the ID at i is one that the request shows and that may identify its session.
func presented(r *Request, i int) bool {
	id := &r.Identity.IDs[i]
	return i < len(r.Digests) && !r.Digests[i].IsZero() && id.Side == seshat.InRequest && !id.Deleted
}

func fallback(id *seshat.FoundID) bool { return id.Origin == seshat.OriginFallback }

// recall looks up the ID that groups the request, and the others where they are wanted or that one is not vouched for.
func (e *Enforcer) recall(r *Request, d *Decision, now uint32, whole bool) {
	w := &d.work
	n := len(r.Identity.IDs)
	if cap(w.ids) < n {
		w.ids = make([]seen, n)
	}
	w.ids, w.unproven, w.by = w.ids[:n], false, 0
	clear(w.ids)
	g := r.Identity.Grouping
	if g < n && presented(r, g) {
		w.ids[g] = e.lookUp(r.Digests[g], now, fallback(&r.Identity.IDs[g]))
		if w.ids[g].vouched && !whole {
			return
		}
	}
	for i := range w.ids {
		if i != g && presented(r, i) && !fallback(&r.Identity.IDs[i]) {
			w.ids[i] = e.lookUp(r.Digests[i], now, false)
		}
	}
}

// lookUp returns what is known of an ID, and keeps it for longer.
func (e *Enforcer) lookUp(digest seshat.Digest, now uint32, fallback bool) (out seen) {
	k := keyOf(digest)
	shard, h := e.ids.lock(k)
	if l := shard.find(k, h, now); l != nil {
		out.known, out.vouched = true, l.value.meta&linkVouched != 0
		out.raw, out.started = l.value.session, l.value.since()
		if fallback {
			l.expires = now + e.idle.Load() + 1
		} else if life := now + l.value.life(); life > l.expires+touchInterval {
			l.expires = life
		}
	}
	shard.mu.Unlock()
	if !out.known {
		return out
	}
	out.session = out.raw
	dead := e.follow(&out, now)
	out.vouched = out.vouched && !dead
	return out
}

// follow finds what a session is part of, and what is known of that.
func (e *Enforcer) follow(out *seen, now uint32) (dead bool) {
	for range maxMerges {
		k := keyOf(out.session)
		shard, h := e.sessions.lock(k)
		s := shard.find(k, h, now)
		if s == nil {
			shard.mu.Unlock()
			return dead
		}
		if life := now + lifeOfKnown; life > s.expires+touchInterval {
			s.expires = life
		}
		v := s.value
		shard.mu.Unlock()
		if v.started != 0 {
			out.started = v.started
		}
		if v.user != (unique.Handle[string]{}) {
			out.user = v.user.Value()
		}
		dead = v.dead
		if v.merged.IsZero() {
			return dead
		}
		out.session = v.merged
	}
	return dead
}

// settle says which session the request belongs to: that of the grouping ID if it is vouched for, else of the first ID
// that is, else of one that is known; or it is a new one.
func (e *Enforcer) settle(r *Request, d *Decision, now uint32) {
	w := &d.work
	g := r.Identity.Grouping
	if g >= len(w.ids) {
		return // an identity without IDs, which identification does not make
	}
	by := -1
	switch {
	case w.ids[g].vouched:
		by = g
	default:
		for i := range w.ids {
			if w.ids[i].vouched {
				by = i
				break
			}
		}
		if by < 0 && w.ids[g].known {
			by = g
		}
		for i := 0; by < 0 && i < len(w.ids); i++ {
			if w.ids[i].known && identifies(r.Identity.IDs[i].Kind) {
				by = i
			}
		}
	}
	if by < 0 {
		by = g
		if e.config.NewSessionID != nil && presented(r, g) {
			id := e.config.NewSessionID(r.Digests[g], r.Exchange.Time)
			w.ids[g] = e.remember(r.Digests[g], id, now, fallback(&r.Identity.IDs[g]))
		}
	} else if !w.ids[g].known && presented(r, g) {
		w.ids[g] = e.remember(r.Digests[g], w.ids[by].session, now, fallback(&r.Identity.IDs[g]))
	}
	s := &w.ids[by]
	w.by, d.Session, d.Vouched, d.User = by, s.session, s.vouched, s.user
	if d.User == "" {
		d.User = requestUser(r.Identity)
	}
}

// identifies reports whether an ID of this kind says by itself which session it is of: a claim may be of several, and a
// handle of one interaction may have been given to anybody.
func identifies(k seshat.IDKind) bool {
	switch k {
	case seshat.KindClaim, seshat.KindTransaction, seshat.KindUserAgent, seshat.KindAddress:
		return false
	default:
		return true
	}
}

// requestUser is the user that the request names by itself, other than in a sign-in form. The name is a copy.
func requestUser(id *seshat.Identity) string {
	for i := range id.Parameters {
		p := &id.Parameters[i]
		if p.Type == seshat.ParameterUser && p.Side == seshat.InRequest && !p.Weak && !p.Hash && p.Value != "" && len(p.Value) <= maxUser {
			return unique.Make(p.Value).Value()
		}
	}
	return ""
}

// remember links an ID to a session until correlation says more, and returns what is known of it now.
func (e *Enforcer) remember(digest seshat.Digest, id seshat.SessionID, now uint32, fallback bool) seen {
	k := keyOf(digest)
	shard, h := e.ids.lock(k)
	if l, fresh := e.ids.put(shard, k, h, now); fresh {
		l.value = link{meta: sinceMeta(now), session: id}
		l.expires = now + lifeOfUnknown
		if fallback {
			l.expires = now + e.idle.Load() + 1
		}
	} else if l != nil { // another request was faster
		id = l.value.session
	}
	shard.mu.Unlock()
	out := seen{raw: id, session: id, started: now, known: true}
	e.follow(&out, now)
	return out
}

func sinceMeta(now uint32) uint32 { return (max(now, linkEpoch) - linkEpoch) & linkSince }

// alias is b as a text without a copy: b must not change while it is used.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // see the comment
