// Package rules is the pages of the console that show session rules: list, editor, trying, history.
package rules

import "github.com/seshat-project/seshat/internal/console/web"

// Register serves the pages.
func Register(site *web.Site) {
	_ = site
}
