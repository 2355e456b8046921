package pipeline

import (
	"strings"

	"github.com/seshat-project/seshat"
)

// maxForgotten is how many cookies one answer takes away. A browser has one or two for a session.
const maxForgotten = 8

// maxCookieName bounds the names that are said back to the client; browsers keep 4096 bytes with the value.
const maxCookieName = 256

// forgetCookies makes the fields that take the session's cookies out of the client, when the denylist refused the request
// with 401. Without them a browser would go on to send them to the sign-in page too, and be refused there. A cookie that was
// set for a domain, or for a path, is another one to the browser and stays: only the origin knows.
func (g *Passage) forgetCookies(identity *seshat.Identity) {
	if !strings.HasPrefix(g.decision.Verdict.By, "Denylist/") {
		return
	}
	for i := range identity.IDs {
		id := &identity.IDs[i]
		if id.Side != seshat.InRequest || id.Where != seshat.LocationCookie || !isCookieName(id.Key) {
			continue
		}
		value := id.Key + "=; Max-Age=0; Path=/"
		if needsSecure(id.Key) {
			value += "; Secure"
		}
		if len(g.forgotten) == maxForgotten {
			return
		}
		if !says(g.forgotten, value) {
			g.forgotten = append(g.forgotten, seshat.Field{Name: "Set-Cookie", Value: value})
		}
	}
}

func says(fields []seshat.Field, value string) bool {
	for i := range fields {
		if fields[i].Value == value {
			return true
		}
	}
	return false
}

// needsSecure reports whether browsers take such a cookie only with the attribute Secure (RFC 6265bis, section 4.1.3).
func needsSecure(name string) bool {
	name = strings.ToLower(name[:min(len(name), len("__secure-"))])
	return strings.HasPrefix(name, "__host-") || strings.HasPrefix(name, "__secure-")
}

// isCookieName reports whether s is a cookie-name, which is a token (RFC 6265, section 4.1.1): the client chose it.
func isCookieName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= maxCookieName
}
