package client

import (
	"context"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// SignInMethods says which ways there are to sign in.
func (c *Client) SignInMethods(ctx context.Context) (*wire.SignInMethods, error) {
	out := &wire.SignInMethods{}
	return out, c.json(ctx, request{method: http.MethodGet, path: "/sign-in/methods"}, nil, out)
}

// BeginExternal begins a sign-in with the OpenID provider.
func (c *Client) BeginExternal(ctx context.Context, in *wire.ExternalBegin) (*wire.ExternalAttempt, error) {
	out := &wire.ExternalAttempt{}
	return out, c.json(ctx, request{method: http.MethodPost, path: "/sign-in/external"}, in, out)
}

// EndExternal signs in with what the OpenID provider answered.
func (c *Client) EndExternal(ctx context.Context, in *wire.ExternalAnswer) (*wire.ExternalSignedIn, error) {
	out := &wire.ExternalSignedIn{}
	return out, c.json(ctx, request{method: http.MethodPost, path: "/sign-in/external/end"}, in, out)
}
