package enforce_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/seshat-project/seshat/internal/jwks"
	"github.com/seshat-project/seshat/internal/jwt"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// unsigned is a token that nobody signed.
func unsigned(claims string) string { return b64(`{"alg":"none"}`) + "." + b64(claims) + "." }

// issuer signs tokens.
type issuer struct {
	id  string
	key ed25519.PrivateKey
}

func newIssuer(id string) issuer {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, id)
	return issuer{id, ed25519.NewKeyFromSeed(seed)}
}

func (i issuer) token(claims string) string {
	text := b64(`{"alg":"EdDSA","kid":"`+i.id+`"}`) + "." + b64(claims)
	return text + "." + b64(string(ed25519.Sign(i.key, []byte(text))))
}

func (i issuer) jwk() string {
	public, _ := i.key.Public().(ed25519.PublicKey)
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"%s","x":"%s"}`, i.id, b64(string(public)))
}

func keySet(t testing.TB, issuers ...issuer) *jwt.KeySet {
	t.Helper()
	list := ""
	for n, i := range issuers {
		if n > 0 {
			list += ","
		}
		list += i.jwk()
	}
	set, err := jwks.Parse([]byte(`{"keys":[` + list + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return set.Keys
}

// keys are a key set at an address.
type keys struct {
	set    atomic.Pointer[jwt.KeySet]
	misses atomic.Int32
}

func (k *keys) Current() *jwt.KeySet { return k.set.Load() }
func (k *keys) Miss()                { k.misses.Add(1) }
