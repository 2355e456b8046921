package identify

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
)

const (
	// maxToken is how long a JWT may be to be read. Servers refuse header fields of half that size.
	maxToken = 16 << 10
	// minToken is the length of the shortest text that can be a JWT that says anything.
	minToken = 20
	// maxTokenMemo is how many tokens of one exchange are remembered as read.
	maxTokenMemo = 8
	// maxRoleClaims is how many claims of a token are looked at for roles.
	maxRoleClaims = 4
	// lastSecond is the end of the year 9999, beyond which a time is not written in RFC 3339 and not meant.
	lastSecond = 253402300799
)

// token is a JWT that an exchange carries, read without verification.
type token struct {
	raw      string
	payload  []byte // nil when raw is not a JWT after all
	claims   seshat.TokenClaims
	username string
	email    string
	roles    [maxRoleClaims][]byte // raw JSON: strings or arrays
	roleN    int
}

// readToken returns what raw says as a JWT (RFC 7519), or nil when it is not one. Each token is read once for an
// exchange, however many identifiers ask for it.
func (w *Worker) readToken(raw string) *token {
	if !looksLikeToken(raw) {
		return nil
	}
	for i := range w.tokens {
		if w.tokens[i].raw == raw {
			return w.tokens[i].orNil()
		}
	}
	if len(w.tokens) == maxTokenMemo {
		w.tokens = w.tokens[:0]
	}
	w.tokens = append(w.tokens, token{raw: raw})
	t := &w.tokens[len(w.tokens)-1]
	t.payload = w.tokenPayload(raw)
	if t.payload != nil && !t.read(w) {
		t.payload = nil
	}
	return t.orNil()
}

func (t *token) orNil() *token {
	if t.payload == nil {
		return nil
	}
	return t
}

// looksLikeToken reports whether s may be a JWT: a JSON object in Base64 begins with "ey", and there are three parts.
func looksLikeToken(s string) bool {
	return len(s) >= minToken && len(s) <= maxToken && s[0] == 'e' && s[1] == 'y' && strings.Count(s, ".") == 2
}

// tokenPayload decodes the second part of raw; nil when it is not Base64.
func (w *Worker) tokenPayload(raw string) []byte {
	part := raw[strings.IndexByte(raw, '.')+1:]
	part = strings.TrimRight(part[:strings.IndexByte(part, '.')], "=")
	out := w.arena.take(base64.RawURLEncoding.DecodedLen(len(part)))
	out, err := base64.RawURLEncoding.AppendDecode(out, bytesOf(part))
	if err != nil || len(out) == 0 {
		return nil
	}
	return bytesOf(w.arena.keep(out))
}

// read takes the claims that Seshat knows from the payload, in one pass. It reports whether that is a JSON object.
func (t *token) read(w *Worker) bool {
	c := memberCursor{data: t.payload}
	for name, value, ok := c.next(); ok; name, value, ok = c.next() {
		if c.depth > 1 {
			if c.depth == 2 && string(name) == "roles" && string(c.names[0]) == "realm_access" { // Keycloak
				t.addRole(value)
			}
			continue
		}
		t.claim(w, name, value)
	}
	return c.done
}

func (t *token) claim(w *Worker, name, value []byte) {
	switch string(name) {
	case "iss":
		t.claims.Issuer = w.scalar(value)
	case "sub":
		t.claims.Subject = w.scalar(value)
	case "sid":
		t.claims.SessionID = w.scalar(value)
	case "session_state":
		if t.claims.SessionID == "" {
			t.claims.SessionID = w.scalar(value)
		}
	case "jti":
		t.claims.ID = w.scalar(value)
	case "iat":
		t.claims.IssuedAt = numericDate(value)
	case "nbf":
		t.claims.NotBefore = numericDate(value)
	case "exp":
		t.claims.ExpiresAt = numericDate(value)
	case "preferred_username":
		t.username = w.scalar(value)
	case "email":
		t.email = w.scalar(value)
	case "roles", "role", "groups":
		t.addRole(value)
	}
}

func (t *token) addRole(value []byte) {
	if t.roleN < maxRoleClaims && (value[0] == '"' || value[0] == '[') {
		t.roles[t.roleN] = value
		t.roleN++
	}
}

// scalar is the text of a raw JSON string, number or boolean; empty for anything else.
func (w *Worker) scalar(raw []byte) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if raw[0] != '"' {
		if raw[0] == '[' || raw[0] == '{' {
			return ""
		}
		return stringOf(raw)
	}
	if strings.IndexByte(stringOf(raw), '\\') < 0 {
		return stringOf(raw[1 : len(raw)-1])
	}
	text, ok := jsonpath.AppendScalar(w.arena.take(len(raw)), raw)
	if !ok {
		return ""
	}
	return w.arena.keep(text)
}

// numericDate is a JWT's time (RFC 7519, section 2); zero for one that makes no sense.
func numericDate(raw []byte) time.Time {
	if len(raw) > 0 && raw[0] == '"' { // some issuers write it as a string
		raw = raw[1 : len(raw)-1]
	}
	f, err := strconv.ParseFloat(stringOf(raw), 64)
	if err != nil || !(f > 0 && f <= lastSecond) {
		return time.Time{}
	}
	seconds := int64(f)
	const nano = 1e9
	return time.Unix(seconds, int64((f-float64(seconds))*nano)).UTC()
}
