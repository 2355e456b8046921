package pipeline

import (
	"sync"
	"sync/atomic"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
)

// liveAuto counts, for traffic that goes on, where Authorization could identify sessions. One exchange in autoSample is
// looked at: a share of one in a hundred shows in a sample too, and the counts are behind a lock.
type liveAuto struct {
	on    atomic.Bool
	every atomic.Uint32

	mu   sync.Mutex
	auto autoIdentifier
}

const autoSample = 8

func (a *liveAuto) use(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.auto.counts == nil {
		a.auto = autoIdentifier{counts: identify.NewAutoIdentifier(), configured: map[string]struct{}{}}
	}
	a.on.Store(on)
}

func (a *liveAuto) observe(x *seshat.Exchange, o *seshat.Observation) {
	if !a.on.Load() || a.every.Add(1)%autoSample != 0 {
		return
	}
	a.mu.Lock()
	a.auto.observe(x, o)
	a.mu.Unlock()
}

// AutoIdentifiers are the hosts whose requests carry Authorization so often that it should identify their sessions, and
// for which nothing is configured.
func (p *Inline) AutoIdentifiers() []string {
	if !p.auto.on.Load() {
		return nil
	}
	p.auto.mu.Lock()
	defer p.auto.mu.Unlock()
	return p.auto.auto.suggested()
}
