package identify

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
	"github.com/seshat-project/seshat/internal/token"
)

const (
	// minToken is the length of the shortest text that can be a JWT that says anything.
	minToken = 20
	// maxTokenMemo is how many tokens of one exchange are remembered as read.
	maxTokenMemo = 8
)

// jwt is a JWT that an exchange carries, read without verification.
type jwt struct {
	raw     string
	payload []byte // nil when raw is not a JWT after all
	claims  seshat.TokenClaims
}

// readToken returns what raw says as a JWT (RFC 7519), or nil when it is not one. Each token is read once for an
// exchange, however many identifiers ask for it. The result is valid until the next call.
func (w *Worker) readToken(raw string) *jwt {
	if len(raw) < minToken || len(raw) > token.MaxLength || raw[0] != 'e' {
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
	w.tokens = append(w.tokens, jwt{raw: raw})
	t := &w.tokens[len(w.tokens)-1]
	read, ok := w.parseToken(raw)
	if !ok {
		return nil
	}
	t.claims, t.payload = read.claims, read.payload
	return t.orNil()
}

// payloadLength is how many bytes the second part of a token stands for: unpadded Base64, six bits a character.
func payloadLength(raw string) int {
	first := strings.IndexByte(raw, '.')
	return strings.IndexByte(raw[first+1:], '.') * 6 / 8
}

func (t *jwt) orNil() *jwt {
	if t.payload == nil {
		return nil
	}
	return t
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
