package forwardauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
)

// The header fields of answers beside those of the session. A proxy must take them off what clients send.
const (
	// ExchangeField has the ID of the question: what the access log of the proxy is to carry.
	ExchangeField = "X-Seshat-Exchange"
	// StatusField has the status that the client should get, which some proxies hand on as 403 only.
	StatusField = "X-Seshat-Status"
	// ReasonField says why a request was refused.
	ReasonField = "X-Seshat-Reason"
)

// DefaultFields are the names under which answers tell of the session.
func DefaultFields() pipeline.SessionFields {
	return pipeline.SessionFields{Session: "X-Seshat-Session", User: "X-Seshat-User", Verdict: "X-Seshat-Verdict"}
}

// Config is how a handler answers.
type Config struct {
	Inline   *pipeline.Inline
	Digester *protect.Digester // for the IDs of questions
	// Trusted are the addresses of proxies that may ask: they say who the client is. None is loopback.
	Trusted []netip.Prefix
	// Proxies are further proxies in front of the one that asks, whose fields are believed; nil when there are none.
	Proxies *clientaddr.Resolver
	// Join leaves the recording to an access log: what was asked waits for [Handler.Observe] to bring the line. Without
	// it, what was asked is recorded at once.
	Join bool
	// JoinWait is how long; then it is recorded as far as it is known. One minute when it is 0.
	JoinWait time.Duration
	// Fields are the names of answers' fields; DefaultFields when all are empty.
	Fields pipeline.SessionFields
	Logger *slog.Logger
	Now    func() time.Time
}

// Handler answers proxies. It is safe for concurrent use. [Handler.Run] must run when it joins.
type Handler struct {
	config  Config
	trusted *clientaddr.Resolver
	started time.Time
	halves  halves
	counts  counts
}

// Stats count what was asked since the start.
type Stats struct {
	Untrusted int64 // asked by an address that may not
	Bad       int64 // asked without saying for what
	Asked     int64 // the others
	Waiting   int64 // for their line, now
	Joined    int64 // ended by their line
	Expired   int64 // recorded without their line, which did not come in time
	Displaced int64 // recorded without their line, because too much waited
	Late      int64 // lines whose half had been recorded before
	Alone     int64 // lines of requests that nobody asked about
}

type counts struct{ untrusted, bad, asked, joined, expired, displaced, late, alone atomic.Int64 }

// New returns a handler.
func New(config Config) (*Handler, error) {
	if config.Inline == nil || config.Digester == nil {
		return nil, errors.New("forward-auth needs a way for exchanges, and a digester")
	}
	if len(config.Trusted) == 0 {
		config.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	if config.JoinWait == 0 {
		config.JoinWait = defaultJoinWait
	}
	if config.Fields == (pipeline.SessionFields{}) {
		config.Fields = DefaultFields()
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	trusted, err := clientaddr.New(clientaddr.Config{Trusted: config.Trusted})
	if err != nil {
		return nil, err
	}
	if config.Proxies == nil {
		if config.Proxies, err = clientaddr.New(clientaddr.Config{}); err != nil {
			return nil, err
		}
	}
	h := &Handler{config: config, trusted: trusted, started: config.Now()}
	h.halves.init()
	return h, nil
}

// ServeHTTP answers a proxy: 200 when the request may pass, and the refusal when not.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if peer := ingest.AddressPort(r.RemoteAddr); !h.trusted.Trusts(peer) {
		h.counts.untrusted.Add(1)
		http.Error(w, "this address may not ask: name it in forwardAuth.trusted", http.StatusForbidden)
		return
	}
	d, known := dialects[r.URL.Path]
	if !known {
		http.Error(w, "proxies ask at "+paths(), http.StatusNotFound)
		return
	}
	x := &seshat.Exchange{Time: h.config.Now()}
	if err := d.read(r.Header, h.config.Proxies, x); err != nil {
		h.counts.bad.Add(1)
		h.config.Logger.Warn("a proxy asked without saying for what", "path", r.URL.Path, "error", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.counts.asked.Add(1)
	id := issue(h.config.Digester, x.Time)
	passage := h.config.Inline.Begin(x)
	out := outcome{fields: passage.SessionFields(nil, &h.config.Fields), status: http.StatusOK}
	out.add(ExchangeField, string(id))
	if refusal := passage.Answer(); refusal != nil {
		x.Response.Status = refusal.Status
		out.refuse(refusal, passage.Verdict())
	} else {
		for _, f := range passage.RequestFields() { // by the names that the origin is told everywhere
			if httpfield.Find(out.fields, f.Name, 0) < 0 {
				out.fields = append(out.fields, f)
			}
		}
		out.fields = append(out.fields, passage.ResponseFields()...)
	}
	if h.config.Join {
		h.hold(id, passage, x) // before the answer: the line cannot be quicker
	} else if err := passage.End(r.Context(), x); err != nil && out.status == http.StatusOK {
		out = outcome{status: http.StatusServiceUnavailable}
		out.add(StatusField, strconv.Itoa(out.status))
		out.add(ReasonField, "the exchange could not be recorded")
	}
	out.write(w, &d)
}

// outcome is what a question is answered with. It owns its memory: a passage that was ended does not.
type outcome struct {
	status int
	fields []seshat.Field
	body   []byte
}

func (o *outcome) add(name, value string) {
	o.fields = append(o.fields, seshat.Field{Name: name, Value: value})
}

func (o *outcome) refuse(a *pipeline.Answer, v *seshat.Verdict) {
	o.status, o.body = a.Status, slices.Clone(a.Body)
	o.fields = append(o.fields, a.Fields...)
	o.add(StatusField, strconv.Itoa(a.Status))
	if v.Reason != "" {
		o.add(ReasonField, plain(v.Reason))
	}
}

// plain makes a text safe to be put into a JSON string by a proxy that does not know how to: visible ASCII without quote
// and backslash.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"' || c == '\\':
			return '\''
		case c < ' ' || c > '~':
			return '?'
		}
		return c
	}, s)
}

func (o *outcome) write(w http.ResponseWriter, d *dialect) {
	header := w.Header()
	for i := range o.fields {
		header.Add(o.fields[i].Name, o.fields[i].Value)
	}
	status := o.status
	if status != http.StatusOK && d.refusals != nil && !slices.Contains(d.refusals, status) {
		status = http.StatusForbidden
	}
	if o.body == nil {
		header["Content-Type"] = nil
	}
	header.Set("Content-Length", strconv.Itoa(len(o.body)))
	w.WriteHeader(status)
	_, _ = w.Write(o.body) // a proxy that is gone needs no answer
}

// Stats returns the counts.
func (h *Handler) Stats() Stats {
	c := &h.counts
	return Stats{
		Untrusted: c.untrusted.Load(), Bad: c.bad.Load(), Asked: c.asked.Load(), Waiting: h.halves.waiting(),
		Joined: c.joined.Load(), Expired: c.expired.Load(), Displaced: c.displaced.Load(), Late: c.late.Load(),
		Alone: c.alone.Load(),
	}
}

// The bounds of a connection of a proxy. Proxies answer for their clients: they are quick, and few.
const (
	// maxQuestion is how many bytes the head of a question may have: proxies take heads of 32 KB (NGINX) up to 1 MB
	// (Caddy), and hand all of them on.
	maxQuestion = 1 << 20
	headWait    = 5 * time.Second
	answerWait  = 10 * time.Second
	// idleWait is longer than the 60 s for which NGINX keeps a connection: it is the proxy that closes it.
	idleWait = 75 * time.Second
)

// Server returns a server of h, with every time and size bounded.
func (h *Handler) Server() *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: maxQuestion, ReadHeaderTimeout: headWait, ReadTimeout: answerWait,
		WriteTimeout: answerWait, IdleTimeout: idleWait, ErrorLog: slog.NewLogLogger(h.config.Logger.Handler(), slog.LevelWarn),
	}
}

// Run ends what has waited for its line for too long, until ctx is done. Then everything that waits is recorded as far
// as it is known.
func (h *Handler) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.sweep(ctx)
		case <-ctx.Done():
			h.finish(context.WithoutCancel(ctx))
			return
		}
	}
}
