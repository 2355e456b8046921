// Package signin is the pages of the console where people sign in and out: with a password, with the code of a one-time link, or
// with an OpenID provider. It is a client of the API like any page: what lets somebody in is decided there. What is decided here
// is what a browser keeps, and where it goes.
package signin

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// The addresses.
const (
	path         = web.SignIn
	startPath    = path + "/oidc"
	callbackPath = path + "/oidc/callback"
	outPath      = "/sign-out"
)

// Path is where people sign in, and Callback where an OpenID provider sends browsers back to.
const (
	Path     = path
	Callback = callbackPath
)

// Register serves the pages.
func Register(site *web.Site) {
	p := &pages{site.Logger}
	site.Open("GET "+path, p.show)
	site.Open("POST "+path, p.signIn)
	site.Open("GET "+startPath, p.begin)
	site.Open("GET "+callbackPath, p.end)
	site.Open("POST "+outPath, p.signOut)
}

type pages struct{ logger *slog.Logger }

// attemptCookie keeps what a sign-in with an OpenID provider needs at its end, in the browser that began it.
const attemptCookie = "__Host-seshat-sign-in"

// cookie is a cookie that only this host gets, over what browsers hold for safe, and no script. Lax, because the browser comes
// back from the provider, and from links in mails and chats, by a plain navigation.
func cookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// Keep has the browser keep a session that has begun. The cookie ends with the browser; the API says when the session does.
func Keep(q *web.Request, in *wire.SignedIn) {
	http.SetCookie(q.W, cookie(wire.SessionCookie, in.Token, 0))
}

// probeCookie is what a browser is asked to keep with the form: one that does not bring it back keeps no session either.
const probeCookie = "__Host-seshat-probe"

// keepsNothing is said to somebody whose browser drops the cookies of the sign-in.
const (
	keepsNothing = "This browser did not keep the cookie of the session."
	keepsHint    = "Allow cookies for this page. Safari keeps them only where the console is reached by https, see docs/accounts.md."
)

func forget(q *web.Request, name string) { http.SetCookie(q.W, cookie(name, "", -1)) }

// page shows a page without the navigation, whoever looks at it.
func page(q *web.Request, title string) ui.Page {
	q.Viewer = nil
	return ui.Page{Title: title}
}

// problem is what is said of an error of the API: its status, and the words. Nothing else is said of who may not sign in than that.
func problem(q *web.Request, err error) *wire.Problem {
	p := web.Problem(err)
	if errors.Is(err, client.ErrSignedOut) {
		p = &wire.Problem{Status: http.StatusUnauthorized, Title: "Not signed in", Detail: "The name or the password is wrong."}
	}
	if p.Status == http.StatusTooManyRequests && p.RetryAfter > 0 {
		q.W.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
		p.Detail, p.Hint = "There were too many attempts. Try again "+in(time.Duration(p.RetryAfter)*time.Second)+".", ""
	}
	return p
}

// in says when something may be tried again: to the second when that is soon, and not too early.
func in(d time.Duration) string {
	unit := time.Second
	if d > 90*time.Second {
		unit = time.Minute
	}
	return "in " + ui.Length((d + unit - 1).Truncate(unit))
}

// oops logs what went wrong in the server, since its page says less.
func (p *pages) oops(q *web.Request, err error, status int) {
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		p.logger.ErrorContext(q.Context(), "a sign-in failed", "error", err)
	}
}
