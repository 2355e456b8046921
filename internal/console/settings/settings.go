// Package settings is the pages of the console that show settings of the installation, and users, tokens and sessions of the console.
package settings

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
