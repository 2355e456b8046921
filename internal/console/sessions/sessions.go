// Package sessions is the pages of the console that show the list of sessions.
package sessions

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
