// Package enforce decides on requests: it holds what the gateways know of the sessions that go on, and judges each
// request by the denylist, the validation of tokens, and the limits.
//
// It is pure: the time comes with each request, and what other processes know comes in through Learn, Deny and Merge.
// Nothing here waits. An Enforcer is safe for concurrent use by every connection of a gateway.
package enforce

import (
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jwt"
	"github.com/seshat-project/seshat/internal/rule"
)

// KeySource is where the keys of a validation come from. Its methods never wait.
type KeySource interface {
	Current() *jwt.KeySet
	// Miss says that newer keys might verify a token.
	Miss()
}

// Config is how an enforcer is to behave.
type Config struct {
	// NewSessionID derives session IDs as correlation does, so that a session that nobody knows yet already has the
	// ID that correlation will give it.
	NewSessionID func(first seshat.Digest, start time.Time) seshat.SessionID
}

// Request is what is judged: a request, what identification found in it, and the digests of Identity.IDs in the same
// order. Nothing of it is kept.
type Request struct {
	Exchange *seshat.Exchange
	Identity *seshat.Identity
	Digests  []seshat.Digest
	Now      time.Time
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
}

// Reset empties d and keeps its memory.
func (d *Decision) Reset() {
	d.Verdict.Tags = d.Verdict.Tags[:0]
	*d = Decision{Verdict: seshat.Verdict{Tags: d.Verdict.Tags}, Limits: d.Limits[:0]}
}

// Enforcer is the state that decisions are made on.
type Enforcer struct {
	config Config
}

// New returns an enforcer without rules: it allows everything.
func New(config Config) *Enforcer { return &Enforcer{config: config} }

// Use puts the limits and validations of rules in force; counts of limits that did not change go on. Keys has the
// source of keys of each validation that has an address, by its name.
func (e *Enforcer) Use(rules *rule.Ruleset, keys map[string]KeySource) {}

// Decide judges a request and counts it.
func (e *Enforcer) Decide(r *Request, d *Decision) {
	d.Reset()
}

// Answered learns from the response to a request that was passed on: r is the request that was decided on, now with
// its response and what was found there. Status 0 means that there was none.
func (e *Enforcer) Answered(r *Request, d *Decision) {}

// Learn takes notices that correlation has published; see [AppendNotices].
func (e *Enforcer) Learn(notices []byte) error { return nil }

// AppendNotices appends what everybody who acts on sessions needs to know of what correlation changed: which client
// session IDs belong to which session, which sessions were merged, who their user is.
func AppendNotices(dst []byte, sessions []seshat.SessionFacts, links []seshat.Link) []byte {
	return dst
}

// Deny replaces the denylist.
func (e *Enforcer) Deny(denials []seshat.Denial) {}

// AppendShare appends the counts that other enforcers need to know of, as they grew since the last call, and nothing
// when there are none. Every process of a fleet calls it some ten times a second and sends it to the others.
func (e *Enforcer) AppendShare(dst []byte, now time.Time) []byte { return dst }

// Merge takes what AppendShare of another process returned.
func (e *Enforcer) Merge(share []byte, now time.Time) error { return nil }
