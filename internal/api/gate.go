package api

import (
	"context"
	"errors"
	"time"

	"github.com/seshat-project/seshat"
)

const (
	// maxHeavy is how many requests read much of the store at once. Each may use both threads of the engine and its
	// memory; more at once make all of them slower.
	maxHeavy = 6
	// maxImports is how many imports run at once: they are put in order one by one.
	maxImports = 1
	// gateWait is how long a request waits for its turn before it is told to come back.
	gateWait = 10 * time.Second
	// retryAfter is what it is told, in seconds.
	retryAfter = "2"
)

// gate lets some requests through at once.
type gate chan struct{}

func newGate(n int) gate { return make(gate, n) }

// enter waits for a place. The function that is returned gives it back.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-g }
	select {
	case g <- struct{}{}:
		return leave, nil
	default:
	}
	timer := time.NewTimer(gateWait)
	defer timer.Stop()
	select {
	case g <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "wait for a turn", Err: errors.New("too many requests of this kind are being served"),
			Hint: "try again in a moment",
		}
	}
}
