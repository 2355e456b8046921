package settings

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/signin"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	passwordPath = "/settings/account/password" //nolint:gosec // an address
	othersPath   = "/settings/account/sign-out-others"
	// sessionPath, with a slash and an ID behind it, is where a session of one's own is ended.
	sessionPath = "/settings/account/session"
)

func registerAccount(site *web.Site) {
	site.Handle("GET "+accountPath, explained(ownAccount))
	site.Handle("POST "+passwordPath, explained(changePassword))
	site.Handle("POST "+othersPath, explained(endOthers))
	site.Handle("POST "+sessionPath+"/{id}/end", explained(endSession))
}

func endPath(id string) string { return sessionPath + "/" + url.PathEscape(id) + "/end" }

// own is the account of who looks, as it is shown.
type own struct {
	me       *wire.Me
	sessions []wire.ConsoleSession
	// wrongIn is the control of the form of the password that wrong is about.
	wrongIn, wrong string
}

func (o *own) wrongWith(name string) string {
	if o.wrongIn == name {
		return o.wrong
	}
	return ""
}

// others is how many sessions there are besides the one that asks.
func (o *own) others() int {
	n := 0
	for i := range o.sessions {
		if !o.sessions[i].Current {
			n++
		}
	}
	return n
}

func ownAccount(q *web.Request) error { return showAccount(q, http.StatusOK, &own{}) }

func showAccount(q *web.Request, status int, o *own) error {
	var both errgroup.Group
	both.Go(func() (err error) {
		o.me, err = q.API.Me(q.Context())
		return err
	})
	both.Go(func() (err error) {
		o.sessions, err = q.API.ConsoleSessions(q.Context(), false)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	// The one that asks first, then those that were used last.
	slices.SortStableFunc(o.sessions, func(a, b wire.ConsoleSession) int {
		switch {
		case a.Current:
			return -1
		case b.Current:
			return 1
		default:
			return b.LastUsed.Compare(a.LastUsed)
		}
	})
	return q.PageStatus(status, page("Your account", "Who you are here, what you may do, and where you are signed in."), accountPage(tabs(q.Viewer, accountPath), o, q.Now))
}

// changePassword sets one's own password. All sessions end; the API begins another one in place of this.
func changePassword(q *web.Request) error {
	password := q.PostFormValue("new")
	if password != q.PostFormValue("again") {
		return showAccount(q, http.StatusUnprocessableEntity, &own{wrongIn: "again", wrong: "The two are not the same."})
	}
	done, err := q.API.SetPassword(q.Context(), q.Viewer.Name, &wire.PasswordChange{Password: password, Current: q.PostFormValue("current")})
	if err != nil {
		p, err := refusal(err)
		if err != nil {
			return err
		}
		o := &own{wrongIn: "new", wrong: p.Detail}
		if p.Op == "current" || p.Status == http.StatusTooManyRequests {
			o.wrongIn = "current"
		}
		if p.Hint != "" {
			o.wrong += " " + sentence(p.Hint)
		}
		return showAccount(q, p.Status, o)
	}
	if done.SignedIn != nil {
		signin.Keep(q, done.SignedIn)
	}
	return q.Done(accountPath, "The password is changed. You are signed out everywhere else.")
}

func endSession(q *web.Request) error {
	if err := q.API.EndConsoleSession(q.Context(), q.PathValue("id")); err != nil {
		return err
	}
	back := accountPath
	if name := q.PostFormValue("user"); name != "" && name != q.Viewer.Name {
		back = userAt(name)
	}
	return q.Done(back, "The session has ended.")
}

func endOthers(q *web.Request) error {
	list, err := q.API.ConsoleSessions(q.Context(), false)
	if err != nil {
		return err
	}
	for i := range list { // 20 at most
		if list[i].Current {
			continue
		}
		if err := q.API.EndConsoleSession(q.Context(), list[i].ID); err != nil && web.Problem(err).Status != http.StatusNotFound {
			return err
		}
	}
	return q.Done(accountPath, "You are signed out everywhere else.")
}
