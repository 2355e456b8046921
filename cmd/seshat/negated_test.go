package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestShieldNegated(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		got := shieldNegated((&app{}).root(), strings.Split(args, "|"))
		if !slices.Equal(got, strings.Split(want, "|")) {
			t.Errorf("%s\nbecomes %q\nwant    %s", args, got, want)
		}
	}
	f("sessions|-user:*", "sessions| -user:*")
	f("sessions|state:idle|-user:*|or|-(a b)", "sessions|state:idle| -user:*|or| -(a b)")
	f(`explore|-"a b"|-ja4:x|-attr.shop-id.0:y|-user(a)`, `explore| -"a b"| -ja4:x| -attr.shop-id.0:y| -user(a)`)
	f("--data|d|-v|export|exchanges|-o|f|-status:200", "--data|d|-v|export|exchanges|-o|f| -status:200")
	f("export|exchanges|-oC:\\out.har|-origin_:x", "export|exchanges|-oC:\\out.har|-origin_:x") // short flags with values
	f("export|exchanges|-qo|-a:b|--output|-c:d", "export|exchanges|-qo|-a:b|--output|-c:d")     // values of flags
	f("sessions|--limit=2|-q|-usr:x", "sessions|--limit=2|-q| -usr:x")
	f("sessions|-q|-v|--sort|user|-h", "sessions|-q|-v|--sort|user|-h")
	f("sessions|--|-user:*", "sessions|--|-user:*")
	f("import|-x:y", "import|-x:y")
	f("session|-x:y", "session|-x:y")
	f("nope|-x:y", "nope|-x:y")
}

func TestNegatedTerms(t *testing.T) {
	p := imported(t)
	if got := p.sessionsOf("-user:alice"); len(got) != 1 || got[0].User == "alice" {
		t.Errorf("-user:alice finds %d sessions", len(got))
	}
	if got := p.sessionsOf("state:*", "-user:*", "-q"); len(got) != 1 {
		t.Errorf("-user:* finds %d sessions; want 1", len(got))
	}
	if got := p.must("explore", "-status:200", "--since", "all", "--format", "ndjson", "--columns", "id").lines(); len(got) != 2 {
		t.Errorf("-status:200 finds %q; want x2 and x3", got)
	}
	path := filepath.Join(t.TempDir(), "out.ndjson")
	p.must("export", "exchanges", "--format", "ndjson", "-o", path, "-status:200", "-q")
	if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("exported: %s, %v", text, err)
	}
	p.run("sessions", "state:idle", "-usr:x").exits(exitUsage).
		says("seshat: filter, column 13: sessions have no field \"usr\"", "\n  state:idle -usr:x\n")
}
