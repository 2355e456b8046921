package resource_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seshat-project/seshat/internal/resource"
)

// FuzzParse reads anything: it must return, faults must have their place within the input, and what has no faults
// must print and read back as the same resources.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.*", "testdata/bad/*.yaml", "testdata/bad/*.json", "preset/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(filepath.Ext(name) == ".json", data)
		}
	}
	f.Fuzz(func(t *testing.T, isJSON bool, data []byte) {
		name := "in.yaml"
		if isJSON {
			name = "in.json"
		}
		parsed, faults := resource.Parse(name, data)
		for _, fault := range faults {
			if fault.File != name || fault.Message == "" || fault.Line < 0 || fault.Column < 0 {
				t.Fatalf("a fault without its place: %+v", fault)
			}
		}
		for i := range parsed {
			if line, column := parsed[i].Place("spec.x[0].y"); line < 1 || column < 1 {
				t.Fatalf("no place for %s: %d:%d", parsed[i].Resource.Metadata.Name, line, column)
			}
		}
		if len(parsed) > 0 {
			checkRoundTrip(t, resource.Resources(parsed), resource.FormatYAML)
			checkRoundTrip(t, resource.Resources(parsed), resource.FormatJSON)
		}
	})
}
