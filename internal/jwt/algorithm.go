package jwt

import (
	"crypto"
	"fmt"
)

// Algorithm is a digital signature algorithm of RFC 7518, section 3.1, or RFC 8037.
type Algorithm uint8

// The algorithms. EdDSA is Ed25519 only, whose other name is "Ed25519" (RFC 9864).
const (
	RS256 Algorithm = iota + 1
	RS384
	RS512
	PS256
	PS384
	PS512
	ES256
	ES384
	ES512
	EdDSA
)

// family is what kind of key an algorithm is for.
type family uint8

const (
	familyPKCS1 family = iota + 1
	familyPSS
	familyECDSA
	familyEdDSA
)

// algorithm is what is known about an [Algorithm].
type algorithm struct {
	name   string
	family family
	hash   crypto.Hash
	curve  string // of ECDSA: the only one that it is for (RFC 7518, section 3.4)
}

// algorithms is indexed by Algorithm.
var algorithms = [...]algorithm{
	RS256: {"RS256", familyPKCS1, crypto.SHA256, ""},
	RS384: {"RS384", familyPKCS1, crypto.SHA384, ""},
	RS512: {"RS512", familyPKCS1, crypto.SHA512, ""},
	PS256: {"PS256", familyPSS, crypto.SHA256, ""},
	PS384: {"PS384", familyPSS, crypto.SHA384, ""},
	PS512: {"PS512", familyPSS, crypto.SHA512, ""},
	ES256: {"ES256", familyECDSA, crypto.SHA256, "P-256"},
	ES384: {"ES384", familyECDSA, crypto.SHA384, "P-384"},
	ES512: {"ES512", familyECDSA, crypto.SHA512, "P-521"},
	EdDSA: {"EdDSA", familyEdDSA, 0, ""},
}

// ParseAlgorithm returns the algorithm of a name. Names are case-sensitive. The error says of "none" and HMAC why they
// are refused.
func ParseAlgorithm(name string) (Algorithm, error) {
	for a := RS256; a <= EdDSA; a++ {
		if algorithms[a].name == name {
			return a, nil
		}
	}
	switch name {
	case "Ed25519":
		return EdDSA, nil
	case "none":
		return 0, refuse(UnsupportedAlgorithm, `the algorithm "none" is no signature`)
	case "HS256", "HS384", "HS512":
		return 0, refuse(UnsupportedAlgorithm, "the algorithm %q needs a shared secret: whoever can verify such a token can make one", name)
	default:
		return 0, refuse(UnsupportedAlgorithm, "the algorithm %s is not supported", quote(name))
	}
}

// String returns the name of the algorithm as a header has it.
func (a Algorithm) String() string {
	if a < RS256 || a > EdDSA {
		return fmt.Sprintf("Algorithm(%d)", uint8(a))
	}
	return algorithms[a].name
}
