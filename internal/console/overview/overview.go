// Package overview is the pages of the console that show how things are now.
package overview

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
