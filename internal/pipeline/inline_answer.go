package pipeline

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

// Answer is what to send in place of the origin's answer.
type Answer struct {
	Status int
	Fields []seshat.Field // Content-Type, Retry-After, RateLimit and so on; no Content-Length
	Body   []byte
}

// Answer returns what the client gets when the request is refused, and nil when it is to be forwarded. It belongs to
// the passage.
func (g *Passage) Answer() *Answer {
	v := &g.decision.Verdict
	if !v.Action.Refuses() {
		return nil
	}
	if g.answer.Status == 0 {
		g.answer = Answer{
			Status: v.Status,
			Fields: append([]seshat.Field{
				{Name: "Content-Type", Value: "application/problem+json"}, {Name: "Cache-Control", Value: "no-store"},
			}, append(g.forgotten, g.ResponseFields()...)...),
			Body: problem(v),
		}
		if v.Status == http.StatusUnauthorized {
			g.answer.Fields = append(g.answer.Fields, seshat.Field{Name: "WWW-Authenticate", Value: challenge(v)})
		}
	}
	return &g.answer
}

// challenge is what a 401 has to say (RFC 9110, section 15.5.2), as RFC 6750, section 3, has it for tokens: no error where
// none was shown. It is the same for what is revoked, cookies included: a browser does nothing with it, where Basic would make
// it ask for a password.
func challenge(v *seshat.Verdict) string {
	if v.Reason == enforce.ReasonNoToken {
		return "Bearer"
	}
	return `Bearer error="invalid_token"`
}

// problem is the body of a refusal (RFC 9457).
func problem(v *seshat.Verdict) []byte {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{"about:blank", http.StatusText(v.Status), v.Status, v.Reason})
	if err != nil {
		return nil // four texts and a number cannot fail
	}
	return append(body, '\n')
}

func (g *Passage) refuse(status int, by, reason string) {
	v := &g.decision.Verdict
	*v = seshat.Verdict{Action: seshat.ActionBlock, Status: status, By: by, Reason: reason, Tags: v.Tags}
	g.decision.Limits = g.decision.Limits[:0]
}

// ResponseFields are the header fields that are added to the origin's answer: RateLimit and RateLimit-Policy. They belong
// to the passage.
func (g *Passage) ResponseFields() []seshat.Field {
	if len(g.response) == 0 {
		g.response = enforce.AppendFields(g.response, &g.decision)
	}
	return g.response
}

// RequestFields are the header fields that tell the origin about the session, where the configuration asks for them. The
// same names coming from outside must be removed; see [Inline.OwnFields]. They belong to the passage.
func (g *Passage) RequestFields() []seshat.Field {
	out := g.SessionFields(g.request[:0], &g.inline.config.Fields)
	if g.span != nil {
		out = append(out, g.span.Fields()...)
	}
	g.request = out
	return out
}

// SessionFields appends the fields that have a name: what is known of the session, for a source that says it under names
// of its own. Their values are visible ASCII.
func (g *Passage) SessionFields(dst []seshat.Field, names *SessionFields) []seshat.Field {
	if names.Session != "" && !g.decision.Session.IsZero() {
		dst = append(dst, seshat.Field{Name: names.Session, Value: g.decision.Session.String()})
	}
	if names.User != "" && g.decision.User != "" {
		dst = append(dst, seshat.Field{Name: names.User, Value: fieldValue(g.decision.User)})
	}
	if names.Verdict != "" {
		value := g.decision.Verdict.Action.String()
		if len(g.decision.Verdict.Tags) > 0 {
			value += "; tags=\"" + strings.Join(g.decision.Verdict.Tags, " ") + "\""
		}
		dst = append(dst, seshat.Field{Name: names.Verdict, Value: value})
	}
	return dst
}

// OwnFields are the names, in lower case, of the header fields that only Seshat may set towards the origin.
func (p *Inline) OwnFields() []string {
	var out []string
	for _, name := range [...]string{p.config.Fields.Session, p.config.Fields.User, p.config.Fields.Verdict} {
		if name != "" {
			out = append(out, strings.ToLower(name))
		}
	}
	if p.config.Trace != nil {
		out = append(out, "traceparent")
	}
	return out
}

// fieldValue makes a text safe in a header field: what is not visible ASCII is percent-encoded, and so is "%".
func fieldValue(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
