// Package declared is the pages of the console that show what is kept of traffic beside sessions: context parameters, flows,
// and the mask rules that keep values out.
package declared

import (
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// The addresses of the tabs.
const (
	listParameters = "/context"
	listFlows      = "/context/flows"
	listMasks      = "/context/masks"
)

const group = "Context"

// Register serves the pages.
func Register(site *web.Site) {
	for _, p := range []*manage.Pages{parameterPages(), flowPages(), maskPages()} {
		p.Register(site)
	}
	site.Handle("GET /context/parameters/lately", parametersLately)
	site.Handle("GET /context/flows/lately", flowsLately)
}

func tabs() []ui.Tab {
	return []ui.Tab{{Name: "Parameters", URL: listParameters}, {Name: "Flows", URL: listFlows}, {Name: "Mask rules", URL: listMasks}}
}

// The halves of an exchange, as resources call them.
const inRequest, inResponse = "request", "response"

func side(in, normal string) string {
	if in == "" {
		return normal
	}
	return in
}
