package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// ServeHTTP implements [http.Handler]: the way of every request, in order.
//
//	guard         not from a page of somebody else
//	route         there is such a thing
//	authenticate  it is known who asks
//	authorize     they may
//	turn          not too many at once
//	bound         its body and its time
//	audit         what it is about to do is written down
//	serve         and say so in the log
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.Now()
	out := &answer{ResponseWriter: w}
	protect(out.Header())
	pattern, name := "", ""
	defer func() {
		if failure := recover(); failure != nil {
			if failure == http.ErrAbortHandler { //nolint:errorlint // it is compared as net/http does
				panic(failure)
			}
			s.fail(out, s.internal(r.Context(), fmt.Errorf("panic: %v", failure)))
		}
		s.Logger.DebugContext(r.Context(), "api request", "method", r.Method, "route", pattern, "status", out.status,
			"bytes", out.bytes, "duration", s.Now().Sub(began), "by", name)
	}()
	if problem := s.guard.Check(r); problem != nil {
		s.fail(out, problem)
		return
	}
	var handler http.Handler
	handler, pattern = s.mux.Handler(r)
	route, known := s.routes[pattern]
	if clean := path.Clean(r.URL.Path); !known || clean != r.URL.Path { // the mux would lead there
		s.unknown(out, r, handler)
		return
	}
	ctx := withCaller(r.Context(), r)
	if route.permission != Public {
		principal, err := s.Authenticator.Authenticate(r)
		if err != nil && !errors.Is(err, ErrUnauthenticated) {
			s.fail(out, s.problem(ctx, err))
			return
		}
		if err == nil {
			ctx, name = withPrincipal(ctx, principal), principal.Name
		}
	}
	asked, err := s.permitted(ctx, r, &route)
	if err != nil {
		if problem := s.problem(ctx, err); problem.Status == http.StatusUnauthorized {
			out.Header().Set("WWW-Authenticate", `Bearer realm="seshat"`)
		} else if problem.Status == http.StatusForbidden {
			s.denied(ctx, pattern, problem.Detail)
		}
		s.fail(out, s.problem(ctx, err))
		return
	}
	if route.within > 0 {
		bounded, cancel := context.WithTimeout(ctx, route.within)
		defer cancel()
		ctx = bounded
	}
	leave, err := s.turn(ctx, route)
	if err != nil {
		s.fail(out, s.problem(ctx, err))
		return
	}
	defer leave()
	if route.body >= 0 {
		r.Body = http.MaxBytesReader(out, r.Body, route.body)
	}
	s.audited(ctx, out, r, asked)
	if out.status == http.StatusForbidden && (asked.action == "" || asked.action == notAudited) {
		s.denied(ctx, pattern, "What it asks for needs a further permission.")
	}
}

func (s *server) turn(ctx context.Context, route route) (leave func(), err error) {
	switch {
	case route.heavy:
		return s.heavy.enter(ctx)
	case route.follows:
		return s.streams.enter(principalOf(ctx).Name)
	case route.imports:
		return s.imports.enter(ctx)
	default:
		return func() {}, nil
	}
}

// unknown answers a request for what is not there.
func (s *server) unknown(out *answer, r *http.Request, handler http.Handler) {
	probe := &probe{header: http.Header{}}
	handler.ServeHTTP(probe, r)
	status := probe.status
	if location := probe.header.Get("Location"); location != "" && status/100 == 3 {
		status = http.StatusNotFound // a path that is not clean
	}
	if allow := probe.header.Get("Allow"); allow != "" {
		out.Header().Set("Allow", allow)
	}
	if status != http.StatusMethodNotAllowed {
		status = http.StatusNotFound
	}
	s.fail(out, &wire.Problem{
		Status: status, Title: http.StatusText(status), Kind: "not-found", Detail: "There is no such operation.",
		Hint: "/docs lists what there is",
	})
}

// probe is a response that only its status and fields are wanted of.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// fail answers with a problem, unless an answer has begun already.
func (s *server) fail(out *answer, p *wire.Problem) {
	if out.status != 0 {
		return
	}
	if p.Status == http.StatusServiceUnavailable {
		out.Header().Set("Retry-After", retryAfter)
	}
	out.Header().Set("Content-Type", wire.ProblemJSON)
	out.WriteHeader(p.Status)
	_ = json.NewEncoder(out).Encode(p) // the client may be gone
}

// problem is what the client is told of err.
func (s *server) problem(ctx context.Context, err error) *wire.Problem {
	var status huma.StatusError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return wire.NewProblem(&seshat.Error{
			Kind: seshat.ErrorUnavailable, Err: errors.New("it takes longer than a request may"), Hint: "ask for less: a shorter time or a narrower filter",
		})
	case errors.Is(err, context.Canceled):
		return wire.NewProblem(&seshat.Error{Kind: seshat.ErrorUnavailable, Err: errors.New("the request was given up")})
	case errors.As(err, &status):
		if p, ok := hidden(status); ok {
			return p
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &wire.Problem{
			Status: http.StatusRequestEntityTooLarge, Title: http.StatusText(http.StatusRequestEntityTooLarge), Kind: "invalid",
			Detail: fmt.Sprintf("The body has more than %d bytes.", tooLarge.Limit),
		}
	}
	if seshat.KindOfError(err) == seshat.ErrorInternal {
		return s.internal(ctx, err)
	}
	return wire.NewProblem(err)
}

// internal logs an error that clients are not told of.
func (s *server) internal(ctx context.Context, err error) *wire.Problem {
	p := wire.NewProblem(&seshat.Error{Kind: seshat.ErrorInternal})
	p.Instance = "urn:seshat:error:" + strings.ToLower(rand.Text())
	s.Logger.ErrorContext(ctx, "api request failed", "error", err, "instance", p.Instance)
	return p
}

// hideValues makes a problem of what huma says is wrong with a request: huma quotes values, which may be secrets.
func hideValues(_ huma.Context, _ string, v any) (any, error) {
	if status, ok := v.(huma.StatusError); ok {
		if p, ok := hidden(status); ok {
			return p, nil
		}
	}
	return v, nil
}

func hidden(err huma.StatusError) (*wire.Problem, bool) {
	switch e := err.(type) { //nolint:errorlint // huma makes nothing else
	case *wire.Problem:
		return e, true
	case *huma.ErrorModel:
		p := &wire.Problem{Status: e.Status, Title: e.Title, Detail: e.Detail, Kind: "invalid"}
		if e.Status >= http.StatusInternalServerError {
			p.Kind = "internal"
		}
		for _, d := range e.Errors {
			if d != nil {
				p.Errors = append(p.Errors, wire.Wrong{Message: d.Message, Location: d.Location})
			}
		}
		return p, true
	default:
		return nil, false
	}
}

// answer is a response whose status and size are remembered.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements [http.Flusher].
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// idleWrite is how long a client may take to read some of a stream. What it holds up is a query of the store.
const idleWrite = 30 * time.Second
