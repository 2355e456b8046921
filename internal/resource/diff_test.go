package resource_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

func TestDiff(t *testing.T) {
	one := func(text string) *seshat.Resource { return &parse(t, text)[0].Resource }
	const head = "apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: shop}\n"
	f := func(from, to *seshat.Resource, unified, changes string) {
		t.Helper()
		got, err := resource.Diff("a", "b", from, to)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, c := range got.Changes {
			list = append(list, c.Field+": "+c.Before+" > "+c.After)
		}
		if got.Unified != unified || strings.Join(list, "\n") != changes {
			t.Errorf("unified:\n%s\nwant:\n%s\nchanges:\n%s\nwant:\n%s", got.Unified, unified, strings.Join(list, "\n"), changes)
		}
	}
	a := one(head + "spec: {identifiers: [{cookie: A}, {header: X-Session}]}")
	f(a, a, "", "")
	f(a, one(head+"spec: {priority: 5, identifiers: [{cookie: B}]}"), `--- a
+++ b
@@ -3,6 +3,6 @@
 metadata:
   name: shop
 spec:
+  priority: 5
   identifiers:
-    - cookie: A
-    - header: X-Session
+    - cookie: B
`, `spec.identifiers[0].cookie: "A" > "B"
spec.identifiers[1]: {"header":"X-Session"} > `+`
spec.priority:  > 5`)
	f(nil, one(head+"spec: {identifiers: [{cookie: A}]}"), `--- a
+++ b
@@ -0,0 +1,7 @@
+apiVersion: seshat/v1
+kind: SessionRule
+metadata:
+  name: shop
+spec:
+  identifiers:
+    - cookie: A
`, `apiVersion:  > "seshat/v1"
kind:  > "SessionRule"
metadata:  > {"name":"shop"}
spec:  > {"identifiers":[{"cookie":"A"}]}`)
	f(nil, nil, "", "")
}

// TestUnifiedDiffApplies gives unified diffs to patch(1), which has to make of one text the other.
func TestUnifiedDiffApplies(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Fatal("patch(1) is needed: ", err)
	}
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		lines := func(name string) []string {
			return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d: 1", "  e", "f"}), 0, 30).Draw(t, name)
		}
		from, to := lines("from"), lines("to")
		if rapid.Bool().Draw(t, "alike") {
			to = append(append([]string{}, from...), to[:min(len(to), 2)]...)
		}
		diff := resource.Unified("a", "b", from, to)
		join := func(list []string) string {
			if len(list) == 0 {
				return ""
			}
			return strings.Join(list, "\n") + "\n"
		}
		if diff == "" {
			if join(from) != join(to) {
				t.Fatal("the texts differ, and the diff is empty")
			}
			return
		}
		in, out := filepath.Join(folder, "in"), filepath.Join(folder, "out")
		if err := os.WriteFile(in, []byte(join(from)), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(patch, "--quiet", "--batch", "-F0", "-o", out, in)
		cmd.Stdin = strings.NewReader(diff)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("patch: %v: %s\n%s", err, text, diff)
		}
		got, err := os.ReadFile(out)
		if err != nil && len(to) > 0 {
			t.Fatal(err)
		}
		if string(got) != join(to) {
			t.Fatalf("patched: %q; want %q\n%s", got, join(to), diff)
		}
	})
}
