package jwt

import (
	"encoding/base64"
	"strings"

	"github.com/seshat-project/seshat/internal/token"
)

// MaxLength is how many bytes a token may have: as many as one that is looked for in traffic. Servers refuse header
// fields of more than 8 to 16 KiB.
const MaxLength = token.MaxLength

// parts are the three parts of a token, as they are in it.
type parts struct {
	header, payload, signature string
	signed                     string // header and payload, with the dot: what the signature is over
}

// split takes a token apart. What the parts hold is not looked at.
func split(text string) (parts, error) {
	if len(text) > MaxLength {
		return parts{}, refuse(TooLong, "the token has %d bytes; at most %d are taken", len(text), MaxLength)
	}
	if text == "" {
		return parts{}, refuse(Malformed, "the token is empty")
	}
	var p parts
	var rest string
	switch dots := strings.Count(text, "."); dots {
	case 2:
		p.header, rest, _ = strings.Cut(text, ".")
		p.payload, p.signature, _ = strings.Cut(rest, ".")
		p.signed = text[:len(p.header)+1+len(p.payload)]
		return p, nil
	case 0:
		return parts{}, refuse(Malformed, "not a JWT: it has no dot, and a JWT has two")
	case 1:
		return parts{}, refuse(Malformed, "not a JWT: it has one dot, and a JWT has two")
	case 4:
		return parts{}, refuse(Malformed, "not a signed JWT: five parts are an encrypted one (JWE)")
	default:
		return parts{}, refuse(Malformed, "not a JWT: it has %d dots, and a JWT has two", dots)
	}
}

// decode decodes Base64 in its one canonical form (RFC 7515, section 2): URL-safe alphabet, no padding, unused bits zero,
// nothing else. One text for one value means that a token cannot be varied past a list that it is on.
func decode(part, text string) ([]byte, error) {
	// The standard decoder skips line breaks, in strict mode too.
	if strings.ContainsAny(text, "\r\n") {
		return nil, refuse(Malformed, "the %s is not Base64: it has a line break", part)
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, refuse(Malformed, "the %s is not Base64 (URL-safe alphabet, no padding, no unused bits)", part)
	}
	return data, nil
}
