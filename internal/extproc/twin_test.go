package extproc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// twin is a flow with a few fixed rules, which keeps what it was given:
//
//   - the cookie SESS names the session, and X-User the user
//   - bodies are wanted of /login and of /token
//   - X-Over is over a limit, X-Bad is blocked, and so is whoever signs in as "evil"
//   - X-Odd is tagged
type twin struct {
	mu       sync.Mutex
	ended    []seshat.Exchange
	open     int
	wrong    []string
	failing  bool // End says that the journal takes nothing
	arrivals chan struct{}
}

func newTwin() *twin { return &twin{arrivals: make(chan struct{}, 1<<16)} }

var errFailing = errors.New("the journal takes nothing")

func (w *twin) NeedsRequestBody(x *seshat.Exchange) bool { return x.Request.Path == "/login" }

func (w *twin) NeedsResponseBody(x *seshat.Exchange) bool {
	return x.Request.Path == "/login" || x.Request.Path == "/token"
}

func (w *twin) OwnFields() []string { return []string{"x-seshat-session", "x-seshat-user"} }

func (w *twin) Begin(x *seshat.Exchange) passage {
	w.mu.Lock()
	w.open++
	w.mu.Unlock()
	p := &twinPassage{twin: w}
	for cookies := httpfield.RequestCookies(x.Request.Header); ; {
		name, value, ok := cookies.Next()
		if !ok {
			break
		}
		if name == "SESS" {
			p.session = sessionOf(value)
		}
	}
	p.user, _ = httpfield.Lookup(x.Request.Header, "x-user")
	refuse := func(action seshat.Action, status int, by, reason string) {
		p.verdict = seshat.Verdict{Action: action, Status: status, By: by, Reason: reason}
		p.answer = &pipeline.Answer{
			Status: status, Body: []byte(`{"detail":"` + reason + `"}`),
			Fields: []seshat.Field{
				{Name: "Content-Type", Value: "application/problem+json"},
				{Name: "RateLimit", Value: `"a";r=0;t=7`},
				{Name: "RateLimit", Value: `"b";r=1;t=7`},
			},
		}
	}
	if _, ok := httpfield.Lookup(x.Request.Header, "x-over"); ok {
		refuse(seshat.ActionLimit, 429, "Limit/over it", "over 1 in 1m")
	}
	if _, ok := httpfield.Lookup(x.Request.Header, "x-bad"); ok {
		refuse(seshat.ActionBlock, 403, "Denylist/bad", "the session was revoked")
	}
	if bytes.Contains(x.Request.Body.Bytes, []byte("evil")) {
		refuse(seshat.ActionBlock, 403, "Denylist/evil", "the user was denied")
	}
	if _, ok := httpfield.Lookup(x.Request.Header, "x-odd"); ok {
		p.verdict = seshat.Verdict{Action: seshat.ActionTag, Tags: []string{"Limit/odd", "Limit/even"}}
	}
	return p
}

func (w *twin) Observe(_ context.Context, x *seshat.Exchange) error {
	w.keep(x)
	return nil
}

// keep copies the exchange with all its memory, as the original is used again.
func (w *twin) keep(x *seshat.Exchange) {
	y := *x
	fields := func(in []seshat.Field) (out []seshat.Field) {
		for _, f := range in {
			out = append(out, seshat.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
		}
		return out
	}
	y.Request.Header, y.Response.Header = fields(x.Request.Header), fields(x.Response.Header)
	y.Request.Body.Bytes, y.Response.Body.Bytes = bytes.Clone(x.Request.Body.Bytes), bytes.Clone(x.Response.Body.Bytes)
	w.mu.Lock()
	w.ended = append(w.ended, y)
	w.mu.Unlock()
	select {
	case w.arrivals <- struct{}{}:
	default:
	}
}

// take waits for the exchange of a path, and forgets it.
func (w *twin) take(t testing.TB, path string) seshat.Exchange {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		for i := range w.ended {
			if x := w.ended[i]; x.Request.Path == path {
				w.ended = append(w.ended[:i], w.ended[i+1:]...)
				w.mu.Unlock()
				return x
			}
		}
		w.mu.Unlock()
		select {
		case <-w.arrivals:
		case <-deadline:
			t.Fatalf("no exchange of %s was ended", path)
		}
	}
}

// settled fails the test when a passage was not ended, or more than once.
func (w *twin) settled(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open != 0 {
		t.Errorf("%d passages were not ended", w.open)
	}
	for _, fault := range w.wrong {
		t.Error(fault)
	}
}

func sessionOf(value string) seshat.SessionID {
	var id seshat.SessionID
	sum := sha256.Sum256([]byte(value))
	copy(id[:], sum[:])
	return id
}

type twinPassage struct {
	twin    *twin
	session seshat.SessionID
	user    string
	verdict seshat.Verdict
	answer  *pipeline.Answer
	over    bool
}

func (p *twinPassage) Verdict() *seshat.Verdict  { p.use("Verdict"); return &p.verdict }
func (p *twinPassage) Session() seshat.SessionID { p.use("Session"); return p.session }
func (p *twinPassage) User() string              { p.use("User"); return p.user }
func (p *twinPassage) Answer() *pipeline.Answer  { p.use("Answer"); return p.answer }

func (p *twinPassage) ResponseFields() []seshat.Field {
	p.use("ResponseFields")
	return []seshat.Field{{Name: "RateLimit", Value: `"a";r=9;t=60`}}
}

func (p *twinPassage) RequestFields() []seshat.Field {
	p.use("RequestFields")
	if p.session.IsZero() {
		return nil
	}
	return []seshat.Field{{Name: "X-Seshat-Session", Value: p.session.String()}}
}

func (p *twinPassage) End(_ context.Context, x *seshat.Exchange) error {
	p.use("End")
	p.over = true
	p.twin.mu.Lock()
	p.twin.open--
	failing := p.twin.failing
	p.twin.mu.Unlock()
	p.twin.keep(x)
	if failing {
		return errFailing
	}
	return nil
}

// use notes a use after the end.
func (p *twinPassage) use(what string) {
	if p.over {
		p.twin.mu.Lock()
		p.twin.wrong = append(p.twin.wrong, what+" of a passage that was ended")
		p.twin.mu.Unlock()
	}
}
