package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// TailOptions say what is followed.
type TailOptions struct {
	Filter string // an expression of the filter language
	Last   int    // how many of the newest stored exchanges come first
	// After is the ID of the last event that was read; then Last does not count.
	After string
	Rate  int // how many come in a second at most; 0 is no bound
}

// Tail calls each for the events of what is stored, until it returns false or an error, the connection breaks or the instance
// ends it: with an event that says so. What is read as data of an event may not be kept.
func (c *Client) Tail(ctx context.Context, o TailOptions, each func(*wire.StreamEvent) (more bool, err error)) error {
	query := url.Values{}
	for name, value := range map[string]string{"filter": o.Filter, "after": o.After, "last": positive(o.Last), "rate": positive(o.Rate)} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return c.streamEvents(ctx, request{method: http.MethodGet, path: "/exchanges/tail", query: query}, each)
}

// Rates returns what the last quarter of an hour adds up to, in steps of some seconds; the default ones when step is 0.
func (c *Client) Rates(ctx context.Context, step int) (*wire.Rates, error) {
	var out wire.Rates
	if err := c.json(ctx, request{method: http.MethodGet, path: "/overview/rates", query: steps(step)}, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// FollowOverview calls each for the events of the overview, as [Client.Tail] does.
func (c *Client) FollowOverview(ctx context.Context, step int, each func(*wire.StreamEvent) (more bool, err error)) error {
	return c.streamEvents(ctx, request{method: http.MethodGet, path: "/overview/live", query: steps(step)}, each)
}

// streamEvents calls each for the events of a stream that come as lines.
func (c *Client) streamEvents(ctx context.Context, r request, each func(*wire.StreamEvent) (more bool, err error)) error {
	return c.stream(ctx, r, func(line []byte) (bool, error) {
		var event wire.StreamEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return false, fmt.Errorf("read the answer of the instance: %w", err)
		}
		return each(&event)
	})
}

func steps(step int) url.Values {
	if step == 0 {
		return nil
	}
	return url.Values{"step": {strconv.Itoa(step)}}
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Limits returns the limits and validations of tokens, with what they did.
func (c *Client) Limits(ctx context.Context) (*wire.Limits, error) {
	var out wire.Limits
	if err := c.json(ctx, request{method: http.MethodGet, path: "/limits"}, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
