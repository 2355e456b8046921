package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// Me says who asks.
func (c *Client) Me(ctx context.Context) (*wire.Me, error) {
	return get[wire.Me](ctx, c, "/me", nil)
}

// SignIn begins a session of the console. The error is [ErrSignedOut] when the name and the password, or the code, are wrong.
func (c *Client) SignIn(ctx context.Context, in *wire.SignIn) (*wire.SignedIn, error) {
	return post[wire.SignedIn](ctx, c, "/console-sessions", in)
}

// SignOut ends the session that asks.
func (c *Client) SignOut(ctx context.Context) error {
	return c.remove(ctx, "/console-sessions/current", 0)
}

// ConsoleSessions returns the sessions of who asks, or of everybody.
func (c *Client) ConsoleSessions(ctx context.Context, all bool) ([]wire.ConsoleSession, error) {
	return items[wire.ConsoleSession](ctx, c, "/console-sessions", everybody(all))
}

// EndConsoleSession ends one session.
func (c *Client) EndConsoleSession(ctx context.Context, id string) error {
	return c.remove(ctx, "/console-sessions/"+segment(id), 0)
}

// EndConsoleSessions ends all sessions of a user.
func (c *Client) EndConsoleSessions(ctx context.Context, user string) error {
	return c.remove(ctx, userPath(user)+"/console-sessions", 0)
}

// MakeSignInLink makes a one-time link.
func (c *Client) MakeSignInLink(ctx context.Context, in *wire.NewSignInLink) (*wire.SignInLink, error) {
	return post[wire.SignInLink](ctx, c, "/sign-in-links", in)
}

// CheckSignInLink says what the code of a link is good for. The error is [ErrSignedOut] when it is good for nothing.
func (c *Client) CheckSignInLink(ctx context.Context, code string) (*wire.SignInLink, error) {
	return post[wire.SignInLink](ctx, c, "/sign-in-links/check", &wire.LinkCode{Code: code})
}

// Users returns all users, by name.
func (c *Client) Users(ctx context.Context) ([]wire.User, error) {
	return items[wire.User](ctx, c, "/users", nil)
}

// User returns one user.
func (c *Client) User(ctx context.Context, name string) (*wire.User, error) {
	return get[wire.User](ctx, c, userPath(name), nil)
}

// AddUser adds a user.
func (c *Client) AddUser(ctx context.Context, in *wire.NewUser) (*wire.User, error) {
	return post[wire.User](ctx, c, "/users", in)
}

// ChangeUser changes a user, if it has a revision, unless that is 0.
func (c *Client) ChangeUser(ctx context.Context, name string, revision uint64, in *wire.UserChange) (*wire.User, error) {
	var out wire.User
	if err := c.json(ctx, request{method: http.MethodPatch, path: userPath(name), header: ifMatch(revision)}, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// DeleteUser deletes a user, if it has a revision, unless that is 0.
func (c *Client) DeleteUser(ctx context.Context, name string, revision uint64) error {
	return c.remove(ctx, userPath(name), revision)
}

// SetPassword sets the password of a user.
func (c *Client) SetPassword(ctx context.Context, name string, in *wire.PasswordChange) (*wire.PasswordChanged, error) {
	return post[wire.PasswordChanged](ctx, c, userPath(name)+"/password", in)
}

// Tokens returns the API tokens of who asks, or of everybody.
func (c *Client) Tokens(ctx context.Context, all bool) ([]wire.APIToken, error) {
	return items[wire.APIToken](ctx, c, "/tokens", everybody(all))
}

// MakeToken makes an API token.
func (c *Client) MakeToken(ctx context.Context, in *wire.NewAPIToken) (*wire.CreatedToken, error) {
	return post[wire.CreatedToken](ctx, c, "/tokens", in)
}

// RevokeToken revokes an API token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.remove(ctx, "/tokens/"+segment(id), 0)
}

// AuditQuery narrows the audit log. What is empty does not.
type AuditQuery struct {
	By, Action, Subject, Means, Outcome string
	Since, Until                        time.Time
	Cursor                              string
	Limit                               int
}

// Audit returns a page of the audit log, the newest first.
func (c *Client) Audit(ctx context.Context, q *AuditQuery) (*wire.Page[wire.AuditEvent], error) {
	query := url.Values{}
	for name, value := range map[string]string{
		"by": q.By, "action": q.Action, "subject": q.Subject, "means": q.Means, "outcome": q.Outcome, "cursor": q.Cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if q.Limit > 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	return get[wire.Page[wire.AuditEvent]](ctx, c, "/audit", query)
}

func userPath(name string) string { return "/users/" + segment(name) }

func everybody(all bool) url.Values {
	if !all {
		return nil
	}
	return url.Values{"all": {"true"}}
}

// ifMatch asks that something has a revision, unless that is 0.
func ifMatch(revision uint64) http.Header {
	if revision == 0 {
		return nil
	}
	return http.Header{"If-Match": {strconv.Quote(strconv.FormatUint(revision, 10))}}
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (*T, error) {
	var out T
	if err := c.json(ctx, request{method: http.MethodGet, path: path, query: query}, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func items[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	out, err := get[struct {
		Items []T `json:"items"`
	}](ctx, c, path, query)
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

func post[T any](ctx context.Context, c *Client, path string, in any) (*T, error) {
	var out T
	if err := c.json(ctx, request{method: http.MethodPost, path: path}, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func (c *Client) remove(ctx context.Context, path string, revision uint64) error {
	return c.json(ctx, request{method: http.MethodDelete, path: path, header: ifMatch(revision)}, nil, nil)
}
