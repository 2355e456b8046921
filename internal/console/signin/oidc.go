package signin

import (
	"net/http"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// begin sends the browser to the OpenID provider.
func (p *pages) begin(q *web.Request) error {
	next := local(q.Param("next"))
	attempt, err := q.API.BeginExternal(q.Context(), &wire.ExternalBegin{Next: next})
	if err != nil {
		return p.notSignedIn(q, err, next)
	}
	age := int(attempt.ExpiresAt.Sub(q.Now) / time.Second)
	http.SetCookie(q.W, cookie(attemptCookie, attempt.Attempt, max(age, 1)))
	http.Redirect(q.W, q.Request, attempt.URL, http.StatusSeeOther)
	return nil
}

// end takes what the browser brings back from the provider. What the browser kept is good for nothing afterwards, however it
// ends.
func (p *pages) end(q *web.Request) error {
	kept := ""
	if c, err := q.Cookie(attemptCookie); err == nil {
		kept = c.Value
	}
	if kept == "" {
		text := "This sign-in was not begun in this browser, or the browser did not keep what it needs."
		return q.PageStatus(http.StatusUnprocessableEntity, page(q, "Not signed in"), ended(text, keepsHint, "/"))
	}
	forget(q, attemptCookie)
	in, err := q.API.EndExternal(q.Context(), &wire.ExternalAnswer{
		Attempt: kept, State: q.Param("state"), Code: q.Param("code"), Issuer: q.Param("iss"), Error: q.Param("error"),
	})
	if err != nil {
		return p.notSignedIn(q, err, "/")
	}
	return arrive(q, &in.SignedIn, in.Next)
}

func (p *pages) notSignedIn(q *web.Request, err error, next string) error {
	w := problem(q, err)
	p.oops(q, err, w.Status)
	return q.PageStatus(w.Status, page(q, "Not signed in"), ended(sentence(w.Detail), sentence(w.Hint), next))
}
