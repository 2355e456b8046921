// Package limits is the pages of the console that show what refuses requests: limits, validations of tokens, and the
// denylist.
package limits

import (
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// The addresses of the tabs.
const (
	listLimits      = "/limits"
	listValidations = "/limits/jwt"
	listDenylist    = "/limits/denylist"
)

const group = "Limits & denylist"

// Register serves the pages.
func Register(site *web.Site) {
	limits, validations := limitPages(), validationPages()
	limits.Register(site)
	validations.Register(site)
	site.Handle("GET /limits/counters", counters)
	site.Handle("POST "+limits.Item+"/{name}/action", act(limits))
	site.Handle("POST "+validations.Item+"/{name}/action", act(validations))
	registerDenylist(site)
}

func tabs() []ui.Tab {
	return []ui.Tab{{Name: "Limits", URL: listLimits}, {Name: "JWT validation", URL: listValidations}, {Name: "Denylist", URL: listDenylist}}
}
