package identify

import (
	"bytes"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

// maxSignIn is how long a JSON or multipart request may be to be a sign-in when nothing else says so. Those with a
// passkey's attestation, the longest there are, stay below.
const maxSignIn = 16 << 10

// builtInNeedsRequest reports whether the built-in set may find something in a request's body. It looks at
//
//   - every form: applications post them to sign in, at any path, and token requests (RFC 6749) are forms;
//   - JSON and multipart bodies where the path, or the query, has a word of signing in, or is that of GraphQL;
//   - those of requests without a token in Authorization, up to [maxSignIn] bytes: that of a sign-in at a path that says
//     nothing, and of an application that sends its session ID in the body.
//
// What is left out are the bodies of requests that carry a token, where a session ID in the body could only be one more.
func (e *Engine) builtInNeedsRequest(x *seshat.Exchange, h *head) bool {
	switch {
	case h.media&mediaForm != 0:
		return true
	case looksLikeSignIn(x.Request.Path), strings.Contains(x.Request.Path, "graphql"), looksLikeSignIn(x.Request.Query):
		return true
	default:
		return h.length <= maxSignIn && !hasToken(x.Request.Header)
	}
}

// builtInNeedsResponse reports whether the built-in set may find something in a response's body: whether the response
// may issue tokens. Identification looks at no other, and of those at
//
//   - every one to a path that has a word of signing in;
//   - of requests that send something, those to a client without any credential, which may get its first one, and those to
//     a request whose captured body speaks of a password, a token or a session.
func (e *Engine) builtInNeedsResponse(x *seshat.Exchange) bool {
	if !changes(x.Request.Method) {
		return hasIssuingWord(x.Request.Path)
	}
	return looksLikeSignIn(x.Request.Path) || speaksOfSecrets(x.Request.Body.Bytes) || !e.hasCredential(x.Request.Header)
}

// hasToken reports whether Authorization carries a token, which groups the exchange before anything in its body could.
func hasToken(header []seshat.Field) bool {
	value, ok := httpfield.Lookup(header, "Authorization")
	if !ok {
		return false
	}
	scheme, _, ok := httpfield.Authorization(value)
	return ok && !rule.EqualFoldASCII(scheme, "Basic") && !rule.EqualFoldASCII(scheme, "ApiKey")
}

// hasCredential reports whether a request shows who it is from: cookies, or a header field that the built-in set knows.
func (e *Engine) hasCredential(header []seshat.Field) bool {
	t := &e.tables[viewRequestHeader]
	for i := range header[:min(len(header), maxFields)] {
		name := header[i].Name
		if len(name) == len("Cookie") && rule.EqualFoldASCII(name, "Cookie") {
			return true
		}
		if entry := t.find(name); entry != nil && len(entry.builtIn) > 0 {
			return true
		}
	}
	return false
}

// secretWords are parts of the names under which sign-ins and refreshes send what they prove themselves with, and of
// the operations that GraphQL calls so.
var secretWords = [...]string{
	"assword", "passwd", "pwd", "oken", "ession", "grant_type", "ogin", "ignin", "ign_in", "ignIn", "ignUp", "ignup", "uthenticat", "egister",
	"jwt", "otp", "Otp",
}

// maxSpoken is how much of a body is searched for words. Names come early in what is short.
const maxSpoken = 4 << 10

func speaksOfSecrets(body []byte) bool {
	if len(body) == 0 {
		return false
	}
	body = body[:min(len(body), maxSpoken)]
	for _, word := range secretWords {
		if bytes.Contains(body, bytesOf(word)) {
			return true
		}
	}
	return false
}

// signInWords are the words by which a path, or the name of a query parameter, tells that it is about signing in, by
// the low bits of their first letter. They count anywhere in it: /wp-login.php, /api/userLogin, /auth-with-password.
var signInWords = [32][]string{
	'a' & 31: {"auth", "apikey", "api-key", "api_key"},
	'c' & 31: {"callback", "challenge"},
	'h' & 31: {"handshake"},
	'i' & 31: {"identity", "impersonat"},
	'j' & 31: {"jwt", "j_security"},
	'l' & 31: {"login", "logon", "logout", "log-in", "log_in"},
	'm' & 31: {"mfa"},
	'o' & 31: {"otp", "oidc"},
	'p' & 31: {"passw", "passkey"},
	'r' & 31: {"refresh", "regist", "renew"},
	's' & 31: {"session", "signin", "sign-in", "sign_in", "signup", "sign-up", "sign_up", "sso", "saml"},
	't' & 31: {"token", "totp", "two-factor", "two_factor", "twofactor"},
	'v' & 31: {"verif"},
	'w' & 31: {"webauthn"},
}

// looksLikeSignIn reports whether a word of [signInWords] is in s.
func looksLikeSignIn(s string) bool {
	const shortest = 3
	for i := 0; i+shortest <= len(s); i++ {
		for _, word := range signInWords[s[i]&31] { // the same for both cases
			if n := len(word); s[i+1]|0x20 == word[1]|0x20 && i+n <= len(s) && rule.EqualFoldASCII(s[i:i+n], word) {
				return true
			}
		}
	}
	return false
}
