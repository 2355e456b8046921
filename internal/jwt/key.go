package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
)

// Bounds of RSA keys.
const (
	// MinRSABits is the least size of a modulus (RFC 7518, sections 3.3 and 3.5).
	MinRSABits = 2048
	// MaxRSABits is the greatest. The time to verify grows with its square, and the sender of a token decides how
	// often it is spent; crypto/tls has the same bound.
	MaxRSABits = 8192
	// maxRSAExponent is the greatest that the standard library takes.
	maxRSAExponent = 1<<31 - 1
)

// Key is a public key with the algorithms that it may be used for. It does not change.
type Key struct {
	id         string
	public     crypto.PublicKey
	algorithms uint16 // a set: 1<<Algorithm
}

// NewKey returns a key. Public is an *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey, which must not be changed
// any more; id is its "kid", or empty. Only is the one algorithm that the key is for; 0 means those that its type and
// curve are for.
func NewKey(id string, public crypto.PublicKey, only Algorithm) (*Key, error) {
	k := &Key{id: id, public: public}
	for a := RS256; a <= EdDSA; a++ {
		if algorithms[a].fits(public) {
			k.algorithms |= 1 << a
		}
	}
	if err := checkPublic(public); err != nil {
		return nil, err
	}
	if only == 0 {
		return k, nil
	}
	if k.algorithms &= 1 << only; k.algorithms == 0 {
		return nil, fmt.Errorf("a key of this type is not for %s", only)
	}
	return k, nil
}

// ID is the "kid" of the key, or empty.
func (k *Key) ID() string { return k.id }

// Allows reports whether the key is for an algorithm.
func (k *Key) Allows(a Algorithm) bool { return k.algorithms&(1<<a) != 0 }

// fits reports whether the type and curve of a key are those of the algorithm.
func (a *algorithm) fits(public crypto.PublicKey) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return a.family == familyPKCS1 || a.family == familyPSS
	case *ecdsa.PublicKey:
		return a.family == familyECDSA && public != nil && public.Curve != nil && public.Params().Name == a.curve
	case ed25519.PublicKey:
		return a.family == familyEdDSA
	default:
		return false
	}
}

// checkPublic checks what is wrong with a key itself, whatever it is used for.
func checkPublic(public crypto.PublicKey) error {
	switch public := public.(type) {
	case *rsa.PublicKey:
		switch {
		case public == nil || public.N == nil || public.N.Sign() <= 0:
			return errors.New("an RSA key without a modulus")
		case public.N.BitLen() < MinRSABits:
			return fmt.Errorf("an RSA key of %d bits; at least %d are needed", public.N.BitLen(), MinRSABits)
		case public.N.BitLen() > MaxRSABits:
			return fmt.Errorf("an RSA key of %d bits; at most %d are taken", public.N.BitLen(), MaxRSABits)
		case public.N.Bit(0) == 0:
			return errors.New("an RSA key with an even modulus")
		case public.E < 3 || public.E&1 == 0 || public.E > maxRSAExponent:
			return fmt.Errorf("an RSA key with an exponent that is not odd and from 3 to %d", maxRSAExponent)
		}
	case *ecdsa.PublicKey:
		if public == nil || public.Curve == nil {
			return errors.New("an elliptic curve key without a curve")
		}
		if _, err := public.Bytes(); err != nil { // checks that it is on a curve, and one that is known
			return errors.New("an elliptic curve key that is not on its curve, or a curve that is not supported")
		}
		if name := public.Params().Name; name != "P-256" && name != "P-384" && name != "P-521" {
			return fmt.Errorf("the curve %s is not supported", name)
		}
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return fmt.Errorf("an Ed25519 key of %d bytes; it has %d", len(public), ed25519.PublicKeySize)
		}
	default:
		return fmt.Errorf("keys of type %T are not supported", public)
	}
	return nil
}
