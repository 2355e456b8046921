package signin

import (
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// view is the form to sign in, as it is shown.
type view struct {
	methods     *wire.SignInMethods
	user, next  string
	wrong, hint string
}

func (v *view) passwords() bool { return v.methods.Password }

// show shows the form to sign in, or the page of a one-time link.
func (p *pages) show(q *web.Request) error {
	if code := q.Param("code"); code != "" {
		return p.showCode(q, &codeView{code: code, next: local(q.Param("next"))})
	}
	next := local(q.Param("next"))
	if q.Viewer != nil && q.Viewer.SignedIn {
		return q.Redirect(next)
	}
	return p.showForm(q, http.StatusOK, &view{next: next})
}

func (p *pages) showForm(q *web.Request, status int, v *view) error {
	var err error
	if v.methods, err = q.API.SignInMethods(q.Context()); err != nil {
		return err
	}
	return q.PageStatus(status, page(q, "Sign in"), form(*v))
}

// signIn signs in with what a form says: a name and a password, or a code and what it needs.
func (p *pages) signIn(q *web.Request) error {
	if err := q.ParseForm(); err != nil {
		return p.showForm(q, http.StatusBadRequest, &view{next: "/", wrong: "The form did not arrive whole.", hint: "Try again."})
	}
	form := q.PostForm
	next := local(form.Get("next"))
	if code := form.Get("code"); code != "" {
		return p.redeem(q, &codeView{code: code, next: next, user: form.Get("user"), display: form.Get("display")})
	}
	v := &view{user: form.Get("user"), next: next}
	in, err := q.API.SignIn(q.Context(), &wire.SignIn{User: v.user, Password: form.Get("password")})
	if err != nil {
		w := problem(q, err)
		p.oops(q, err, w.Status)
		v.wrong, v.hint = w.Detail, w.Hint
		return p.showForm(q, w.Status, v)
	}
	return arrive(q, in, next)
}

// arrive leads somebody who has just signed in to the page that they wanted.
func arrive(q *web.Request, in *wire.SignedIn, next string) error {
	keep(q, in)
	forget(q, attemptCookie)
	http.Redirect(q.W, q.Request, local(next), http.StatusSeeOther)
	return nil
}
