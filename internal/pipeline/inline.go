package pipeline

import (
	"context"

	"github.com/seshat-project/seshat"
)

// Inline is the way of an exchange through a source that can act on it: a gateway, an Envoy, a web server that asks
// before it forwards. It is safe for concurrent use.
//
//	passage := inline.Begin(&x)             // x has the request
//	if a := passage.Answer(); a != nil {    // refused: a is what the client gets
//		x.Response.Status = a.Status
//	} else {
//		…                                    // forward; the origin's answer goes to x.Response
//	}
//	err := passage.End(ctx, &x)             // x has the response, as far as it was seen
//
// Begin masks, identifies, digests and decides. End masks, identifies and digests the whole exchange, and puts it in the
// journal. Every passage must be ended, once, also when the client went away. Neither waits for anything, but for the
// journal in End where the configuration says fail-closed.
type Inline struct{}

// MaxBody is how many bytes of a body identification looks at. What is longer is cut: sign-in forms, token responses and
// JSON-RPC calls have a few hundred bytes.
const MaxBody = 64 << 10

// NeedsRequestBody reports whether something in scope of x wants the request's body. x has the request without it.
func (p *Inline) NeedsRequestBody(x *seshat.Exchange) bool { return false }

// NeedsResponseBody reports whether something in scope of x wants the response's body. x has the response without it.
func (p *Inline) NeedsResponseBody(x *seshat.Exchange) bool { return false }

// Begin judges the request of x. Nothing of x is kept. Time, Environment, Service, Client and Request are set.
func (p *Inline) Begin(x *seshat.Exchange) *Passage { return &Passage{} }

// Passage is one exchange on its way. It belongs to one goroutine at a time.
type Passage struct {
	verdict seshat.Verdict
}

// Verdict is what was decided.
func (g *Passage) Verdict() *seshat.Verdict { return &g.verdict }

// Session is the session that the request belongs to as far as is known now.
func (g *Passage) Session() seshat.SessionID { return seshat.SessionID{} }

// User is who the session belongs to as far as is known now; empty when nobody signed in.
func (g *Passage) User() string { return "" }

// Answer is what to send in place of the origin's answer.
type Answer struct {
	Status int
	Fields []seshat.Field // Content-Type, Retry-After, RateLimit and so on; no Content-Length
	Body   []byte
}

// Answer returns what the client gets when the request is refused, and nil when it is to be forwarded.
func (g *Passage) Answer() *Answer { return nil }

// ResponseFields are the header fields that are added to the origin's answer: RateLimit and RateLimit-Policy.
func (g *Passage) ResponseFields() []seshat.Field { return nil }

// RequestFields are the header fields that tell the origin about the session, where the configuration asks for them. The
// same names coming from outside must be removed; see [Inline.OwnFields].
func (g *Passage) RequestFields() []seshat.Field { return nil }

// OwnFields are the names, in lower case, of the header fields that only Seshat may set towards the origin.
func (p *Inline) OwnFields() []string { return nil }

// End records the exchange. The error says that it is not in the journal and that the configuration forbids to answer
// then: the client must not get a complete answer. In the default configuration it is always nil and End does not wait:
// what the journal does not take is dropped and counted.
func (g *Passage) End(ctx context.Context, x *seshat.Exchange) error { return nil }
