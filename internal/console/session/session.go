// Package session is the pages of the console that show the story of one session.
package session

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
