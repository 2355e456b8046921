package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
)

// opened is a token with a good signature, whose payload was not looked at.
type opened struct {
	header  *Header
	payload []byte
}

// open takes a token apart and checks its signature.
func open(tok string, keys *KeySet) (opened, error) {
	p, err := split(tok)
	if err != nil {
		return opened{}, err
	}
	header, err := decode("header", p.header)
	if err != nil {
		return opened{}, err
	}
	h, err := parseHeader(header)
	if err != nil {
		return opened{}, err
	}
	payload, err := decode("payload", p.payload)
	if err != nil {
		return opened{}, err
	}
	signature, err := decode("signature", p.signature)
	if err != nil {
		return opened{}, err
	}
	if len(signature) == 0 {
		return opened{}, refuse(BadSignature, "the token has no signature")
	}
	var room [MaxTried]*Key
	candidates, named, err := keys.candidates(room[:0], h)
	if err != nil {
		return opened{}, err
	}
	signed := []byte(p.signed)
	digest := algorithms[h.Algorithm].digest(signed)
	for _, k := range candidates {
		if k.verify(h.Algorithm, signed, digest, signature) {
			return opened{h, payload}, nil
		}
	}
	return opened{}, badSignature(h, named)
}

// badSignature says that no key that may have made the signature did.
func badSignature(h *Header, named bool) error {
	switch {
	case named:
		return refuse(BadSignature, "the signature is not that of the key %s", quote(h.KeyID))
	case h.hasKeyID:
		return refuseStale(UnknownKey, "no key has the ID %s, and the signature is not that of a key without an ID", quote(h.KeyID))
	default:
		return refuseStale(BadSignature, "the signature is not that of any key")
	}
}

// digest is the hash of what was signed, or nil for algorithms that take it whole.
func (a *algorithm) digest(signed []byte) []byte {
	switch a.hash {
	case crypto.SHA256:
		sum := sha256.Sum256(signed)
		return sum[:]
	case crypto.SHA384:
		sum := sha512.Sum384(signed)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(signed)
		return sum[:]
	default:
		return nil
	}
}

// verify reports whether the key made a signature by an algorithm that it is for.
func (k *Key) verify(by Algorithm, signed, digest, signature []byte) bool {
	if !k.Allows(by) {
		return false
	}
	a := &algorithms[by]
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if a.family == familyPSS {
			// The length of the salt is fixed (RFC 7518, section 3.5): the default is to take any.
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.hash}
			return rsa.VerifyPSS(public, a.hash, digest, signature, options) == nil
		}
		return rsa.VerifyPKCS1v15(public, a.hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		// The two numbers have the length of the curve's order each (RFC 7518, section 3.4); that they are neither zero
		// nor beyond the order is checked by the standard library.
		size := (public.Params().N.BitLen() + 7) / 8
		if len(signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(public, digest, r, s)
	case ed25519.PublicKey:
		return ed25519.Verify(public, signed, signature)
	default:
		return false
	}
}
