package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"sync"
	"testing"
	"time"
)

// now is when the tests are.
var now = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

// signer makes tokens, good and bad, with the standard library alone.
type signer struct {
	private crypto.Signer
	by      Algorithm
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) })
)

// signers are one for each algorithm.
func signers() []signer {
	return []signer{
		{rsaKey(), RS256},
		{rsaKey(), RS384},
		{rsaKey(), RS512},
		{rsaKey(), PS256},
		{rsaKey(), PS384},
		{rsaKey(), PS512},
		{p256(), ES256},
		{p384(), ES384},
		{p521(), ES512},
		{edKey(), EdDSA},
	}
}

func (s signer) key(t testing.TB, id string) *Key {
	t.Helper()
	k, err := NewKey(id, s.private.Public(), s.by)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// signature signs text as it is.
func (s signer) signature(text string) []byte {
	a := &algorithms[s.by]
	digest := a.digest([]byte(text))
	switch private := s.private.(type) {
	case *rsa.PrivateKey:
		if a.family == familyPSS {
			return must(rsa.SignPSS(rand.Reader, private, a.hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return must(rsa.SignPKCS1v15(nil, private, a.hash, digest))
	case *ecdsa.PrivateKey:
		var pair struct{ R, S *big.Int }
		must(asn1.Unmarshal(must(private.Sign(nil, digest, a.hash)), &pair)) // without randomness: RFC 6979
		size := (private.Params().N.BitLen() + 7) / 8
		out := make([]byte, 2*size)
		pair.R.FillBytes(out[:size])
		pair.S.FillBytes(out[size:])
		return out
	case ed25519.PrivateKey:
		return ed25519.Sign(private, []byte(text))
	default:
		panic("no such key")
	}
}

// raw signs parts that are encoded already.
func (s signer) raw(header, payload string) string {
	text := header + "." + payload
	return text + "." + encode(s.signature(text))
}

// token signs a header and a payload.
func (s signer) token(header, payload string) string {
	return s.raw(encode([]byte(header)), encode([]byte(payload)))
}

// jwt signs a payload under a plain header.
func (s signer) jwt(payload string) string {
	return s.token(`{"alg":"`+s.by.String()+`"}`, payload)
}

func keySet(t testing.TB, keys ...*Key) *KeySet {
	t.Helper()
	set, err := NewKeySet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// edPublic is the public part of a key that nobody has.
func edPublic() (ed25519.PublicKey, error) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	return public, err
}

func newEd() (ed25519.PrivateKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}
