package correlate

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/seshat-project/seshat"
)

// Stored state is one version byte, one byte for the type of the record, and its fields in order: integers as
// varints, texts and lists with their length before them. See docs/formats/correlation-state.md.
const (
	stateVersion   = 1
	recordID       = 'i'
	recordSession  = 's'
	recordDevice   = 'd'
	recordSubject  = 'u'
	maxStateLength = 1 << 12 // of a text or list; more is not state that was written here
)

// ErrBadState is returned for stored state that is damaged or was written by a newer version.
var ErrBadState = errors.New("correlation state cannot be read")

type writer struct{ b []byte }

func (w *writer) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) id(v [16]byte)   { w.b = append(w.b, v[:]...) }
func (w *writer) float(v float64) { w.b = binary.BigEndian.AppendUint64(w.b, math.Float64bits(v)) }
func (w *writer) site(v site)     { w.b = binary.BigEndian.AppendUint64(w.b, uint64(v)) }
func (w *writer) text(v string) {
	v = v[:min(len(v), maxStateLength)]
	w.uint(uint64(len(v)))
	w.b = append(w.b, v...)
}

func (w *writer) sites(v []site) {
	w.uint(uint64(len(v)))
	for _, s := range v {
		w.site(s)
	}
}

func (w *writer) flags(v ...bool) {
	var f byte
	for i, on := range v {
		if on {
			f |= 1 << i
		}
	}
	w.b = append(w.b, f)
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if r.take(n); n <= 0 {
		r.bad = true
		return 0
	}
	return v
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.take(n); n <= 0 {
		r.bad = true
		return 0
	}
	return v
}

func (r *reader) length() int {
	n := r.uint()
	if n > maxStateLength {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) id() (v [16]byte) {
	copy(v[:], r.take(16))
	return v
}

func (r *reader) eight() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) float() float64 { return math.Float64frombits(r.eight()) }
func (r *reader) site() site     { return site(r.eight()) }
func (r *reader) text() string   { return string(r.take(r.length())) }

func (r *reader) sites() []site {
	var out []site
	for n := r.length(); n > 0 && !r.bad; n-- {
		out = append(out, r.site())
	}
	return out
}

func (r *reader) flags(v ...*bool) {
	if b := r.take(1); b != nil {
		for i := range v {
			*v[i] = b[0]&(1<<i) != 0
		}
	}
}

func (s *idState) append(b []byte) []byte {
	w := writer{append(b, stateVersion, recordID)}
	w.id(s.session)
	w.uint(uint64(s.kind))
	w.int(s.first)
	w.int(s.last)
	w.int(s.expires)
	w.int(s.rotated)
	w.flags(s.inherited, s.dead)
	return w.b
}

func (r *reader) idState(key seshat.Digest) *idState {
	s := &idState{digest: key, session: r.id(), kind: seshat.IDKind(r.uint()), first: r.int(), last: r.int(), expires: r.int(), rotated: r.int()}
	r.flags(&s.inherited, &s.dead)
	return s
}

func (s *sessionState) append(b []byte) []byte {
	w := writer{append(b, stateVersion, recordSession)}
	w.id(s.previous)
	w.id(s.merged)
	w.id(s.takeover)
	w.uint(s.version)
	for _, v := range [...]int64{s.first, s.last, s.ended, s.tokenExpires, s.cookieExpires, s.refused, s.idle, s.lifetime} {
		w.int(v)
	}
	w.text(string(s.endBy))
	w.text(s.name)
	w.uint(uint64(s.origin))
	w.float(s.confidence)
	w.float(s.takeoverScore)
	w.flags(s.kindKey, s.presented, s.forgetful, s.outlived)
	w.uint(uint64(len(s.users)))
	for _, u := range s.users {
		w.text(u.source)
		w.text(u.name)
		w.flags(u.weak, u.token)
	}
	w.uint(uint64(len(s.roles)))
	for _, role := range s.roles {
		w.text(role)
	}
	w.uint(uint64(len(s.devices)))
	for _, d := range s.devices {
		w.id(d)
	}
	w.sites(s.hosts)
	w.sites(s.sites)
	if s.revoked != 0 {
		w.int(s.revoked)
	}
	return w.b
}

func (r *reader) sessionState(key seshat.Digest) *sessionState {
	s := &sessionState{id: seshat.SessionID(key), previous: r.id(), merged: r.id(), takeover: r.id(), version: r.uint()}
	for _, v := range [...]*int64{&s.first, &s.last, &s.ended, &s.tokenExpires, &s.cookieExpires, &s.refused, &s.idle, &s.lifetime} {
		*v = r.int()
	}
	s.endBy = seshat.EndReason(r.text())
	s.name = r.text()
	s.origin = seshat.Origin(r.uint())
	s.confidence, s.takeoverScore = r.float(), r.float()
	r.flags(&s.kindKey, &s.presented, &s.forgetful, &s.outlived)
	for n := r.length(); n > 0 && !r.bad; n-- {
		u := userName{source: r.text(), name: r.text()}
		r.flags(&u.weak, &u.token)
		s.users = append(s.users, u)
	}
	for n := r.length(); n > 0 && !r.bad; n-- {
		s.roles = append(s.roles, r.text())
	}
	for n := r.length(); n > 0 && !r.bad; n-- {
		s.devices = append(s.devices, r.id())
	}
	s.hosts, s.sites = r.sites(), r.sites()
	if len(r.b) > 0 {
		s.revoked = r.int()
	}
	if s.endBy == seshat.EndRevoked { // as it was written before a revocation could be taken back
		s.revoked, s.ended, s.endBy = s.ended, 0, seshat.EndNone
	}
	return s
}

func (d *deviceState) append(b []byte) []byte {
	w := writer{append(b, stateVersion, recordDevice)}
	w.id(d.fallback)
	w.id(d.hint)
	w.int(d.crowded)
	w.sites(d.prelude)
	w.sites(d.sites)
	w.uint(uint64(len(d.sessions)))
	for _, s := range d.sessions {
		w.id(s.id)
		w.int(s.last)
		w.id(s.hint)
	}
	return w.b
}

func (r *reader) deviceState(key seshat.Digest) *deviceState {
	d := &deviceState{key: key, fallback: r.id(), hint: r.id(), crowded: r.int(), prelude: r.sites(), sites: r.sites()}
	for n := r.length(); n > 0 && !r.bad; n-- {
		d.sessions = append(d.sessions, deviceSession{id: r.id(), last: r.int(), hint: r.id()})
	}
	return d
}

func (b *subjectState) append(dst []byte) []byte {
	w := writer{append(dst, stateVersion, recordSubject)}
	w.id(b.session)
	w.int(b.last)
	w.site(b.network)
	w.site(b.agent)
	w.site(b.ja4)
	w.id(b.hint)
	return w.b
}

func (r *reader) subjectState(key seshat.Digest) *subjectState {
	return &subjectState{key: key, session: r.id(), last: r.int(), network: r.site(), agent: r.site(), ja4: r.site(), hint: r.id()}
}

// restore takes one record into memory, unless a newer one is there, and asks for the sessions it refers to.
func (c *Correlator) restore(key seshat.Digest, value []byte) error {
	if len(value) < 2 || value[0] != stateVersion {
		return ErrBadState
	}
	r := reader{b: value[2:]}
	var id *idState
	var session *sessionState
	var device *deviceState
	var subject *subjectState
	switch value[1] {
	case recordID:
		id = r.idState(key)
	case recordSession:
		session = r.sessionState(key)
	case recordDevice:
		device = r.deviceState(key)
	case recordSubject:
		subject = r.subjectState(key)
	default:
		return ErrBadState
	}
	if r.bad || len(r.b) != 0 {
		return ErrBadState
	}
	switch {
	case id != nil && c.ids[key] == nil:
		c.ids[key] = id
		c.wantSession(id.session)
	case session != nil && c.sessions[session.id] == nil:
		session.stored = true
		c.sessions[session.id] = session
		if session.origin == seshat.OriginFallback && len(session.devices) > 0 {
			c.idle.push(queuedSession{id: session.id, device: session.devices[0], last: session.last})
		}
		c.wantSession(session.merged)
		c.wantSession(session.takeover)
	case device != nil && c.devices[key] == nil:
		device.stored = true
		c.devices[key] = device
		c.wantSession(device.fallback)
		for i := range device.sessions {
			c.wantSession(device.sessions[i].id)
		}
	case subject != nil && c.subjects[key] == nil:
		c.subjects[key] = subject
		c.wantSession(subject.session)
	}
	return nil
}
