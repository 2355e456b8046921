package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"
	"time"
)

func bits(t *testing.T, text string) []byte {
	t.Helper()
	data, err := decode("vector", text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func rsaPublic(t *testing.T, n string) *rsa.PublicKey {
	t.Helper()
	return &rsa.PublicKey{N: new(big.Int).SetBytes(bits(t, n)), E: 65537}
}

func ecPublic(t *testing.T, curve elliptic.Curve, x, y string) *ecdsa.PublicKey {
	t.Helper()
	public, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, bits(t, x)...), bits(t, y)...))
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// Parts of the vectors.
const (
	a2Modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs" +
		"D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV" +
		"MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	joePayload  = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	a2Signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ" +
		"jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHW" +
		"EsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	a3Signature    = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	bilboModulus   = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
	bilboHeader    = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
	bilboPayload   = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
	bilboSignature = "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"
)

// TestPublishedVectors verifies the signatures that the RFCs publish. The payloads of three are no claims.
func TestPublishedVectors(t *testing.T) {
	f := func(name, tok, id string, public crypto.PublicKey, wantPayload string) {
		t.Helper()
		key, err := NewKey(id, public, 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		keys := keySet(t, key)
		got, err := open(tok, keys)
		if err != nil || !strings.HasPrefix(string(got.payload), wantPayload) {
			t.Errorf("%s: %q, %v; want %q", name, got.payload, err, wantPayload)
		}
		// Whatever bit of the signature is turned, it is no signature any more.
		for i := strings.LastIndexByte(tok, '.') + 1; i < len(tok)-1; i++ {
			other := byte('A')
			if tok[i] == 'A' {
				other = 'B'
			}
			if _, err := open(tok[:i]+string(other)+tok[i+1:], keys); KindOf(err) != BadSignature {
				t.Fatalf("%s, character %d changed: %v; want a bad signature", name, i, err)
			}
		}
	}
	f("RFC 7515, A.2 (RS256)", "eyJhbGciOiJSUzI1NiJ9."+joePayload+"."+a2Signature, "", rsaPublic(t, a2Modulus), `{"iss":"joe",`)
	f("RFC 7515, A.3 (ES256)", "eyJhbGciOiJFUzI1NiJ9."+joePayload+"."+a3Signature, "",
		ecPublic(t, elliptic.P256(), "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"), `{"iss":"joe",`)
	f("RFC 7515, A.4 (ES512)", "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn", "",
		ecPublic(t, elliptic.P521(), "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
			"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"), "Payload")
	f("RFC 8037, A.4 (Ed25519)", "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", "",
		ed25519.PublicKey(bits(t, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")), "Example of Ed25519 signing")
	f("RFC 7520, 4.2 (PS384)", bilboHeader+"."+bilboPayload+"."+bilboSignature, "bilbo.baggins@hobbiton.example", rsaPublic(t, bilboModulus), "It’s a dangerous business")
}

// TestPublishedVectorsRefused holds the vectors of the RFC that are not to be accepted.
func TestPublishedVectorsRefused(t *testing.T) {
	key, err := NewKey("", rsaPublic(t, a2Modulus), 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := keySet(t, key)
	f := func(name, tok string, want Kind) {
		t.Helper()
		if _, err := open(tok, keys); KindOf(err) != want {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
	f("RFC 7515, A.1 (HS256)", "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."+joePayload+".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", UnsupportedAlgorithm)
	f("RFC 7515, A.5 (none)", "eyJhbGciOiJub25lIn0."+joePayload+".", UnsupportedAlgorithm)
	f("RFC 7515, A.3 with a key of another type", "eyJhbGciOiJFUzI1NiJ9."+joePayload+"."+a3Signature, UnknownKey)
}

// TestPublishedTimes checks the claims of the vectors at the time that they were made for.
func TestPublishedTimes(t *testing.T) {
	key, err := NewKey("", rsaPublic(t, a2Modulus), RS256)
	if err != nil {
		t.Fatal(err)
	}
	tok, keys := "eyJhbGciOiJSUzI1NiJ9."+joePayload+"."+a2Signature, keySet(t, key)
	f := func(p Policy, at int64, want string) {
		t.Helper()
		got := ""
		verified, claims, err := p.Verify(tok, keys, time.Unix(at, 0))
		switch {
		case err != nil:
			got = err.Error()
		case claims.Issuer != "joe" || claims.ExpiresAt.Unix() != 1300819380 || verified.Header.Algorithm != RS256:
			got = "other claims"
		}
		if got != want {
			t.Errorf("%+v at %d: %q; want %q", p, at, got, want)
		}
	}
	const exp = 1300819380
	f(Policy{}, exp-1, "")
	f(Policy{}, exp+59, "")
	f(Policy{}, exp+60, "the token expired at 2011-03-22 18:43:00Z, 1m0s earlier")
	f(Policy{}, exp+90*24*3600, "the token expired at 2011-03-22 18:43:00Z, 90 days earlier")
	f(Policy{Issuers: []string{"joe"}}, exp, "")
	f(Policy{Issuers: []string{"jim", "joe"}}, exp, "")
	f(Policy{Issuers: []string{"Joe"}}, exp, `the issuer is "joe"; wanted "Joe"`)
	f(Policy{Audiences: []string{"a", "b"}}, exp, `the token names no audience; wanted "a" or "b"`)
}
