package pipeline

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/recent"
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
type Inline struct {
	config  InlineConfig
	rules   atomic.Pointer[inForce]
	passage sync.Pool
	held    atomic.Int64 // workers that passages keep
	counts  inlineCounts
	auto    liveAuto
}

// InlineConfig is what a source needs to act.
type InlineConfig struct {
	Digester  *protect.Digester
	Enforcer  *enforce.Enforcer
	Publisher *Publisher
	// FailClosed refuses requests with 503 while the journal takes nothing.
	FailClosed bool
	// Fields are the names of the request header fields that tell the origin about the session; empty ones are not
	// sent.
	Fields SessionFields
	// Environment labels exchanges whose source says none.
	Environment string
	// Trace is called for every exchange, when it is set; see [Span].
	Trace func(x *seshat.Exchange) Span
	// Recent keeps the last exchanges, for drafts of rules to be tried on; nil keeps none.
	Recent *recent.Ring
	Now    func() time.Time
}

// SessionFields are names of header fields.
type SessionFields struct {
	Session string
	User    string
	Verdict string
}

// Span is the trace of one exchange.
type Span interface {
	// Fields are the header fields that carry the trace on to the origin.
	Fields() []seshat.Field
	// End ends the span with what became of the exchange; o is what is kept of it.
	End(x *seshat.Exchange, o *seshat.Observation, g *Passage)
}

// MaxBody is how many bytes of a body identification looks at. What is longer is cut: sign-in forms, token responses and
// JSON-RPC calls have a few hundred bytes.
const MaxBody = 64 << 10

// inForce are the rules that exchanges are identified by, with the workers that do it.
type inForce struct {
	engine  *identify.Engine
	workers sync.Pool
}

// worker is the memory that one exchange is worked on in. A passage keeps the one that it began with, so that what was
// found in the request need not be looked for again when the response adds nothing.
type worker struct {
	*identify.Worker
	home        *inForce
	observer    *protect.Observer
	hasher      *protect.Hasher
	identity    seshat.Identity
	digests     []seshat.Digest // of identity, or none
	request     enforce.Request
	observation seshat.Observation
	// seen is what was identified: as long as it is where it was, so is what was found in it.
	seen seenRequest
}

// seenRequest is where a request was in memory, and what of its body was there.
type seenRequest struct {
	x      *seshat.Exchange
	header *seshat.Field
	fields int
	path   string
	body   int
}

func seeing(x *seshat.Exchange) seenRequest {
	return seenRequest{x, unsafe.SliceData(x.Request.Header), len(x.Request.Header), x.Request.Path, len(x.Request.Body.Bytes)} //nolint:gosec // compared only
}

// maxHeld is how many workers passages keep at a time, at some 50 KB each. What goes on for long, such as a stream of
// events or a slow origin, would else keep one each.
const maxHeld = 128

// NewInline returns a way for exchanges by the rules of engine.
func NewInline(config InlineConfig, engine *identify.Engine) *Inline {
	p := &Inline{config: config}
	p.passage.New = func() any { return &Passage{} }
	p.Use(engine)
	return p
}

// Use puts other rules in force. Exchanges that have begun end by those of their end.
func (p *Inline) Use(engine *identify.Engine) {
	f := &inForce{engine: engine}
	f.workers.New = func() any {
		return &worker{
			Worker: engine.NewWorker(), home: f, observer: protect.NewObserver(p.config.Digester), hasher: p.config.Digester.Hasher(),
		}
	}
	p.auto.use(engine.Ruleset().AutoIdentifier())
	p.rules.Store(f)
}

// NeedsRequestBody reports whether something in scope of x wants the request's body. x has the request without it.
func (p *Inline) NeedsRequestBody(x *seshat.Exchange) bool {
	return p.rules.Load().engine.NeedsBody(x, seshat.InRequest)
}

// NeedsResponseBody reports whether something in scope of x wants the response's body. x has the response without it.
func (p *Inline) NeedsResponseBody(x *seshat.Exchange) bool {
	return p.rules.Load().engine.NeedsBody(x, seshat.InResponse)
}

// Begin judges the request of x. Nothing of x is kept. Time, Environment, Service, Client and Request are set.
func (p *Inline) Begin(x *seshat.Exchange) *Passage {
	g := p.begin(x)
	if p.config.FailClosed {
		if err := p.config.Publisher.Healthy(); err != nil {
			g.refuse(http.StatusServiceUnavailable, "Journal", "the journal takes nothing")
		}
	}
	p.counts.decided(&g.decision)
	return g
}

func (p *Inline) begin(x *seshat.Exchange) *Passage {
	if x.Environment == "" {
		x.Environment = p.config.Environment
	}
	g := p.passage.Get().(*Passage)
	g.inline, g.start = p, x.Time
	g.ticket = p.config.Publisher.Begin(x.Time)
	if p.config.Trace != nil {
		g.span = p.config.Trace(x)
	}
	f := p.rules.Load()
	w := f.workers.Get().(*worker)
	w.Identify(x, &w.identity)
	w.digests = protect.Digests(w.hasher, &w.identity, w.digests[:0])
	w.request = enforce.Request{Exchange: x, Identity: &w.identity, Digests: w.digests, Now: x.Time, Reader: w.Worker}
	p.config.Enforcer.Decide(&w.request, &g.decision)
	if g.decision.Verdict.Status == http.StatusUnauthorized {
		g.forgetCookies(&w.identity)
	}
	w.request.Exchange = nil
	if p.held.Add(1) <= maxHeld {
		g.worker, w.seen = w, seeing(x)
		return g
	}
	p.held.Add(-1)
	f.workers.Put(w)
	return g
}

// whole returns a worker that has identified the whole of x, with the digests if they are those of the request.
func (g *Passage) whole(x *seshat.Exchange) *worker {
	w := g.worker
	if w == nil {
		w = g.inline.rules.Load().workers.Get().(*worker)
		w.Identify(x, &w.identity)
		w.digests = w.digests[:0]
		return w
	}
	g.inline.held.Add(-1)
	g.worker = nil
	if w.seen != seeing(x) || w.Engine().ResponseAdds(x) {
		w.Identify(x, &w.identity)
		w.digests = w.digests[:0]
	}
	w.seen = seenRequest{}
	return w
}

// Observe records an exchange that is over, and decides nothing on it. The error is that of [Passage.End].
func (p *Inline) Observe(ctx context.Context, x *seshat.Exchange) error {
	g := p.begin(x)
	g.decision.Verdict = seshat.Verdict{Tags: g.decision.Verdict.Tags[:0]}
	p.counts.observed.Add(1)
	return g.End(ctx, x)
}

// Passage is one exchange on its way. It belongs to one goroutine at a time, and to nobody once it was ended.
type Passage struct {
	inline   *Inline
	start    time.Time
	ticket   Ticket
	decision enforce.Decision
	worker   *worker // nil when too many are kept
	span     Span
	answer   Answer
	response []seshat.Field
	request  []seshat.Field
	// forgotten are the Set-Cookie fields that take the session of a refused request out of a browser.
	forgotten []seshat.Field
}

// Verdict is what was decided.
func (g *Passage) Verdict() *seshat.Verdict { return &g.decision.Verdict }

// Session is the session that the request belongs to as far as is known now.
func (g *Passage) Session() seshat.SessionID { return g.decision.Session }

// User is who the session belongs to as far as is known now; empty when nobody signed in.
func (g *Passage) User() string { return g.decision.User }

// errEnded is for whoever ends a passage twice.
var errEnded = errors.New("the passage was ended before")

// End records the exchange. The error says that it is not in the journal and that the configuration forbids to answer
// then: the client must not get a complete answer. In the default configuration it is always nil and End does not wait:
// what the journal does not take is dropped and counted.
func (g *Passage) End(ctx context.Context, x *seshat.Exchange) error {
	p := g.inline
	if p == nil {
		return errEnded
	}
	refused := g.decision.Verdict.Action.Refuses()
	if x.TraceID == "" {
		x.TraceID = traceID(x.Request.Header)
	}
	if refused { // what is answered then is not the origin's, and says nothing of sessions
		own := x.Response.Header
		x.Response.Header = nil
		defer func() { x.Response.Header = own }()
	}
	w := g.whole(x)
	p.config.Recent.Add(x, w.Engine().Ruleset())
	if g.decision.Verdict.By != "" || len(g.decision.Verdict.Tags) > 0 {
		doubt(&w.identity, &g.decision.Verdict)
	}
	o := &w.observation
	plain := w.observer.ObserveInto(o, x, &w.identity, w.digests, w.Worker)
	o.Verdict = observed(&g.decision.Verdict)
	if !refused {
		w.digests = w.digests[:0]
		for i := range o.IDs {
			w.digests = append(w.digests, o.IDs[i].Digest)
		}
		whole := w.identity
		whole.IDs = whole.IDs[:len(o.IDs)] // an observation keeps a bounded number
		w.request = enforce.Request{Exchange: x, Identity: &whole, Digests: w.digests, Now: x.Time, Reader: w.Worker}
		if plain {
			w.request.Endpoint = o.Endpoint
		}
		p.config.Enforcer.Answered(&w.request, &g.decision)
		w.request = enforce.Request{}
		p.auto.observe(x, o)
	}
	if g.span != nil {
		g.span.End(x, o, g)
	}
	journalRefuses := g.answer.Status == http.StatusServiceUnavailable
	if journalRefuses { // it is recorded when the journal takes something again; nobody waits for that
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ctx = ended
	}
	err := p.config.Publisher.Append(ctx, g.ticket, o)
	w.home.workers.Put(w)
	g.release()
	if journalRefuses { // it said so already
		return nil
	}
	return err
}

func (g *Passage) release() {
	p := g.inline
	g.decision.Reset()
	clear(g.response)
	clear(g.request)
	clear(g.forgotten)
	*g = Passage{decision: g.decision, response: g.response[:0], request: g.request[:0], forgotten: g.forgotten[:0]}
	p.passage.Put(g)
}

// doubt keeps a token that its validation did not accept from naming the user of a session: what it says is stated without
// proof, and counts only where the origin accepts it all the same.
func doubt(id *seshat.Identity, v *seshat.Verdict) {
	const validation = string(seshat.KindJWTValidation) + "/"
	refused := strings.HasPrefix(v.By, validation)
	for _, tag := range v.Tags {
		refused = refused || strings.HasPrefix(tag, validation)
	}
	if !refused {
		return
	}
	for i := range id.Parameters {
		if id.Parameters[i].Type != seshat.ParameterPlain {
			id.Parameters[i].Weak = true
		}
	}
}

func observed(v *seshat.Verdict) seshat.ObservedVerdict {
	out := seshat.ObservedVerdict{Action: v.Action, By: v.By}
	if len(v.Tags) > 0 {
		out.Tags = append([]string(nil), v.Tags...)
	}
	return out
}

// traceID is the trace ID of the first valid traceparent field (W3C Trace Context, section 3.2), or empty.
func traceID(fields []seshat.Field) string {
	const name, least = "traceparent", len("00-") + 32 + len("-")
	for i := range fields {
		f := &fields[i]
		if len(f.Name) != len(name) || len(f.Value) < least || !equalFold(f.Name, name) {
			continue
		}
		id := f.Value[3 : 3+32]
		if f.Value[2] == '-' && f.Value[3+32] == '-' && isLowerHex(id) && id != zeroTrace {
			return id
		}
		return ""
	}
	return ""
}

const zeroTrace = "00000000000000000000000000000000"

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// equalFold is for ASCII names; lower is in lower case already.
func equalFold(s, lower string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
