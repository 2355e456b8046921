package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
)

// accounts is the authenticator of everybody: the holder of the instance's token, those of API tokens, and sessions of the
// console.
type accounts struct {
	instance *InstanceToken
	keeper   *account.Keeper
}

// NewAuthenticator returns the authenticator of the holders of the instance's token, and of everybody whom keeper knows.
func NewAuthenticator(instance string, keeper *account.Keeper) Authenticator {
	return &accounts{NewInstanceToken(instance), keeper}
}

// errCSRF is what a request is told that a browser sent by itself: it lacks what only a page of the console can add.
func errCSRF() error {
	return &wire.Problem{
		Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
		Detail: "The request does not come from a page of this session.",
		Hint:   "send " + wire.CSRFHeader + " with the csrf of GET /api/v1/me, or a token instead of the cookie",
	}
}

// Authenticate implements [Authenticator]. A request that names a token is judged by that alone, whatever cookies it has.
func (a *accounts) Authenticate(r *http.Request) (*Principal, error) {
	if _, named := r.Header["Authorization"]; named {
		return a.byToken(r)
	}
	cookies := r.CookiesNamed(wire.SessionCookie)
	if len(cookies) != 1 { // a browser sends one
		return nil, ErrUnauthenticated
	}
	token := cookies[0].Value
	p, err := a.session(r.Context(), token)
	if err != nil {
		return nil, err
	}
	if !safe(r.Method) && subtle.ConstantTimeCompare([]byte(r.Header.Get(wire.CSRFHeader)), []byte(p.csrf)) != 1 {
		return nil, errCSRF()
	}
	return p, nil
}

// safe reports whether requests of a method change nothing (RFC 9110, section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func (a *accounts) byToken(r *http.Request) (*Principal, error) {
	if len(r.Header["Authorization"]) != 1 {
		return nil, ErrUnauthenticated
	}
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !found || !strings.EqualFold(scheme, bearer) {
		return nil, ErrUnauthenticated
	}
	if strings.HasPrefix(token, account.TokenPrefix) {
		access, err := a.keeper.AuthenticateToken(token, !IsRecheck(r.Context()))
		if err != nil {
			return nil, unknown(err)
		}
		return &Principal{
			Name: access.Name, DisplayName: access.DisplayName, Role: string(access.Role), Means: audit.MeansToken, Token: access.Token,
			Permissions: tokenPermissions(access.Role, access.Token.Scopes),
		}, nil
	}
	if p, err := a.instance.Authenticate(r); err == nil {
		return p, nil
	}
	return a.session(r.Context(), token)
}

// session is the principal of a session of the console.
func (a *accounts) session(ctx context.Context, token string) (*Principal, error) {
	access, err := a.keeper.Authenticate(token, !IsRecheck(ctx))
	if err != nil {
		return nil, unknown(err)
	}
	p := &Principal{
		Name: access.Name, DisplayName: access.DisplayName, Role: string(access.Role), Means: audit.MeansConsole, Session: access.Session,
		Permissions: RolePermissions(access.Role), csrf: wire.CSRFToken(token),
	}
	if access.Owner {
		p.Role, p.Means = RoleOwner, audit.MeansOwner
	}
	return p, nil
}

func unknown(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return ErrUnauthenticated
	}
	return err
}

// caller is where a request comes from.
type caller struct {
	account.Client
	// session is the token of the session of the console that the browser has, good or not.
	session string
}

type callerKey struct{}

func withCaller(ctx context.Context, r *http.Request) context.Context {
	c := caller{Client: account.Client{Address: r.RemoteAddr, UserAgent: r.UserAgent()}}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		c.Address = host
	}
	if cookies := r.CookiesNamed(wire.SessionCookie); len(cookies) == 1 {
		c.session = cookies[0].Value
	}
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}
