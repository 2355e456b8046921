package client

import (
	"context"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// SignInMethods says which ways there are to sign in.
func (c *Client) SignInMethods(ctx context.Context) (out wire.SignInMethods, err error) {
	return out, c.json(ctx, request{method: http.MethodGet, path: "/sign-in/methods"}, nil, &out)
}

// BeginExternal begins a sign-in with the OpenID provider.
func (c *Client) BeginExternal(ctx context.Context, in wire.ExternalBegin) (out wire.ExternalAttempt, err error) {
	return out, c.json(ctx, request{method: http.MethodPost, path: "/sign-in/external"}, in, &out)
}

// EndExternal signs in with what the OpenID provider answered.
func (c *Client) EndExternal(ctx context.Context, in wire.ExternalAnswer) (out wire.ExternalSignedIn, err error) {
	return out, c.json(ctx, request{method: http.MethodPost, path: "/sign-in/external/end"}, in, &out)
}
