// Package rules is the pages of the console that show session rules: the list in the order in which they are tried, the
// form of one with what it would do to recent traffic, what one is and did, its history, and presets to begin with.
package rules

import (
	"net/url"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// Addresses of the pages. What is no page of one rule has "-" where rules have their name, which no rule can have.
const (
	pathList    = "/rules"
	pathNew     = "/rules/new"
	pathOrder   = "/rules/-/order"
	pathUsed    = "/rules/-/used"
	pathPresets = "/rules/-/presets"
	pathYAML    = "/rules.yaml"
)

// The permissions that pages look at to know what to offer. The API decides.
const (
	mayWrite = "resources:write"
	mayTry   = "rules:try"
	mayCount = "exchanges:read"
)

// Register serves the pages.
func Register(site *web.Site) {
	site.Handle("GET "+pathList, list)
	site.Handle("GET "+pathYAML, everything)
	site.Handle("POST "+pathOrder, order)
	site.Handle("GET "+pathUsed, used)
	site.Handle("GET "+pathPresets+"/{name}", showPreset)
	site.Handle("POST "+pathPresets+"/{name}", applyPreset)
	site.Handle("GET "+pathNew, begin)
	site.Handle("POST "+pathNew, sent)
	site.Handle("GET /rules/{name}", view)
	site.Handle("GET /rules/{name}/lately", lately)
	site.Handle("GET /rules/{name}/edit", edit)
	site.Handle("POST /rules/{name}/edit", sent)
	pages().RegisterRest(site)
}

// pages are the pages that session rules have like resources of other kinds.
func pages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindSessionRule, Section: ui.SectionRules, Group: "Rules", One: "rule", Many: "rules", First: "Rule",
		Tabs: func() []ui.Tab { return []ui.Tab{{Name: "Rules", URL: pathList}} }, List: pathList, New: pathNew, Item: "/rules",
	}
}

// reserved is the name that a rule may have and that leads to another page.
const reserved = "new"

// address is the page of a rule.
func address(name string) string {
	if name == reserved {
		return "/rules/new/edit"
	}
	return "/rules/" + url.PathEscape(name)
}

func editAddress(name string) string { return "/rules/" + url.PathEscape(name) + "/edit" }

// sessionsOf are the sessions that a rule identified.
func sessionsOf(name string) string {
	return web.Address("/sessions", url.Values{"filter": {"identified_by:" + name}})
}

// exchangesOf are the exchanges that a filter finds.
func exchangesOf(filter string) string {
	return web.Address("/explorer", url.Values{"filter": {filter}})
}

// attribute is the name of the attribute that an identifier gives exchanges.
func attribute(id seshat.RuleID, index string) string {
	return "seshat.session." + id.String() + "." + index + ".id"
}

// idOf is the ID of a rule: its own, or that of its name.
func idOf(m *seshat.Metadata) seshat.RuleID {
	if id, err := seshat.ParseRuleID(m.UID); err == nil {
		return id
	}
	return seshat.RuleIDFor(m.Name)
}
