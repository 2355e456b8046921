package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// jwtIssuer signs tokens; its key is always the same.
type jwtIssuer struct{ private ed25519.PrivateKey }

func newJWTIssuer() jwtIssuer {
	return jwtIssuer{ed25519.NewKeyFromSeed([]byte("an issuer that signs for tests.."))}
}

func (i jwtIssuer) public() ed25519.PublicKey { return i.private.Public().(ed25519.PublicKey) }

func (i jwtIssuer) jwks(members string) string {
	return fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"now","x":%q%s},{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB","kid":"old"}]}`,
		base64.RawURLEncoding.EncodeToString(i.public()), members)
}

func (i jwtIssuer) token(header, payload string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(i.private, []byte(text)))
}

const jwtHeader = `{"alg":"EdDSA","kid":"now"}`

func TestJWTVerify(t *testing.T) {
	issuer := newJWTIssuer()
	keys := write(t, "keys.json", issuer.jwks(""))
	p := newProgram(t)
	tok := issuer.token(jwtHeader, `{"iss":"https://id.example","aud":["shop"],"sub":"alice","iat":1767366000,"exp":1767369600.5,"n":12345678901234567890}`)
	const claims = `{
  "iss": "https://id.example",
  "aud": [
    "shop"
  ],
  "sub": "alice",
  "iat": 1767366000,
  "exp": 1767369600.5,
  "n": 12345678901234567890
}
`
	good := func(args ...string) {
		t.Helper()
		for _, stdin := range []string{tok, tok + "\n", " \t" + tok + "\r\n"} {
			r := p.input(stdin, append(append([]string{"jwt", "verify", "--jwks", keys}, args...), "-")...).exits(exitDone).silent()
			if r.stdout != claims {
				t.Errorf("%v prints %s", args, r.stdout)
			}
		}
		p.must(append(append([]string{"jwt", "verify", "--jwks", keys}, args...), tok)...).prints(claims)
	}
	bad := func(want string, args ...string) {
		t.Helper()
		r := p.input(tok, append(append([]string{"jwt", "verify", "--jwks", keys}, args...), "-")...).exits(exitFailed).says(want)
		if r.stdout != "" || (len(tok) > 40 && strings.Contains(r.stderr, tok[len(tok)-40:])) {
			t.Errorf("%v prints %s and says %s", args, r.stdout, r.stderr)
		}
	}
	good("--at", "2026-01-02T15:30:00Z")
	good("--at", "2026-01-02T15:30:00.25Z", "--issuer", "https://id.example", "--audience", "cart", "--audience", "shop")
	good("--at", "1767366000")
	good("--at", "2026-01-02 16:00:59Z")
	good("--signature-only")
	bad("seshat: not valid (expired): the token expired at 2026-01-02 16:00:00Z, ")
	bad("seshat: not valid (expired): the token expired at 2026-01-02 16:00:00Z, 2m0s earlier\n", "--at", "1767369720")
	bad("seshat: not valid (issued_in_future): the token is issued at 2026-01-02 15:00:00Z, in 15h0m0s\n", "--at", "2026-01-02")
	bad(`seshat: not valid (wrong_issuer): the issuer is "https://id.example"; wanted "https://other.example"`, "--at", "1767366000", "--issuer", "https://other.example")
	bad(`seshat: not valid (wrong_audience): the audience is "shop"; wanted "a" or "b"`, "--at", "1767366000", "--audience", "a", "--audience", "b")
	bad(`seshat: not valid (wrong_type): the token has no type; wanted "at+jwt"`, "--at", "1767366000", "--type", "at+jwt")

	tok = tok[:len(tok)-3] + "AAA" // still a text that 64 bytes can have: the last digit is A, Q, g or w
	bad("not valid (bad_signature): the signature is not that of the key \"now\"\n", "--signature-only")
	tok = issuer.token(`{"alg":"EdDSA","kid":"next"}`, `{}`)
	bad("key 2, \"old\", is not used: its \"use\" is \"enc\", not \"sig\"\nseshat: not valid (unknown_key): no key has the ID \"next\"\n")
	tok = "Bearer " + tok
	bad("not valid (malformed): the header is not Base64")
	tok = strings.Repeat("a", 70000)
	bad("not valid (too_long): the token has 70000 bytes; at most 16384 are taken")
	tok = ""
	bad("not valid (malformed): the token is empty")
}

// TestJWTShown checks that what is printed is JSON that means the same, and does nothing to a terminal.
func TestJWTShown(t *testing.T) {
	issuer := newJWTIssuer()
	keys := write(t, "keys.json", issuer.jwks(""))
	payload := "{\"a\":\"x\u202ey\u009bz\x7f\u2028 ä🙂\U000e0041\",\"b\":\"\\u001b[2J\",\"n\":1.50e2}"
	r := newProgram(t).input(issuer.token(jwtHeader, payload), "jwt", "verify", "--jwks", keys, "-").exits(exitDone)
	for _, c := range r.stdout {
		if c != '\n' && c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x202e || c == 0x2028 || c == 0xe0041 {
			t.Errorf("%q is printed raw in %s", c, r.stdout)
		}
	}
	r.prints("ä🙂", `\udb40\udc41`, "1.50e2")
	var want, got any
	if err := json.Unmarshal([]byte(payload), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v (%v); want %v", got, err, want)
	}
}

func TestJWTKeys(t *testing.T) {
	issuer := newJWTIssuer()
	tok := issuer.token(jwtHeader, `{"sub":"alice"}`)
	p := newProgram(t)
	der, err := x509.MarshalPKIXPublicKey(issuer.public())
	if err != nil {
		t.Fatal(err)
	}
	public := write(t, "public.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	p.must("jwt", "verify", "--jwks", public, tok).silent().prints("alice")
	p.input(issuer.jwks(""), "jwt", "verify", "--jwks", "-", tok).exits(exitDone).silent().prints("alice")

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/keys":
			fmt.Fprint(w, issuer.jwks(""))
		case "/moved":
			http.Redirect(w, r, "/keys", http.StatusMovedPermanently)
		case "/leaked":
			fmt.Fprint(w, issuer.jwks(`,"d":"AAAA"`))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	p.must("jwt", "verify", "--jwks", server.URL+"/keys", tok).silent().prints("alice")
	p.must("jwt", "verify", "--jwks", server.URL+"/moved", tok).silent().prints("alice")
	p.run("jwt", "verify", "--jwks", server.URL+"/nothing", tok).exits(exitFailed).
		says("seshat: fetch the keys at " + server.URL + "/nothing: the server answers 404 Not Found\n")
	p.run("jwt", "verify", "--jwks", server.URL+"/leaked", tok).exits(exitFailed).says("its private part is in it")
	p.run("jwt", "verify", "--jwks", "http://id.example/keys", tok).exits(exitUsage).
		says("seshat: --jwks: keys are fetched by https; http is for this host only")
	p.run("jwt", "verify", "--jwks", "ftp://id.example/keys", tok).exits(exitUsage).says(`by https, not "ftp"`)
	p.run("jwt", "verify", "--jwks", "/does/not/exist", tok).exits(exitFailed).says("seshat: read /does/not/exist: no such file or directory\n")
	p.run("jwt", "verify", "--jwks", write(t, "keys.txt", "hello"), tok).exits(exitFailed).
		says("seshat: read the keys in ", ": neither a JSON Web Key Set nor PEM\n")

	// A key that leaked is mentioned although another one verified the token.
	leaky := write(t, "keys.json", strings.Replace(issuer.jwks(""), `"use":"enc"`, `"d":"AAAA"`, 1))
	p.must("jwt", "verify", "--jwks", leaky, tok).says(`key 2, "old", is not used: its private part is in it`)
	p.must("jwt", "verify", "--quiet", "--jwks", leaky, tok).silent()
}

func TestJWTUsage(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		r := newProgram(t).run(append([]string{"jwt", "verify"}, args...)...).exits(exitUsage)
		if r.stderr != "seshat: "+want+"\n" || r.stdout != "" {
			t.Errorf("%v says %s%s; want %s", args, r.stdout, r.stderr, want)
		}
	}
	f("--jwks: the keys are not said (a file, or an address such as https://id.example/jwks.json)", "-")
	f("accepts 1 arg(s), received 0 (see seshat jwt verify --help)", "--jwks", "x")
	f("keys and token cannot both come from standard input (put the keys in a file)", "--jwks", "-", "-")
	for _, flag := range []string{"at", "issuer", "audience", "type"} {
		f("--"+flag+": with --signature-only nothing but the signature is checked (leave one of them out)",
			"--jwks", "x", "--signature-only", "--"+flag, "2026-01-02", "-")
	}
	for _, at := range []string{"yesterday", "all", "99999999999999"} {
		f(`--at: "`+at+`" is no time (for example 2026-01-02T15:04:05Z, 2026-01-02, 1767366245 or 24h)`, "--jwks", "x", "--at", at, "-")
	}
	newProgram(t).must("jwt").prints("Usage:\n  seshat jwt", "verify")
	newProgram(t).must("jwt", "verify", "--help").prints("seen by other users of the host (ps)", "Examples:\n")
}

func TestParseInstant(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	f := func(text string, want time.Time) {
		t.Helper()
		if got, err := parseInstant("--at", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	f("", now)
	f("now", now)
	f("0", time.Unix(0, 0))
	f("1767366000", now)
	f("24h", now.Add(-24*time.Hour))
	f("2026-01-02", now.Truncate(24*time.Hour))
	f("2026-01-02T16:00:00+01:00", now)
	f("2026-01-02 15:00:00Z", now)
}
