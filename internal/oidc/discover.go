package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// firstRetry and lastRetry are how long a provider that is away is left alone: doubled from one to the other.
	firstRetry = time.Second
	lastRetry  = time.Minute
	// retryFloor is how often it is looked for at most because people want to sign in.
	retryFloor = 2 * time.Second
	// refreshTime is how old the description of a provider gets. Keys are fetched again by themselves.
	refreshTime = time.Hour
)

// description is what a provider says of itself (OpenID Connect Discovery 1.0, section 3).
type description struct {
	provider    *oidc.Provider
	verifier    *oidc.IDTokenVerifier
	oauth       oauth2.Config
	endSession  string
	userInfo    bool
	namesItself bool // in answers (RFC 9207)
}

// Watch finds the provider, tries again while it is away, and keeps its description fresh until ctx ends.
func (p *Provider) Watch(ctx context.Context) {
	pause, said := firstRetry, ""
	for {
		err := p.refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if said != "" {
				p.o.Logger.InfoContext(ctx, "the OpenID provider is there", "issuer", p.o.Issuer)
			}
			pause, said = firstRetry, ""
		case err.Error() != said:
			said = err.Error()
			p.o.Logger.WarnContext(ctx, "the OpenID provider cannot be reached; it is tried again", "issuer", p.o.Issuer, "error", said)
		}
		wait := refreshTime
		if err != nil {
			wait, pause = pause, min(2*pause, lastRetry)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// describe returns the description of the provider. When there is none yet it looks for one, unless it just did.
func (p *Provider) describe(ctx context.Context) (*description, error) {
	if d := p.current.Load(); d != nil {
		return d, nil
	}
	p.finding.Lock()
	defer p.finding.Unlock()
	if d := p.current.Load(); d != nil {
		return d, nil
	}
	if p.failed != nil && p.o.Now().Sub(p.tried) < retryFloor {
		return nil, p.failed
	}
	return p.find(ctx)
}

func (p *Provider) refresh(ctx context.Context) error {
	p.finding.Lock()
	defer p.finding.Unlock()
	_, err := p.find(ctx)
	return err
}

// find asks the provider for its description. An error leaves the one before in force.
func (p *Provider) find(ctx context.Context) (*description, error) {
	d, err := p.discover(ctx)
	p.tried, p.failed = p.o.Now(), err
	if err != nil {
		return nil, err
	}
	p.current.Store(d)
	return d, nil
}

func (p *Provider) discover(ctx context.Context) (*description, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.o.Issuer)
	if err != nil {
		return nil, brief(err)
	}
	var more struct {
		Keys        string   `json:"jwks_uri"`
		EndSession  string   `json:"end_session_endpoint"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, brief(err)
	}
	issuer, err := url.Parse(p.o.Issuer)
	if err != nil {
		return nil, err
	}
	endpoint := found.Endpoint()
	for _, address := range []struct {
		name, value string
		needed      bool
	}{
		{"authorization_endpoint", endpoint.AuthURL, true},
		{"token_endpoint", endpoint.TokenURL, true},
		{"jwks_uri", more.Keys, true},
		{"userinfo_endpoint", found.UserInfoEndpoint(), false},
		{"end_session_endpoint", more.EndSession, false},
	} {
		if address.value == "" && !address.needed {
			continue
		}
		u, err := url.Parse(address.value)
		if err == nil {
			err = checkAddress(u, issuer)
		}
		if err != nil {
			return nil, fmt.Errorf("its description has no good %s: %w", address.name, err)
		}
	}
	endpoint.AuthStyle = authStyle(p.o.Secret != "", more.AuthMethods)
	return &description{
		provider: found, endSession: more.EndSession, userInfo: found.UserInfoEndpoint() != "", namesItself: more.NamesItself,
		verifier: found.Verifier(&oidc.Config{
			ClientID: p.o.ClientID,
			Now:      func() time.Time { return p.o.Now().Add(-Skew) }, // which is what a token's end is compared with
		}),
		oauth: oauth2.Config{
			ClientID: p.o.ClientID, ClientSecret: p.o.Secret, Endpoint: endpoint, RedirectURL: p.o.Callback,
			Scopes: append([]string{oidc.ScopeOpenID}, p.o.Scopes...),
		},
	}, nil
}

// authStyle is how the client says who it is. It is not found out by trying: a code is good for one try.
func authStyle(secret bool, methods []string) oauth2.AuthStyle {
	if secret && (len(methods) == 0 || slices.Contains(methods, "client_secret_basic")) {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// mostReason is how much of what a provider answers gets into the log.
const mostReason = 300

// brief is an error of the libraries without what does not belong into a log: they quote whole answers.
func brief(err error) error {
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) {
		status := "no status"
		if retrieve.Response != nil {
			status = retrieve.Response.Status
		}
		return fmt.Errorf("the provider answers %s, error %q", status, retrieve.ErrorCode)
	}
	var address *url.Error
	if errors.As(err, &address) {
		return address.Err // without the address, which may hold a code
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, err.Error())
	if len(text) > mostReason {
		text = strings.ToValidUTF8(text[:mostReason], "") + " …"
	}
	return errors.New(text)
}
