// Package pipeline is the way of an exchange through Seshat, in one place and in order:
//
//	mask      values that a mask rule names are hidden, before anything else sees them
//	identify  client session IDs, context parameters and flows are found
//	digest    secrets become keyed digests; from here on nothing is a secret
//	order     late exchanges are put back in the order of their time
//	correlate each exchange is given its session
//	store     exchanges, sessions, links and the state of correlation are written in one transaction
//
// Masking is first so that no later step can leak what must not be seen. Digesting comes right after identification
// and before anything is queued, so that no secret waits in a buffer that may be written to disk. Ordering is before
// correlation because a session is a matter of what came after what.
package pipeline

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/protect"
)

// Observer does the first three steps: mask, identify, digest. It belongs to one goroutine.
type Observer struct {
	worker   *identify.Worker
	protect  *protect.Observer
	identity seshat.Identity
}

// NewObserver returns an observer of the engine's rules under the digester's key.
func NewObserver(engine *identify.Engine, digester *protect.Digester) *Observer {
	return &Observer{worker: engine.NewWorker(), protect: protect.NewObserver(digester)}
}

// Observe turns an exchange into an observation, which keeps nothing of the exchange's memory. Its key is for the
// caller to set.
func (o *Observer) Observe(x *seshat.Exchange) *seshat.Observation {
	o.worker.Identify(x, &o.identity)
	return o.protect.Observe(x, &o.identity, o.worker)
}
