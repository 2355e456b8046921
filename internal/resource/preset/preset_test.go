package preset_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/preset"
	"github.com/seshat-project/seshat/internal/resource/ruletest"
	"github.com/seshat-project/seshat/internal/rule"
)

func compile(resources []seshat.Resource) seshat.Faults {
	_, faults := rule.Compile(resources)
	return faults
}

func TestList(t *testing.T) {
	var names []string
	for _, p := range preset.List() {
		names = append(names, p.Name)
		if p.Title == "" || len(p.Title) > 40 || !regexp.MustCompile(`^[A-Z].*\.$`).MatchString(p.Description) || len(p.Description) > 120 {
			t.Errorf("%s: title %q, description %q; want a name and one sentence", p.Name, p.Title, p.Description)
		}
	}
	const want = "aspnet auth0 cloudflare-access cognito django express firebase flask keycloak laravel mcp nextauth okta phpsession rails spring supabase wordpress"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("presets %q, want %q", got, want)
	}
}

// TestTogether validates all presets together, so that any of them can be applied at once.
func TestTogether(t *testing.T) {
	var all []resource.Parsed
	for _, p := range preset.List() {
		parsed, err := preset.Parse(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if faults := resource.Validate(parsed, compile); len(faults) > 0 {
			t.Errorf("%s:\n%v", p.Name, faults)
		}
		all = append(all, parsed...)
	}
	if faults := resource.Validate(all, compile); len(faults) > 0 {
		t.Errorf("all together:\n%v", faults)
	}
}

// TestIdentify runs the tests of every preset: sample exchanges of the product.
func TestIdentify(t *testing.T) {
	for _, p := range preset.List() {
		t.Run(p.Name, func(t *testing.T) {
			report := ruletest.Run(filepath.Join("testdata", p.Name+"_test.yaml"), ruletest.Options{})
			var text strings.Builder
			if err := report.WriteText(&text); err != nil || !report.OK() || len(report.Results) == 0 {
				t.Errorf("%v\n%s", err, &text)
			}
		})
	}
}

func TestGetUnknown(t *testing.T) {
	for _, name := range []string{"nothing", "", "../preset/mcp", "mcp.yaml"} {
		if _, err := preset.Get(name); seshat.KindOfError(err) != seshat.ErrorNotFound {
			t.Errorf("Get(%q): %v, want an error of kind not found", name, err)
		}
	}
}
