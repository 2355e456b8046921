package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestExplainSaysWhich checks that an explanation in JSON names its exchange.
func TestExplainSaysWhich(t *testing.T) {
	p := newProgram(t)
	r := p.input(traffic, "explain", "-", "--format", "json").exits(exitDone)
	values := json.NewDecoder(strings.NewReader(r.stdout))
	for _, want := range []string{"x1 2026-01-02T10:00:00Z", "x2 2026-01-02T10:00:10Z"} {
		var got struct{ ID, Time, Reason string }
		if err := values.Decode(&got); err != nil || got.ID+" "+got.Time != want || got.Reason == "" {
			t.Errorf("%v, %v; want %s and a reason", got, err, want)
		}
	}
}

// TestExplainLongValue checks that of a long value in the clear people see the beginning, and machines all.
func TestExplainLongValue(t *testing.T) {
	const plain = `apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop-app}
spec:
  identifiers:
    - header: X-Shop-Session
      obfuscate: false
`
	long := strings.Repeat("0123456789", 1000)
	line := strings.ReplaceAll(strings.Split(traffic, "\n")[3], "bob-session-0000000000000001", long)
	p := newProgram(t)
	p.must("apply", "-f", write(t, "rule.yaml", plain))
	p.input(line, "import", "-").exits(exitDone)
	for _, args := range [][]string{{"explain", "-"}, {"explain", "--id", "x4"}, {"session", "x4"}} {
		text := p.input(line, args...).exits(exitDone).prints(long[:200]+"… (", " bytes more)")
		if strings.Contains(text.stdout, long[:201]) {
			t.Errorf("%q prints %d bytes", args, len(text.stdout))
		}
		p.input(line, append(args, "--format", "json")...).exits(exitDone).prints(long[:500]) // of which not all is stored
	}
}

// TestExplainNamesakes checks that an ID that several exchanges have is said to be ambiguous.
func TestExplainNamesakes(t *testing.T) {
	p := imported(t)
	if r := p.must("explain", "--id", "x4"); r.stderr != "" {
		t.Errorf("one exchange has the ID, and it says %s", r.stderr)
	}
	twin := strings.ReplaceAll(strings.Split(traffic, "\n")[3], "10:21:00", "11:21:00")
	p.input(twin, "import", "-").exits(exitDone).prints("1 stored")
	p.must("explain", "--id", "x4").prints("2026-01-02 11:21:00Z").
		says("Several exchanges have the ID x4; this is the newest. The others, by their keys: seshat explore 'id:\"x4\"' --columns time,key,")
	keys := p.must("explore", `id:"x4"`, "--columns", "key", "--since", "all", "--format", "csv").lines()
	if len(keys) != 3 {
		t.Fatalf("keys: %q", keys)
	}
	for _, key := range keys[1:] {
		p.must("explain", "--id", key).silent()
	}
}
