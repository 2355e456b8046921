package enforce

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jwt"
	"github.com/seshat-project/seshat/internal/rule"
)

// Bounds of what is remembered of tokens. Verifying one costs 30 µs (RSA) to 1.5 ms (P-521).
const (
	// maxAccepted is how many accepted tokens are remembered: those of some hundred thousand sessions, in 10 MB.
	maxAccepted = 256 << 10
	// maxRefused is how many refused ones are. They have a table of their own, so that a flood of bad tokens displaces
	// bad tokens only.
	maxRefused = 16 << 10
	// lifeOfAccepted, in seconds, is how long a token that says no end is taken for good without looking again.
	lifeOfAccepted = 3600
	// lifeOfRefused is short: a clock may be late, keys may come.
	lifeOfRefused = 10
	// maxTokens is how many fields with a token a request may have. An origin may take the first of several or the last, so
	// that all must be good; nobody sends more than two.
	maxTokens = 4
)

// verdictOnToken is why a token was refused, by keys of a generation.
type verdictOnToken struct {
	generation uint32
	kind       jwt.Kind
}

// The kinds of refusals besides those of package jwt.
const (
	noToken       jwt.Kind = 0
	tooManyTokens jwt.Kind = 255
)

// validate holds the request against the validations in scope. It reports whether it learned something about who vouches
// for the IDs of the request.
func (e *Enforcer) validate(rules *rules, r *Request, d *Decision, now uint32, url string) (learned bool) {
	w := &d.work
	w.found, w.bits = rules.validationScopes.Find(r.Exchange.Environment, r.Exchange.Service, url, w.found[:0], w.bits)
	for _, i := range w.found {
		v := rules.validations[i]
		if r.Reader == nil || !inScope(r, v.Endpoints, nil) {
			continue
		}
		kind, found := e.verifyAll(v, r, d, now)
		if !found && !v.Required {
			continue
		}
		v.counters.hits.Add(1)
		learned = true
		switch {
		case found && kind == noToken: // good
			continue
		case v.Action == seshat.ActionTag:
			v.counters.tagged.Add(1)
			d.tag(v.by)
		default:
			v.counters.refused.Add(1)
			d.refuse(seshat.ActionBlock, v.Status, v.by, reasonFor(kind), 0)
		}
	}
	return learned
}

// verifyAll verifies the tokens of the request. Found says whether there are any; kind is noToken when all are good.
func (e *Enforcer) verifyAll(v *validation, r *Request, d *Decision, now uint32) (kind jwt.Kind, found bool) {
	for n := 0; ; n++ {
		value, ok := r.Reader.Value(r.Exchange, &v.Token, n)
		if !ok {
			return kind, found
		}
		if n == maxTokens {
			d.work.unproven = true
			return tooManyTokens, true
		}
		text, ok := tokenOf(value, v.Token.Location)
		if !ok {
			continue
		}
		found = true
		digest, id := e.digestOf(text, r)
		verdict := e.verify(v, text, digest, r.Now, now)
		e.vouchByToken(&v.Token, r, d, now, verdict == noToken, id)
		if verdict != noToken && kind == noToken {
			kind = verdict
			d.work.unproven = true
		}
	}
}

// tokenOf takes the scheme off the value of a header field. Credentials of another scheme than those of tokens, such as
// Basic, are none.
func tokenOf(value string, where seshat.Location) (string, bool) {
	if where != seshat.LocationHeader {
		return value, value != ""
	}
	value = strings.Trim(value, " \t")
	scheme, rest, found := strings.Cut(value, " ")
	if !found {
		return value, value != ""
	}
	for _, known := range [...]string{"Bearer", "DPoP", "Token", "JWT"} {
		if rule.EqualFoldASCII(scheme, known) {
			rest = strings.TrimLeft(rest, " ")
			return rest, rest != ""
		}
	}
	return "", false
}

// digestOf returns the digest of a token, and the ID of the request that it is, or a negative number. Usually it is the
// ID that groups the request, whose digest is there already.
func (e *Enforcer) digestOf(text string, r *Request) (digest [16]byte, id int) {
	for i := range r.Identity.IDs {
		if presented(r, i) && string(r.Identity.IDs[i].Value) == text {
			return r.Digests[i], i
		}
	}
	h := e.base
	h.text("token")
	h.text(text)
	return bytesOf(h.sum()), -1
}

// verify verifies a token, or remembers that it did.
func (e *Enforcer) verify(v *validation, text string, digest [16]byte, at time.Time, now uint32) jwt.Kind {
	keys := v.current(e)
	k := keyOf(digest)
	k[0], k[1] = k[0]^v.id[0], k[1]^v.id[1]
	shard, h := e.tokens.lock(k)
	if known := shard.find(k, h, now); known != nil && known.value == keys.number {
		shard.mu.Unlock()
		return noToken
	}
	shard.mu.Unlock()
	bad, h := e.refused.lock(k)
	if known := bad.find(k, h, now); known != nil && known.value.generation == keys.number {
		kind := known.value.kind
		bad.mu.Unlock()
		return kind
	}
	bad.mu.Unlock()

	_, claims, err := v.Policy.Verify(text, keys.set, at)
	if err == nil {
		expires := now + lifeOfAccepted
		if !claims.ExpiresAt.IsZero() {
			expires = min(expires, seconds(claims.ExpiresAt.Add(jwt.Skew)))
		}
		if expires > now {
			shard, h := e.tokens.lock(k)
			if slot, _ := e.tokens.put(shard, k, h, now); slot != nil {
				slot.value, slot.expires = keys.number, expires
			}
			shard.mu.Unlock()
		}
		return noToken
	}
	if v.source != nil && jwt.NewerKeysMayHelp(err) {
		v.source.Miss()
	}
	kind := jwt.KindOf(err)
	bad, h = e.refused.lock(k)
	if slot, _ := e.refused.put(bad, k, h, now); slot != nil {
		slot.value, slot.expires = verdictOnToken{keys.number, kind}, now+lifeOfRefused
	}
	bad.mu.Unlock()
	return kind
}

// vouchByToken notes, for the IDs that were found where the token was, whether they are good. A claim of a token that is
// not good says nothing about the good tokens that have it too: it is not vouched for in this request, and that is all.
func (e *Enforcer) vouchByToken(where *rule.Selector, r *Request, d *Decision, now uint32, good bool, id int) {
	for i := range d.work.ids {
		found := &r.Identity.IDs[i]
		if !presented(r, i) || fallback(found) || i != id && (found.Where != where.Location || !where.Key.Match(found.Key)) {
			continue
		}
		s := &d.work.ids[i]
		switch {
		case good && !s.vouched:
			*s = e.vouch(r.Digests[i], d.Session, now)
		case !good && i == id:
			s.vouched = false
			e.unvouch(r.Digests[i], now)
		case !good:
			s.vouched = false
		}
	}
}

// ReasonNoToken is the reason of a verdict on a request that shows no token where one is required.
const ReasonNoToken = "there is no token"

// reasonFor says why a token is not accepted. Details are for logs: they quote the token.
func reasonFor(k jwt.Kind) string {
	switch k {
	case noToken:
		return ReasonNoToken
	case tooManyTokens:
		return "there are several tokens"
	case jwt.Expired:
		return "the token has expired"
	case jwt.NotYetValid, jwt.IssuedInFuture:
		return "the token is not valid yet"
	case jwt.UnknownKey:
		return "the token's key is not known"
	case jwt.BadSignature, jwt.WrongAlgorithm, jwt.UnsupportedAlgorithm:
		return "the token's signature is not accepted"
	case jwt.WrongIssuer:
		return "the token is of another issuer"
	case jwt.WrongAudience:
		return "the token is for another audience"
	case jwt.WrongType, jwt.UnsupportedExtension:
		return "the token is of another type"
	default:
		return "the token is malformed"
	}
}
