package accesslog

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentation checks that the page about the formats knows all of them, and that its patterns and variables mean something.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/formats/accesslog.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, name := range Formats() {
		if !strings.Contains(page, "| `"+name+"` |") {
			t.Errorf("the format %s is not in the table", name)
		}
	}
	block := strings.Split(page, "```")[1]
	patterns := strings.Split(strings.TrimSpace(block), "\n")
	if len(patterns) != 2 {
		t.Fatalf("%d patterns, want 2", len(patterns))
	}
	for _, pattern := range patterns {
		if _, err := Compile(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	table := page[strings.Index(page, "| means |"):strings.Index(page, "Other variables")]
	for _, match := range regexp.MustCompile("`\\$([a-zA-Z_0-9]+)`").FindAllStringSubmatch(table, -1) {
		if nginxVariable(match[1]) == (place{}) {
			t.Errorf("$%s means nothing", match[1])
		}
	}
	for _, match := range regexp.MustCompile("`%>?(?:{([^}]*)})?([a-zA-Z])`").FindAllStringSubmatch(table, -1) {
		if match[2] != "t" && apacheDirective(match[2][0], match[1]) == (place{}) {
			t.Errorf("%%{%s}%s means nothing", match[1], match[2])
		}
	}
}
