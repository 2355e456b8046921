package resource_test

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/resource"
)

// TestDocumentation validates every example of docs/resources.md, and looks for every field in it.
func TestDocumentation(t *testing.T) {
	page := string(read(t, "../../docs/resources.md"))
	examples := 0
	for i, part := range strings.Split(page, "```") {
		text, ok := strings.CutPrefix(part, "yaml\n")
		if !ok || i%2 == 0 {
			continue
		}
		examples++
		parsed, faults := resource.Parse("example.yaml", []byte(text))
		if faults = append(faults, resource.Validate(parsed, compile)...); len(faults) > 0 || len(parsed) != 1 {
			t.Errorf("%v\n%s", faults, text)
		}
	}
	if examples < 4 {
		t.Errorf("%d examples", examples)
	}
	for _, name := range resource.FieldNames() {
		if !strings.Contains(page, "`"+name) && !strings.Contains(page, "."+name+"`") {
			t.Errorf("the field %s is not documented", name)
		}
	}
}
