// Package limits is the pages of the console that show limits, JWT validation and the denylist.
package limits

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
