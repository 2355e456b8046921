package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
)

// Principal is who a request comes from, and what they may do.
type Principal struct {
	// Name is who makes a change, in the history of what is changed.
	Name        string
	DisplayName string
	// Role is the user's, or RoleOwner.
	Role        string
	Permissions []Permission
	// Means is how they show who they are; by Session or Token, where it is not nil.
	Means   audit.Means
	Session *account.Session
	Token   *account.Token
	// Owner says that it is the owner of the data directory, who may act on behalf of a person: see [wire.AuthorHeader].
	Owner bool

	csrf string // of the session
}

// RoleOwner is the role of whoever can read the data directory.
const RoleOwner = "owner"

// ErrUnauthenticated says that a request does not show who it comes from, or not well.
var ErrUnauthenticated = errors.New("not signed in")

// Authenticator says who a request comes from. The error is ErrUnauthenticated when that is nobody it knows.
type Authenticator interface {
	Authenticate(r *http.Request) (*Principal, error)
}

// bearer is the name of the security scheme, and the scheme of the Authorization field (RFC 6750).
const bearer = "bearer"

// cookie is the name of the security scheme of browsers.
const cookie = "cookie"

// InstanceToken is the authenticator of those who can read the instance's file. They may do everything.
type InstanceToken struct{ digest [sha256.Size]byte }

// NewInstanceToken returns the authenticator of the holders of token.
func NewInstanceToken(token string) *InstanceToken {
	return &InstanceToken{digest: sha256.Sum256([]byte(token))}
}

// Authenticate implements [Authenticator]. It takes the same time whatever the token is: digests of one length are
// compared.
func (t *InstanceToken) Authenticate(r *http.Request) (*Principal, error) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, bearer) {
		return nil, ErrUnauthenticated
	}
	digest := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if subtle.ConstantTimeCompare(digest[:], t.digest[:]) != 1 {
		return nil, ErrUnauthenticated
	}
	return &Principal{Name: "instance", Role: RoleOwner, Means: audit.MeansOwner, Permissions: Permissions(), Owner: true}, nil
}

type principalKey struct{}

func withPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

func principalOf(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// authorize is the one place that decides whether a request may do something.
func authorize(ctx context.Context, permission Permission) error {
	if permission == Public {
		return nil
	}
	p := principalOf(ctx)
	switch {
	case p == nil:
		return &wire.Problem{
			Status: http.StatusUnauthorized, Title: http.StatusText(http.StatusUnauthorized), Kind: "invalid",
			Detail: "The request does not say who it comes from, or they are not signed in any more.",
			Hint:   "send Authorization: Bearer with an API token, or with the token in instance.json of the data directory",
		}
	case permission == SignedIn:
	case !slices.Contains(p.Permissions, permission):
		return &wire.Problem{
			Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
			Detail: "The permission " + string(permission) + " is missing.",
		}
	}
	return nil
}

// maxAuthor is how many bytes of a name are kept in a history.
const maxAuthor = 256

// author is who makes a change.
func author(ctx context.Context, header string) string {
	p := principalOf(ctx)
	if p == nil {
		return ""
	}
	if p.Owner && header != "" {
		return strings.ToValidUTF8(header[:min(len(header), maxAuthor)], "")
	}
	return p.Name
}
