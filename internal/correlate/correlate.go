// Package correlate decides which session every observation belongs to. It reads observations in the order of
// their time and joins the client session IDs that belong to one continuous session: rotated cookies, refreshed
// tokens, tokens that share a claim, codes that lead from a sign-in to a token.
//
// It is pure: time comes from the observations, state is loaded and saved by the caller, and the same observations
// in the same order always give the same sessions, however they are cut into batches.
package correlate

import (
	"time"

	"github.com/seshat-project/seshat"
)

// Correlator holds the state of the sessions it has seen lately. It is not safe for concurrent use.
type Correlator struct {
	config Config

	ids      map[seshat.Digest]*idState
	sessions map[seshat.SessionID]*sessionState
	devices  map[seshat.Digest]*deviceState
	subjects map[seshat.Digest]*subjectState

	// asked are the keys whose stored state, if there is any, is in memory; wanted are those that restored state
	// refers to and that have not been loaded.
	asked  map[seshat.Digest]struct{}
	wanted []seshat.Digest

	changedIDs      map[seshat.Digest]struct{}
	changedSessions map[seshat.SessionID]struct{}
	changedDevices  map[seshat.Digest]struct{}
	changedSubjects map[seshat.Digest]struct{}
	links           []seshat.Link
	events          []seshat.Event
	mergedCount     int

	idle      idleQueue
	lastFacts []seshat.SessionFacts // of sessions whose state was dropped since the last flush
	dropped   []seshat.Digest       // keys of state to delete

	exchange exchangeView // of the observation in work, reused
}

// Config is how a correlator is to behave. [DefaultConfig] has the documented defaults.
type Config struct {
	// NewSessionID derives the ID of a session from its first client session ID and its start. It must be a pure
	// function, so that every node derives the same one.
	NewSessionID func(first seshat.Digest, start time.Time) seshat.SessionID
	// GraceTime is how long a rotated ID may still be used without that being a sign of abuse.
	GraceTime time.Duration
	// FallbackIdleTimeout ends sessions that are known by address and user agent only.
	FallbackIdleTimeout time.Duration
	// IdleTimeout is after how long a session counts as idle, where its rule has no idle timeout of its own.
	IdleTimeout time.Duration
	// Inference switches on links that are likely rather than certain.
	Inference bool
	// MinimumScore is the score from 0 to 1 that an inferred link needs.
	MinimumScore float64
	// RuleEnds are the ends that rules set for the sessions they identify.
	RuleEnds map[seshat.RuleID]RuleEnds
}

// RuleEnds are the ends that a session rule sets. Zero means that it does not.
type RuleEnds struct {
	IdleTimeout      time.Duration
	AbsoluteLifetime time.Duration
}

// Defaults of [Config].
const (
	DefaultGraceTime           = 60 * time.Second
	DefaultFallbackIdleTimeout = 30 * time.Minute
	DefaultIdleTimeout         = 30 * time.Minute
	DefaultMinimumScore        = 0.7
)

// DefaultConfig returns the documented defaults, with inference on.
func DefaultConfig(newSessionID func(seshat.Digest, time.Time) seshat.SessionID) Config {
	return Config{
		NewSessionID:        newSessionID,
		GraceTime:           DefaultGraceTime,
		FallbackIdleTimeout: DefaultFallbackIdleTimeout,
		IdleTimeout:         DefaultIdleTimeout,
		Inference:           true,
		MinimumScore:        DefaultMinimumScore,
	}
}

// New returns a correlator without state.
func New(config Config) *Correlator {
	return &Correlator{
		config:          config,
		ids:             make(map[seshat.Digest]*idState),
		sessions:        make(map[seshat.SessionID]*sessionState),
		devices:         make(map[seshat.Digest]*deviceState),
		subjects:        make(map[seshat.Digest]*subjectState),
		asked:           make(map[seshat.Digest]struct{}),
		changedIDs:      make(map[seshat.Digest]struct{}),
		changedSessions: make(map[seshat.SessionID]struct{}),
		changedDevices:  make(map[seshat.Digest]struct{}),
		changedSubjects: make(map[seshat.Digest]struct{}),
	}
}

// Process assigns one observation to its session. Before it, the state that [Correlator.Missing] names for the
// observation must have been restored. The ID that it returns may later turn out to be merged into another one:
// then the facts of the session say so.
func (c *Correlator) Process(o *seshat.Observation) seshat.SessionID {
	x := &c.exchange
	x.read(o)
	c.dropIdle(x.now)
	device := c.device(x.deviceKey)

	s, known := c.findByRequest(x)
	switch {
	case s != nil && c.startsOver(s, x, known):
		s = c.startAfter(s, x, device)
	case s == nil:
		s = c.findOrStart(x, device)
	}
	s = c.followCode(s, x)
	s = c.switchUser(s, x, device)

	c.join(s, x)
	s = c.root(s.id) // joining may have merged it into another one
	c.learn(s, x)
	c.settleTakeover(s, x)
	s = c.root(s.id)
	c.rememberSubject(s, x)
	c.touchDevice(device, s, x)
	c.end(s, x)
	return s.id
}

// findOrStart finds the session of an exchange whose request carries no ID that is known.
func (c *Correlator) findOrStart(x *exchangeView, device *deviceState) *sessionState {
	if s := c.findByClaim(x); s != nil {
		return s
	}
	if s := c.findByIssued(x); s != nil {
		return s
	}
	if s := c.keepsNoCookies(x, device); s != nil {
		return s
	}
	if x.onlyLinks() {
		if s := c.findByDevice(x, device); s != nil {
			return s
		}
	}
	if x.identified() {
		if s := c.upgradeFallback(x, device); s != nil {
			return s
		}
		s := c.start(x, c.previousOn(x, device))
		c.considerTakeover(s, x)
		return s
	}
	if s := c.findByDevice(x, device); s != nil {
		return s
	}
	return c.fallback(x, device)
}
