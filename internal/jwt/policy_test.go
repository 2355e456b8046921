package jwt

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestClaims(t *testing.T) {
	s := signer{edKey(), EdDSA}
	keys := keySet(t, s.key(t, ""))
	f := func(p Policy, header, payload string, want Kind, wantText string) {
		t.Helper()
		tok := s.token(header, payload)
		_, claims, err := p.Verify(tok, keys, now)
		if KindOf(err) != want || (err != nil) != (want != 0) || (err != nil && !strings.Contains(err.Error(), wantText)) {
			t.Errorf("%s %s: %s, %v; want %s, %q", header, payload, KindOf(err), err, want, wantText)
		}
		if err != nil {
			checkOpaque(t, tok, err)
		} else if claims == nil {
			t.Errorf("%s: no claims", payload)
		}
		if _, err := VerifySignature(tok, keys); err != nil {
			t.Errorf("%s: the signature alone: %v", payload, err)
		}
	}
	const plain = `{"alg":"EdDSA"}`
	at := func(name string, offset time.Duration) string {
		return fmt.Sprintf(`{%q:%d.%03d}`, name, now.Add(offset).Unix(), now.Add(offset).Nanosecond()/1e6)
	}
	anybody := Policy{}

	// Times, to the millisecond. "exp" is the first moment at which it is too late, "nbf" the first at which it is not
	// too early.
	f(anybody, plain, at("exp", time.Hour), 0, "")
	f(anybody, plain, at("exp", -Skew+time.Millisecond), 0, "")
	f(anybody, plain, at("exp", -Skew), Expired, "expired at 2026-01-02 14:59:00Z, 1m0s earlier")
	f(anybody, plain, at("exp", -72*time.Hour), Expired, "3 days earlier")
	f(anybody, plain, at("nbf", Skew), 0, "")
	f(anybody, plain, at("nbf", Skew+time.Millisecond), NotYetValid, "becomes valid at 2026-01-02 15:01:00Z, in 1m0s")
	f(anybody, plain, at("iat", Skew), 0, "")
	f(anybody, plain, at("iat", Skew+time.Millisecond), IssuedInFuture, "is issued at 2026-01-02 15:01:00Z")
	f(anybody, plain, `{"exp":0}`, Expired, "1970-01-01")
	f(anybody, plain, `{"exp":-1}`, Expired, "1969-12-31")
	f(anybody, plain, `{"exp":-1e400}`, Expired, "0001-01-01")
	f(anybody, plain, `{"exp":1e400,"nbf":-1e400}`, 0, "")
	f(anybody, plain, `{"nbf":1e400}`, NotYetValid, "9999-12-31")
	f(anybody, plain, `{"exp":1767369600000}`, 0, "") // in milliseconds: what it says, far off
	f(anybody, plain, `{"exp":1.7673696e9}`, 0, "")
	f(anybody, plain, `{"exp":1.7673660e9,"nbf":17673660e2}`, 0, "")
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, value := range []string{`"1767369600"`, `null`, `true`, `[1767369600]`, `{}`, `"never"`, `""`} {
			f(anybody, plain, `{"`+name+`":`+value+`}`, BadClaim, `"`+name+`" is not a number of seconds`)
		}
	}

	// Issuer.
	issuer := Policy{Issuers: []string{"https://id.example", "https://old.example"}}
	f(issuer, plain, `{"iss":"https://id.example"}`, 0, "")
	f(issuer, plain, `{"iss":"https://old.example"}`, 0, "")
	f(issuer, plain, `{"iss":"https:\/\/id.ex\u0061mple"}`, 0, "")
	for _, iss := range []string{"https://id.example/", "https://ID.example", "https://id.example.attacker.example", "id.example", "", " https://id.example"} {
		f(issuer, plain, `{"iss":"`+iss+`"}`, WrongIssuer, `the issuer is "`+iss+`"; wanted "https://id.example" or "https://old.example"`)
	}
	f(issuer, plain, `{}`, WrongIssuer, "names no issuer")
	f(Policy{Issuers: []string{""}}, plain, `{}`, WrongIssuer, "names no issuer")
	f(anybody, plain, `{"iss":"anybody"}`, 0, "")
	f(anybody, plain, `{"iss":["https://id.example"]}`, BadClaim, `"iss" is not a string`)
	f(issuer, plain, `{"iss":"\u001b]0;x\u0007"}`, WrongIssuer, `"\x1b]0;x\a"`)
	f(issuer, plain, `{"iss":"`+strings.Repeat("ä", 500)+`"}`, WrongIssuer, `\u00e4"…`)

	// Audience.
	audience := Policy{Audiences: []string{"shop", "cart"}}
	f(audience, plain, `{"aud":"shop"}`, 0, "")
	f(audience, plain, `{"aud":["other","cart"]}`, 0, "")
	f(audience, plain, `{"aud":["other"]}`, WrongAudience, `the audience is "other"; wanted "shop" or "cart"`)
	f(audience, plain, `{"aud":"shop cart"}`, WrongAudience, "")
	f(audience, plain, `{"aud":"Shop"}`, WrongAudience, "")
	f(audience, plain, `{"aud":[]}`, WrongAudience, "names no audience")
	f(audience, plain, `{}`, WrongAudience, "names no audience")
	f(anybody, plain, `{"aud":["a","b"]}`, 0, "")
	for _, aud := range []string{`null`, `7`, `["shop",7]`, `{"shop":true}`, `[["shop"]]`, `[null]`} {
		f(anybody, plain, `{"aud":`+aud+`}`, BadClaim, `"aud" is not a string or a list of strings`)
	}
	f(anybody, plain, `{"sub":7}`, BadClaim, `"sub" is not a string`)
	f(anybody, plain, `{"jti":{}}`, BadClaim, `"jti" is not a string`)

	// Type.
	access := Policy{Types: []string{"at+jwt"}}
	f(access, `{"alg":"EdDSA","typ":"at+jwt"}`, `{}`, 0, "")
	f(access, `{"alg":"EdDSA","typ":"AT+JWT"}`, `{}`, 0, "")
	f(access, `{"alg":"EdDSA","typ":"application/at+jwt"}`, `{}`, 0, "")
	f(access, `{"alg":"EdDSA","typ":"application/x/at+jwt"}`, `{}`, WrongType, "")
	f(access, `{"alg":"EdDSA","typ":"JWT"}`, `{}`, WrongType, `the token's type is "JWT"; wanted "at+jwt"`)
	f(access, plain, `{}`, WrongType, "has no type")
	f(Policy{Types: []string{"application/at+jwt"}}, `{"alg":"EdDSA","typ":"at+jwt"}`, `{}`, 0, "")
	f(anybody, `{"alg":"EdDSA","typ":"at+jwt"}`, `{}`, 0, "")
	f(anybody, `{"alg":"EdDSA","typ":"logout+jwt"}`, `{}`, WrongType, "not meant to be presented")
	f(anybody, `{"alg":"EdDSA","typ":"application/SecEvent+jwt"}`, `{}`, WrongType, "")
	f(Policy{Types: []string{"logout+jwt"}}, `{"alg":"EdDSA","typ":"logout+jwt"}`, `{}`, 0, "")

	// Of several faults the first of a fixed order is said.
	f(Policy{Issuers: []string{"x"}, Audiences: []string{"y"}, Types: []string{"z"}}, plain, `{"exp":1}`, WrongType, "")
	f(Policy{Issuers: []string{"x"}, Audiences: []string{"y"}}, plain, `{"exp":1}`, Expired, "")
	f(Policy{Issuers: []string{"x"}, Audiences: []string{"y"}}, plain, `{}`, WrongIssuer, "")
}

func TestReadClaims(t *testing.T) {
	s := signer{edKey(), EdDSA}
	_, got, err := (&Policy{}).Verify(s.jwt(
		`{"iss":"i","sub":"s","aud":["a","b"],"jti":"j","exp":1767369600.5,"nbf":1767360000,"iat":1767360000.25,"exp2":1}`,
	), keySet(t, s.key(t, "")), now)
	if err != nil {
		t.Fatal(err)
	}
	want := Claims{
		Issuer: "i", Subject: "s", Audience: []string{"a", "b"}, ID: "j", hasIssuer: true,
		ExpiresAt: time.Unix(1767369600, 5e8).UTC(), NotBefore: time.Unix(1767360000, 0).UTC(), IssuedAt: time.Unix(1767360000, 25e7).UTC(),
	}
	if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v; want %+v", *got, want)
	}
}

// TestForgedClaims checks that nothing is said about the claims of a token that is not real.
func TestForgedClaims(t *testing.T) {
	s := signer{edKey(), EdDSA}
	attacker := signer{must(newEd()), EdDSA}
	for _, payload := range []string{`{"exp":1}`, `{"iss":"x"}`, `{"a":1,"a":2}`, `no`} {
		_, _, err := (&Policy{Issuers: []string{"y"}}).Verify(attacker.jwt(payload), keySet(t, s.key(t, "")), now)
		if KindOf(err) != BadSignature {
			t.Errorf("%s: %v; want a bad signature", payload, err)
		}
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for k := Malformed; k <= WrongAudience; k++ {
		if name := k.String(); name == "unknown" || seen[name] {
			t.Errorf("kind %d is called %s", k, name)
		}
		seen[k.String()] = true
	}
	if Kind(0).String() != "unknown" || Kind(200).String() != "unknown" {
		t.Error("what is no kind has a name")
	}
	wrapped := fmt.Errorf("around: %w", refuseStale(UnknownKey, "x"))
	if KindOf(wrapped) != UnknownKey || !NewerKeysMayHelp(wrapped) || KindOf(errors.New("x")) != 0 || KindOf(nil) != 0 {
		t.Error("the kind of an error is not found, or one is found where there is none")
	}
}
