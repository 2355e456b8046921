package identify

import (
	"encoding/hex"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/token"
)

const (
	// MaxIDLength is how long a client session ID may be. What is longer is not one: servers refuse header fields of
	// half that size, and every ID is digested.
	MaxIDLength = 16 << 10
	// maxDecoded is how much text a Base64 or URL decoding is applied to.
	maxDecoded = 1 << 20
)

// transformed is the result of a chain of transformations.
type transformed struct {
	value string
	token *jwt // the last value of the chain that was a JWT; nil when none was
}

// transform applies list to value. A transformation that does not apply, and an empty result, give false.
func (w *Worker) transform(list []rule.Transformation, value string) (transformed, bool) {
	out := transformed{value: value, token: w.readToken(value)}
	for i := range list {
		next, reason := w.step(&list[i], out.value)
		if reason == "" && next == "" {
			reason = "the result is empty"
		}
		if w.trace != nil {
			w.trace.step(&list[i], next, reason)
		}
		if reason != "" {
			return transformed{}, false
		}
		out.value = next
		if t := w.readToken(next); t != nil {
			out.token = t
		}
	}
	if out.value == "" || len(out.value) > MaxIDLength {
		return transformed{}, false
	}
	return out, true
}

// step applies one transformation. reason says why it does not apply; it is empty when it does.
func (w *Worker) step(t *rule.Transformation, value string) (result, reason string) {
	switch t.Kind {
	case rule.TransformScheme:
		return stripScheme(t.Text, value)
	case rule.TransformRegex:
		return matchGroup(t, value)
	case rule.TransformBase64:
		return w.decodeBase64(value)
	case rule.TransformJSONPath:
		if result, ok := w.firstText(t, bytesOf(value)); ok {
			return result, ""
		}
		return "", "no text, number or boolean at that path"
	case rule.TransformJWTClaim:
		read := w.readToken(value)
		if read == nil {
			return "", "not a JWT"
		}
		if result, ok := w.claim(t, read); ok {
			return result, ""
		}
		return "", "the token has no such claim that is a text, number or boolean"
	case rule.TransformURLDecode:
		if len(value) > maxDecoded {
			return "", "too long"
		}
		result, wellFormed := httpfield.UnescapePath(value, &w.text)
		if !wellFormed {
			return "", "malformed escape"
		}
		return result, ""
	case rule.TransformLowercase:
		return w.lowercase(value), ""
	case rule.TransformHash:
		if w.engine.hasher == nil {
			return "", "there is no key to hash with"
		}
		digest := w.engine.hasher.Hash(bytesOf(value))
		return w.arena.keep(hex.AppendEncode(w.arena.take(hex.EncodedLen(len(seshat.Digest{}))), digest[:])), ""
	default:
		return "", "unknown transformation"
	}
}

// bareScheme asks for credentials without a scheme.
const bareScheme = "-"

// stripScheme returns the credentials of an Authorization value. wanted limits it to one scheme, or to none at all.
func stripScheme(wanted, value string) (result, reason string) {
	if n := len(wanted); n > 1 && (n > len(value) || !rule.EqualFoldASCII(wanted, value[:n])) {
		return "", "another scheme"
	}
	scheme, credentials, ok := httpfield.Authorization(value)
	switch {
	case !ok:
		return "", "no credentials"
	case wanted == bareScheme && scheme != "":
		return "", "there is a scheme"
	case wanted != "" && wanted != bareScheme && !rule.EqualFoldASCII(wanted, scheme):
		return "", "another scheme"
	}
	return credentials, ""
}

func matchGroup(t *rule.Transformation, value string) (result, reason string) {
	if t.Group == 0 { // FindString keeps its positions on the stack
		if loc := t.Regexp.FindString(value); loc != "" {
			return loc, ""
		}
		return "", "the expression does not match"
	}
	at := t.Regexp.FindStringSubmatchIndex(value)
	switch {
	case at == nil:
		return "", "the expression does not match"
	case at[2*t.Group] < 0:
		return "", "the group took no part in the match"
	}
	return value[at[2*t.Group]:at[2*t.Group+1]], ""
}

// claim returns a claim of a token. Most tokens have no claim of a name that the built-in set asks for, which is seen
// without taking the payload apart: a name that is nowhere in it can only be there with escapes.
func (w *Worker) claim(t *rule.Transformation, read *jwt) (string, bool) {
	if payload := stringOf(read.payload); t.Text[0] != '$' && !strings.Contains(payload, t.Text) && strings.IndexByte(payload, '\\') < 0 {
		return "", false
	}
	return w.firstText(t, read.payload)
}

func (w *Worker) firstText(t *rule.Transformation, data []byte) (string, bool) {
	raw, ok := t.Path.First(data)
	if !ok {
		return "", false
	}
	return w.scalar(raw), true
}

// decodeBase64 reads the standard and the URL-safe alphabet, with padding or without (RFC 4648).
func (w *Worker) decodeBase64(value string) (result, reason string) {
	if len(value) > maxDecoded {
		return "", "too long"
	}
	out, ok := token.DecodeBase64(w.arena.take(len(value)), value)
	if !ok {
		return "", "not Base64"
	}
	return w.arena.keep(out), ""
}

func (w *Worker) lowercase(value string) string {
	upper := false
	for i := 0; i < len(value); i++ {
		if value[i] >= 0x80 {
			return strings.ToLower(value)
		}
		upper = upper || value[i]-'A' < 26
	}
	if !upper {
		return value
	}
	out := append(w.arena.take(len(value)), value...)
	for i, c := range out {
		if c-'A' < 26 {
			out[i] = c | 0x20
		}
	}
	return w.arena.keep(out)
}
