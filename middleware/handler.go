package middleware

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// handlers is what every request goes through, whatever a [Middleware] stands on.
type handlers struct {
	inline    *pipeline.Inline
	addresses *clientaddr.Resolver
	service   string
	own       []string // canonical names of the header fields that only Seshat sets
	now       func() time.Time
}

func newHandlers(inline *pipeline.Inline, addresses *clientaddr.Resolver, service string, now func() time.Time) *handlers {
	own := inline.OwnFields()
	for i := range own {
		own[i] = http.CanonicalHeaderKey(own[i])
	}
	return &handlers{inline: inline, addresses: addresses, service: service, own: own, now: now}
}

// handle is the handler of one request. next may return an error that it has not answered; status says what the client
// gets for it.
func (h *handlers) handle(w http.ResponseWriter, r *http.Request, next func(http.ResponseWriter, *http.Request) error, status func(error) int) (err error) {
	x := h.exchange(r)
	sent := &sentBody{}
	if h.inline.NeedsRequestBody(x) {
		r = sent.capture(r, x)
	} else {
		r = sent.count(r)
	}
	passage := h.inline.Begin(x)
	if answer := passage.Answer(); answer != nil {
		h.refuse(passage, answer, w, x)
		return nil
	}
	out := &response{ResponseWriter: w, handlers: h, passage: passage, exchange: x, head: r.Method == http.MethodHead}
	returned := false
	defer func() { // also when next panics: the panic goes on
		switch {
		case !returned:
		case err != nil:
			out.begin(status(err))
		default:
			out.begin(http.StatusOK)
		}
		out.finish()
		sent.finish(x)
		x.Duration = h.now().Sub(x.Time)
		// The exchange is recorded even if the client is gone. How long that may take is bounded by the journal.
		if errEnd := passage.End(context.WithoutCancel(r.Context()), x); errEnd != nil && returned {
			panic(http.ErrAbortHandler) // fail-closed: the client must not take this for a complete answer
		}
	}()
	err = next(out.wrap(), h.tell(passage, r))
	returned = true
	return err
}

// plain makes handlers of the standard library fit.
func plain(next http.Handler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		next.ServeHTTP(w, r)
		return nil
	}
}

// exchange is the request half of an exchange.
func (h *handlers) exchange(r *http.Request) *seshat.Exchange {
	x := &seshat.Exchange{Time: h.now(), Service: h.service}
	q := &x.Request
	q.Method, q.HTTPVersion = r.Method, ingest.HTTPVersion(r.Proto)
	q.Header = fields(r.Header)
	q.Path, q.Query = target(r)
	if r.ContentLength > 0 {
		q.Body = seshat.Body{Size: r.ContentLength, Truncated: true}
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // a server on a Unix socket has none
	var client clientaddr.Client
	h.addresses.Resolve(clientaddr.Connection{Peer: peer.Addr(), TLS: r.TLS != nil, Host: r.Host}, q.Header, &client)
	x.Client.IP, q.Scheme, q.Host = client.IP, client.Scheme, client.Host
	if known, ok := r.Context().Value(clientKey{}).(netip.Addr); ok {
		x.Client.IP = known
	}
	if x.Service == "" {
		x.Service = ingest.Service(q.Scheme, q.Host)
	}
	return x
}

// target is path and query as they were sent, whatever a router made of r.URL.
func target(r *http.Request) (path, query string) {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, query, _ = strings.Cut(r.RequestURI, "?")
		return path, query
	}
	if path = r.URL.EscapedPath(); path == "" {
		path = "/"
	}
	return path, r.URL.RawQuery
}

// fields are the fields of a header in the order of their names: that in which they were sent is lost in a map.
func fields(header http.Header) []seshat.Field {
	names := make([]string, 0, len(header))
	n := 0
	for name, values := range header {
		names = append(names, name)
		n += len(values)
	}
	slices.Sort(names)
	out := make([]seshat.Field, 0, n)
	for _, name := range names {
		for _, value := range header[name] {
			out = append(out, seshat.Field{Name: name, Value: value})
		}
	}
	return out
}

// refuse answers in place of the next handler.
func (h *handlers) refuse(passage *pipeline.Passage, answer *pipeline.Answer, w http.ResponseWriter, x *seshat.Exchange) {
	header := w.Header()
	for i := range answer.Fields {
		header.Add(answer.Fields[i].Name, answer.Fields[i].Value)
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // a client that is gone needs no answer
	x.Response = seshat.Response{Status: answer.Status, Header: slices.Clone(answer.Fields), Body: seshat.Body{Size: int64(len(answer.Body))}}
	x.Duration = h.now().Sub(x.Time)
	_ = passage.End(context.Background(), x) // the refusal stands, whether it is recorded or not; that is counted
}

// tell gives the request what is known of its session: in its context, and in the header fields that are configured.
func (h *handlers) tell(passage *pipeline.Passage, r *http.Request) *http.Request {
	verdict := *passage.Verdict()
	verdict.Tags = slices.Clone(verdict.Tags)
	session := Session{ID: passage.Session(), User: passage.User(), Verdict: verdict}
	r = r.WithContext(context.WithValue(r.Context(), sessionKey{}, session))
	told := passage.RequestFields()
	if len(told) == 0 && len(h.own) == 0 {
		return r
	}
	r.Header = maps.Clone(r.Header)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	for _, name := range h.own {
		delete(r.Header, name)
	}
	for i := range told {
		r.Header.Set(told[i].Name, told[i].Value)
	}
	return r
}

// Session is what is known of the session that a request belongs to when the request begins.
type Session struct {
	// ID is the session's own ID: the same while its cookies and tokens change, and the one that "seshat session" shows.
	ID seshat.SessionID
	// User is who signed in; empty when nobody did, or when that is not known yet.
	User string
	// Verdict is what was decided on the request. It was not refused: that does not get here. Its Tags name the limits
	// and validations that are set to tag only and would have refused it.
	Verdict seshat.Verdict
}

type (
	sessionKey struct{}
	clientKey  struct{}
)

// WithClientIP says who the client is, to a middleware that gets a request with this context: for servers that have worked
// it out already.
func WithClientIP(ctx context.Context, ip netip.Addr) context.Context {
	return context.WithValue(ctx, clientKey{}, ip.Unmap())
}

// SessionFrom returns the session of the request that ctx is the context of. False means that the request did not come
// through a [Middleware].
func SessionFrom(ctx context.Context) (Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(Session)
	return s, ok
}
