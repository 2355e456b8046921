package enforce

import (
	"encoding/binary"
	"errors"
	"unique"

	"github.com/seshat-project/seshat"
)

// Notices are what correlation found out about sessions: a version, then records one after the other.
//
//	1  link: client session ID 16 bytes, session 16 bytes, time varint (seconds since 1970), flags 1 byte
//	2  session: ID 16 bytes, flags 1 byte, start varint (seconds), [merged into 16 bytes], [length varint, user]
const (
	noticesVersion = 1
	noticeLink     = 1
	noticeSession  = 2

	noticeIssued = 1 // the origin gave the ID out
	noticeMerged = 1 // merged into follows
	noticeUser   = 2 // the user follows
	noticeDead   = 4 // the session was ended by somebody

	// maxUser is how long the name of a user may be; identification keeps no longer ones.
	maxUser = 256
)

// errBadNotices is returned for notices that cannot be read.
var errBadNotices = errors.New("not notices of sessions: they are of another version, or damaged")

// AppendNotices appends what everybody who acts on sessions needs to know of what correlation changed: which client
// session IDs belong to which session, which sessions were merged, who their user is. It appends nothing when there is
// nothing to say. A process that reads all notices in their order, from any place on, ends up with the same.
func AppendNotices(dst []byte, sessions []seshat.SessionFacts, links []seshat.Link) []byte {
	began := make(map[seshat.SessionID]struct{}, len(links))
	start := len(dst)
	dst = append(dst, noticesVersion)
	empty := len(dst)
	for i := range links {
		l := &links[i]
		if l.To.IsZero() {
			continue
		}
		began[l.Session] = struct{}{}
		dst = append(dst, noticeLink)
		dst = append(dst, l.To[:]...)
		dst = append(dst, l.Session[:]...)
		dst = binary.AppendUvarint(dst, uint64(seconds(l.Time)))
		flags := byte(0)
		if issued(l.Evidence) {
			flags = noticeIssued
		}
		dst = append(dst, flags)
	}
	for i := range sessions {
		s := &sessions[i]
		flags := byte(0)
		if !s.MergedInto.IsZero() {
			flags |= noticeMerged
		}
		if s.User != "" && len(s.User) <= maxUser {
			flags |= noticeUser
		}
		if ended(s) {
			flags |= noticeDead
		}
		// Facts change with every exchange. Most of it is nothing to act on.
		if _, begins := began[s.ID]; flags == 0 && !begins {
			continue
		}
		dst = append(dst, noticeSession)
		dst = append(dst, s.ID[:]...)
		dst = append(dst, flags)
		dst = binary.AppendUvarint(dst, uint64(seconds(s.Started)))
		if flags&noticeMerged != 0 {
			dst = append(dst, s.MergedInto[:]...)
		}
		if flags&noticeUser != 0 {
			dst = binary.AppendUvarint(dst, uint64(len(s.User)))
			dst = append(dst, s.User...)
		}
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return dst
}

// issued reports whether the evidence of a link is that the origin gave the ID out.
func issued(e seshat.Evidence) bool {
	switch e {
	case seshat.EvidenceRotation, seshat.EvidenceRefresh, seshat.EvidenceIssued:
		return true
	default:
		return false
	}
}

// ended reports whether somebody ended the session. Ends that come by themselves are named beforehand, and move while the
// session goes on: they are not acted on. Neither is a revocation: the denylist says more, and may be changed.
func ended(s *seshat.SessionFacts) bool {
	switch s.EndedBy {
	case seshat.EndLogout, seshat.EndUserSwitch, seshat.EndRefused:
		return true
	default:
		return false
	}
}

// Learn takes notices that correlation has published; see [AppendNotices]. Of damaged ones, what is before the damage
// counts.
func (e *Enforcer) Learn(notices []byte) error {
	if len(notices) == 0 {
		return nil
	}
	if notices[0] != noticesVersion {
		return errBadNotices
	}
	decided := e.clock.Load()
	now := decided // before the first request, the time of what is told
	var merged []seshat.SessionID
	defer func() { e.learnMerges(merged) }()
	for b := notices[1:]; len(b) > 0; {
		kind := b[0]
		b = b[1:]
		if len(b) < 32 && kind == noticeLink || len(b) < 17 {
			return errBadNotices
		}
		switch kind {
		case noticeLink:
			digest, id := seshat.Digest(b[:16]), seshat.SessionID(b[16:32])
			when, n := binary.Uvarint(b[32:])
			if n <= 0 || len(b) == 32+n {
				return errBadNotices
			}
			if decided == 0 {
				now = max(now, uint32(when)) //nolint:gosec // seconds
			}
			e.learnLink(digest, id, uint32(when), b[32+n]&noticeIssued != 0, now) //nolint:gosec // seconds
			b = b[32+n+1:]
		case noticeSession:
			id, flags := seshat.SessionID(b[:16]), b[16]
			started, n := binary.Uvarint(b[17:])
			if n <= 0 {
				return errBadNotices
			}
			b = b[17+n:]
			if decided == 0 {
				now = max(now, uint32(started)) //nolint:gosec // seconds
			}
			s := session{started: uint32(started), dead: flags&noticeDead != 0} //nolint:gosec // seconds
			if flags&noticeMerged != 0 {
				if len(b) < 16 {
					return errBadNotices
				}
				s.merged, b = seshat.SessionID(b[:16]), b[16:]
				merged = append(merged, id)
			}
			var user []byte
			if flags&noticeUser != 0 {
				length, n := binary.Uvarint(b)
				if n <= 0 || length > maxUser || length > uint64(len(b)-n) { //nolint:gosec // never negative
					return errBadNotices
				}
				user, b = b[n:n+int(length)], b[n+int(length):] //nolint:gosec // it was looked at
			}
			e.learnSession(id, s, user, now)
		default:
			return errBadNotices
		}
	}
	return nil
}

func (e *Enforcer) learnLink(digest seshat.Digest, id seshat.SessionID, when uint32, issued bool, now uint32) {
	k := keyOf(digest)
	shard, h := e.ids.lock(k)
	defer shard.mu.Unlock()
	l, fresh := e.ids.put(shard, k, h, now)
	if l == nil {
		return
	}
	if fresh {
		l.value.meta = sinceMeta(when)
	}
	l.value.session = id
	l.value.meta |= linkLearned
	if issued {
		l.value.meta |= linkVouched
	}
	l.expires = now + lifeOfKnown
}

func (e *Enforcer) learnSession(id seshat.SessionID, s session, user []byte, now uint32) {
	k := keyOf(id)
	shard, h := e.sessions.lock(k)
	defer shard.mu.Unlock()
	slot, fresh := e.sessions.put(shard, k, h, now)
	if slot == nil {
		return
	}
	if user != nil {
		// Facts are told again and again: the name is usually there already.
		if known := slot.value.user; !fresh && known != (unique.Handle[string]{}) && known.Value() == alias(user) {
			s.user = known
		} else {
			s.user = unique.Make(alias(user)) // which copies it
		}
	}
	slot.value = s
	slot.expires = now + lifeOfKnown
}

// learnMerges makes the denylist cover what a denied session became a part of.
func (e *Enforcer) learnMerges(merged []seshat.SessionID) {
	denials := e.denials.Load()
	if denials == nil {
		return
	}
	for _, id := range merged {
		if denials.sessions[id] != nil {
			e.mu.Lock()
			e.makeDenials()
			e.mu.Unlock()
			return
		}
	}
}
