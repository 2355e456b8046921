// Package token reads JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, without verification: to find out
// which session a token stands for, not whether to trust it.
//
//	claims, buffer, ok := token.Claims(buffer[:0], bearer)            // the registered claims, in one pass
//	user, buffer, ok := token.Claim(buffer, bearer, "preferred_username")
//	role, buffer, ok := token.ClaimPath(buffer, bearer, path)         // $.realm_access.roles[0]
//
// The functions append what they decode to a buffer of the caller's and return it, as append does; the strings they
// return alias it. With a buffer that is large enough nothing is allocated. The caller may use the buffer again, from
// its beginning, when it needs none of the strings any more.
//
// Claims are found by the scanner of package jsonpath, so its rules hold: of members of one name the first counts.
package token

import (
	"strings"
	"unsafe"

	"github.com/seshat-project/seshat/internal/jsonpath"
)

// MaxLength is how many bytes a token may have. Servers refuse header fields of more than 8 to 16 KiB, so that a
// longer one is no token that was ever accepted, and not worth the time it takes.
const MaxLength = 16 << 10

// Split takes a JWT apart: three parts in Base64 (URL-safe alphabet, no padding), of which the first two start with a
// JSON object, and the last may be empty. The parts are not decoded, and there may be nothing around the token, such
// as "Bearer ".
func Split[T string | []byte](tok T) (header, payload, signature T, ok bool) {
	var zero T
	first, second := dots(tok)
	if second < 0 {
		return zero, zero, zero, false
	}
	header, payload, signature = tok[:first], tok[first+1:second], tok[second+1:]
	if !startsObject(header) || !startsObject(payload) ||
		!isBase64URL(header) || !isBase64URL(payload) || !isBase64URL(signature) {
		return zero, zero, zero, false
	}
	return header, payload, signature, true
}

// dots returns the places of the two dots of a token; second is negative when there are not exactly two, or the token
// is too long.
func dots[T string | []byte](tok T) (first, second int) {
	if len(tok) > MaxLength {
		return -1, -1
	}
	first, second = -1, -1
	for i := range len(tok) {
		if tok[i] != '.' {
			continue
		}
		switch {
		case first < 0:
			first = i
		case second < 0:
			second = i
		default:
			return -1, -1
		}
	}
	return first, second
}

// startsObject reports whether the first byte that s stands for is "{", which takes six bits of the first character
// and two of the second.
func startsObject[T string | []byte](s T) bool {
	return len(s) > 1 && s[0] == 'e' && urlDigits[s[1]]&^0x0f == '{'<<4&0x3f
}

// payload appends the decoded payload of a token to dst. It accepts what Split accepts; decoding checks the payload's
// characters, and the search for the dots is that of package strings, because this is on the path of every request.
func payload(dst []byte, tok string) (data, newDst []byte, ok bool) {
	if len(tok) > MaxLength {
		return nil, dst, false
	}
	header, rest, _ := strings.Cut(tok, ".")
	part, signature, two := strings.Cut(rest, ".")
	// A third dot is no digit of the signature.
	if !two || !startsObject(header) || !startsObject(part) || !isBase64URL(header) || !isBase64URL(signature) {
		return nil, dst, false
	}
	before := len(dst)
	if dst, ok = appendDecoded(dst, part, urlDigits); !ok {
		return nil, dst, false
	}
	return dst[before:len(dst):len(dst)], dst, true
}

// Claim returns the text of the first claim called name, where it is a string, a number or a boolean. The name is
// taken as it is, whatever characters it has.
func Claim(dst []byte, tok, name string) (value string, newDst []byte, ok bool) {
	data, dst, ok := payload(dst, tok)
	if !ok {
		return "", dst, false
	}
	raw, ok := jsonpath.Member(data, name)
	if !ok {
		return "", dst, false
	}
	return text(dst, raw)
}

// ClaimPath returns the text of the first string, number or boolean that path selects in the payload. It does not
// allocate for the queries for which [jsonpath.Path.First] does not.
func ClaimPath(dst []byte, tok string, path *jsonpath.Path) (value string, newDst []byte, ok bool) {
	data, dst, ok := payload(dst, tok)
	if !ok {
		return "", dst, false
	}
	raw, ok := path.First(data)
	if !ok {
		return "", dst, false
	}
	return text(dst, raw)
}

// text is the text of a scalar token that stands in dst. It aliases dst.
func text(dst, raw []byte) (value string, newDst []byte, ok bool) {
	if raw[0] != '"' {
		return alias(raw), dst, true
	}
	if !escaped(raw) {
		return alias(raw[1 : len(raw)-1]), dst, true
	}
	before := len(dst)
	if dst, ok = jsonpath.AppendScalar(dst, raw); !ok {
		return "", dst, false
	}
	return alias(dst[before:]), dst, true
}

func escaped(raw []byte) bool {
	for _, c := range raw {
		if c == '\\' {
			return true
		}
	}
	return false
}

// alias makes a string of b without copying it. The contract of the package allows it: what is in a buffer does not
// change until its owner starts over, and then nobody holds the strings any more.
func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // see above
}
