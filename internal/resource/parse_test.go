package resource_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// update rewrites the expected faults of the bad fixtures: go test ./internal/resource -update. Read the difference.
var update = flag.Bool("update", false, "rewrite testdata/bad/*.want") //nolint:gochecknoglobals // flags of tests are

func compile(resources []seshat.Resource) seshat.Faults {
	_, faults := rule.Compile(resources)
	return faults
}

// fixtures returns the names of the files in testdata/<folder>, which must not be empty.
func fixtures(t *testing.T, folder string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.yaml", "*.json"} {
		names, err := filepath.Glob(filepath.Join("testdata", folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	if len(out) == 0 {
		t.Fatalf("no fixtures in testdata/%s", folder)
	}
	return out
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoodFixtures(t *testing.T) {
	for _, name := range fixtures(t, "good") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			parsed, faults := resource.Parse(name, read(t, name))
			if len(faults) == 0 {
				faults = resource.Validate(parsed, compile)
			}
			if len(faults) > 0 {
				t.Fatalf("faults:\n%v", faults)
			}
			if len(parsed) == 0 {
				t.Fatal("no resources")
			}
		})
	}
}

// TestBadFixtures reads every bad fixture and compares all its faults with those expected in the .want file beside it.
func TestBadFixtures(t *testing.T) {
	for _, name := range fixtures(t, "bad") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			base := filepath.Base(name)
			parsed, faults := resource.Parse(base, read(t, name))
			faults = append(faults, resource.Validate(parsed, compile)...)
			got := faults.Error() + "\n"
			want := strings.TrimSuffix(strings.TrimSuffix(name, ".yaml"), ".json") + ".want"
			if filepath.Ext(name) == ".json" {
				want = strings.TrimSuffix(want, ".want") + ".json.want"
			}
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if expected := string(read(t, want)); got != expected || len(faults) == 0 {
				t.Errorf("faults:\n%swant:\n%s", got, expected)
			}
		})
	}
}
