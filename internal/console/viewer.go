package console

import (
	"context"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// viewer asks the API who looks at a page.
func viewer(ctx context.Context, c *client.Client) (*ui.Viewer, error) {
	me, err := c.Me(ctx)
	if err != nil {
		return nil, err
	}
	v := &ui.Viewer{
		Name: me.Name, Display: me.DisplayName, Role: me.Role, CSRF: me.CSRF, Permissions: make(map[string]bool, len(me.Permissions)),
		SignedIn: me.Session != nil,
	}
	for _, p := range me.Permissions {
		v.Permissions[p] = true
	}
	return v, nil
}
