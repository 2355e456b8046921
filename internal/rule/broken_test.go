package rule_test

import (
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// TestBrokenMask: a mask rule whose expression is broken is a fault, also beside identifiers that it might remove.
func TestBrokenMask(t *testing.T) {
	for _, match := range []seshat.Match{{Matches: new("(")}, {NotMatches: new("(")}} {
		_, faults := rule.Compile([]seshat.Resource{
			{Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "shop"}, Spec: &seshat.SessionRuleSpec{
				Identifiers: []seshat.Identifier{{Cookie: "SHOP"}},
			}},
			{Kind: seshat.KindMaskRule, Metadata: seshat.Metadata{Name: "hide"}, Spec: &seshat.MaskRuleSpec{Location: "cookie", Key: &match}},
		})
		if len(faults) != 1 || faults[0].File != "MaskRule/hide" {
			t.Errorf("faults: %v; want one, of the mask rule", faults)
		}
	}
}
