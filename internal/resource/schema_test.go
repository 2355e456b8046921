package resource_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/seshat-project/seshat/internal/resource"
	"pgregory.net/rapid"
)

const publishedSchema = "../../docs/formats/resources.schema.json"

// TestSchemaIsPublished compares the schema with the file that is published. go test -update rewrites it.
func TestSchemaIsPublished(t *testing.T) {
	if *update {
		if err := os.WriteFile(publishedSchema, resource.Schema(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, publishedSchema), resource.Schema()) {
		t.Errorf("%s is not what Schema returns: go test ./internal/resource -update", publishedSchema)
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(resource.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(resource.SchemaID, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(resource.SchemaID)
	if err != nil {
		t.Fatalf("not a JSON Schema: %v", err)
	}
	return compiled
}

func validate(s *jsonschema.Schema, document []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func TestSchemaAcceptsGood(t *testing.T) {
	s := schema(t)
	presets, err := filepath.Glob("preset/*.yaml")
	if err != nil || len(presets) == 0 {
		t.Fatalf("no presets: %v", err)
	}
	for _, name := range append(fixtures(t, "good"), presets...) {
		for i, document := range resource.DocumentsAsJSON(name, read(t, name)) {
			if err := validate(s, document); err != nil {
				t.Errorf("%s, document %d: %v", name, i, err)
			}
		}
	}
}

// TestSchemaRefusesBad: a file of bad fixtures has a document that the schema refuses, unless what is wrong is beyond a
// schema: syntax, duplicates, and meaning.
func TestSchemaRefusesBad(t *testing.T) {
	s := schema(t)
	beyond := []string{"duplicate-key.yaml", "duplicate-name.yaml", "semantic.yaml"}
	for _, name := range fixtures(t, "bad") {
		documents := resource.DocumentsAsJSON(name, read(t, name))
		if len(documents) == 0 || slices.Contains(beyond, filepath.Base(name)) {
			continue
		}
		refused := 0
		for _, document := range documents {
			if validate(s, document) != nil {
				refused++
			}
		}
		if refused == 0 {
			t.Errorf("%s: the schema accepts all %d documents", name, len(documents))
		}
	}
}

// TestSchemaAgreesWithParse changes good resources at random: the schema must accept what Parse does, and refuse what
// it refuses.
func TestSchemaAgreesWithParse(t *testing.T) {
	s := schema(t)
	rapid.Check(t, func(t *rapid.T) {
		resources := rapid.Custom(drawResources).Draw(t, "resources")[:1]
		printed, err := resource.Marshal(resources, rapid.SampledFrom([]resource.Format{resource.FormatYAML, resource.FormatJSON}).Draw(t, "format"))
		if err != nil {
			t.Fatal(err)
		}
		document := resource.DocumentsAsJSON("", printed)[0]
		if rapid.Bool().Draw(t, "changed") {
			// A word within the quotes of the JSON becomes another: a field, an operator, a value.
			words := []string{"location", "key", "header", "equals", "spec", "name", "identifiers", "lowercase", "jsonPath", "enabled", "body", "in"}
			document = []byte(strings.Replace(string(document),
				`"`+rapid.SampledFrom(words).Draw(t, "from")+`"`, `"`+rapid.SampledFrom(words).Draw(t, "to")+`"`, 1))
		}
		_, faults := resource.Parse("x.json", document)
		err = validate(s, document)
		if strings.Contains(faults.Error(), "written twice") {
			return // a schema sees the last of two equal keys only
		}
		if (err == nil) != (len(faults) == 0) {
			t.Fatalf("schema: %v\nParse: %v\n%s", err, faults, document)
		}
	})
}

func TestSchemaDescribesEverything(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(resource.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	definitions := document.(map[string]any)["$defs"].(map[string]any) //nolint:forcetypeassert // fails the test just as well
	fields := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			for name, property := range properties {
				fields++
				if d, _ := property.(map[string]any)["description"].(string); !strings.HasSuffix(d, ".") {
					t.Errorf("%s.%s has no description", path, name)
				}
			}
			for key, child := range v {
				walk(path+"/"+key, child)
			}
		case []any:
			for _, child := range v {
				walk(path, child)
			}
		}
	}
	walk("", definitions)
	if fields < 80 {
		t.Errorf("only %d fields were seen", fields)
	}
}
