package jwks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/seshat-project/seshat/internal/jwt"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The published keys: RFC 7515, appendices A.2 to A.4, and RFC 8037, appendix A.2.
const (
	rsaN = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs" +
		"D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV" +
		"MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	rsaKey  = `"kty":"RSA","n":"` + rsaN + `","e":"AQAB"`
	p256Key = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	p521Key = `"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",` +
		`"y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"`
	edKey = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`

	joeToken = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

// TestParseKeys checks one key at a time: what it may be used for, or why it is not used.
func TestParseKeys(t *testing.T) {
	names := func(set *Set) string {
		var out []string
		for a := jwt.RS256; a <= jwt.EdDSA; a++ {
			k := set.Keys.Keys()[0]
			if k.Allows(a) {
				out = append(out, a.String())
			}
		}
		return strings.Join(out, " ")
	}
	f := func(members, want string) {
		t.Helper()
		for _, document := range []string{`{"keys":[{` + members + `}]}`, `{` + members + `}`} {
			set, err := Parse([]byte(document))
			var got string
			if err == nil {
				got = names(set)
			} else {
				_, got, _ = strings.Cut(err.Error(), "used: ")
				_, got, _ = strings.Cut(got, "used: ")
			}
			if got != want {
				t.Errorf("%.100s: %q (%v); want %q", members, got, err, want)
			}
		}
	}
	f(rsaKey, "RS256 RS384 RS512 PS256 PS384 PS512")
	f(rsaKey+`,"alg":"PS384"`, "PS384")
	f(p256Key, "ES256")
	f(p521Key, "ES512")
	f(edKey, "EdDSA")
	f(edKey+`,"alg":"Ed25519"`, "EdDSA")
	f(edKey+`,"use":"sig","key_ops":["verify"],"x5t":"abc","x5c":["MII"],"ext":true,"more":{"a":[1]}`, "EdDSA")
	f(rsaKey+`,"key_ops":["sign","verify"]`, "RS256 RS384 RS512 PS256 PS384 PS512")
	f(rsaKey+`,"use":"enc"`, `its "use" is "enc", not "sig"`)
	f(rsaKey+`,"use":"SIG"`, `its "use" is "SIG", not "sig"`)
	f(rsaKey+`,"key_ops":["encrypt"]`, `its "key_ops" does not hold "verify"`)
	f(rsaKey+`,"key_ops":["sign"]`, `its "key_ops" does not hold "verify"`)
	f(rsaKey+`,"key_ops":[]`, `its "key_ops" does not hold "verify"`)
	f(rsaKey+`,"use":"sig","key_ops":["encrypt"]`, `its "key_ops" does not hold "verify"`)
	f(rsaKey+`,"key_ops":"verify"`, "/key_ops has a value of a wrong type")
	f(rsaKey+`,"kid":7`, "/kid has a value of a wrong type")
	f(rsaKey+`,"alg":"RSA-OAEP"`, `the algorithm "RSA-OAEP" is not supported`)
	f(rsaKey+`,"alg":"ES256"`, "a key of this type is not for ES256")
	f(p256Key+`,"alg":"ES384"`, "a key of this type is not for ES384")
	f(p256Key+`,"alg":"none"`, `the algorithm "none" is no signature`)
	f(rsaKey+`,"alg":"HS256"`, `the algorithm "HS256" needs a shared secret: whoever can verify such a token can make one`)
	f(`"kty":"oct","k":"c2VjcmV0"`, "a shared secret: HMAC is not supported, and a secret does not belong in a key set")
	f(`"kty":"RSA","e":"AQAB"`, `it has no "n"`)
	f(`"kty":"RSA","n":"`+rsaN+`"`, `it has no "e"`)
	f(`"kty":"RSA","n":"`+rsaN+`=","e":"AQAB"`, `its "n" is not Base64 (URL-safe alphabet, no padding)`)
	f(`"kty":"RSA","n":"`+rsaN[:100]+`\n`+rsaN[100:]+`","e":"AQAB"`, `its "n" is not Base64 (URL-safe alphabet, no padding)`)
	f(`"kty":"RSA","n":"`+rsaN[:168]+`","e":"AQAB"`, "an RSA key of 1008 bits; at least 2048 are needed")
	f(`"kty":"RSA","n":"`+rsaN+`","e":"AQ"`, "an RSA key with an exponent that is not odd and from 3 to 2147483647")
	f(`"kty":"RSA","n":"`+rsaN+`","e":"AQAAAAAB"`, "its exponent is too large")
	f(strings.Replace(p256Key, "P-256", "P-384", 1), "its coordinates do not have the 48 bytes of P-384")
	f(strings.Replace(p256Key, "P-256", "secp256k1", 1), `the curve "secp256k1" is not supported`)
	f(strings.Replace(p256Key, `"x":"f`, `"x":"g`, 1), "its point is not on P-256")
	f(strings.Replace(p256Key, `"x":"f`, `"X":"f`, 1), `it has no "x"`)
	f(`"kty":"EC","crv":"P-256","x":"`+strings.Repeat("A", 43)+`","y":"`+strings.Repeat("A", 43)+`"`, "its point is not on P-256")
	f(`"kty":"OKP","crv":"Ed448","x":"AA"`, `the curve "Ed448" is not supported`)
	f(`"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`, `the curve "X25519" is not supported`)
	f(`"kty":"OKP","crv":"Ed25519","x":"11qYAYKx"`, "an Ed25519 key of 6 bytes; it has 32")
	f(`"kty":"AKP","alg":"ML-DSA-44","pub":"AA"`, `the algorithm "ML-DSA-44" is not supported`)
	f(`"kty":"AKP","pub":"AA"`, `the type "AKP" is not supported`)
	f(`"kty":"`+strings.Repeat("x", 1000)+`"`, `the type "`+strings.Repeat("x", 40)+`" is not supported`)
	for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		f(rsaKey+`,"`+secret+`":"AA"`, errPrivate.Error())
		f(edKey+`,"`+secret+`":null`, errPrivate.Error())
	}
}

func TestParseDocuments(t *testing.T) {
	f := func(document string, wantKeys int, wantSkipped, wantErr string) {
		t.Helper()
		set, err := Parse([]byte(document))
		if err != nil {
			if wantErr == "" || !strings.Contains(err.Error(), wantErr) {
				t.Errorf("%.80s: %v; want %q", document, err, wantErr)
			}
			if strings.Contains(err.Error(), "c2VjcmV0") {
				t.Errorf("the error holds a secret: %v", err)
			}
			return
		}
		if wantErr != "" || set.Keys.Len() != wantKeys || fmt.Sprint(set.Skipped) != "["+wantSkipped+"]" {
			t.Errorf("%.80s: %d keys, skipped %v; want %d, %s, %q", document, set.Keys.Len(), set.Skipped, wantKeys, wantSkipped, wantErr)
		}
	}
	f(`{"keys":[{`+rsaKey+`,"kid":"a"},{`+edKey+`,"kid":"b"}]}`, 2, "", "")
	f("\n {\"keys\":[{"+edKey+"}]} \n", 1, "", "")
	f(`{"keys":[{`+rsaKey+`,"use":"enc","kid":"e"},{`+edKey+`},{"kty":"new"}]}`, 1,
		`key 1, "e", is not used: its "use" is "enc", not "sig" key 3 is not used: the type "new" is not supported`, "")
	f(`{"keys":[7,{`+edKey+`},null]}`, 1, "key 1 is not used: not an object key 3 is not used: not an object", "")
	f(`{"issuer":"x","keys":[{`+edKey+`}],"more":[]}`, 1, "", "")
	f(``, 0, "", "empty")
	f(" \n", 0, "", "empty")
	f(`<html>`, 0, "", "neither a JSON Web Key Set nor PEM")
	f(`[]`, 0, "", "neither a JSON Web Key Set nor PEM")
	f(`{}`, 0, "", `it has no "keys"`)
	f(`{"keys":null}`, 0, "", `it has no "keys"`)
	f(`{"keys":[]}`, 0, "", "there is no key in it")
	f(`{"keys":{}}`, 0, "", "/keys has a value of a wrong type")
	f(`{"keys":[{`+edKey+`}`, 0, "", "not JSON at byte")
	f(`{"keys":[{`+edKey+`}]}}`, 0, "", "not JSON at byte")
	f(`{"keys":[{`+edKey+`}],"keys":[]}`, 0, "", "two members of one name")
	f(`{"keys":[{`+edKey+`,"kty":"OKP"}]}`, 0, "", "two members of one name")
	f(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, 0, "", "no key in it that can be used: key 1 is not used: a shared secret")
	f(`{"keys":[{"kty":"oct","k":"c2VjcmV0" "c2VjcmV0"}]}`, 0, "", "not JSON at byte")
	f(`{"keys":[`+strings.Repeat(`{`+edKey+`},`, jwt.MaxKeys)+`{`+edKey+`}]}`, 0, "", "more than 256 keys")
	f(`{"keys":[`+strings.Repeat(`{},`, 20)+`{}]}`, 0, "", `key 5 is not used: it has no "kty"`)
	f(strings.Repeat(" ", MaxSize)+`{`, 0, "", "more than 1024 KiB")
}

// TestLeakedKey checks that a key with its private part proves nothing, and is told apart.
func TestLeakedKey(t *testing.T) {
	set, err := Parse([]byte(`{"keys":[{` + p256Key + `,"kid":"leaked","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"},{` + edKey + `}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Skipped) != 1 || !set.Skipped[0].Leaked || set.Skipped[0].ID != "leaked" {
		t.Errorf("skipped: %+v", set.Skipped)
	}
	if _, err := jwt.VerifySignature(joeToken, set.Keys); jwt.KindOf(err) != jwt.UnknownKey {
		t.Errorf("a token by a leaked key: %v", err)
	}
	if set, err = Parse([]byte(`{` + p256Key + `}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.VerifySignature(joeToken, set.Keys); err != nil {
		t.Error(err)
	}
}

func TestPEM(t *testing.T) {
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	certificate := func(usage x509.KeyUsage) string {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "id"}, KeyUsage: usage,
			NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0), // dates do not count
		}
		return block("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)))
	}
	made := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, (&jose.SignerOptions{}).WithHeader("kid", "whatever")))
	tok := must(must(made.Sign([]byte(`{"sub":"a"}`))).CompactSerialize())
	public := block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(private.Public())))
	f := func(document, want string) {
		t.Helper()
		set, err := Parse([]byte(document))
		if err == nil {
			_, err = jwt.VerifySignature(tok, set.Keys)
		}
		if got := fmt.Sprint(err); (want == "") != (err == nil) || !strings.Contains(got, want) {
			t.Errorf("%.40s: %v; want %q", document, err, want)
		}
	}
	f(public, "")
	f("# a comment\n"+public+"\ntrailing", "")
	f(block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(ed.Public())))+public, "")
	f(certificate(0), "")
	f(certificate(x509.KeyUsageDigitalSignature), "")
	f(certificate(x509.KeyUsageKeyEncipherment), "does not allow its key to sign")
	f(block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(private))), "a private key, which is not needed")
	f(block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private))), "a private key, which is not needed")
	f(block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))+public, "")
	f(block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(weak.Public()))), "1024 bits")
	f(block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(weak.Public().(*rsa.PublicKey))), "1024 bits")
	f(block("PUBLIC KEY", []byte("x")), "not a public key")
	f(block("RSA PUBLIC KEY", []byte("x")), "not an RSA public key")
	f(block("CERTIFICATE", []byte("x")), "not a certificate")
	f(block("SSH KEY", []byte("x")), `"SSH KEY" is not supported`)
	f("-----BEGIN PUBLIC KEY-----\nAAAA\n", "the PEM is damaged")
}

// FuzzParse checks that nothing panics, and that every key of a document is used or said to be skipped.
func FuzzParse(f *testing.F) {
	for _, key := range []string{rsaKey, p256Key, p521Key, edKey, `"kty":"oct","k":"AA"`} {
		f.Add([]byte(`{"keys":[{` + key + `,"kid":"a","use":"sig"}]}`))
		f.Add([]byte(`{` + key + `}`))
	}
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Parse(data)
		if err != nil {
			return
		}
		if set.Keys.Len() == 0 {
			t.Fatalf("%q: an empty set", data)
		}
		var document map[string]json.RawMessage // a struct would find its fields in any case of letters
		var keys []json.RawMessage
		if json.Unmarshal(data, &document) != nil || json.Unmarshal(document["keys"], &keys) != nil {
			return // PEM, or a single key
		}
		if len(keys) != set.Keys.Len()+len(set.Skipped) {
			t.Fatalf("%q: %d keys and %d skipped; encoding/json sees %d", data, set.Keys.Len(), len(set.Skipped), len(keys))
		}
	})
}

func TestNumber(t *testing.T) {
	for _, text := range []string{"AA==", "AA=", "A", "AB", "A A", "A\nA", "+/", "é"} {
		if got, err := number("n", text); err == nil {
			t.Errorf("%q is taken for %x", text, got)
		}
	}
	if got, err := number("n", base64.RawURLEncoding.EncodeToString([]byte{0xfb, 0xff})); err != nil || fmt.Sprintf("%x", got) != "fbff" {
		t.Errorf("%x, %v", got, err)
	}
}
