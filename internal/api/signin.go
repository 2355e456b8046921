package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const tagSignIn = "Signing in"

// signInPath is the page of the console that uses links.
const signInPath = "/sign-in?code="

func (s *server) registerSignIn() {
	const sessions, links = "/api/v1/console-sessions", "/api/v1/sign-in-links"
	op := s.operation("POST", sessions, "sign-in", tagSignIn, "Sign in")
	op.Description += " With name and password, or with the code of a one-time link; of a link that makes a user, or sets a password, those come with it. The session of the cookie that is sent ends. After too many failures the answer is 429."
	op.DefaultStatus = http.StatusCreated
	register(s, op, s.signIn)

	op = s.operation("GET", sessions, "list-console-sessions", tagSignIn, "List one's own sessions of the console")
	op.Description += " With all=true those of everybody, which needs the permission users:read."
	register(s, op, s.listConsoleSessions)

	op = s.operation("DELETE", sessions+"/current", "sign-out", tagSignIn, "Sign out")
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.signOut)

	op = s.operation("DELETE", sessions+"/{id}", "end-console-session", tagSignIn, "End a session of the console")
	op.Description += " One of one's own, or with the permission users:write of anybody."
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.endConsoleSession)

	op = s.operation("DELETE", "/api/v1/users/{name}/console-sessions", "end-console-sessions", tagSignIn, "End all sessions of a user")
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.endConsoleSessions)

	op = s.operation("POST", links, "make-sign-in-link", tagSignIn, "Make a one-time link")
	op.Description += " It sets the password of a user, or makes a new administrator, and is good for a day."
	op.DefaultStatus = http.StatusCreated
	register(s, op, s.makeLink)

	op = s.operation("POST", links+"/check", "check-sign-in-link", tagSignIn, "Say what the code of a link is good for")
	op.Description += " Without using it up."
	register(s, op, s.checkLink)
}

func newConsoleSession(in *account.Session, current string) wire.ConsoleSession {
	return wire.ConsoleSession{
		ID: in.ID, User: in.User, CreatedAt: in.CreatedAt.UTC(), LastUsed: in.LastUsed.UTC(), IdleEnd: in.IdleEnd.UTC(), End: in.End.UTC(),
		Address: in.Address, UserAgent: in.UserAgent, How: in.How, Current: in.ID == current,
	}
}

func newSignedIn(in *account.SignedIn) *wire.SignedIn {
	role := string(in.Access.Role)
	if in.Access.Owner {
		role = RoleOwner
	}
	return &wire.SignedIn{
		Token: in.Token, CSRF: wire.CSRFToken(in.Token), User: in.Access.Name, Role: role,
		Session: newConsoleSession(in.Access.Session, in.Access.Session.ID),
	}
}

// signInError is what a client is told of a sign-in that failed.
func signInError(err error) error {
	var limited *account.LimitedError
	switch {
	case errors.As(err, &limited):
		seconds := strconv.Itoa(int(math.Ceil(limited.RetryAfter.Seconds())))
		return huma.ErrorWithHeaders(&wire.Problem{
			Status: http.StatusTooManyRequests, Title: http.StatusText(http.StatusTooManyRequests), Kind: "unavailable",
			Detail: "There were too many failed sign-ins.", Hint: "try again in " + seconds + " seconds",
		}, http.Header{"Retry-After": {seconds}})
	case errors.Is(err, account.ErrRefused), errors.Is(err, account.ErrCode):
		detail := "The name or the password is wrong."
		if errors.Is(err, account.ErrCode) {
			detail = "The code is not good, or not any more."
		}
		return &wire.Problem{
			Status: http.StatusUnauthorized, Title: http.StatusText(http.StatusUnauthorized), Kind: "invalid", Detail: detail,
		}
	default:
		return err
	}
}

type signInInput struct{ Body wire.SignIn }

func (s *server) signIn(ctx context.Context, in *signInInput) (*output[*wire.SignedIn], error) {
	k, err := s.keeper("sign in")
	if err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	var done *account.SignedIn
	if in.Body.Code == "" && s.NoPasswords {
		return nil, passwordsOff()
	}
	if in.Body.Code != "" {
		done, err = k.Redeem(ctx, account.Redemption{
			Code: in.Body.Code, Name: in.Body.User, DisplayName: in.Body.DisplayName, Password: in.Body.Password,
		}, c.session, c.Client)
	} else {
		done, err = k.SignIn(ctx, in.Body.User, in.Body.Password, c.session, c.Client)
	}
	if err != nil {
		return nil, signInError(err)
	}
	return &output[*wire.SignedIn]{newSignedIn(done)}, nil
}

type consoleSessionList struct {
	Items []wire.ConsoleSession `json:"items" nullable:"false"`
}

// AllInput asks for those of everybody.
type AllInput struct {
	All bool `query:"all" doc:"Those of everybody."`
}

// subject is whose things a request is about: of all, where it asks for all and may.
func (in *AllInput) subject(ctx context.Context) (string, error) {
	if in.All {
		return "", authorize(ctx, UsersRead)
	}
	return ownName(ctx), nil
}

// ownName is the name that accounts know who asks by.
func ownName(ctx context.Context) string {
	if p := principalOf(ctx); p.Role != RoleOwner {
		return p.Name
	}
	return RoleOwner
}

func (s *server) listConsoleSessions(ctx context.Context, in *AllInput) (*output[consoleSessionList], error) {
	k, err := s.keeper("list sessions")
	if err != nil {
		return nil, err
	}
	user, err := in.subject(ctx)
	if err != nil {
		return nil, err
	}
	current := ""
	if p := principalOf(ctx); p.Session != nil {
		current = p.Session.ID
	}
	out := &output[consoleSessionList]{consoleSessionList{Items: []wire.ConsoleSession{}}}
	for _, one := range k.Sessions(user) {
		out.Body.Items = append(out.Body.Items, newConsoleSession(&one, current))
	}
	return out, nil
}

func (s *server) signOut(ctx context.Context, _ *struct{}) (*struct{}, error) {
	k, err := s.keeper("sign out")
	if err != nil {
		return nil, err
	}
	p := principalOf(ctx)
	if p.Session == nil {
		return nil, usage("sign out", "no session of the console asks", "end one by its ID, or revoke the token")
	}
	noted(ctx).subject, noted(ctx).detail = p.Name, "session "+p.Session.ID
	return nil, k.EndSession(ctx, p.Session.ID, "")
}

type endSessionInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) endConsoleSession(ctx context.Context, in *endSessionInput) (*struct{}, error) {
	k, err := s.keeper("end a session")
	if err != nil {
		return nil, err
	}
	return nil, k.EndSession(ctx, in.ID, ownUnless(ctx, UsersWrite))
}

// ownUnless is whose things may be changed: one's own, or everybody's with a permission.
func ownUnless(ctx context.Context, permission Permission) string {
	if authorize(ctx, permission) == nil {
		return ""
	}
	return ownName(ctx)
}

func (s *server) endConsoleSessions(ctx context.Context, in *UserName) (*struct{}, error) {
	k, err := s.keeper("end the sessions of a user")
	if err != nil {
		return nil, err
	}
	noted(ctx).subject = in.Name
	return nil, k.EndSessions(ctx, in.Name, author(ctx, ""))
}

type makeLinkInput struct {
	Authored
	Body wire.NewSignInLink
}

func (s *server) makeLink(ctx context.Context, in *makeLinkInput) (*output[wire.SignInLink], error) {
	k, err := s.keeper("make a link")
	if err != nil {
		return nil, err
	}
	kind := account.LinkAdmin
	switch {
	case in.Body.Owner && in.Body.User != "":
		return nil, usage("make a link", "a link is of a user or of the owner", "")
	case in.Body.Owner && !principalOf(ctx).Owner:
		return nil, &wire.Problem{
			Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
			Detail: "Only the owner of the data directory can make a link that needs no user.",
		}
	case in.Body.Owner:
		kind = account.LinkOwner
	case in.Body.User != "":
		kind = account.LinkPassword
	}
	link, err := k.NewLink(ctx, kind, in.Body.User, author(ctx, in.Author))
	if err != nil {
		return nil, err
	}
	noted(ctx).subject, noted(ctx).detail = link.User, "a link of the kind "+string(link.Kind)
	out := newLink(&link)
	out.Code, out.Path = link.Code, signInPath+link.Code
	return &output[wire.SignInLink]{out}, nil
}

func newLink(l *account.Link) wire.SignInLink {
	return wire.SignInLink{Kind: string(l.Kind), User: l.User, ExpiresAt: l.Expires}
}

type checkLinkInput struct{ Body wire.LinkCode }

func (s *server) checkLink(ctx context.Context, in *checkLinkInput) (*output[wire.SignInLink], error) {
	k, err := s.keeper("check a link")
	if err != nil {
		return nil, err
	}
	link, err := k.CheckLink(ctx, in.Body.Code, callerOf(ctx).Client)
	if err != nil {
		return nil, signInError(err)
	}
	return &output[wire.SignInLink]{newLink(&link)}, nil
}

// durationOf reads a length of time; 0 is what is said when it is empty.
func durationOf(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := seshat.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usage(name, "it is not a length of time", "such as 24h or 30d")
	}
	return time.Duration(d), nil
}
