package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/resource"
)

// BenchmarkParse reads 1,000 session rules, as a large installation has.
func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "---\napiVersion: seshat/v1\nkind: SessionRule\nmetadata:\n  name: rule-%d\nspec:\n  scope:\n    services: [s%d.example]\n"+
			"  identifiers:\n    - cookie: SESSID\n    - extract:\n        location: header\n        key: X-Session\n      transformations:\n        - base64Decode\n", i, i)
	}
	data := []byte(text.String())
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if parsed, faults := resource.Parse("rules.yaml", data); len(parsed) != 1000 || len(faults) > 0 {
			b.Fatal(len(parsed), faults)
		}
	}
}
