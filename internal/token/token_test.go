package token_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
	"github.com/seshat-project/seshat/internal/token"
)

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// jwt makes a token with a payload.
func jwt(payload string) string {
	return encode(`{"alg":"RS256","typ":"JWT"}`) + "." + encode(payload) + "." + encode("signature")
}

func TestSplit(t *testing.T) {
	f := func(tok string, want bool) {
		t.Helper()
		header, payload, signature, ok := token.Split(tok)
		if ok != want {
			t.Fatalf("Split(%.60q): got %v, want %v", tok, ok, want)
		}
		if ok && header+"."+payload+"."+signature != tok {
			t.Fatalf("Split(%.60q): got %q, %q, %q", tok, header, payload, signature)
		}
		if _, _, _, bytesOK := token.Split([]byte(tok)); bytesOK != ok {
			t.Fatalf("Split(%.60q) says %v for bytes, %v for a string", tok, bytesOK, ok)
		}
		if _, _, claimsOK := token.Claims(nil, tok); claimsOK != ok {
			t.Fatalf("Claims(%.60q) says %v, Split %v", tok, claimsOK, ok)
		}
	}
	head, good := encode(`{"alg":"none"}`), jwt(`{}`)
	f(good, true)
	f(head+"."+encode(`{}`)+".", true) // unsecured, RFC 7519, section 6
	f("", false)
	f("..", false)
	f(head, false)
	f(head+"."+encode(`{}`), false)
	f(good+".", false)
	f(good+".AAAA.AAAA", false) // JWE has five parts
	f("Bearer "+good, false)
	f(good+" ", false)
	f(good+"\n", false)
	f(good+"=", false)
	f(good+"+", false)
	f(head+"."+encode(`[1]`)+".AAAA", false)
	f(encode(`"alg"`)+"."+encode(`{}`)+".AAAA", false)
	f(head+"."+encode(`{}`)+".A", false) // one character is no byte
	f("example.com.AAAA", false)
	f("1.2.3", false)
	f("é"+good, false)
	long := head + "." + encode(`{}`) + "."
	f(long+strings.Repeat("A", (token.MaxLength-len(long))/4*4), true)
	f(long+strings.Repeat("A", token.MaxLength-len(long)/4*4+4), false)
}

func TestClaims(t *testing.T) {
	f := func(payload string, want seshat.TokenClaims) {
		t.Helper()
		got, _, ok := token.Claims(nil, jwt(payload))
		if !ok || got != want {
			t.Fatalf("claims of %s:\n got %+v, %v\nwant %+v", payload, got, ok, want)
		}
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f(`{}`, seshat.TokenClaims{})
	f(`{"iss":"https://id.example","sub":"alice","sid":"s1","session_state":"s2","jti":"j","iat":1767323045,"nbf":1767323045,"exp":1767323045}`,
		seshat.TokenClaims{
			Issuer: "https://id.example", Subject: "alice", SessionID: "s1", ID: "j", IssuedAt: at, NotBefore: at, ExpiresAt: at,
		})
	f(`{"session_state":"s2","sub":42}`, seshat.TokenClaims{SessionID: "s2", Subject: "42"})
	f(`{"sid":null,"session_state":"s2"}`, seshat.TokenClaims{SessionID: "s2"})
	f(`{"sid":"","session_state":"s2"}`, seshat.TokenClaims{SessionID: "s2"})
	f(`{"sub":{"sub":"inner"},"a":[{"jti":"inner"}]}`, seshat.TokenClaims{})
	f(`{"sub":true,"jti":["j"],"iss":null}`, seshat.TokenClaims{})
	f(`{"sub":"first","sub":"second"}`, seshat.TokenClaims{Subject: "first"})
	f(`{"sub":null,"sub":"second"}`, seshat.TokenClaims{})
	f(`{"\u0073ub":"escaped name","jti":"a\"\u00e9\ud83d\ude00\n"}`,
		seshat.TokenClaims{Subject: "escaped name", ID: "a\"é😀\n"})
	f(`{"SUB":"names are case-sensitive","su":"x","subx":"y","session_stat\u0065":"s"}`, seshat.TokenClaims{SessionID: "s"})
	f("{ \"sub\" :\t\"spaces\"\r\n}\n ", seshat.TokenClaims{Subject: "spaces"})

	none := func(payload string) {
		t.Helper()
		if got, _, ok := token.Claims(nil, jwt(payload)); ok {
			t.Fatalf("claims of %s: got %+v, want none", payload, got)
		}
	}
	none(`{"sub":"cut off`)
	none(`{"sub":"cut off"`)
	none(`{"sub":"two"}{}`)
	none(`{"sub" "no colon"}`)
	none(`{sub:"no quotes"}`)
	none(`{"sub":"s",}`)
}

func TestClaimsTimes(t *testing.T) {
	f := func(number, want string) {
		t.Helper()
		claims, _, ok := token.Claims(nil, jwt(`{"exp":`+number+`}`))
		if !ok {
			t.Fatalf("exp %s: not a token", number)
		}
		got := ""
		if !claims.ExpiresAt.IsZero() {
			got = claims.ExpiresAt.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Fatalf("exp %s: got %q, want %q", number, got, want)
		}
	}
	f("1767323045", "2026-01-02T03:04:05Z")
	f("1767323045.5", "2026-01-02T03:04:05.5Z")
	f("1767323045.1234567899", "2026-01-02T03:04:05.123456789Z")
	f("1767323045.000000001", "2026-01-02T03:04:05.000000001Z")
	f("1.767323045e9", "2026-01-02T03:04:05Z")
	f("1.767323045E+09", "2026-01-02T03:04:05Z")
	f("1767323045000e-3", "2026-01-02T03:04:05Z")
	f("17673230455e-1", "2026-01-02T03:04:05.5Z")
	f("0.00001767323045e14", "2026-01-02T03:04:05Z")
	f("1", "1970-01-01T00:00:01Z")
	f("1e-9", "1970-01-01T00:00:00.000000001Z")
	f("12e-10", "1970-01-01T00:00:00.000000001Z")
	f("253402300799", "9999-12-31T23:59:59Z")
	f("253402300800", "")
	f("1767323045000", "") // milliseconds
	f("0", "")             // "never"
	f("0.0", "")
	f("0e999999999999999999999", "")
	f("1e-10", "")
	f("1e-99999999999999999999", "")
	f("-1767323045", "")
	f("1e400", "")
	f("1e99999999999999999999", "")
	f(strings.Repeat("9", 5000), "")
	f("0."+strings.Repeat("0", 5000)+"1e5001", "1970-01-01T00:00:01Z")
	f(`"1767323045"`, "")
	f("true", "")
	f("[1767323045]", "")
}

func TestClaim(t *testing.T) {
	tok := jwt(`{"sub":"alice","uid":1234567890123456789,"admin":true,"none":null,"e":"\u00e9",` +
		`"https://shop.example/tenant":"t-9","realm_access":{"roles":["buyer","seller"]}}`)
	f := func(name, want string) {
		t.Helper()
		got, _, ok := token.Claim(nil, tok, name)
		if got != want || ok != (want != "") {
			t.Fatalf("claim %q: got %q, %v; want %q", name, got, ok, want)
		}
	}
	f("sub", "alice")
	f("uid", "1234567890123456789")
	f("admin", "true")
	f("e", "é")
	f("https://shop.example/tenant", "t-9")
	f("none", "")
	f("realm_access", "")
	f("absent", "")
	f("", "")

	path := func(expr, want string) {
		t.Helper()
		p, err := jsonpath.Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		got, _, ok := token.ClaimPath(nil, tok, p)
		if got != want || ok != (want != "") {
			t.Fatalf("claim %s: got %q, %v; want %q", expr, got, ok, want)
		}
	}
	path("$.sub", "alice")
	path("$.e", "é")
	path("$.realm_access.roles[0]", "buyer")
	path("$.realm_access.roles[-1]", "seller")
	path("$.realm_access.roles[?@ != 'buyer']", "seller")
	path("$..roles[*]", "buyer")
	path("$.realm_access", "")
	path("$.none", "")

	for _, bad := range []string{"", "a.b.c", "not a token", encode("{}") + ".."} {
		if got, _, ok := token.Claim(nil, bad, "sub"); ok {
			t.Fatalf("claim of %q: got %q", bad, got)
		}
	}
}

// TestBufferIsAppendedTo shows that strings from one buffer stay true while the buffer grows.
func TestBufferIsAppendedTo(t *testing.T) {
	buffer := []byte("kept")
	var values []string
	for _, name := range []string{"a", `b\n`, "c", "d\\u0065"} {
		value, grown, ok := token.Claim(buffer, jwt(`{"sub":"`+name+`"}`), "sub")
		if !ok {
			t.Fatalf("no claim %q", name)
		}
		buffer, values = grown, append(values, value)
	}
	if got := strings.Join(values, ","); got != "a,b\n,c,de" || !strings.HasPrefix(string(buffer), "kept") {
		t.Fatalf("got %q in %q", got, buffer)
	}
}

func TestNoAllocation(t *testing.T) {
	buffer := make([]byte, 0, 4096)
	tok := typicalToken()
	path, err := jsonpath.Parse("$.realm_access.roles[0]")
	if err != nil {
		t.Fatal(err)
	}
	allocations := testing.AllocsPerRun(100, func() {
		_, rest, ok := token.Claims(buffer[:0], tok)
		_, rest, ok2 := token.Claim(rest, tok, "sub")
		_, _, ok3 := token.ClaimPath(rest, tok, path)
		if !ok || !ok2 || !ok3 {
			t.Fatal("a claim is missing")
		}
	})
	if allocations != 0 {
		t.Fatalf("%v allocations, want none", allocations)
	}
}

// typicalToken is an access token of a common identity provider in size and shape.
func typicalToken() string {
	return encode(`{"alg":"RS256","typ":"JWT","kid":"FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"}`) + "." +
		encode(`{"exp":1767323345,"iat":1767323045,"jti":"5ae3c7a8-6f0c-4c38-9d3a-1b0d2f7f5d10",`+
			`"iss":"https://id.shop.example/realms/shop","aud":"account","sub":"f3b8c1d2-0a4e-4a7f-8a52-6d1c0b9e7a31",`+
			`"typ":"Bearer","azp":"web","realm_access":{"roles":["buyer"]},"sid":"b7d0a9f2-1c55-4f0e-b8a0-0c6f9d7e2a44"}`) + "." +
		strings.Repeat("Ab-_", 22)
}
