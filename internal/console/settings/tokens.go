package settings

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	newTokenPath = "/settings/tokens/new" //nolint:gosec // an address
	// tokenPath, with a slash and an ID behind it, is the address of a token.
	tokenPath = "/settings/token"
)

func registerTokens(site *web.Site) {
	site.Handle("GET "+tokensPath, explained(tokens))
	site.Handle("GET "+newTokenPath, needs(mayKeepOwn, beginToken))
	site.Handle("POST "+newTokenPath, explained(makeToken))
	site.Handle("GET "+tokenPath+"/{id}/revoke", explained(askRevoke))
	site.Handle("POST "+tokenPath+"/{id}/revoke", explained(revokeToken))
}

func revokePath(id string) string { return tokenPath + "/" + url.PathEscape(id) + "/revoke" }

// everybodysParam asks for the tokens of everybody.
const everybodysParam = "all"

func tokens(q *web.Request) error {
	all := q.Param(everybodysParam) == "true"
	list, err := q.API.Tokens(q.Context(), all)
	if err != nil {
		return err
	}
	p := page("API tokens", "For scripts and programs: a token acts in the name of its user, for what its scopes say.")
	p.Actions = tokensActions()
	return q.Page(p, tokensPage(tabs(q.Viewer, tokensPath), list, all, q.Now))
}

// newToken is the form of a token that is to be made.
type newToken struct {
	name, length, user string
	scopes             []string
	offered            []string // the scopes that there are for who asks
	users              []string // whose it may be; empty when it can only be one's own
	own                bool     // who asks may have one
	problem            *wire.Problem
}

func tokenLengths() []editor.Option {
	return []editor.Option{
		{Value: "1d", Name: "a day"},
		{Value: "7d", Name: "a week"},
		{Value: "30d", Name: "30 days"},
		{Value: "90d", Name: "90 days"},
		{Value: "366d", Name: "a year"},
		{Value: "never", Name: "until it is revoked"},
	}
}

const normalLength = "90d"

func beginToken(q *web.Request) error {
	return showNewToken(q, http.StatusOK, &newToken{length: normalLength, scopes: []string{"sessions:read", "exchanges:read"}})
}

func showNewToken(q *web.Request, status int, f *newToken) error {
	me, err := q.API.Me(q.Context())
	if err != nil {
		return err
	}
	f.offered = me.Scopes
	f.own = me.Role != "owner" // who came by a link of the owner is no user
	if q.Viewer.Can(mayWriteUsers) {
		list, err := q.API.Users(q.Context())
		if err != nil {
			return err
		}
		for i := range list {
			if !list[i].Disabled && list[i].Name != me.Name && len(f.users) < maxUsers {
				f.users = append(f.users, list[i].Name)
			}
		}
	}
	return q.PageStatus(status, below("New API token", "API tokens", tokensPath), newTokenPage(f))
}

func makeToken(q *web.Request) error {
	if err := q.ParseForm(); err != nil {
		return formError("make a token", "the form cannot be read")
	}
	f := &newToken{
		name: q.PostForm.Get("name"), length: q.PostForm.Get("for"), user: q.PostForm.Get("user"), scopes: q.PostForm["scope"],
	}
	if len(f.scopes) == 0 {
		f.problem = &wire.Problem{Title: "It has no scope", Detail: "A token without a scope can do nothing.", Hint: "choose at least one"}
		return showNewToken(q, http.StatusUnprocessableEntity, f)
	}
	made, err := q.API.MakeToken(q.Context(), &wire.NewAPIToken{Name: f.name, Scopes: f.scopes, For: f.length, User: f.user})
	if err != nil {
		if f.problem, err = refusal(err); err != nil {
			return err
		}
		f.problem.Title = "The token was not made"
		return showNewToken(q, f.problem.Status, f)
	}
	return q.Page(below("API token made", "API tokens", tokensPath), tokenPage(made, example(origin(q), made)))
}

// example is a command that uses a token, for what it may do.
func example(origin string, made *wire.CreatedToken) string {
	path := "/me"
	for _, one := range []struct{ scope, path string }{
		{"sessions:read", "/sessions?limit=5"},
		{"exchanges:read", "/exchanges?limit=5"},
		{"status:read", "/status"},
		{"resources:read", "/resources"},
		{"denylist:read", "/denylist"},
		{"audit:read", "/audit?limit=5"},
	} {
		if slices.Contains(made.Scopes, one.scope) {
			path = one.path
			break
		}
	}
	return "curl -H 'Authorization: Bearer " + made.Token + "' '" + strings.ReplaceAll(origin, "'", "") + "/api/v1" + path + "'"
}

func askRevoke(q *web.Request) error {
	list, err := q.API.Tokens(q.Context(), q.Viewer.Can(mayReadUsers))
	if err != nil {
		return err
	}
	id := q.PathValue("id")
	at := slices.IndexFunc(list, func(t wire.APIToken) bool { return t.ID == id })
	if at < 0 {
		return q.Refused(tokensPath, "There is no such token: it has ended, or was revoked already.")
	}
	return q.Page(below("Revoke "+list[at].Name, "API tokens", tokensPath), askPage(&question{
		text:   "The token " + list[at].Name + " of " + list[at].User + " does nothing from now on. It cannot be brought back.",
		action: revokePath(id), button: "Revoke the token", back: tokensPath,
	}))
}

func revokeToken(q *web.Request) error {
	if err := q.API.RevokeToken(q.Context(), q.PathValue("id")); err != nil {
		return err
	}
	return q.Done(tokensPath, "The token is revoked.")
}
