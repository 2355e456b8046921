package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// Preview tries a draft of resources. The error is a [seshat.Faults] when something in it is wrong.
func (c *Client) Preview(ctx context.Context, draft *wire.PreviewRequest) (*wire.Preview, error) {
	var out wire.Preview
	if err := c.json(ctx, request{method: http.MethodPost, path: "/previews"}, draft, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// PreviewSource says what a draft would be tried on.
func (c *Client) PreviewSource(ctx context.Context) (*wire.PreviewSource, error) {
	var out wire.PreviewSource
	if err := c.json(ctx, request{method: http.MethodGet, path: "/previews/source"}, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// RuleOrder returns the session rules in the order in which they are tried.
func (c *Client) RuleOrder(ctx context.Context) ([]wire.OrderedRule, error) {
	var out wire.RulesOrdered
	err := c.json(ctx, request{method: http.MethodGet, path: "/session-rules/order"}, nil, &out)
	return out.Items, err
}

// OrderRules puts the session rules in an order. The error is of kind [seshat.ErrorConflict] when there are others, or one
// has changed meanwhile.
func (c *Client) OrderRules(ctx context.Context, order *wire.RuleOrder) ([]wire.OrderedRule, error) {
	var out wire.RulesOrdered
	err := c.json(ctx, request{method: http.MethodPost, path: "/session-rules/order"}, order, &out)
	return out.Items, err
}

// Enable switches a resource on or off if it has the expected revision, which may be [kv.Any].
func (r *Registry) Enable(ctx context.Context, kind seshat.Kind, name string, enabled bool, expected kv.Revision) (resource.Outcome, error) {
	var out wire.Outcome
	req := request{method: http.MethodPost, path: resourcePath(kind, name) + "/enabled", header: http.Header{}}
	setExpected(req.header, expected)
	if err := r.json(ctx, req, &wire.Enabling{Enabled: enabled}, &out); err != nil {
		return resource.Outcome{}, registryError(err)
	}
	return outcome(&out), nil
}

// Diff compares two revisions of a resource. When to is 0 it is the newest one, and when from is 0 the one before to.
func (r *Registry) Diff(ctx context.Context, kind seshat.Kind, name string, from, to kv.Revision) (*wire.ResourceDiff, error) {
	query := url.Values{}
	for parameter, revision := range map[string]kv.Revision{"from": from, "to": to} {
		if revision != 0 {
			query.Set(parameter, strconv.FormatUint(uint64(revision), 10))
		}
	}
	var out wire.ResourceDiff
	if err := r.json(ctx, request{method: http.MethodGet, path: resourcePath(kind, name) + "/diff", query: query}, nil, &out); err != nil {
		return nil, registryError(err)
	}
	return &out, nil
}
