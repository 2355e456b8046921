package clientaddr

import (
	"os"
	"regexp"
	"testing"
)

// TestGuide holds the table of docs/gateway.md to what happens.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `((?:X-Forwarded-For|Forwarded): [^`]+)` \\| ([0-9.]+) \\|").FindAllStringSubmatch(string(text), -1)
	const known = 4
	if len(rows) != known {
		t.Fatalf("%d rows, want %d", len(rows), known)
	}
	r := resolver(t, Config{}, "10.0.0.0/8", "2001:db8:1::/48")
	for _, row := range rows {
		if c := resolve(r, "10.0.0.1", fields(row[1])); c.IP.String() != row[2] {
			t.Errorf("%s: the guide says %s, it is %s", row[1], row[2], c.IP)
		}
	}
}
