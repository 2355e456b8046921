// Package explorer is the pages of the console that show exchanges, their facets and what they add up to.
package explorer

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
