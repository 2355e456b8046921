package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
)

const goodPayload = `{"iss":"https://id.example","sub":"alice","aud":"shop","iat":1767366000,"exp":1767369600}`

// checkOpaque checks that an error does not hold what was sent: a part of the token of more than a few characters.
func checkOpaque(t *testing.T, tok string, err error) {
	t.Helper()
	for part := range strings.SplitSeq(tok, ".") {
		if len(part) >= 8 && strings.Contains(err.Error(), part) {
			t.Errorf("the error holds a part of the token: %v", err)
		}
	}
}

func TestEveryAlgorithm(t *testing.T) {
	for _, s := range signers() {
		tok := s.jwt(goodPayload)
		verified, claims, err := (&Policy{Issuers: []string{"https://id.example"}, Audiences: []string{"shop"}}).
			Verify(tok, keySet(t, s.key(t, "k")), now)
		if err != nil || claims.Subject != "alice" || verified.Header.Algorithm != s.by || string(verified.Payload) != goodPayload {
			t.Errorf("%s: %+v, %+v, %v", s.by, verified, claims, err)
		}
		// The key is for this algorithm only, whatever others its type is for; and a key of another type never is.
		for _, other := range signers() {
			if other.by == s.by {
				continue
			}
			if _, err := VerifySignature(other.jwt(goodPayload), keySet(t, s.key(t, ""))); KindOf(err) != UnknownKey {
				t.Errorf("a %s token with a %s key: %v; want an unknown key", other.by, s.by, err)
			}
		}
		// The name of an algorithm is not what decides: a token that was signed by another one is not good.
		for _, other := range signers() {
			if other.by == s.by {
				continue
			}
			tok := other.token(`{"alg":"`+s.by.String()+`"}`, goodPayload)
			if _, err := VerifySignature(tok, keySet(t, s.key(t, ""))); KindOf(err) != BadSignature {
				t.Errorf("a %s token that says %s: %v; want a bad signature", other.by, s.by, err)
			}
		}
	}
	ed := signer{edKey(), EdDSA}
	if _, err := VerifySignature(ed.token(`{"alg":"Ed25519"}`, goodPayload), keySet(t, ed.key(t, ""))); err != nil {
		t.Errorf("Ed25519 under its new name: %v", err)
	}
}

func TestForm(t *testing.T) {
	s := signer{edKey(), EdDSA}
	keys := keySet(t, s.key(t, ""))
	f := func(tok string, want Kind, wantText string) {
		t.Helper()
		_, _, err := (&Policy{}).Verify(tok, keys, now)
		if KindOf(err) != want || (want != 0 && !strings.Contains(err.Error(), wantText)) {
			t.Errorf("%.80q: %s, %v; want %s, %q", tok, KindOf(err), err, want, wantText)
			return
		}
		if err != nil {
			checkOpaque(t, tok, err)
		}
	}
	good := s.jwt(goodPayload)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	f(good, 0, "")

	f("", Malformed, "empty")
	f("opaque-access-token", Malformed, "no dot")
	f("a.b", Malformed, "one dot")
	f("a.b.c.d", Malformed, "3 dots")
	f("a.b.c.d.e", Malformed, "encrypted")
	f(good+".", Malformed, "3 dots")
	f("..", Malformed, "the header is not JSON")
	f("."+payload+"."+signature, Malformed, "the header is not JSON")
	f(strings.Repeat("a", MaxLength+1), TooLong, "16385 bytes; at most 16384")
	f(header+"."+strings.Repeat("a", MaxLength)+"."+signature, TooLong, "")
	f(header+"."+payload+".", BadSignature, "no signature")

	// Base64 that is not the one form that it has.
	for _, bad := range []string{"=", " ", "\n", "\r", "\t", "\x00", "é", "%3d", "+", "/", "\u200b", "…"} {
		f(header+bad+"."+payload+"."+signature, Malformed, "the header is not Base64")
		f(header+"."+payload+bad+"."+signature, Malformed, "the payload is not Base64")
		f(good+bad, Malformed, "the signature is not Base64")
		f(bad+good, Malformed, "the header is not Base64")
		f(header+"."+payload[:4]+bad+payload[4:]+"."+signature, Malformed, "the payload is not Base64")
	}
	f("Bearer "+good, Malformed, "the header is not Base64")
	f(header+"."+payload+"."+signature[:len(signature)-1]+next(signature[len(signature)-1]), Malformed, "the signature is not Base64") // unused bits
	f(header+"."+payload+"."+signature[:len(signature)-1], Malformed, "the signature is not Base64")                                   // a length that no text has

	// Headers.
	h := func(header string, want Kind, wantText string) {
		t.Helper()
		f(s.token(header, goodPayload), want, wantText)
	}
	h(`{"alg":"EdDSA","typ":"JWT","kid":"any","cty":"x","x5t":"y"}`, 0, "")
	h(" {\r\n\"alg\" : \"EdDSA\" }\n", 0, "")
	h(`{}`, Malformed, `no "alg"`)
	h(`{"ALG":"EdDSA"}`, Malformed, `no "alg"`)
	h(`{"alg":""}`, Malformed, `"alg" is not a string`)
	h(`{"alg":null}`, Malformed, `"alg" is not a string`)
	h(`{"alg":["EdDSA"]}`, Malformed, `"alg" is not a string`)
	h(`{"alg":"EdDSA","kid":7}`, Malformed, `"kid" is not a string`)
	h(`{"alg":"EdDSA","typ":{}}`, Malformed, `"typ" is not a string`)
	h(`{"alg":"EdDSA","alg":"EdDSA"}`, Malformed, "two members of one name")
	h(`{"alg":"none","alg":"EdDSA"}`, Malformed, "two members of one name")
	h(`{"alg":"EdDSA","\u0061lg":"none"}`, Malformed, "two members of one name")
	h(`{"alg":"EdDSA","jwk":{"kty":"oct","kty":"OKP"}}`, Malformed, "two members of one name")
	h(`{"alg":"EdDSA"} {}`, Malformed, "something follows")
	h(`{"alg":"EdDSA",}`, Malformed, "not JSON at byte")
	h(`{alg:"EdDSA"}`, Malformed, "not JSON at byte")
	h(`{'alg':'EdDSA'}`, Malformed, "not JSON at byte")
	h("\ufeff"+`{"alg":"EdDSA"}`, Malformed, "not JSON at byte")
	h("{\"alg\":\"EdDSA\",\"x\":\"\xff\"}", Malformed, "not JSON")
	h(`{"alg":"EdDSA","x":"\ud800"}`, Malformed, "not JSON")
	h(`[{"alg":"EdDSA"}]`, Malformed, "not a JSON object")
	h(`"EdDSA"`, Malformed, "not a JSON object")
	h(strings.Repeat(`{"a":`, 2000)+"1"+strings.Repeat("}", 2000), Malformed, `no "alg"`)
	for _, name := range []string{"none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RSA-OAEP", "ES256K", "Ed448", "eddsa", "EdDSA ", "EdDSA\x00"} {
		header := `{"alg":"` + strings.ReplaceAll(name, "\x00", `\u0000`) + `"}`
		h(header, UnsupportedAlgorithm, "algorithm")
		f(encode([]byte(header))+"."+payload+".", UnsupportedAlgorithm, "algorithm")
	}

	// Extensions.
	h(`{"alg":"EdDSA","crit":["exp"],"exp":1}`, UnsupportedExtension, `the header demands "exp"`)
	h(`{"alg":"EdDSA","crit":["b64"],"b64":false}`, UnsupportedExtension, "")
	h(`{"alg":"EdDSA","crit":["b64"],"b64":true}`, UnsupportedExtension, "")
	h(`{"alg":"EdDSA","b64":false}`, UnsupportedExtension, `("b64")`)
	h(`{"alg":"EdDSA","b64":true}`, 0, "")
	h(`{"alg":"EdDSA","b64":"false"}`, UnsupportedExtension, "")
	h(`{"alg":"EdDSA","crit":[]}`, Malformed, `"crit"`)
	h(`{"alg":"EdDSA","crit":["x",1]}`, Malformed, `"crit"`)
	h(`{"alg":"EdDSA","crit":"x"}`, Malformed, `"crit"`)
	h(`{"alg":"EdDSA","crit":null}`, Malformed, `"crit"`)
	h(`{"alg":"EdDSA","crit":["`+strings.Repeat("x", 3000)+`"]}`, UnsupportedExtension, strings.Repeat("x", 100)+`"…`)

	// Payloads.
	p := func(payload string, want Kind, wantText string) {
		t.Helper()
		f(s.jwt(payload), want, wantText)
	}
	p(`{}`, 0, "")
	p(`{"sub":"a","nested":{"sub":"b","list":[{"sub":"c"}]}}`, 0, "")
	p(`{"sub":"a","sub":"a"}`, Malformed, "the payload has two members of one name")
	p(`{"exp":1,"e\u0078p":9999999999}`, Malformed, "the payload has two members of one name")
	p(`{"nested":{"role":"user","role":"admin"}}`, Malformed, "the payload has two members of one name")
	p(`{"list":[{"a":1,"a":1}]}`, Malformed, "the payload has two members of one name")
	p(``, Malformed, "the payload is not JSON")
	p(`null`, Malformed, "the payload is not a JSON object")
	p(`[]`, Malformed, "the payload is not a JSON object")
	p(`text`, Malformed, "the payload is not JSON")
	p(good, Malformed, "the payload is not JSON") // a JWT in a JWT
	p(`{"sub":"a"}}`, Malformed, "something follows")
	p("{\"sub\":\"\xc0\xaf\"}", Malformed, "not JSON")
	p(`{"a":`+strings.Repeat("[", 11000)+`}`, Malformed, "not JSON")
}

// next is the digit of Base64 after one, which differs in a bit that is not used at the end of 64 bytes.
func next(digit byte) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(digits[strings.IndexByte(digits, digit)^1])
}

// TestConfusedAlgorithms tries to have the public key taken for something else.
func TestConfusedAlgorithms(t *testing.T) {
	for _, s := range []signer{{rsaKey(), RS256}, {p256(), ES256}, {edKey(), EdDSA}} {
		der := must(x509.MarshalPKIXPublicKey(s.private.Public()))
		for _, secret := range [][]byte{der, {}, []byte("-----BEGIN PUBLIC KEY-----\n")} {
			text := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(goodPayload))
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(text))
			open, err := NewKey("", s.private.Public(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := VerifySignature(text+"."+encode(mac.Sum(nil)), keySet(t, open)); KindOf(err) != UnsupportedAlgorithm {
				t.Errorf("HMAC with a %s key: %v", s.by, err)
			}
		}
	}
	// A key in the token is not looked at, whatever it is called.
	attacker := signer{otherRSA(), RS256}
	n := encode(otherRSA().N.Bytes())
	for _, header := range []string{
		`{"alg":"RS256","jwk":{"kty":"RSA","n":"` + n + `","e":"AQAB"}}`,
		`{"alg":"RS256","jku":"https://attacker.example/keys"}`,
		`{"alg":"RS256","x5u":"https://attacker.example/cert"}`,
		`{"alg":"RS256","kid":"k","jwk":{"kty":"RSA","kid":"k","n":"` + n + `","e":"AQAB"}}`,
	} {
		keys := keySet(t, signer{rsaKey(), RS256}.key(t, "k"))
		if _, err := VerifySignature(attacker.token(header, goodPayload), keys); KindOf(err) != BadSignature {
			t.Errorf("%.60s: %v; want a bad signature", header, err)
		}
	}
}

// TestForgedECDSA tries signatures that libraries took for good: zeros, the order, other encodings, other lengths.
func TestForgedECDSA(t *testing.T) {
	for _, s := range []signer{{p256(), ES256}, {p384(), ES384}, {p521(), ES512}} {
		private := s.private.(*ecdsa.PrivateKey)
		keys := keySet(t, s.key(t, ""))
		order := private.Params().N
		size := (order.BitLen() + 7) / 8
		text := encode([]byte(`{"alg":"`+s.by.String()+`"}`)) + "." + encode([]byte(goodPayload))
		f := func(name string, signature []byte) {
			t.Helper()
			if _, err := VerifySignature(text+"."+encode(signature), keys); KindOf(err) != BadSignature {
				t.Errorf("%s, %s: %v; want a bad signature", s.by, name, err)
			}
		}
		pair := func(r, s *big.Int) []byte {
			out := make([]byte, 2*size)
			r.FillBytes(out[:size])
			s.FillBytes(out[size:])
			return out
		}
		good := s.signature(text)
		if _, err := VerifySignature(text+"."+encode(good), keys); err != nil {
			t.Fatal(err)
		}
		r, sOfGood := new(big.Int).SetBytes(good[:size]), new(big.Int).SetBytes(good[size:])
		zero, one := big.NewInt(0), big.NewInt(1)
		for name, numbers := range map[string][2]*big.Int{
			"psychic: both zero": {zero, zero}, "r zero": {zero, sOfGood}, "s zero": {r, zero}, "both one": {one, one},
			"r the order": {order, sOfGood}, "s the order": {r, order}, "both the order": {order, order},
			"r one more than the order": {new(big.Int).Add(order, one), one},
		} {
			f(name, pair(numbers[0], numbers[1]))
		}
		f("truncated", good[:2*size-1])
		f("half", good[:size])
		f("one more byte", append(append([]byte{}, good...), 0))
		f("a zero in front", append([]byte{0}, good...))
		f("a zero between", append(append(append([]byte{}, good[:size]...), 0), good[size:]...))
		f("each with a zero in front", append(append(append([]byte{0}, good[:size]...), 0), good[size:]...))
		f("swapped", append(append([]byte{}, good[size:]...), good[:size]...))
		f("twice", append(append([]byte{}, good...), good...))
		f("ASN.1", must(asn1.Marshal(struct{ R, S *big.Int }{r, sOfGood})))
		f("one byte", []byte{1})
	}
	// A key of the other curve, and a signature by it.
	for _, s := range []signer{{p384(), ES256}, {p521(), ES256}, {p256(), ES384}} {
		if _, err := NewKey("", s.private.Public(), s.by); err == nil {
			t.Errorf("a key of another curve is taken for %s", s.by)
		}
	}
}

// TestForgedRSA tries signatures of other forms than their algorithm has.
func TestForgedRSA(t *testing.T) {
	private := rsaKey()
	text := encode([]byte(`{"alg":"PS256"}`)) + "." + encode([]byte(goodPayload))
	digest := sha256.Sum256([]byte(text))
	keys := keySet(t, signer{private, PS256}.key(t, ""))
	f := func(name, text string, keys *KeySet, signature []byte, want Kind) {
		t.Helper()
		if _, err := VerifySignature(text+"."+encode(signature), keys); KindOf(err) != want {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
	for salt, want := range map[int]Kind{32: 0, 1: BadSignature, 20: BadSignature, 31: BadSignature, 33: BadSignature, 64: BadSignature, rsa.PSSSaltLengthAuto: BadSignature} {
		signature := must(rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt}))
		f("PSS with another salt", text, keys, signature, want)
	}
	good := signer{private, RS256}
	text = encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(goodPayload))
	signature := good.signature(text)
	keys = keySet(t, good.key(t, ""))
	f("good", text, keys, signature, 0)
	f("truncated", text, keys, signature[:255], BadSignature)
	f("one more byte", text, keys, append(append([]byte{}, signature...), 0), BadSignature)
	f("a zero in front", text, keys, append([]byte{0}, signature...), BadSignature)
	f("zero", text, keys, make([]byte, 256), BadSignature)
	f("one", text, keys, big.NewInt(1).FillBytes(make([]byte, 256)), BadSignature)
	f("the modulus", text, keys, private.N.FillBytes(make([]byte, 256)), BadSignature)
	plus := new(big.Int).Add(new(big.Int).SetBytes(signature), private.N)
	f("beyond the modulus", text, keys, plus.Bytes(), BadSignature)
	sha1 := must(rsa.SignPKCS1v15(nil, private, crypto.SHA1, make([]byte, 20)))
	f("SHA-1", text, keys, sha1, BadSignature)
}

func TestKeysThatAreRefused(t *testing.T) {
	f := func(public crypto.PublicKey, only Algorithm, want string) {
		t.Helper()
		_, err := NewKey("", public, only)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T for %d: %v; want %q", public, only, err, want)
		}
	}
	odd := func(bits int) *big.Int {
		return new(big.Int).SetBit(new(big.Int).SetBit(new(big.Int), bits-1, 1), 0, 1)
	}
	f(&rsa.PublicKey{N: odd(1024), E: 65537}, 0, "1024 bits; at least 2048")
	f(&rsa.PublicKey{N: odd(2047), E: 65537}, 0, "2047 bits; at least 2048")
	f(&rsa.PublicKey{N: odd(8193), E: 65537}, 0, "8193 bits; at most 8192")
	f(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}, 0, "even")
	f(&rsa.PublicKey{N: odd(2048), E: 1}, 0, "exponent")
	f(&rsa.PublicKey{N: odd(2048), E: 65536}, 0, "exponent")
	f(&rsa.PublicKey{N: odd(2048), E: 0}, 0, "exponent")
	f(&rsa.PublicKey{E: 3}, 0, "without a modulus")
	f((*rsa.PublicKey)(nil), 0, "without a modulus")
	f((*ecdsa.PublicKey)(nil), 0, "without a curve")
	f(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).Public(), 0, "P-224")
	//nolint:staticcheck // such a key cannot be made otherwise any more
	f(&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}, 0, "not on its curve")
	f(edKey().Public().(interface{ Equal(crypto.PublicKey) bool }), RS256, "not for RS256")
	f(rsaKey().Public(), ES256, "not for ES256")
	f([]byte("secret"), 0, "[]uint8")
	f(nil, 0, "not supported")
	f(rsaKey().Public(), EdDSA+1, "not for")
}
