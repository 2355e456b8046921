package main

import (
	"encoding/base64"
	"strings"
	"time"
)

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// cookieStyle is a framework's session cookie: its name and what its values look like.
type cookieStyle struct {
	name  string
	value func(g *generator) string
}

func cookieStyles() []cookieStyle {
	return []cookieStyle{
		{"PHPSESSID", func(g *generator) string { return g.text("abcdefghijklmnopqrstuvwxyz0123456789", 26) }},
		{"JSESSIONID", func(g *generator) string { return strings.ToUpper(g.hex(16)) + ".node1" }},
		{"laravel_session", func(g *generator) string {
			return base64.StdEncoding.EncodeToString([]byte(object("iv", g.hex(12), "value", g.hex(48), "mac", g.hex(16))))
		}},
		{"sessionid", func(g *generator) string { return g.text("abcdefghijklmnopqrstuvwxyz0123456789", 32) }},
		{"_storefront_session", func(g *generator) string { return g.text(alphanumeric, 64) + "--" + g.hex(20) }},
		{"ASP.NET_SessionId", func(g *generator) string { return g.text("abcdefghijklmnopqrstuvwxyz012345", 24) }},
		{"koa.sess", func(g *generator) string { return g.text(alphanumeric, 43) }},
	}
}

// tokenStyle is what a bearer token looks like.
type tokenStyle int

const (
	opaqueToken   tokenStyle = iota
	tokenWithSID             // a JWT with "sid", the same in all tokens of a session
	tokenWithJTI             // a JWT with its own "jti" and no "sid"
	tokenWithUser            // a JWT with no more than a subject and an expiry
)

// token is an access token with its refresh token.
type token struct {
	access, refresh string
	sid             string
	expires         time.Time
}

// issue makes the tokens that follow after previous in one session, or the first ones.
func (g *generator) issue(style tokenStyle, issuer string, p person, now time.Time, previous *token) token {
	t := token{refresh: "rt_" + g.text(alphanumeric, 40), sid: g.hex(10)}
	if previous != nil {
		t.sid = previous.sid
	}
	t.expires = now.Add(g.span(g.pace.tokenLife, 2*g.pace.tokenLife)).Truncate(time.Second)
	switch style {
	case tokenWithSID:
		t.access = g.jwt("iss", issuer, "sub", p.id, "aud", "api", "sid", t.sid, "iat", now.Unix(), "exp", t.expires.Unix())
	case tokenWithJTI:
		t.access = g.jwt("iss", issuer, "sub", p.id, "jti", g.hex(8), "iat", now.Unix(), "exp", t.expires.Unix())
	case tokenWithUser:
		t.access = g.jwt("sub", p.id, "name", p.login, "exp", t.expires.Unix())
	default:
		t.access = "at_" + g.text(alphanumeric, 48)
	}
	return t
}

// jwt is a token with made-up bytes for a signature: nobody verifies it here.
func (g *generator) jwt(claims ...any) string {
	encode := base64.RawURLEncoding.EncodeToString
	signature := make([]byte, 64)
	for i := range signature {
		signature[i] = byte(g.rng.Uint32())
	}
	return encode([]byte(object("alg", "ES256", "kid", "k2026", "typ", "JWT"))) + "." + encode([]byte(object(claims...))) + "." + encode(signature)
}
