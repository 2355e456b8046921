package client

import (
	"context"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// Keys returns the keys of digests, without what is secret of them.
func (c *Client) Keys(ctx context.Context) ([]wire.Key, error) {
	return items[wire.Key](ctx, c, "/keys", nil)
}
