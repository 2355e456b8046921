package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/console/signin"
	"github.com/seshat-project/seshat/internal/oidc"
)

// newExternal returns the OpenID provider that people sign in with, or nil when there is none. It is looked for until the
// instance ends.
func (s *service) newExternal(ctx context.Context) (*external, error) {
	o := s.config.API.SignIn.OIDC
	if o == nil {
		return nil, nil //nolint:nilnil // as said
	}
	secret, ca, err := oidcFiles(o)
	if err != nil {
		return nil, err
	}
	options := oidc.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, Secret: secret, Callback: s.api + signin.Callback, Scopes: o.Scopes,
		Claims: oidc.Claims{User: o.Claims.User, Display: o.Claims.Name}, Roles: oidcRoles(&o.Roles), Logger: s.logger("sign-in"), Now: s.app.now,
	}
	if *o.EndSession {
		options.SignedOut = s.api + signin.Path
	}
	if ca != nil {
		options.Transport = oidc.Transport(&tls.Config{RootCAs: ca, MinVersion: tls.VersionTLS12})
	}
	provider, err := oidc.New(options)
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "api.signIn.oidc", Err: err}
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); provider.Watch(watching) }()
	s.onStop(func(context.Context) error { stop(); <-done; return nil })
	return &external{provider: provider, name: o.Name, logger: s.logger("sign-in")}, nil
}

// oidcRoles are the roles that a claim gives, the highest first.
func oidcRoles(r *config.OIDCRoles) oidc.Roles {
	out := oidc.Roles{Claim: r.Claim, Roles: []oidc.Role{
		{Name: string(account.RoleAdmin), Values: r.Admin}, {Name: string(account.RoleAnalyst), Values: r.Analyst}, {Name: string(account.RoleViewer), Values: r.Viewer},
	}}
	if r.Default == config.DefaultRoleViewer {
		out.Default = string(account.RoleViewer)
	}
	return out
}

// oidcFiles reads what the configuration of an OpenID provider names: the secret of the client, and who signs the provider's
// certificate.
func oidcFiles(o *config.OIDC) (secret string, ca *x509.CertPool, err error) {
	if o.ClientSecretFile != "" {
		if secret, err = readSecret("api.signIn.oidc.clientSecretFile", o.ClientSecretFile); err != nil {
			return "", nil, err
		}
	}
	ca, err = authorities("api.signIn.oidc.ca", o.CA)
	return secret, ca, err
}

// external is an OpenID provider as the API knows one. It says in the log why a sign-in was refused; who was refused is told
// no more than they need.
type external struct {
	provider *oidc.Provider
	name     string
	logger   *slog.Logger
}

// Method implements [api.External].
func (e *external) Method() wire.ExternalMethod {
	return wire.ExternalMethod{Name: e.name, SignOutURL: e.provider.SignOutURL()}
}

// Begin implements [api.External].
func (e *external) Begin(ctx context.Context, in wire.ExternalBegin) (wire.ExternalAttempt, error) {
	a, err := e.provider.Begin(ctx, in.Next)
	if err != nil {
		e.logger.InfoContext(ctx, "a sign-in cannot begin", "error", oidc.Reason(err))
		return wire.ExternalAttempt{}, err
	}
	return wire.ExternalAttempt{URL: a.URL, Attempt: a.Sealed, ExpiresAt: a.Ends}, nil
}

// End implements [api.External].
func (e *external) End(ctx context.Context, in wire.ExternalAnswer) (account.Identity, string, error) {
	p, err := e.provider.End(ctx, in.Attempt, oidc.Answer{State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error})
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, oidc.ErrForeign) { // which anybody can cause as often as they like
			level = slog.LevelInfo
		}
		e.logger.Log(ctx, level, "a sign-in was refused", "error", oidc.Reason(err))
		return account.Identity{}, "", err
	}
	return account.Identity{
		Issuer: p.Issuer, Subject: p.Subject, Name: p.Name, DisplayName: p.Display, Role: account.Role(p.Role),
	}, p.Next, nil
}
