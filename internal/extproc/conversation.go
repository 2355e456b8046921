package extproc

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// stage is how far a request has come.
type stage uint8

const (
	stageNew     stage = iota // nothing came
	stageAsked                // the header is there, and the body is awaited before the request is judged
	stageJudged               // the request goes on
	stageAnswers              // the response's header is there, and its body is read
	stageOver                 // the passage was ended
)

// conversation is what is said on one stream: one HTTP request. It is reused for the next.
type conversation struct {
	server  *Server
	in      incoming
	out     outgoing
	x       seshat.Exchange
	passage passage
	stage   stage
	started time.Time

	requestMode bodyMode // how bodies come, as Envoy is set or was told
	answerMode  bodyMode
	asked       bool // a body is awaited that Envoy was told to send by a mode override
	observing   bool
	grpc        bool // the request is of gRPC, and so must a refusal be

	request, answer collected
	decoder         httpfield.Decoder
	removed         []string
}

// maxKept is the longest buffer that is kept for the next request: pieces of bodies can be far longer than most.
const maxKept = pipeline.MaxBody

func (c *conversation) reset() {
	clear(c.x.Request.Header)
	clear(c.x.Response.Header)
	c.x = seshat.Exchange{
		Request:  seshat.Request{Header: c.x.Request.Header[:0]},
		Response: seshat.Response{Header: c.x.Response.Header[:0]},
	}
	if cap(c.in.body) > maxKept {
		c.in.body = nil
	}
	c.in.reset()
	c.in.keep = pipeline.MaxBody
	c.out.reset()
	if cap(c.out.b) > maxKept {
		c.out.b = nil
	}
	c.request.reset()
	c.answer.reset()
	c.passage, c.stage, c.started = nil, stageNew, time.Time{}
	c.requestMode, c.answerMode = bodyNone, bodyNone
	c.asked, c.observing, c.grpc = false, false, false
	c.removed = c.removed[:0]
}

// The faults of a stream. Envoy does none of it.
var (
	errTwice  = status.Error(codes.InvalidArgument, "a second header of the request")
	errOrder  = status.Error(codes.InvalidArgument, "a header of the response after it was answered")
	errHeader = status.Error(codes.FailedPrecondition,
		"the request's header did not come: processing_mode needs request_header_mode: SEND")
	errMode = status.Error(codes.FailedPrecondition, "the body mode GRPC is not supported")
)

// step takes the message in c.in, and leaves the answer to it in c.out, if there is one. It returns true when the stream
// has nothing more to do.
func (c *conversation) step(ctx context.Context) (done bool, err error) {
	c.out.reset()
	m := &c.in
	if m.configured {
		c.requestMode, c.answerMode = m.requestMode, m.answerMode
		if c.requestMode >= bodyGRPC || c.answerMode >= bodyGRPC {
			return false, errMode
		}
		if c.requestMode == bodyFullDuplex || c.answerMode == bodyFullDuplex {
			c.in.keep = c.server.options.MaxMessage // all of it goes back
		}
	}
	if m.part == partNone { // flow control, which needs no answer
		return false, nil
	}
	if c.stage == stageNew && m.part != partRequestHeader {
		return false, errHeader
	}
	switch m.part {
	case partRequestHeader:
		return c.requestHeader(ctx)
	case partRequestBody:
		return c.requestBody(ctx)
	case partResponseHeader:
		return c.responseHeader(ctx)
	case partResponseBody:
		return c.responseBody(ctx)
	case partRequestTrailer:
		c.request.whole = true
		if refused := c.judge(ctx, partRequestTrailer, false); refused {
			return true, nil
		}
		return false, nil
	default:
		c.answer.whole = true
		err = c.end(ctx)
		return c.closing(partResponseTrailer, err, true)
	}
}

func (c *conversation) requestHeader(ctx context.Context) (bool, error) {
	if c.stage != stageNew {
		return false, errTwice
	}
	m, x := &c.in, &c.x
	c.started = c.server.options.Now()
	x.Time = c.started
	readRequest(x, m, c.server.ja4)
	c.label(ctx)
	c.observing = m.observing
	c.stage = stageAsked
	if c.observing {
		c.stage = stageJudged
		c.server.counts.observed.Add(1)
		return false, nil
	}
	contentType, _ := httpfield.Lookup(x.Request.Header, "content-type")
	c.grpc = isGRPC(contentType)

	want := c.requestMode
	if !m.end && want != bodyFullDuplex {
		want = c.wantedRequestBody()
	}
	override := want != c.requestMode
	c.requestMode = want
	if !m.end && (want == bodyBufferedPartial || want == bodyBuffered) {
		c.server.counts.bodies.Add(1)
		c.asked = override
		if !override {
			c.out.unchanged(partRequestHeader)
			return false, nil
		}
		if !c.server.overrides.ignored() {
			c.out.header(partRequestHeader, &mutation{})
			c.out.override(want, c.answerMode)
			return false, nil
		}
	}
	return c.judge(ctx, partRequestHeader, override), nil
}

// wantedRequestBody is how the request's body is wanted.
func (c *conversation) wantedRequestBody() bodyMode {
	if !bodyCanWait(&c.x.Request) || !c.server.flow.NeedsRequestBody(&c.x) {
		return bodyNone
	}
	if c.requestMode == bodyBuffered {
		return bodyBuffered
	}
	return bodyBufferedPartial // a body that does not fit Envoy's buffer goes on as a stream, instead of being refused
}

// judge begins the passage, unless that was done, and answers the message about p. override says that Envoy is to send the
// request's body as c.requestMode has it. It returns true when the request is refused, and the stream with it is over.
func (c *conversation) judge(ctx context.Context, p part, override bool) (refused bool) {
	if c.stage != stageAsked || c.observing {
		if p != partResponseHeader && !c.observing {
			c.out.unchanged(p)
		}
		return false
	}
	c.request.fill(&c.x.Request.Body, c.x.Request.Header, &c.decoder)
	c.passage = c.server.flow.Begin(&c.x)
	c.stage = stageJudged
	if a := c.passage.Answer(); a != nil {
		c.refuse(ctx, a)
		return true
	}
	m := mutation{set: c.passage.RequestFields()}
	m.remove = c.foreign(m.set)
	if p == partResponseHeader { // too late for the request's header: its body was asked for and did not come
		return false
	}
	if m.none() && c.server.options.NoMetadata && !override {
		c.out.unchanged(p)
		return false
	}
	c.out.header(p, &m)
	c.metadata()
	if override {
		c.out.override(c.requestMode, c.answerMode)
	}
	return false
}

// foreign are the names of fields that only Seshat may set and that came from outside.
func (c *conversation) foreign(set []seshat.Field) []string {
	c.removed = c.removed[:0]
	for _, name := range c.server.own {
		if httpfield.Find(c.x.Request.Header, name, 0) < 0 && name != c.server.ja4 {
			continue
		}
		overwritten := false
		for i := range set {
			overwritten = overwritten || httpfield.EqualFold(set[i].Name, name)
		}
		if !overwritten {
			c.removed = append(c.removed, name)
		}
	}
	return c.removed
}

func (c *conversation) requestBody(ctx context.Context) (bool, error) {
	m := &c.in
	c.request.add(m)
	if c.asked {
		c.asked = false
		c.server.overrides.heeded()
	}
	if c.judge(ctx, partRequestBody, false) {
		return true, nil
	}
	if c.requestMode == bodyFullDuplex && !c.observing {
		c.out.reset()
		c.out.echo(partRequestBody, m.body, m.end)
	}
	return false, nil
}

func (c *conversation) responseHeader(ctx context.Context) (bool, error) {
	m, x := &c.in, &c.x
	if c.stage > stageJudged {
		return false, errOrder
	}
	if c.asked {
		c.asked = false
		c.server.counts.missed.Add(1)
		c.server.overrides.missed(c.server.options.Log)
	}
	late := c.stage == stageAsked && !c.observing
	if c.judge(ctx, partResponseHeader, false) {
		return true, nil
	}
	readResponse(x, m)
	x.Duration = c.server.options.Now().Sub(c.started)
	c.stage = stageAnswers
	if c.observing {
		return m.end || c.answerMode == bodyNone, nil // Envoy itself would keep the stream for some seconds
	}
	fields := mutation{add: c.passage.ResponseFields()}
	if fields.none() && !late {
		c.out.unchanged(partResponseHeader)
	} else {
		c.out.header(partResponseHeader, &fields)
	}
	if late {
		c.metadata()
	}
	read := !m.end && bodyIsRead(x) && c.server.flow.NeedsResponseBody(x)
	if read && c.answerMode != bodyFullDuplex {
		c.server.counts.bodies.Add(1)
		if c.answerMode == bodyNone {
			c.asked = true
			c.out.changing(partResponseHeader)
			c.answerMode = bodyStreamed // the client waits for nothing, and what is not wanted is not sent; see responseBody
			c.out.override(c.requestMode, bodyStreamed)
		}
		return false, nil
	}
	if c.answerMode == bodyFullDuplex && !m.end { // Envoy waits for each piece of the body to come back
		return false, nil
	}
	// The response is not held up for what comes after its header, nor is Envoy dependent on this stream while it lasts:
	// streams of an hour survive that Seshat is started again.
	if err := c.end(ctx); err != nil {
		return c.closing(partResponseHeader, err, true)
	}
	return c.requestMode != bodyFullDuplex, nil
}

func (c *conversation) responseBody(ctx context.Context) (bool, error) {
	m := &c.in
	c.asked = false
	c.answer.add(m)
	if c.observing {
		return m.end, nil
	}
	duplex := c.answerMode == bodyFullDuplex
	var err error
	if c.answer.full() && c.stage == stageAnswers {
		err = c.end(ctx)
	}
	if err != nil {
		return c.closing(partResponseBody, err, true)
	}
	if duplex {
		c.out.echo(partResponseBody, m.body, m.end)
		return m.end, nil
	}
	// A stream that is closed without an error tells Envoy to go on without it, so that the rest of a long body stays out.
	return c.closing(partResponseBody, nil, c.stage == stageOver)
}

// closing answers p, and says whether the stream is over. After an error the client must not get a complete answer: Envoy
// answers with 503, or cuts the connection when the answer has begun.
func (c *conversation) closing(p part, err error, over bool) (bool, error) {
	if c.observing {
		return over, nil
	}
	c.out.reset()
	if err != nil {
		c.out.immediate(&immediate{status: http.StatusServiceUnavailable, details: "seshat_journal"})
		return true, nil
	}
	c.out.unchanged(p)
	return over, nil
}

// refuse answers in place of the origin.
func (c *conversation) refuse(ctx context.Context, a *pipeline.Answer) {
	c.server.counts.refused.Add(1)
	v := c.passage.Verdict()
	out := immediate{status: a.Status, set: a.Fields, body: a.Body, details: details(v)}
	if c.grpc {
		out.grpc, out.body, out.set = grpcStatus(a.Status), []byte(v.Reason), withoutContentType(a.Fields)
	}
	c.out.reset()
	c.out.immediate(&out)
	c.metadata()
	c.x.Response.Status = a.Status
	c.x.Response.Body.Size = int64(len(a.Body))
	c.x.Duration = c.server.options.Now().Sub(c.started)
	_ = c.end(ctx) // the client gets no answer of the origin anyway
}

// end ends the passage, once.
func (c *conversation) end(ctx context.Context) error {
	if c.stage == stageOver || c.stage == stageNew {
		return nil
	}
	c.request.fill(&c.x.Request.Body, c.x.Request.Header, &c.decoder)
	c.answer.fill(&c.x.Response.Body, c.x.Response.Header, &c.decoder)
	c.stage = stageOver
	if c.observing {
		return c.server.flow.Observe(ctx, &c.x)
	}
	if c.passage == nil {
		c.passage = c.server.flow.Begin(&c.x) // the request was given up before its body was there
	}
	err := c.passage.End(ctx, &c.x)
	c.passage = nil
	if err != nil {
		c.server.counts.failed.Add(1)
	}
	return err
}

// finish ends what the stream left open.
func (c *conversation) finish(ctx context.Context) {
	if c.stage == stageAsked || c.stage == stageJudged && !c.observing {
		c.server.counts.cut.Add(1)
		c.x.Duration = c.server.options.Now().Sub(c.started)
	}
	if c.asked && c.stage == stageAnswers {
		c.server.counts.missed.Add(1)
		c.server.overrides.missed(c.server.options.Log)
	}
	_ = c.end(ctx)
}
