package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// Timeline returns a session over time, in about as many buckets as are wanted. since and until are as in [List]; both may
// be empty.
func (c *Client) Timeline(ctx context.Context, id seshat.SessionID, since, until string, buckets int) (*wire.Timeline, error) {
	query := url.Values{}
	for name, v := range map[string]string{"since": since, "until": until} {
		if v != "" {
			query.Set(name, v)
		}
	}
	if buckets > 0 {
		query.Set("buckets", strconv.Itoa(buckets))
	}
	var out wire.Timeline
	err := c.json(ctx, request{method: http.MethodGet, path: "/sessions/" + id.String() + "/timeline", query: query}, nil, &out)
	return &out, err
}
