package console

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/web"
)

// TestActs asks for every form of the console as every role: who may not do what it is about is told so, in one way, and
// everybody else gets it. What is new is a form when it is sent to its own address, unless it is listed as a page to read.
func TestActs(t *testing.T) {
	var patterns []string
	open := func(role account.Role) *consoletest.Site {
		s := consoletest.New(t, func(site *web.Site) {
			site.Acts = acts()
			for _, register := range pages() {
				register(site)
			}
			patterns = site.Patterns()
		})
		s.Permissions = api.RolePermissions(role)
		return s
	}
	open(account.RoleViewer)
	// These show what is there to those who may only read, with nothing to press.
	read := []string{
		"/context/flow/{name}", "/context/flow/{name}/yaml", "/context/mask/{name}", "/context/mask/{name}/yaml", "/context/parameter/{name}",
		"/context/parameter/{name}/yaml", "/limits/limit/{name}", "/limits/limit/{name}/yaml", "/limits/validation/{name}", "/limits/validation/{name}/yaml",
		"/rules/{name}/yaml", "/rules/-/presets/{name}", "/settings", "/settings/general/{name}/yaml", "/settings/user/{name}", "/sign-in",
	}
	var forms []string
	for _, pattern := range patterns {
		method, path, _ := strings.Cut(pattern, " ")
		if method == "GET" && slices.Contains(patterns, "POST "+path) && !slices.Contains(read, path) {
			forms = append(forms, pattern)
		}
	}
	for pattern := range acts() {
		if !slices.Contains(forms, pattern) {
			t.Errorf("%s is no form", pattern)
		}
	}
	for _, role := range []account.Role{account.RoleViewer, account.RoleAnalyst, account.RoleAdmin} {
		s := open(role)
		may := api.RolePermissions(role)
		for _, pattern := range forms {
			needs := acts()[pattern]
			if len(needs) == 0 {
				t.Errorf("%s is a form, and nothing says which permission it is for: add it to acts, or to the pages to read", pattern)
				continue
			}
			path := strings.NewReplacer("{id}", "01000000-0000-8000-8000-000000000001", "{name}", "none").Replace(strings.TrimPrefix(pattern, "GET "))
			allowed := slices.ContainsFunc(needs, func(p string) bool { return slices.Contains(may, api.Permission(p)) })
			page := s.Get(path)
			switch {
			case !allowed:
				page.Want(http.StatusForbidden, "This is not for the role", needs[0]).Lacks("<textarea", `method="post" class="form"`)
			case page.Status == http.StatusForbidden:
				t.Errorf("%s: %s may do it, and is refused: %s", pattern, role, page.Body)
			}
		}
	}
}
