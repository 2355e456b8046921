// Package settings is the pages of the console that show and change how the installation works and who may use it: the
// resource of settings, what was seen where, what is kept, users, API tokens, one's own account, and the audit log.
package settings

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// The addresses of the tabs.
const (
	generalPath  = "/settings"
	servicesPath = "/settings/services"
	storagePath  = "/settings/storage"
	usersPath    = "/settings/users"
	tokensPath   = "/settings/tokens" //nolint:gosec // an address
	accountPath  = "/settings/account"
	auditPath    = "/settings/audit"
)

// The permissions that pages look at to know what to offer. The API decides.
const (
	mayWrite      = "resources:write"
	mayReadUsers  = "users:read"
	mayWriteUsers = "users:write"
	mayReadAudit  = "audit:read"
	mayKeepOwn    = "account:own"
)

// style is the stylesheet of these pages.
const style = "settings.css"

// Register serves the pages.
func Register(site *web.Site) {
	registerGeneral(site)
	site.Handle("GET "+servicesPath, explained(services))
	site.Handle("GET "+servicesPath+"/numbers", explained(serviceNumbers))
	site.Handle("GET "+storagePath, explained(storage))
	registerUsers(site)
	registerTokens(site)
	registerAccount(site)
	site.Handle("GET "+auditPath, explained(auditLog))
	site.Handle("GET "+auditPath+"/rows", explained(auditRows))
}

// tabs are the parts of the settings that somebody may see.
func tabs(v *ui.Viewer, current string) []ui.Tab {
	all := []struct{ name, url, needs string }{
		{"General", generalPath, ""},
		{"Environments and services", servicesPath, "exchanges:read"},
		{"Storage", storagePath, "status:read"},
		{"Users", usersPath, mayReadUsers},
		{"API tokens", tokensPath, mayKeepOwn},
		{"Your account", accountPath, mayKeepOwn},
		{"Audit log", auditPath, mayReadAudit},
	}
	var out []ui.Tab
	for _, one := range all {
		if one.needs == "" || v.Can(one.needs) {
			out = append(out, ui.Tab{Name: one.name, URL: one.url, Current: one.url == current})
		}
	}
	return out
}

// page is one of the tabs.
func page(title, subtitle string) ui.Page {
	return ui.Page{Title: title + ", settings", Heading: "Settings", Subtitle: subtitle, Section: ui.SectionSettings, Styles: []string{style}}
}

// below is a page below a tab.
func below(title, name, url string) ui.Page {
	return ui.Page{
		Title: title, Section: ui.SectionSettings, Styles: []string{style},
		Crumbs: []ui.Crumb{{Name: "Settings", URL: generalPath}, {Name: name, URL: url}},
	}
}

// explained says of a page that somebody may not see what they can do about it.
func explained(h web.Handler) web.Handler {
	return func(q *web.Request) error {
		err := h(q)
		var p *wire.Problem
		if errors.As(err, &p) && p.Status == http.StatusForbidden && !errors.Is(err, client.ErrSignedOut) {
			return forbidden(q, p.Detail)
		}
		return err
	}
}

// needs refuses a page that asks the API for nothing yet, such as an empty form.
func needs(permission string, h web.Handler) web.Handler {
	return explained(func(q *web.Request) error {
		if !q.Viewer.Can(permission) {
			return forbidden(q, "The permission "+permission+" is missing.")
		}
		return h(q)
	})
}

func forbidden(q *web.Request, detail string) error {
	return &wire.Problem{
		Status: http.StatusForbidden, Title: "This is not for the role " + q.Viewer.Role, Kind: "invalid", Detail: detail,
		Hint: "An administrator can give you another role, or do it for you.",
	}
}

// refusal is why the API did not do what a form asks for, for the form to say; an error when that is not for a form to say.
func refusal(err error) (*wire.Problem, error) {
	if errors.Is(err, client.ErrSignedOut) {
		return nil, err
	}
	p := web.Problem(err)
	switch {
	case p.Status >= http.StatusInternalServerError, p.Status == http.StatusNotFound, p.Status == http.StatusForbidden:
		return nil, err
	}
	out := *p
	for _, wrong := range p.Errors {
		out.Detail += "; " + strings.TrimPrefix(wrong.Location, "body.") + ": " + wrong.Message
	}
	out.Detail = sentence(out.Detail)
	return &out, nil
}

// sentence is a text of the API as one.
func sentence(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return string(text[0]-'a'+'A') + text[1:] + "."
}

// origin is where the console is reached, as whoever asks reaches it.
func origin(q *web.Request) string {
	scheme := "http"
	if q.TLS != nil || q.Header.Get("X-Forwarded-Proto") == "https" { // it is only shown
		scheme = "https"
	}
	return scheme + "://" + q.Host
}
