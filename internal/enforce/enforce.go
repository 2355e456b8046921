// Package enforce decides on requests: it holds what the gateways know of the sessions that go on, and judges each
// request by the denylist, the validation of tokens, and the limits, in this order.
//
// It is pure: the time comes with each request, and what other processes know comes in through Learn, Deny and Merge.
// Nothing here waits. An Enforcer is safe for concurrent use by every connection of a gateway.
package enforce

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/jwt"
	"github.com/seshat-project/seshat/internal/rule"
)

// KeySource is where the keys of a validation come from. Its methods never wait.
type KeySource interface {
	Current() *jwt.KeySet
	// Miss says that newer keys might verify a token.
	Miss()
}

// Reader reads the exchange that is judged, without what mask rules hide. A worker of identification is one.
type Reader interface {
	Holds(x *seshat.Exchange, conditions []rule.Condition) bool
	AtEndpoint(x *seshat.Exchange, patterns []*endpoint.Pattern) bool
	// Value is the value of the field with this number, from 0, of those that a selector means.
	Value(x *seshat.Exchange, s *rule.Selector, n int) (value string, ok bool)
}

// Config is how an enforcer is to behave.
type Config struct {
	// NewSessionID derives session IDs as correlation does, so that a session that nobody knows yet already has the
	// ID that correlation will give it. Without it, such sessions have none.
	NewSessionID func(first seshat.Digest, start time.Time) seshat.SessionID
	// Secret is the key that addresses, users and the like are hashed with. It is the same in all processes that share
	// their counts. Who knows it can fill the tables at one place.
	Secret [16]byte
	// FallbackIdleTimeout ends sessions that are known by address only, where the settings do not say when they end; 30
	// minutes when it is 0.
	FallbackIdleTimeout time.Duration
	// MaxKeys, MaxIDs and MaxSessions are how many keys of limits, client session IDs and sessions are remembered; 0 is
	// the default.
	MaxKeys, MaxIDs, MaxSessions int
}

// Defaults of [Config]. Memory is taken as it is needed; these are its bounds.
const (
	// DefaultMaxKeys bounds the counts of limits to some 200 MB.
	DefaultMaxKeys = 2 << 20
	// DefaultMaxIDs bounds the client session IDs to some 220 MB.
	DefaultMaxIDs = 4 << 20
	// DefaultMaxSessions bounds the sessions to some 150 MB, and the names of their users.
	DefaultMaxSessions         = 2 << 20
	defaultFallbackIdleTimeout = 30 * time.Minute
)

// Request is what is judged: a request, what identification found in it, and the digests of Identity.IDs in the same
// order. Nothing of it is kept.
type Request struct {
	Exchange *seshat.Exchange
	Identity *seshat.Identity
	Digests  []seshat.Digest
	Now      time.Time
	// Endpoint is the template of the path, where somebody has made it already.
	Endpoint string
	// Reader answers what rules ask of Exchange. Without it, rules with endpoints or conditions hold for nothing, and
	// there are no tokens.
	Reader Reader
}

// LimitState is what the RateLimit fields of an answer say of one limit.
type LimitState struct {
	Name      string
	Count     int           // the quota
	Window    time.Duration // of the quota
	Remaining int
	Reset     time.Duration // until the quota is whole again
}

// Decision is a verdict with what it was based on. It is reused from request to request.
type Decision struct {
	Verdict seshat.Verdict
	// Session is the session that the request belongs to as far as is known now. Correlation is the authority.
	Session seshat.SessionID
	User    string // of the session or of the request; empty when it is not known
	// Vouched says that the client session ID is known to be good: the origin issued it, a validation accepted it, or
	// the origin accepted it where it refuses others.
	Vouched bool
	// Limits are the states of the limits that counted the request and do not only tag, the tightest first.
	Limits []LimitState

	work work
}

// Reset empties d and keeps its memory.
func (d *Decision) Reset() {
	d.Verdict.Tags = d.Verdict.Tags[:0]
	*d = Decision{Verdict: seshat.Verdict{Tags: d.Verdict.Tags}, Limits: d.Limits[:0], work: d.work}
}

// work is the memory that decisions are made in.
type work struct {
	ids     []seen // of each ID of the request
	found   []int
	bits    rule.Bits
	text    []byte // the URL
	claim   []byte
	fields  []byte
	counted []counted
	by      int // the ID that says which session it is
	// unproven says that the token of the request was not accepted, though the request may have passed.
	unproven bool
}

// Enforcer is the state that decisions are made on.
type Enforcer struct {
	config   Config
	base     sip           // keyed
	idle     atomic.Uint32 // seconds after which a session that is known by address only ends
	rules    atomic.Pointer[rules]
	denials  atomic.Pointer[denials]
	windows  *table[window]
	ids      *table[link]
	sessions *table[session]
	public   *table[uint32] // endpoints; see endpointFlags
	tokens   *table[uint32] // accepted ones, with the generation of the keys
	refused  *table[verdictOnToken]

	clock      atomic.Uint32 // the time of the last request, in seconds
	generation atomic.Uint32 // of key sets
	sharing    sharing
	vouching   *limit // how many IDs of one address endpoints of which nothing is known vouch for

	mu       sync.Mutex // of what follows, and of changing rules and denials
	list     []seshat.Denial
	counters map[string]*counters
}

// New returns an enforcer without rules: it allows everything.
func New(config Config) *Enforcer {
	orDefault := func(n, fallback int) int {
		if n == 0 {
			return fallback
		}
		return n
	}
	if config.FallbackIdleTimeout == 0 {
		config.FallbackIdleTimeout = defaultFallbackIdleTimeout
	}
	e := &Enforcer{
		config:   config,
		base:     newSip(config.Secret),
		windows:  newTable(orDefault(config.MaxKeys, DefaultMaxKeys), worthOfWindow),
		ids:      newTable(orDefault(config.MaxIDs, DefaultMaxIDs), worthOfLink),
		sessions: newTable[session](orDefault(config.MaxSessions, DefaultMaxSessions), nil),
		public:   newTable[uint32](maxEndpoints, nil),
		tokens:   newTable[uint32](maxAccepted, nil),
		refused:  newTable[verdictOnToken](maxRefused, nil),
		counters: map[string]*counters{},
	}
	e.idle.Store(ceilSeconds(int64(config.FallbackIdleTimeout)))
	e.vouching = e.newLimit(&rule.Limit{Name: "", Count: vouchedUnproven, Window: vouchingWindow})
	e.vouching.tag = 0 // is not shared
	e.rules.Store(&rules{})
	return e
}

// Decide judges a request and counts it.
func (e *Enforcer) Decide(r *Request, d *Decision) {
	d.Reset()
	rules, denials := e.rules.Load(), e.denials.Load()
	now := seconds(r.Now)
	if e.clock.Load() != now {
		e.clock.Store(now)
	}
	// Usually the one ID that groups the request says everything. A denial may speak of any, and a validation too.
	e.recall(r, d, now, denials != nil || len(rules.validations) > 0)
	e.settle(r, d, now)
	if denials != nil && denials.check(e, r, d) {
		return
	}
	if len(rules.validations) == 0 && len(rules.limits) == 0 {
		return
	}
	url := ""
	if rules.needsURL {
		d.work.text = rule.AppendURL(d.work.text[:0], r.Exchange)
		url = alias(d.work.text)
	}
	if len(rules.validations) > 0 && e.validate(rules, r, d, now, url) {
		e.settle(r, d, now)
	}
	if !d.Verdict.Action.Refuses() {
		e.count(rules, r, d, url)
	}
}
