package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/http1"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// work is one request on its way, with all the memory that it needs. It is used again for the next one, of whichever
// connection.
type work struct {
	req     http1.Request
	resp    http1.Response
	x       seshat.Exchange
	client  clientaddr.Client
	passage Passage // nil before Begin and after End

	body    requestBody
	forward []byte // the head for the origin, with a short body
	answer  []byte // the head for the client, with a short body
	content []byte // of the request's body, where it is not in one piece

	download captured
	decoder  httpfield.Decoder

	up        *upstream
	uploader  *uploader // of the rest of the request's body; nil when there is none
	outcome   Outcome
	upgrading bool // the client wants another protocol
	asked     bool // the client was asked for the body by the gateway itself
	closes    bool // the client's connection ends with this request
	wrote     bool // the client got a byte of a final answer
}

// mostKept is how large a buffer may be that is kept for the next request. Most need a twentieth.
const mostKept = 64 << 10

// reset makes w ready for another request.
func (w *work) reset() {
	for _, b := range [...]*[]byte{&w.forward, &w.answer, &w.content, &w.download.bytes} {
		if *b = (*b)[:0]; cap(*b) > mostKept {
			*b = nil
		}
	}
	w.x = seshat.Exchange{}
	w.client = clientaddr.Client{Proxies: w.client.Proxies[:0]}
	w.body = requestBody{}
	w.download = captured{bytes: w.download.bytes}
	w.passage, w.up, w.uploader, w.outcome = nil, nil, nil, NoOutcome
	w.upgrading, w.asked, w.closes, w.wrote = false, false, false, false
}

// serve answers the request that was read. It reports whether another can follow on the connection.
func (w *work) serve(c *conn) (again bool) {
	w.begin(c)
	router := c.server.config.Routing.Current()
	if router == nil {
		return w.turnAway(c, http.StatusServiceUnavailable, "there are no routes yet")
	}
	path := w.req.Path
	if path == "*" {
		path = "/"
	}
	m, miss := router.Match(w.req.Host, path)
	if miss != Found {
		return w.turnAway(c, miss.Status(c.info.TLS), "nothing is served at this host and path")
	}
	if m.Target.HTTP2 && c.server.config.Handover != nil {
		c.in.r -= w.req.Size
		c.handOver(c.server.config.Handover)
		return false
	}
	w.x.Environment = m.Environment
	if w.x.Service = m.Service; m.Service == "" {
		w.x.Service = ingest.Service(w.x.Request.Scheme, w.x.Request.Host)
	}
	if most := c.server.config.MaxBody; most > 0 && w.req.Framing == http1.Length && w.req.Length > most {
		w.closes = true
		return w.turnAway(c, http.StatusRequestEntityTooLarge, "the content is too large")
	}
	if status, text := w.prepareBody(c); status != 0 {
		if status < 0 {
			return false // the client went away
		}
		return w.turnAway(c, status, text)
	}
	w.passage = c.server.config.Guard.Begin(&w.x)
	if a := w.passage.Answer(); a != nil {
		return w.answerWith(c, a)
	}
	if reply, done := w.maxForwards(); done {
		return w.answerWith(c, reply)
	}
	return w.send(c, &m)
}

// begin fills the exchange with what is known of the request.
func (w *work) begin(c *conn) {
	c.in.r += w.req.Size
	r := &w.req
	c.server.config.Clients.Resolve(clientaddr.Connection{Peer: c.info.Peer, TLS: c.info.TLS, Host: r.Host}, r.Fields, &w.client)
	x := &w.x
	x.Time = time.Now()
	x.Client = seshat.Client{IP: w.client.IP, JA4: c.info.JA4}
	if len(w.client.Proxies) > 0 {
		x.Client.JA4 = "" // it is the proxy's
	}
	x.Request.Method, x.Request.Path, x.Request.Query = r.Method, r.Path, r.Query
	x.Request.Scheme, x.Request.Host = w.client.Scheme, w.client.Host
	x.Request.HTTPVersion = "1.1"
	if r.Minor == 0 {
		x.Request.HTTPVersion = "1.0"
	}
	x.Request.Header = r.Fields
	w.body.begin(r)
}

// keepsOpen reports whether the client's connection stays open after this request. A proxy does not keep connections of
// HTTP/1.0 clients (RFC 9112, section 9.3): the proxies among them do not know what they promise.
func (w *work) keepsOpen(c *conn) bool {
	return !w.closes && w.req.Minor == 1 && w.req.KeepsOpen() && !c.leaves.Load() && !c.server.draining.Load()
}

// turnAway answers a request that has nowhere to go. It is judged and recorded as every other.
func (w *work) turnAway(c *conn, status int, detail string) bool {
	w.passage = c.server.config.Guard.Begin(&w.x)
	if a := w.passage.Answer(); a != nil {
		return w.answerWith(c, a)
	}
	return w.answerProblem(c, status, detail)
}

// answerProblem answers with an answer of the gateway's own.
func (w *work) answerProblem(c *conn, status int, detail string) bool {
	body, contentType := problem(status, detail)
	return w.answerWith(c, &pipeline.Answer{Status: status, Body: body, Fields: []seshat.Field{
		{Name: "Content-Type", Value: contentType}, {Name: "Cache-Control", Value: "no-store"},
	}})
}

// answerWith records the exchange and answers in place of the origin.
func (w *work) answerWith(c *conn, a *pipeline.Answer) bool {
	w.x.Response = seshat.Response{Status: a.Status, Header: a.Fields, Body: seshat.Body{Size: int64(len(a.Body))}}
	status, fields, body := a.Status, append([]seshat.Field(nil), a.Fields...), a.Body // the passage owns them
	if w.end(c) != nil {
		status, fields, body = http.StatusServiceUnavailable, nil, nil
	}
	return w.reply(c, status, fields, body)
}

// end records the exchange. The error says that the client must not get a complete answer.
func (w *work) end(c *conn) error {
	g := w.passage
	if g == nil {
		return nil
	}
	w.passage = nil
	w.x.Duration = time.Since(w.x.Time)
	w.x.Request.Body.Size = w.body.size()
	return g.End(c.ctx, &w.x)
}

// abandon ends what a panic left behind.
func (w *work) abandon(c *conn) {
	if w.up != nil {
		w.up.reset()
		w.dropUpstream()
	}
	if g := w.passage; g != nil {
		w.passage = nil
		defer func() { _ = recover() }() // it may be what panicked
		_ = g.End(context.WithoutCancel(c.ctx), &w.x)
	}
}

// maxForwards counts a request of OPTIONS down, and answers when it may not go further (RFC 9110, section 7.6.2).
func (w *work) maxForwards() (*pipeline.Answer, bool) {
	if w.req.Method != http.MethodOptions || !w.req.Has(http1.MaxForwards) {
		return nil, false
	}
	if strings.Trim(w.req.Value(http1.MaxForwards), "0") != "" || w.req.Value(http1.MaxForwards) == "" {
		return nil, false
	}
	return &pipeline.Answer{Status: http.StatusNoContent}, true
}
