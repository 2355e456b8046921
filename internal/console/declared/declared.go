// Package declared is the pages of the console that show context parameters, flows and mask rules.
package declared

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
