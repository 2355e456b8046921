// Package oidc signs people in with an OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect
// Core 1.0, section 3.1; RFC 7636; RFC 9700).
//
//	provider, err := oidc.New(options)
//	go provider.Watch(ctx)                           // finds the provider, also when it is away at first
//	attempt, err := provider.Begin(ctx, "/sessions") // the browser gets attempt.Sealed as a cookie, and goes to attempt.URL
//	person, err := provider.End(ctx, sealed, answer) // when the browser is back, with that cookie
//
// What an attempt needs at its end is in the sealed value, so that nothing here grows with what browsers begin, and so that the
// browser that ends a sign-in has to be the one that began it.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
)

const (
	// Skew is how far the clocks of the provider and of this machine may be apart.
	Skew = time.Minute
	// AttemptTime is how long a sign-in may take: time enough to look for a second factor.
	AttemptTime = 10 * time.Minute
	// maxEnds is how many sign-ins are ended at once. Each asks the provider for something, and anybody can cause it.
	maxEnds = 8
	// maxURL bounds where somebody goes after the sign-in: it is in a cookie, and browsers keep 4096 bytes of one.
	maxURL = 1536
)

// Claims are the names of the claims that say who somebody is. A name may be a path, such as realm_access.roles.
type Claims struct {
	// User is the claim that names users. When it is empty that is a verified email, else preferred_username, else sub.
	User string
	// Display is a name for people to read.
	Display string
}

// Roles map values of a claim to a role.
type Roles struct {
	Claim string
	// Roles are tried in order; somebody who has one of the values of a role has that role.
	Roles []Role
	// Default is the role of everybody else, or empty when they are refused.
	Default string
}

// Role is a role, and the values of the claim that give it.
type Role struct {
	Name   string
	Values []string
}

// Options say which provider it is, and what it is asked for. Issuer, ClientID and Callback are needed.
type Options struct {
	Issuer   string
	ClientID string
	// Secret is empty for a public client.
	Secret string
	// Callback is where the provider sends browsers back to.
	Callback string
	// SignedOut is where the provider sends browsers after a sign-out there; there is none when it is empty.
	SignedOut string
	// Scopes are asked for besides openid.
	Scopes []string
	Claims Claims
	Roles  Roles
	// Transport is what requests go through; nil is one of its own.
	Transport http.RoundTripper
	Logger    *slog.Logger
	Now       func() time.Time
}

// Provider is an OpenID provider. It is safe for concurrent use.
type Provider struct {
	o      Options
	client *http.Client
	sealer *sealer
	used   *usedStates
	ends   chan struct{}

	current atomic.Pointer[description]
	finding sync.Mutex // one discovery at a time
	tried   time.Time  // the last one that failed, and how
	failed  error
}

// New returns a provider. It asks for nothing: the provider may be away.
func New(o Options) (*Provider, error) {
	if o.ClientID == "" || o.Callback == "" {
		return nil, errors.New("oidc: ClientID and Callback are needed")
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("oidc: the issuer: %w", err)
	}
	if err := checkAddress(issuer, issuer); err != nil {
		return nil, fmt.Errorf("oidc: the issuer: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	sealer, err := newSealer(o.Issuer + "\x00" + o.ClientID)
	if err != nil {
		return nil, err
	}
	return &Provider{
		o: o, client: newClient(o.Transport, issuer), sealer: sealer, used: &usedStates{}, ends: make(chan struct{}, maxEnds),
	}, nil
}

// The operations of errors.
const (
	opBegin = "begin a sign-in"
	opEnd   = "sign in"
)

// away is the error of a provider that does not answer, or not as one does.
func away(op string, err error) error {
	return &seshat.Error{
		Kind: seshat.ErrorUnavailable, Op: op, Err: hidden{"the sign-in service cannot be reached", err},
		Hint: "try again in a moment, or sign in another way",
	}
}

// refused is the error of a sign-in that must not happen. Reason is for the log.
func refused(text, hint string, reason error) error {
	return &seshat.Error{Kind: seshat.ErrorInvalid, Op: opEnd, Err: hidden{text, reason}, Hint: hint}
}

// ErrForeign is in the chain of errors of sign-ins that this provider knows nothing of: begun elsewhere, too old, or ended already.
var ErrForeign = errors.New("not a sign-in that was begun here")

// hidden is an error whose reason is not for who signs in: it is not in its text.
type hidden struct {
	text   string
	reason error
}

func (h hidden) Error() string { return h.text }
func (h hidden) Unwrap() error { return h.reason }

// Reason is what an error of this package hides from who signs in, for the log.
func Reason(err error) error {
	var h hidden
	if errors.As(err, &h) {
		return h.reason
	}
	return err
}

// SignOutURL is where a browser goes to sign out of the provider too, or empty when that is not offered.
func (p *Provider) SignOutURL() string {
	d := p.current.Load()
	if d == nil || d.endSession == "" || p.o.SignedOut == "" {
		return ""
	}
	u, err := url.Parse(d.endSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.o.ClientID)
	q.Set("post_logout_redirect_uri", p.o.SignedOut)
	u.RawQuery = q.Encode()
	return u.String()
}

// Known reports whether the provider was found.
func (p *Provider) Known() bool { return p.current.Load() != nil }

// enter waits for a turn to end a sign-in.
func (p *Provider) enter(ctx context.Context) (leave func(), err error) {
	select {
	case p.ends <- struct{}{}:
		return func() { <-p.ends }, nil
	case <-ctx.Done():
		return nil, away(opEnd, ctx.Err())
	}
}
