package token_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/token"
)

// FuzzClaims holds the reader to encoding/base64 and encoding/json.
func FuzzClaims(f *testing.F) {
	f.Add(typicalToken(), "sub")
	f.Add(jwt(`{"sub":1,"exp":1.5e9,"iat":0.1e-3,"nbf":-1,"session_state":"x"}`), "exp")
	f.Add(jwt(`{"\u0073ub":"a\ud800b","sid":"\ud83d\ude00","a":[{},{"b":"]"}]}`), "a")
	f.Add(jwt(`{"sub":"a"} `), "sub")
	f.Add("a.b.c", "")
	f.Fuzz(func(t *testing.T, tok, name string) {
		claims, _, ok := token.Claims(nil, tok)
		value, _, okValue := token.Claim(nil, tok, name)
		if _, _, _, split := token.Split(tok); ok && !split {
			t.Fatalf("Claims(%q) finds some, but Split says it is not a token", tok)
		}
		members, canCompare := slowMembers(tok)
		if !canCompare {
			return // the twin cannot say; what counts is that nothing panicked
		}
		if !ok {
			t.Fatalf("Claims(%q): not a token, but its payload is %v", tok, members)
		}
		if want := slowClaims(members); claims != want {
			t.Fatalf("Claims(%q):\n got %+v\nwant %+v", tok, claims, want)
		}
		want, wantOK := slowText(members[name], true)
		if value != want || okValue != wantOK {
			t.Fatalf("Claim(%q, %q): got %q, %v; want %q, %v", tok, name, value, okValue, want, wantOK)
		}
	})
}

// slowMembers decodes the payload with the standard library. It says false for what is no token, and where the two
// differ on purpose: duplicate names, and bytes that are not UTF-8.
func slowMembers(tok string) (map[string]json.RawMessage, bool) {
	parts := strings.Split(tok, ".")
	if len(parts) != 3 || len(tok) > token.MaxLength || strings.ContainsAny(tok, "\r\n") {
		return nil, false
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return nil, false
		}
	}
	payload := decoded[1]
	var members map[string]json.RawMessage
	if !bytes.HasPrefix(decoded[0], []byte("{")) || !bytes.HasPrefix(payload, []byte("{")) ||
		!utf8.Valid(payload) || json.Unmarshal(payload, &members) != nil {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	_, _ = d.Token()
	names := 0
	for d.More() {
		var skipped json.RawMessage
		if _, err := d.Token(); err != nil || d.Decode(&skipped) != nil {
			return nil, false
		}
		names++
	}
	return members, names == len(members)
}

func slowText(raw json.RawMessage, booleans bool) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return string(bytes.TrimSpace(raw)), booleans
	default:
		return "", false
	}
}

func slowClaims(members map[string]json.RawMessage) seshat.TokenClaims {
	text := func(name string) string {
		s, _ := slowText(members[name], false)
		return s
	}
	claims := seshat.TokenClaims{
		Issuer: text("iss"), Subject: text("sub"), SessionID: text("sid"), ID: text("jti"),
		IssuedAt: slowTime(members["iat"]), NotBefore: slowTime(members["nbf"]), ExpiresAt: slowTime(members["exp"]),
	}
	if claims.SessionID == "" {
		claims.SessionID = text("session_state")
	}
	return claims
}

func slowTime(raw json.RawMessage) time.Time {
	var n json.Number
	if len(raw) == 0 || raw[0] == '"' || json.Unmarshal(raw, &n) != nil {
		return time.Time{}
	}
	if _, exponent, _ := strings.Cut(strings.ToLower(n.String()), "e"); len(strings.TrimLeft(exponent, "+-0")) > 4 {
		// Too large for big.Rat to write out, and for a token of this length to make up for.
		return time.Time{}
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return time.Time{}
	}
	r.Mul(r, big.NewRat(int64(time.Second), 1))
	total := new(big.Int).Quo(r.Num(), r.Denom())
	seconds, nanoseconds := new(big.Int).QuoRem(total, big.NewInt(int64(time.Second)), new(big.Int))
	if total.Sign() <= 0 || seconds.Cmp(big.NewInt(253_402_300_799)) > 0 {
		return time.Time{}
	}
	return time.Unix(seconds.Int64(), nanoseconds.Int64()).UTC()
}
