package token

import (
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
)

// claim is one of the claims of [seshat.TokenClaims].
type claim uint8

const (
	claimOther claim = iota
	claimIssuer
	claimSubject
	claimSessionID
	claimSessionState
	claimID
	claimIssuedAt
	claimNotBefore
	claimExpiresAt
)

// Claims reads the registered claims of a token. It returns false when tok is not a JWT, or its payload is not an
// object that is closed. Texts may be given as strings or numbers, times as numbers only ([RFC 7519], section 2,
// NumericDate); a claim of another type, or a time that cannot be one, is left out.
//
// [RFC 7519]: https://www.rfc-editor.org/rfc/rfc7519
func Claims(dst []byte, tok string) (claims seshat.TokenClaims, newDst []byte, ok bool) {
	data, dst, ok := payload(dst, tok)
	if !ok {
		return seshat.TokenClaims{}, dst, false
	}
	var seen uint16
	var sessionState string
	members := jsonpath.ScanMembers(data)
	for members.Next() {
		c := claimOf(&members)
		if c == claimOther || seen&(1<<c) != 0 {
			continue
		}
		seen |= 1 << c
		raw, ok := members.Scalar()
		if !ok {
			continue
		}
		switch c {
		case claimIssuedAt:
			claims.IssuedAt = numericDate(raw)
		case claimNotBefore:
			claims.NotBefore = numericDate(raw)
		case claimExpiresAt:
			claims.ExpiresAt = numericDate(raw)
		default:
			if raw[0] == 't' || raw[0] == 'f' {
				continue
			}
			var value string
			if value, dst, ok = text(dst, raw); !ok {
				continue
			}
			switch c {
			case claimIssuer:
				claims.Issuer = value
			case claimSubject:
				claims.Subject = value
			case claimSessionID:
				claims.SessionID = value
			case claimSessionState:
				sessionState = value
			default:
				claims.ID = value
			}
		}
	}
	if !members.Complete() {
		return seshat.TokenClaims{}, dst, false
	}
	if claims.SessionID == "" {
		claims.SessionID = sessionState
	}
	return claims, dst, true
}

// claimOf says which claim a member is.
func claimOf(members *jsonpath.Members) claim {
	name, escaped := members.Name()
	if escaped {
		// An escaped name is at most 6 times as long as what it stands for; the longest that matters has 13 bytes.
		var buffer [6 * len("session_state")]byte
		if len(name) > len(buffer) {
			return claimOther
		}
		var ok bool
		if name, ok = members.AppendName(buffer[:0]); !ok {
			return claimOther
		}
	}
	switch string(name) { // the compiler does not allocate for this
	case "iss":
		return claimIssuer
	case "sub":
		return claimSubject
	case "sid":
		return claimSessionID
	case "session_state":
		return claimSessionState
	case "jti":
		return claimID
	case "iat":
		return claimIssuedAt
	case "nbf":
		return claimNotBefore
	case "exp":
		return claimExpiresAt
	default:
		return claimOther
	}
}

// maxNumericDate is the last second of the year 9999, after which times have no form in RFC 3339. A larger number is
// a mistake, mostly milliseconds in the place of seconds, or an attack.
const maxNumericDate = 253_402_300_799

// numericDate reads seconds since 1970 as a JSON number with fraction and exponent, exact to the nanosecond, without
// floating point. It returns the zero time for what is not a number, and for times up to 1970 or beyond the year
// 9999: some issuers write 0 for "never", and no token is older.
func numericDate(raw []byte) time.Time {
	if raw[0] < '0' || raw[0] > '9' {
		return time.Time{}
	}
	mantissa, exponent := splitExponent(raw)
	point := len(mantissa)
	for i, c := range mantissa {
		if c == '.' {
			point = i
			break
		}
	}
	var seconds, nanoseconds int64
	unit := int64(time.Second) // of the fraction's last digit
	// place is how many digits of whole seconds come from here on; negative when zeros come before the fraction.
	place := int64(point) + exponent
	for ; place < 0 && unit > 0; place++ {
		unit /= 10
	}
	for _, c := range mantissa {
		if c == '.' {
			continue
		}
		digit := int64(c - '0')
		if place > 0 {
			place--
			if seconds = seconds*10 + digit; seconds > maxNumericDate {
				return time.Time{}
			}
			continue
		}
		unit /= 10
		nanoseconds += digit * unit
	}
	for ; place > 0 && seconds > 0; place-- {
		if seconds *= 10; seconds > maxNumericDate {
			return time.Time{}
		}
	}
	if seconds == 0 && nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, nanoseconds).UTC()
}

// maxExponent is where exponents are cut off. A token is shorter than that many digits, so that they cannot make up
// for it.
const maxExponent = 10 * MaxLength

func splitExponent(raw []byte) (mantissa []byte, exponent int64) {
	for i, c := range raw {
		if c|0x20 != 'e' {
			continue
		}
		negative := raw[i+1] == '-'
		for _, c := range raw[i+1:] {
			if '0' <= c && c <= '9' && exponent < maxExponent {
				exponent = exponent*10 + int64(c-'0')
			}
		}
		if negative {
			exponent = -exponent
		}
		return raw[:i], exponent
	}
	return raw, 0
}
