package jwt

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Header is what is used of the header of a token (RFC 7515, section 4.1). Keys in it, and addresses of keys, are not:
// whoever made the token chose them.
type Header struct {
	Algorithm Algorithm
	KeyID     string // "kid"
	Type      string // "typ", as it was written
	hasKeyID  bool
}

// parseHeader reads a header. What is wrong with the JSON comes before what it says.
func parseHeader(data []byte) (*Header, error) {
	h := &Header{}
	var algorithm string
	var first error // of what the header says
	complain := func(err error) {
		if first == nil {
			first = err
		}
	}
	err := members("header", data, func(name []byte, value jsontext.Value) error {
		ok := true
		switch string(name) {
		case "alg":
			if algorithm, ok = text(value); ok && algorithm == "" {
				ok = false
			}
		case "kid":
			h.KeyID, h.hasKeyID = text(value)
			ok = h.hasKeyID
		case "typ":
			h.Type, ok = text(value)
		case "crit":
			complain(critical(value))
		case "b64":
			if value.Kind() != 't' {
				complain(refuse(UnsupportedExtension, `the header says that the payload is not Base64 ("b64"), which is not for JWTs`))
			}
		}
		if !ok {
			complain(refuse(Malformed, "the header's %q is not a string", name))
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case first != nil:
		return nil, first
	case algorithm == "":
		return nil, refuse(Malformed, `the header has no "alg"`)
	}
	h.Algorithm, err = ParseAlgorithm(algorithm)
	return h, err
}

// critical is the error that a "crit" is. It lists extensions that the token is not to be accepted without (RFC 7515,
// section 4.1.11), and none is implemented.
func critical(value jsontext.Value) error {
	var names []string
	if !texts(value, &names) || len(names) == 0 {
		return refuse(Malformed, `the header's "crit" is not a list of names`)
	}
	return refuse(UnsupportedExtension, "the header demands %s, which is not supported", quote(strings.Join(names, ", ")))
}
