package client

import (
	"context"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
)

// Views returns the saved views of who asks, and those that are shared, by name.
func (c *Client) Views(ctx context.Context) ([]wire.SavedView, error) {
	var out struct {
		Items []wire.SavedView `json:"items"`
	}
	err := c.json(ctx, request{method: http.MethodGet, path: "/views"}, nil, &out)
	return out.Items, err
}

// View returns one saved view.
func (c *Client) View(ctx context.Context, id string) (*wire.SavedView, error) {
	return c.view(ctx, request{method: http.MethodGet, path: "/views/" + segment(id)}, nil)
}

// AddView saves a view.
func (c *Client) AddView(ctx context.Context, content *wire.ViewContent) (*wire.SavedView, error) {
	return c.view(ctx, request{method: http.MethodPost, path: "/views"}, content)
}

// ChangeView changes a saved view if it has the expected revision, which may be [kv.Any].
func (c *Client) ChangeView(ctx context.Context, id string, content *wire.ViewContent, expected kv.Revision) (*wire.SavedView, error) {
	req := request{method: http.MethodPut, path: "/views/" + segment(id), header: http.Header{}}
	setExpected(req.header, expected)
	return c.view(ctx, req, content)
}

// DeleteView deletes a saved view if it has the expected revision, which may be [kv.Any].
func (c *Client) DeleteView(ctx context.Context, id string, expected kv.Revision) error {
	req := request{method: http.MethodDelete, path: "/views/" + segment(id), header: http.Header{}}
	setExpected(req.header, expected)
	return c.json(ctx, req, nil, nil)
}

func (c *Client) view(ctx context.Context, r request, content *wire.ViewContent) (*wire.SavedView, error) {
	var in any
	if content != nil {
		in = content
	}
	var out wire.SavedView
	if err := c.json(ctx, r, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
