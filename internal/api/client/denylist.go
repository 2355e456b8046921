package client

import (
	"context"
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// Denials returns the entries of the denylist, the newest first.
func (c *Client) Denials(ctx context.Context) ([]seshat.Denial, error) {
	var out struct {
		Items []seshat.Denial `json:"items"`
	}
	err := c.json(ctx, request{method: http.MethodGet, path: "/denylist"}, nil, &out)
	return out.Items, err
}

// Revoke puts what is said on the denylist, and returns the entries.
func (c *Client) Revoke(ctx context.Context, r *wire.Revocation) ([]seshat.Denial, error) {
	var out wire.Revoked
	err := c.json(ctx, request{method: http.MethodPost, path: "/revocations"}, r, &out)
	return out.Denials, err
}

// Deny puts one thing on the denylist, under a name.
func (c *Client) Deny(ctx context.Context, name string, r *wire.Revocation) (seshat.Denial, error) {
	var out seshat.Denial
	err := c.json(ctx, request{method: http.MethodPut, path: "/denylist/" + segment(name)}, r, &out)
	return out, err
}

// RemoveDenial takes an entry off the denylist.
func (c *Client) RemoveDenial(ctx context.Context, name string) error {
	return c.json(ctx, request{method: http.MethodDelete, path: "/denylist/" + segment(name)}, nil, nil)
}

// Status says how the instance is.
func (c *Client) Status(ctx context.Context) (*wire.Status, error) {
	var out wire.Status
	if err := c.json(ctx, request{method: http.MethodGet, path: "/status"}, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
