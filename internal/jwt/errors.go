package jwt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind says why a token is not accepted. It is what metrics count and rules tell apart.
type Kind uint8

// The reasons for which a token is not accepted.
const (
	Malformed            Kind = iota + 1 // it is not a JWT, or not one that everybody reads in the same way
	TooLong                              // it is longer than [MaxLength]
	UnsupportedAlgorithm                 // "none", HMAC, or an algorithm that is not known
	UnsupportedExtension                 // it demands an extension with "crit" or "b64"
	UnknownKey                           // no key has its "kid", or none fits its algorithm
	WrongAlgorithm                       // the key that it names is not for its algorithm
	BadSignature                         // the signature is not of any key that may have made it
	BadClaim                             // a registered claim has a value that it cannot have
	WrongType                            // its "typ" is another one than is wanted
	Expired                              // "exp" has passed
	NotYetValid                          // "nbf" is in the future
	IssuedInFuture                       // "iat" is in the future
	WrongIssuer                          // "iss" is another one than is wanted, or missing
	WrongAudience                        // "aud" does not hold what is wanted, or is missing
)

// String returns the kind as it is written in metrics and rules.
func (k Kind) String() string {
	switch k {
	case Malformed:
		return "malformed"
	case TooLong:
		return "too_long"
	case UnsupportedAlgorithm:
		return "unsupported_algorithm"
	case UnsupportedExtension:
		return "unsupported_extension"
	case UnknownKey:
		return "unknown_key"
	case WrongAlgorithm:
		return "wrong_algorithm"
	case BadSignature:
		return "bad_signature"
	case BadClaim:
		return "bad_claim"
	case WrongType:
		return "wrong_type"
	case Expired:
		return "expired"
	case NotYetValid:
		return "not_yet_valid"
	case IssuedInFuture:
		return "issued_in_future"
	case WrongIssuer:
		return "wrong_issuer"
	case WrongAudience:
		return "wrong_audience"
	default:
		return "unknown"
	}
}

// Error says why a token is not accepted. Its text never holds the token.
type Error struct {
	Kind   Kind
	Detail string
	// Stale says that newer keys might verify the token: its key is not known, or it named none and its signature is
	// of none of those that are. Whoever has the keys from somewhere may want to look there again.
	Stale bool
}

func (e *Error) Error() string { return e.Detail }

// KindOf returns the kind of the first [Error] in err's chain, or 0.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}

// NewerKeysMayHelp reports whether err says that the token might be verified by keys that are newer than those that
// were tried.
func NewerKeysMayHelp(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Stale
}

func refuse(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

func refuseStale(kind Kind, format string, args ...any) *Error {
	e := refuse(kind, format, args...)
	e.Stale = true
	return e
}

// maxQuoted is how many bytes of a value of the token an error shows: enough for the address of an issuer, too little
// for a message to be flooded.
const maxQuoted = 100

// quote shows a value that whoever made the token chose: short, on one line, and in ASCII.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.QuoteToASCII(s)
	}
	end := maxQuoted
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.QuoteToASCII(s[:end]) + "…"
}

// quoteAll lists what is wanted.
func quoteAll(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return strings.Join(quoted, " or ")
}
