package signin

import (
	"errors"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// how a session began that the OpenID provider has one of too.
const byProvider = "oidc"

// signOut ends the session, here and then at the provider that somebody signed in with.
func (p *pages) signOut(q *web.Request) error {
	var provider *wire.ExternalMethod
	if me, err := q.API.Me(q.Context()); err == nil && me.Session != nil && me.Session.How == byProvider {
		if m, err := q.API.SignInMethods(q.Context()); err == nil {
			provider = m.External
		}
	}
	if err := q.API.SignOut(q.Context()); err != nil && !errors.Is(err, client.ErrSignedOut) {
		return err
	}
	forget(q, wire.SessionCookie)
	to := ""
	if provider != nil {
		to = provider.SignOutURL
	}
	if q.Fragment() {
		if to == "" {
			to = path
		}
		q.W.Header().Set("HX-Redirect", to)
		q.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	if to != "" {
		// A form must not lead to another origin (form-action), but a page may.
		q.W.Header().Set("Refresh", "1; url="+to)
	}
	return q.PageStatus(http.StatusOK, page(q, "Signed out"), signedOut(provider))
}
