package jwt

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Skew is how far clocks may be apart: a token is accepted for so long after it expired and before it becomes valid.
// Synchronized hosts differ by milliseconds; a minute also forgives the one that is not, and adds little to tokens
// that live for minutes.
const Skew = time.Minute

// Token is a token whose signature was verified.
type Token struct {
	Header Header
	// Payload is a JSON object in UTF-8, in which no two members have one name.
	Payload []byte
}

// Policy is what tokens must say to be accepted. The zero value accepts those of every issuer, for every audience, of
// every type but foreign ones.
type Policy struct {
	// Issuers are the values of "iss" that are accepted, compared exactly. None accepts all, and tokens without it.
	Issuers []string
	// Audiences are the values of which "aud" has to hold one, compared exactly. None accepts all, and tokens without it.
	Audiences []string
	// Types are the values of "typ" that are accepted, without a leading "application/" and whatever their case (RFC
	// 7515, section 4.1.9; RFC 8725, section 3.11). None accepts all, and tokens without it, but not those of which it
	// is known that they are something else, though the same issuer signs them: see [ForeignType].
	Types []string
}

// VerifySignature checks the form and the signature of a token, and nothing of what its payload says but that it is a
// JSON object. The error is an [*Error].
func VerifySignature(tok string, keys *KeySet) (*Token, error) {
	o, err := open(tok, keys)
	if err != nil {
		return nil, err
	}
	whatever := func([]byte, jsontext.Value) error { return nil }
	if err := members("payload", o.payload, whatever); err != nil {
		return nil, err
	}
	return &Token{Header: *o.header, Payload: o.payload}, nil
}

// Verify checks a token: form, signature, type, and the claims "exp", "nbf", "iat", "iss" and "aud" where it has them or
// p wants them. The error is an [*Error]. It keeps nothing and may be called at the same time.
func (p *Policy) Verify(tok string, keys *KeySet, now time.Time) (*Token, *Claims, error) {
	o, err := open(tok, keys)
	if err != nil {
		return nil, nil, err
	}
	claims, err := parseClaims(o.payload)
	if err != nil {
		return nil, nil, err
	}
	for _, check := range [...]error{
		p.checkType(o.header), checkTimes(claims, now), p.checkIssuer(claims), p.checkAudience(claims),
	} {
		if check != nil {
			return nil, nil, check
		}
	}
	return &Token{Header: *o.header, Payload: o.payload}, claims, nil
}

// ForeignType reports whether a "typ" is one of JWTs that an issuer signs with the keys of its tokens, but that are not
// meant to be presented: logout tokens (OpenID Connect Back-Channel Logout), security events (RFC 8417), answers of
// introspection (RFC 9701), and what a client signs to prove something about itself.
func ForeignType(typ string) bool {
	switch mediaType(typ) {
	case "logout+jwt", "secevent+jwt", "token-introspection+jwt", "oauth-authz-req+jwt", "dpop+jwt", "client-authentication+jwt":
		return true
	default:
		return false
	}
}

// mediaType is the canonical form of a "typ".
func mediaType(typ string) string {
	typ = strings.ToLower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

func (p *Policy) checkType(h *Header) error {
	if len(p.Types) == 0 {
		if ForeignType(h.Type) {
			return refuse(WrongType, "the token's type is %s: it is not meant to be presented", quote(h.Type))
		}
		return nil
	}
	got := mediaType(h.Type)
	if slices.ContainsFunc(p.Types, func(want string) bool { return mediaType(want) == got }) {
		return nil
	}
	if h.Type == "" {
		return refuse(WrongType, "the token has no type; wanted %s", quoteAll(p.Types))
	}
	return refuse(WrongType, "the token's type is %s; wanted %s", quote(h.Type), quoteAll(p.Types))
}

// checkTimes checks the times. A time that is not in the token bounds nothing (RFC 7519, section 4.1).
func checkTimes(c *Claims, now time.Time) error {
	switch {
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt.Add(Skew)):
		return refuse(Expired, "the token expired at %s, %s earlier", instant(c.ExpiresAt), span(now.Sub(c.ExpiresAt)))
	case !c.NotBefore.IsZero() && now.Before(c.NotBefore.Add(-Skew)):
		return refuse(NotYetValid, "the token becomes valid at %s, in %s", instant(c.NotBefore), span(c.NotBefore.Sub(now)))
	case !c.IssuedAt.IsZero() && now.Before(c.IssuedAt.Add(-Skew)):
		return refuse(IssuedInFuture, "the token is issued at %s, in %s", instant(c.IssuedAt), span(c.IssuedAt.Sub(now)))
	default:
		return nil
	}
}

func (p *Policy) checkIssuer(c *Claims) error {
	switch {
	case len(p.Issuers) == 0, c.hasIssuer && slices.Contains(p.Issuers, c.Issuer):
		return nil
	case !c.hasIssuer:
		return refuse(WrongIssuer, "the token names no issuer; wanted %s", quoteAll(p.Issuers))
	default:
		return refuse(WrongIssuer, "the issuer is %s; wanted %s", quote(c.Issuer), quoteAll(p.Issuers))
	}
}

func (p *Policy) checkAudience(c *Claims) error {
	if len(p.Audiences) == 0 {
		return nil
	}
	for _, audience := range c.Audience {
		if slices.Contains(p.Audiences, audience) {
			return nil
		}
	}
	if len(c.Audience) == 0 {
		return refuse(WrongAudience, "the token names no audience; wanted %s", quoteAll(p.Audiences))
	}
	return refuse(WrongAudience, "the audience is %s; wanted %s", quote(strings.Join(c.Audience, ", ")), quoteAll(p.Audiences))
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// span is a length of time in the unit that says most.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return strconv.FormatInt(int64(d/day), 10) + " days"
	}
	return d.Round(time.Second).String()
}
