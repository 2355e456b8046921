package correlate

import (
	"crypto/sha256"

	"github.com/seshat-project/seshat"
)

// subjectState remembers where the tokens of one subject were last seen, so that a token whose issue was not seen
// can be recognised as the successor of the one before.
type subjectState struct {
	key     seshat.Digest
	session seshat.SessionID
	last    int64
	network site
	agent   site
	ja4     site
	hint    seshat.Digest
}

// takeoverOverlap is how long an old token may still be used beside its successor: requests that were under way.
const takeoverOverlap = int64(5e9)

// takeoverWindow is how long after the last use of a token its successor may appear.
const takeoverWindow = int64(3600e9)

// considerTakeover notes that a session which starts with a token of a known subject, on a device like the one
// before, may continue that subject's last session. Whether it does shows later: [Correlator.settleTakeover].
func (c *Correlator) considerTakeover(s *sessionState, x *exchangeView) {
	if !c.config.Inference {
		return
	}
	token := x.subjectToken()
	if token == nil || token.Digest != x.first().Digest {
		return
	}
	before := c.subjects[subjectKey(token)]
	if before == nil {
		return
	}
	old := c.root(before.session)
	if old == nil || old == s || old.over() || x.now-before.last > takeoverWindow {
		return
	}
	issued := nanos(token.Token.IssuedAt)
	if issued != 0 && (issued < old.first || issued > before.last+int64(c.config.GraceTime)) {
		return // issued neither while the old one was in use nor just after
	}
	score := before.likeness(x)
	if score < c.config.MinimumScore {
		return
	}
	s.takeover, s.takeoverScore = old.id, score
	c.changed(s)
}

// likeness is how likely the exchange comes from the device that the subject was last seen on, from 0 to 1:
// the user agent and the network count most, the TLS fingerprint and the client hints when both sides have them.
func (b *subjectState) likeness(x *exchangeView) float64 {
	network, agent, ja4 := deviceOf(x.o)
	total, score := 0.0, 0.0
	weigh := func(weight float64, known, equal bool) {
		if !known {
			return
		}
		total += weight
		if equal {
			score += weight
		}
	}
	weigh(0.4, agent != 0 || b.agent != 0, agent == b.agent)
	weigh(0.35, true, network == b.network)
	weigh(0.15, ja4 != 0 && b.ja4 != 0, ja4 == b.ja4)
	weigh(0.1, !b.hint.IsZero() && !x.o.Device.IsZero(), b.hint == x.o.Device)
	return 0.95 * score / total
}

// settleTakeover merges a session into the one it seems to continue once the old token has stayed unused for the
// grace time, or has lapsed; it forgets the suspicion when the old one went on.
func (c *Correlator) settleTakeover(s *sessionState, x *exchangeView) {
	if s.takeover.IsZero() {
		return
	}
	old := c.root(s.takeover)
	switch {
	case old == nil || old == s || old.over() || old.last > s.first+takeoverOverlap:
		s.takeover, s.takeoverScore = seshat.SessionID{}, 0
		c.changed(s)
	case x.now > s.first+int64(c.config.GraceTime), old.tokenExpires != 0 && x.now > old.tokenExpires+takeoverOverlap:
		score := s.takeoverScore
		s.takeover, s.takeoverScore = seshat.SessionID{}, 0
		c.merge(old, s, x, x.first(), seshat.EvidenceTakeover, score)
		c.changed(s)
	}
}

// rememberSubject notes where a token of a subject was seen.
func (c *Correlator) rememberSubject(s *sessionState, x *exchangeView) {
	token := x.subjectToken()
	if token == nil || !x.success || !s.takeover.IsZero() {
		return
	}
	key := subjectKey(token)
	b := c.subjects[key]
	if b == nil {
		b = &subjectState{key: key}
		c.subjects[key] = b
	}
	b.session, b.last, b.hint = s.id, x.now, x.o.Device
	b.network, b.agent, b.ja4 = deviceOf(x.o)
	c.changedSubjects[key] = struct{}{}
}

// subjectToken is the first token of the request that names a subject.
func (x *exchangeView) subjectToken() *seshat.ObservedID {
	for _, id := range x.presented {
		if id.Token.IsToken && id.Token.Subject != "" {
			return id
		}
	}
	return nil
}

// subjectKey is the key of a subject's state. It need not be secret: the subject is a user's name.
func subjectKey(token *seshat.ObservedID) seshat.Digest {
	sum := sha256.Sum256([]byte("seshat subject\x00" + token.Token.Issuer + "\x00" + token.Token.Subject))
	return seshat.Digest(sum[:len(seshat.Digest{})])
}

// Network prefixes within which a client usually stays while it goes on.
const (
	networkBits4 = 24
	networkBits6 = 48
)

func deviceOf(o *seshat.Observation) (network, agent, ja4 site) {
	bits := networkBits4
	ip := o.ClientIP.Unmap()
	if ip.Is6() {
		bits = networkBits6
	}
	if prefix, err := ip.Prefix(bits); err == nil {
		address := prefix.Addr().As16()
		network = siteOf(string(address[:]))
	}
	return network, siteOf(o.UserAgent), siteOf(o.JA4)
}
