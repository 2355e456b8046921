package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/api/wire"
)

func TestPresets(t *testing.T) {
	s := serve(t, options(t, 1))
	s.get("/api/v1/presets").is(200).has(`"keycloak"`, `"SessionRule/keycloak"`, `"ContextParameter/keycloak-user"`)
	one := s.get("/api/v1/presets/mcp").is(200).has(`"Model Context Protocol"`, `kind: SessionRule`)
	if strings.Contains(s.get("/api/v1/presets").body, `"yaml"`) {
		t.Error("a list has texts")
	}
	s.get("/api/v1/presets/nothing").problem(404)
	s.get("/api/v1/presets/..%2Fpreset").problem(404)
	var p wire.Preset
	if err := json.Unmarshal([]byte(one.body), &p); err != nil {
		t.Fatal(err)
	}
	s.ask("POST", "/api/v1/resources?dry_run=true", p.YAML, "Content-Type: application/yaml").is(200).has(`"mcp-end"`)
}
