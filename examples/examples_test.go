package examples_test

import (
	"os"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// TestShopRules checks that the rules of the sample parse and compile.
func TestShopRules(t *testing.T) {
	text, err := os.ReadFile("shop-rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, faults := resource.Parse("shop-rules.yaml", text)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	faults = resource.Validate(parsed, func(resources []seshat.Resource) seshat.Faults {
		_, faults := rule.Compile(resources)
		return faults
	})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(parsed) < 12 {
		t.Errorf("%d resources; did the end of the file get lost?", len(parsed))
	}
}
