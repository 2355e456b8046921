package extproc

import (
	"log/slog"
	"sync/atomic"
)

// overrides knows whether Envoy heeds mode overrides. It does not say so: that the body comes, or does not, tells.
//
// While that is not known, or they are heeded, a request whose body is asked for is judged when the body is there. Once
// one was not heeded, requests are judged by their header at once, because by the time that the body fails to come the
// origin has the request. The first body that does come settles it for good: otherwise a client that announces a body
// and never sends one could have all sign-ins judged without theirs.
type overrides struct{ state atomic.Int32 }

const (
	overridesUnknown int32 = iota
	overridesHeeded
	overridesIgnored
)

func (o *overrides) heeded() {
	if o.state.Load() != overridesHeeded {
		o.state.Store(overridesHeeded)
	}
}

// missed says that a body did not come that was asked for.
func (o *overrides) missed(log *slog.Logger) {
	if o.state.CompareAndSwap(overridesUnknown, overridesIgnored) {
		log.Warn("Envoy did not send a body that was asked for: requests are judged by their headers",
			"hint", "set allow_mode_override: true in the ext_proc filter, or a processing_mode with request_body_mode: BUFFERED_PARTIAL")
	}
}

func (o *overrides) ignored() bool { return o.state.Load() == overridesIgnored }
