package signin

import (
	"net/http"
	"net/url"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// view is the form to sign in, as it is shown.
type view struct {
	methods     *wire.SignInMethods
	user, next  string
	wrong, hint string
}

// passwords reports whether there is anybody who could sign in with a password.
func (v *view) passwords() bool { return v.methods.Password && !v.methods.NoUsers }

// show shows the form to sign in, or the page of a one-time link.
func (p *pages) show(q *web.Request) error {
	if code := q.Param("code"); code != "" {
		return p.showCode(q, &codeView{code: code, next: local(q.Param("next"))})
	}
	next := local(q.Param("next"))
	if q.Viewer != nil && q.Viewer.SignedIn {
		return q.Redirect(next)
	}
	v := &view{next: next}
	if q.Param("kept") == "no" {
		v.wrong, v.hint = keepsNothing, keepsHint
	}
	return p.showForm(q, http.StatusOK, v)
}

func (p *pages) showForm(q *web.Request, status int, v *view) error {
	var err error
	if v.methods, err = q.API.SignInMethods(q.Context()); err != nil {
		return err
	}
	http.SetCookie(q.W, cookie(probeCookie, "1", 0))
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

// arrive leads somebody who has just signed in to the page that they wanted. Where the browser seems to keep no cookies, that
// is by the form, which says so if it is true.
func arrive(q *web.Request, in *wire.SignedIn, next string) error {
	Keep(q, in)
	forget(q, attemptCookie)
	forget(q, probeCookie)
	to := local(next)
	if len(q.Cookies()) == 0 {
		to = path + "?kept=no&next=" + url.QueryEscape(to)
	}
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
	return nil
}
