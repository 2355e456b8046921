package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const (
	// maxStreams is how many streams that do not end by themselves are served at once: a tab or two of everybody who is on
	// call. Each has a goroutine and two small buffers, and does its own filtering.
	maxStreams = 64
	// maxStreamsEach is how many of them one may have, so that nobody takes them all.
	maxStreamsEach = 16
	// recheckEvery is how often it is asked again whether somebody may still read a stream: so much later than their session
	// ends, at most, the stream does.
	recheckEvery = 5 * time.Second
	// recheckPatience is how long a stream goes on when it cannot be asked: what knows about sessions may be away for a moment.
	recheckPatience = 30 * time.Second
)

// streamGate lets some streams be open at once.
type streamGate struct {
	mu   sync.Mutex
	open int
	each map[string]int
}

// enter takes a place for a stream, if there is one: who follows does not wait. The function that is returned gives it back.
func (g *streamGate) enter(who string) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open >= maxStreams || g.each[who] >= maxStreamsEach {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "open a stream", Err: errors.New("too many streams are open"),
			Hint: "close one, such as a console in another tab, and try again",
		}
	}
	if g.each == nil {
		g.each = map[string]int{}
	}
	g.open++
	g.each[who]++
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.open--
		if g.each[who]--; g.each[who] == 0 {
			delete(g.each, who)
		}
	}), nil
}

type recheckKey struct{}

// IsRecheck reports whether an authenticator is asked about a request that is being served already: whether its sender still
// may read. That is no sign of life of the person, and must not keep a session from becoming idle.
func IsRecheck(ctx context.Context) bool {
	recheck, _ := ctx.Value(recheckKey{}).(bool)
	return recheck
}

// The causes by which a stream ends before its reader goes.
var (
	errSignedOut = errors.New("who asked may not read it any more")
	errShutdown  = errors.New("the instance ends")
)

// following returns a context that ends with the request, when who sent it may not do what the route asks for any more, and
// when done is closed; see [context.Cause]. Stop has to be called.
func (s *server) following(r *http.Request, permission Permission, done <-chan struct{}) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(r.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(recheckEvery)
		defer ticker.Stop()
		sure := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-done:
				cancel(errShutdown)
				return
			case <-ticker.C:
			}
			switch err := s.recheck(ctx, r, permission); {
			case err == nil:
				sure = time.Now()
			case errors.Is(err, errSignedOut), time.Since(sure) >= recheckPatience:
				cancel(errSignedOut)
				return
			}
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-ended
	}
}

// recheck asks again who a request comes from, and whether they may do what they do. The error is errSignedOut when not, and
// another one when that cannot be said now.
func (s *server) recheck(ctx context.Context, r *http.Request, permission Permission) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, recheckKey{}, true), recheckEvery)
	defer cancel()
	principal, err := s.Authenticator.Authenticate(r.WithContext(ctx))
	switch before := principalOf(r.Context()); {
	case errors.Is(err, ErrUnauthenticated):
		return errSignedOut
	case err != nil:
		return fmt.Errorf("authenticate again: %w", err)
	case before == nil || principal.Name != before.Name || authorize(withPrincipal(ctx, principal), permission) != nil:
		return errSignedOut
	}
	return nil
}

// ended is what a stream's reader is told when a context ends; nil when the reader has gone.
func ended(ctx context.Context) *wire.End {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errShutdown):
		return &wire.End{Reason: wire.EndShutdown}
	case errors.Is(cause, errSignedOut):
		return &wire.End{Reason: wire.EndSignedOut}
	default:
		return nil
	}
}
