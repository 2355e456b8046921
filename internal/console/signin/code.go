package signin

import (
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// The kinds of one-time links.
const (
	kindFirst    = "first"
	kindPassword = "password"
	kindOwner    = "owner"
)

// codeView is the page of a one-time link, as it is shown.
type codeView struct {
	link                      *wire.SignInLink
	code, user, display, next string
	wrong, hint               string
}

// makes reports whether the link makes a user.
func (v *codeView) makes() bool { return v.link.Kind != kindPassword && v.link.Kind != kindOwner }

// showCode shows what a one-time link is for.
func (p *pages) showCode(q *web.Request, v *codeView) error {
	link, err := q.API.CheckSignInLink(q.Context(), v.code)
	if err != nil {
		w := problem(q, err)
		p.oops(q, err, w.Status)
		return q.PageStatus(w.Status, page(q, "Sign in"), ended(words(w, "This link is good for nothing any more: it was used, is too old, or was not copied whole."), again, v.next))
	}
	v.link = link
	return p.showLink(q, http.StatusOK, v)
}

const again = "Ask for another one. On the machine itself, seshat user link makes one."

// words are those of a problem; of one that says no more than that somebody is not signed in, those that are given.
func words(w *wire.Problem, otherwise string) string {
	if w.Status == http.StatusTooManyRequests || w.Status >= http.StatusInternalServerError {
		return w.Detail
	}
	return otherwise
}

func (p *pages) showLink(q *web.Request, status int, v *codeView) error {
	http.SetCookie(q.W, cookie(probeCookie, "1", 0))
	return q.PageStatus(status, page(q, "Sign in"), code(*v))
}

// redeem uses a one-time link.
func (p *pages) redeem(q *web.Request, v *codeView) error {
	link, err := q.API.CheckSignInLink(q.Context(), v.code)
	if err != nil {
		return p.showCode(q, v) // which says why
	}
	v.link = link
	password := q.PostForm.Get("password")
	if v.link.Kind != kindOwner && password != q.PostForm.Get("again") {
		v.wrong = "The two passwords are not the same."
		return p.showLink(q, http.StatusUnprocessableEntity, v)
	}
	in := &wire.SignIn{Code: v.code, Password: password}
	if v.makes() {
		in.User, in.DisplayName = v.user, v.display
	}
	out, err := q.API.SignIn(q.Context(), in)
	if err != nil {
		w := problem(q, err)
		p.oops(q, err, w.Status)
		if w.Status == http.StatusUnauthorized { // somebody else used it meanwhile
			return p.showCode(q, v)
		}
		v.wrong, v.hint = sentence(w.Detail), w.Hint
		if w.Op != "" {
			v.wrong = sentence(w.Op + ": " + w.Detail)
		}
		return p.showLink(q, w.Status, v)
	}
	return arrive(q, out, v.next)
}

// sentence is a text of the API as one.
func sentence(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return string(text[0]-'a'+'A') + text[1:] + "."
}
