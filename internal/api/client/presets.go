package client

import (
	"context"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// Presets lists the presets, without their texts.
func (c *Client) Presets(ctx context.Context) ([]wire.Preset, error) {
	var out struct {
		Items []wire.Preset `json:"items"`
	}
	err := c.json(ctx, request{method: http.MethodGet, path: "/presets"}, nil, &out)
	return out.Items, err
}

// Preset returns one preset with its text.
func (c *Client) Preset(ctx context.Context, name string) (*wire.Preset, error) {
	var out wire.Preset
	if err := c.json(ctx, request{method: http.MethodGet, path: "/presets/" + segment(name)}, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
