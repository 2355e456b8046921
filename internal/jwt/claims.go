package jwt

import (
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Claims are the registered claims of a token (RFC 7519, section 4.1). A time that is zero is not in the token.
type Claims struct {
	Issuer    string
	Subject   string
	Audience  []string
	ID        string
	ExpiresAt time.Time
	NotBefore time.Time
	IssuedAt  time.Time

	hasIssuer bool
}

// parseClaims reads a payload. A registered claim with a value that it cannot have is an error: a token whose "exp" is a
// text does not count as one that never expires.
func parseClaims(payload []byte) (*Claims, error) {
	c := &Claims{}
	var first error // of what the payload says; what is wrong with the JSON comes before it
	err := members("payload", payload, func(name []byte, value jsontext.Value) error {
		ok, want := true, "a string"
		switch string(name) {
		case "iss":
			c.Issuer, c.hasIssuer = text(value)
			ok = c.hasIssuer
		case "sub":
			c.Subject, ok = text(value)
		case "jti":
			c.ID, ok = text(value)
		case "aud":
			want = "a string or a list of strings"
			if value.Kind() == '"' {
				var one string
				one, ok = text(value)
				c.Audience = append(c.Audience, one)
			} else {
				ok = texts(value, &c.Audience)
			}
		case "exp":
			want, ok = numericDate(value, &c.ExpiresAt)
		case "nbf":
			want, ok = numericDate(value, &c.NotBefore)
		case "iat":
			want, ok = numericDate(value, &c.IssuedAt)
		}
		if !ok && first == nil {
			first = refuse(BadClaim, "the claim %q is not %s", name, want)
		}
		return nil
	})
	if err == nil {
		err = first
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// The range of times. Beyond it a time is taken for its end: a token that expires in the year 50000, since whoever made
// it counted in milliseconds, does not expire while anybody looks.
const (
	firstSecond = -62135596799 // a second into the year 1: the zero time stands for none
	lastSecond  = 253402300799 // the last of the year 9999
)

// numericDate reads a NumericDate (RFC 7519, section 2): seconds since 1970, which may have a fraction.
func numericDate(value jsontext.Value, to *time.Time) (want string, ok bool) {
	want = "a number of seconds"
	if value.Kind() != '0' {
		return want, false
	}
	number, err := strconv.ParseFloat(string(value), 64)
	if err != nil && !math.IsInf(number, 0) {
		return want, false
	}
	number = min(max(number, firstSecond), lastSecond)
	seconds, fraction := math.Modf(number)
	*to = time.Unix(int64(seconds), int64(fraction*1e9)).UTC()
	return want, true
}
