package ndjson

import (
	"os"
	"strings"
	"testing"
)

// TestExamplesInTheDocumentation reads the examples of the page about the format.
func TestExamplesInTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../../docs/formats/ndjson.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```json\n")[1:]
	if len(blocks) != 2 {
		t.Fatalf("%d examples, want 2", len(blocks))
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		var d Decoder
		if _, err := d.Decode([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
