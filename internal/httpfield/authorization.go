package httpfield

import (
	"encoding/base64"
	"strings"
)

// Authorization divides the value of an Authorization field into scheme and credentials (RFC 9110, section 11.4).
// A value of one word is a bare token with an empty scheme, as many APIs use it, unless the word is the name of a
// scheme. ok is false when there are no credentials.
func Authorization(value string) (scheme, credentials string, ok bool) {
	value = trimSpace(value)
	end := strings.IndexAny(value, " \t")
	if end < 0 {
		if isScheme(value) {
			return value, "", false
		}
		return "", value, value != ""
	}
	scheme = value[:end]
	if !isToken(scheme) {
		return "", value, true
	}
	return scheme, trimSpace(value[end:]), true
}

// isScheme reports whether word is one of the schemes that occur alone in an Authorization field by mistake (see IANA's
// HTTP Authentication Scheme Registry). A word that is none of them is taken for a bare token.
func isScheme(word string) bool {
	for _, scheme := range [...]string{
		"Bearer", "Basic", "Digest", "DPoP", "Negotiate", "NTLM", "Token", "JWT", "GNAP", "HOBA", "Mutual", "OAuth",
		"PrivateToken", "SCRAM-SHA-1", "SCRAM-SHA-256", "vapid", "AWS4-HMAC-SHA256", "ApiKey", "Hawk",
	} {
		if EqualFold(word, scheme) {
			return true
		}
	}
	return false
}

// BasicUser returns the user of Basic credentials (RFC 7617), decoded into scratch. The alphabet may be the standard
// or the URL-safe one, with padding or without. The password is not kept, in scratch or elsewhere. ok is false when
// the credentials are not Base64 of "user:password".
func BasicUser(credentials string, scratch *Scratch) (user string, ok bool) {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(credentials, "-_") {
		encoding = base64.RawURLEncoding
	}
	for range 2 { // Base64 has at most two characters of padding
		credentials = strings.TrimSuffix(credentials, "=")
	}
	text := scratch.take(len(credentials))
	text, err := encoding.AppendDecode(text, bytesOf(credentials))
	if err != nil {
		clear(text[:cap(text)])
		return "", false
	}
	colon := strings.IndexByte(stringOf(text), ':')
	if colon < 0 {
		clear(text)
		return "", false
	}
	clear(text[colon:])
	return scratch.keep(text[:colon:colon]), true
}
