package jwt

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzVerify checks that nothing panics, and that no token is accepted that another library refuses. The fuzzer sees
// parts that are signed, as they are and encoded, and parts with a signature that it makes up. The key is always the
// same, and so are signatures by it: what differs from run to run looks to the fuzzer like a discovery.
func FuzzVerify(f *testing.F) {
	s := signer{ed25519.NewKeyFromSeed([]byte("a seed that everybody knows, 32b")), EdDSA}
	public := s.private.Public()
	keys := keySet(f, s.key(f, ""))
	for _, header := range []string{
		`{"alg":"EdDSA","kid":"k"}`, `{"alg":"none"}`, `{"alg":"EdDSA","crit":["b64"],"b64":false}`, `{"alg":"EdDSA","b64":false}`,
		`{"alg":"RS256","alg":"EdDSA"}`, `{"ALG":"ES256","alg":"EdDSA"}`, `{"alg":"EdDSA","jwk":{}}`, ` {"alg":"EdDSA"}`,
		`{"alg":"EdDSA","kid":null}`, `{"alg":"EdDSA","typ":"at+jwt","nonce":7}`, `{"alg":"Ed25519"}`, encode([]byte(`{"alg":"EdDSA"}`)),
	} {
		f.Add(header, `{"exp":1e400,"nbf":-0.5,"aud":["\u00e4"]}`, "")
	}
	f.Add(encode([]byte(`{"alg":"EdDSA"}`)), encode([]byte(`{"iss":"a"}`)), "AA==")
	f.Fuzz(func(t *testing.T, header, payload, tail string) {
		encodedHeader, encodedPayload := encode([]byte(header)), encode([]byte(payload))
		for _, tok := range []string{
			s.raw(encodedHeader, encodedPayload), s.raw(encodedHeader, encodedPayload) + tail,
			s.raw(header, payload), header + "." + payload + "." + tail,
		} {
			verified, err := VerifySignature(tok, keys)
			_, _, full := (&Policy{}).Verify(tok, keys, now)
			if err != nil {
				if full == nil {
					t.Fatalf("%q is valid, and its signature is not: %v", tok, err)
				}
				continue
			}
			agree(t, tok, verified, public)
		}
	})
}

// agree checks a token that was accepted with go-jose.
func agree(t *testing.T, tok string, verified *Token, key crypto.PublicKey) {
	t.Helper()
	header, _, _ := strings.Cut(tok, ".")
	names := map[string]json.RawMessage{}
	if err := json.Unmarshal(must(decode("header", header)), &names); err != nil {
		t.Fatalf("%q is accepted; encoding/json says of its header: %v", tok, err)
	}
	for name := range names {
		switch name {
		case "alg", "kid", "typ", "cty", "crit", "b64":
		default:
			return // go-jose reads more members than are used here, and refuses what it cannot read
		}
	}
	if string(names["alg"]) == `"Ed25519"` {
		return // go-jose knows the older name only
	}
	by := jose.SignatureAlgorithm(verified.Header.Algorithm.String())
	parsed, err := jose.ParseSignedCompact(tok, []jose.SignatureAlgorithm{by})
	if err != nil {
		t.Fatalf("%q is accepted; go-jose: %v", tok, err)
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		t.Fatalf("%q is accepted; go-jose: %v", tok, err)
	}
	if string(payload) != string(verified.Payload) {
		t.Fatalf("%q: the payload is %q; go-jose: %q", tok, verified.Payload, payload)
	}
	if !json.Valid(payload) {
		t.Fatalf("%q is accepted; its payload is no JSON", tok)
	}
}

// FuzzAgainstSigner signs with go-jose: what an issuer makes is accepted.
func FuzzAgainstSigner(f *testing.F) {
	f.Add("k", "alice", uint8(0))
	f.Add("", "\u202e\x00\"", uint8(6))
	all := signers()
	f.Fuzz(func(t *testing.T, kid, subject string, which uint8) {
		s := all[int(which)%len(all)]
		options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid)
		made, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(s.by.String()), Key: s.private}, options)
		if err != nil {
			t.Fatal(err)
		}
		payload := must(json.Marshal(map[string]string{"sub": subject}))
		tok := must(must(made.Sign(payload)).CompactSerialize())
		_, claims, err := (&Policy{}).Verify(tok, keySet(t, s.key(t, "")), now)
		if len(tok) > MaxLength {
			if KindOf(err) != TooLong {
				t.Fatalf("%d bytes: %v", len(tok), err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", tok, err)
		}
		var want struct{ Sub string }
		if err := json.Unmarshal(payload, &want); err != nil || claims.Subject != want.Sub {
			t.Fatalf("%s: the subject is %q; want %q (%v)", tok, claims.Subject, want.Sub, err)
		}
	})
}
