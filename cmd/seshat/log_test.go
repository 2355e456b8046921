package main

import (
	"strings"
	"testing"
)

// TestVerbose checks that the log has what Seshat does, and not the chatter of the server that keeps the resources.
func TestVerbose(t *testing.T) {
	r := newProgram(t).must("apply", "-v", "-f", write(t, "rule.yaml", shopRule)).prints("created")
	if strings.Contains(r.stderr, "nats") {
		t.Errorf("--verbose prints\n%s", r.stderr)
	}
}
