package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResources(t *testing.T) {
	p := newProgram(t)
	p.run("get").exits(exitFailed).says("seshat: open the resources in " + p.data + ": nothing was applied or imported yet (")
	file := write(t, "rule.yaml", shopRule)
	p.must("validate", "-f", file).prints("sessionrule/shop-app valid\n")
	p.must("apply", "-f", file, "--dry-run").prints("sessionrule/shop-app created (dry run)\n")
	p.run("get", "sessionrule", "shop-app").exits(exitFailed).says("nothing was applied or imported yet")
	p.must("apply", "-f", file).prints("sessionrule/shop-app created\n")
	p.run("get", "sessionrule", "other").exits(exitFailed).
		says("seshat: get sessionrule other: there is no such resource (seshat get lists them)\n")
	p.must("apply", file).prints("sessionrule/shop-app unchanged\n")
	p.input(strings.Replace(shopRule, "own header", "header", 1), "apply", "-f", "-").exits(exitDone).prints("sessionrule/shop-app updated\n")

	for _, kind := range []string{"sessionrule", "sessionrules", "SessionRule", "SESSIONRULES"} {
		p.must("get", kind).prints("sessionrule  shop-app ", "The app's header")
	}
	p.must("get", "flows").says("There are none.")
	yaml := p.must("get", "sessionrules", "-o", "yaml").stdout
	if got := p.must("get", "sessionrule", "shop-app").stdout; got != yaml {
		t.Errorf("one rule is printed as\n%s; all as\n%s", got, yaml)
	}
	p.input(yaml, "apply", "-f", "-").exits(exitDone).prints("sessionrule/shop-app unchanged\n")
	if text := p.must("get", "sessionrules", "-o", "json").stdout; !json.Valid([]byte(text)) {
		t.Errorf("not JSON: %s", text)
	}

	history := p.must("history", "sessionrule", "shop-app").lines()
	if len(history) != 3 || !strings.Contains(history[1], "updated") || !strings.Contains(history[2], "created") {
		t.Fatalf("history: %q", history)
	}
	first := strings.Fields(history[2])[0]
	p.must("get", "sessionrule", "shop-app", "--revision", first).prints("The app's own header")
	p.must("rollback", "sessionrule", "shop-app", "--revision", first).prints("sessionrule/shop-app rolled back\n")
	p.must("get", "sessionrule", "shop-app").prints("The app's own header")
	p.must("delete", "sessionrule", "shop-app").prints("sessionrule/shop-app deleted\n")
	p.run("delete", "sessionrule", "shop-app").exits(exitFailed)
	p.must("rollback", "sessionrules", "shop-app", "--revision", first)
	p.must("get", "sessionrule", "shop-app").prints("The app's own header")
	p.run("get", "sessionrule", "shop-app", "--revision", "999").exits(exitFailed)
	p.run("history", "flow", "nope").exits(exitFailed)
}

func TestApplyFaults(t *testing.T) {
	p := newProgram(t)
	bad := write(t, "bad.yaml", strings.Replace(shopRule, "- header: X-Shop-Session", "- extract: {location: header, key: {matches: \"(\"}}\n      typo: 1", 1))
	good := write(t, "good.yaml", strings.Replace(shopRule, "shop-app", "other", 1))
	for _, command := range []string{"apply", "validate"} {
		p.run(command, "-f", good, "-f", bad).exits(exitFailed).says(bad+":9:", "typo")
	}
	p.run("apply", "-f", good, "-f", bad).says("seshat: nothing was applied\n")
	p.run("get").exits(exitFailed).says("nothing was applied or imported yet")
	p.run("validate", "-f", write(t, "empty.yaml", "")).exits(exitFailed).says("there is no resource in it")
	p.run("validate", "-f", filepath.Join(t.TempDir(), "none.yaml")).exits(exitFailed).says("no such file or directory")

	// What is stored counts, too: a rule whose key is masked already.
	p.input("apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: m}\nspec: {location: header, key: X-Shop-Session}\n", "apply", "-f", "-").exits(exitDone)
	p.must("validate", "-f", write(t, "rule.yaml", shopRule))
	p.run("apply", "-f", write(t, "rule.yaml", shopRule)).exits(exitFailed).says("masked")
}

func TestApplyDirectory(t *testing.T) {
	p := newProgram(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": shopRule, "b.yml": strings.Replace(shopRule, "shop-app", "b", 1), "README": "no"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.must("apply", "-f", dir).prints("sessionrule/shop-app created\nsessionrule/b created\n")
	p.run("apply", "-f", t.TempDir()).exits(exitFailed).says("holds no .yaml")
}

func TestPresets(t *testing.T) {
	p := newProgram(t)
	list := p.must("presets").lines()
	for _, line := range list[1:] {
		name := strings.Fields(line)[0]
		p.must("presets", "show", name).prints("apiVersion: seshat/v1")
	}
	p.must("apply", "--preset", "keycloak").prints("created\n")
	p.run("presets", "show", "nope").exits(exitFailed).says("seshat presets lists them")
	p.run("apply", "--preset", "nope").exits(exitFailed).says("seshat presets lists them")
}

func TestRuleTests(t *testing.T) {
	p := newProgram(t)
	p.must("test", filepath.Join("..", "..", "examples", "rules_test.yaml")).prints(" 0 failed")
	p.run("test", filepath.Join(t.TempDir(), "none.yaml")).exits(exitFailed)
	file := write(t, "t.yaml", `resources:
  - apiVersion: seshat/v1
    kind: SessionRule
    metadata: {name: shop-app}
    spec: {identifiers: [{header: X-Shop-Session}]}
tests:
  - name: the header is the session
    exchange:
      request: {method: GET, path: /, headers: [[X-Shop-Session, abc]]}
    want:
      ids: [{rule: shop-app, value: other}]
`)
	p.run("test", file).exits(exitFailed).prints("FAIL  the header is the session\n", file+":")
}

func TestKeys(t *testing.T) {
	p := imported(t)
	before := p.must("key", "list").lines()
	if len(before) != 2 || !strings.HasSuffix(before[1], "current") {
		t.Fatalf("keys: %q", before)
	}
	p.must("key", "rotate").prints(" is current\n")
	if after := p.must("key", "list").lines(); len(after) != 3 || strings.Fields(after[2])[0] != strings.Fields(before[1])[0] {
		t.Errorf("keys after the rotation: %q", after)
	}
	// The old key finds what was stored under it.
	p.input("bbbbbbbbbbbbbbbbbbbbbbbbbb\n", "session", "-").exits(exitDone).prints("alice")
	p.must("key", "rotate", "--forget").prints(" removed\n")
	if after := p.must("key", "list").lines(); len(after) != 2 {
		t.Errorf("keys after --forget: %q", after)
	}
	if err := os.Remove(filepath.Join(p.data, keyFile)); err != nil {
		t.Fatal(err)
	}
	p.input(traffic, "import", "-").exits(exitDone).says("seshat: warning: " + filepath.Join(p.data, keyFile) + " is gone")
	if r := p.input(traffic, "import", "-").exits(exitDone); strings.Contains(r.stderr, "warning") {
		t.Errorf("it warns with a key: %s", r.stderr)
	}
	info, err := os.Stat(filepath.Join(p.data, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v", info.Mode(), err)
	}
}

func TestSchemaAndFields(t *testing.T) {
	p := newProgram(t)
	if text := p.must("schema").stdout; !json.Valid([]byte(text)) {
		t.Errorf("not JSON: %s", text)
	}
	p.must("filter-fields").prints("SESSIONS", "EXCHANGES", "client_session_id")
	p.must("filter-fields", "exchanges").prints("attr.NAME")
	p.run("filter-fields", "rules").exits(exitUsage)
}

func TestCompletion(t *testing.T) {
	p := imported(t)
	f := func(want string, args ...string) {
		t.Helper()
		if r := p.must(append([]string{"__complete"}, args...)...); !strings.Contains("\n"+r.stdout, "\n"+want) {
			t.Errorf("completing %q offers %q; want %q", args, r.stdout, want)
		}
	}
	id := p.sessionsOf()[0].ID.String()
	f(id, "session", id[:3])
	f("sessionrule\n", "get", "")
	f("shop-app\n", "get", "sessionrule", "")
	f("keycloak\n", "presets", "show", "")
	f("keycloak\n", "apply", "--preset", "")
	f("time,session_id\n", "explore", "--columns", "time,sess")
	f("status:\n", "sessions", "stat")
	f("user:alice status:\n", "sessions", "user:alice stat")
	f("status:500 -flow:\n", "explore", "status:500 -fl")
	f("ndjson\n", "export", "exchanges", "--format", "")
	f("combined\n", "import", "--log-format", "")
}
