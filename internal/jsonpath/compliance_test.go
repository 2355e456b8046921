package jsonpath_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
)

// complianceTests is how many tests the suite has, so that a suite that was cut short does not pass for the whole.
const complianceTests = 703

type complianceTest struct {
	Name        string          `json:"name"`
	Selector    string          `json:"selector"`
	Document    json.RawMessage `json:"document"`
	Result      json.RawMessage `json:"result"`
	Results     []any           `json:"results"`
	ResultPaths []string        `json:"result_paths"`
	ResultsPath [][]string      `json:"results_paths"`
	Invalid     bool            `json:"invalid_selector"`
}

func readCompliance(t *testing.T) []complianceTest {
	t.Helper()
	dir := os.Getenv("SESHAT_MATERIAL")
	if dir == "" {
		t.Skip("SESHAT_MATERIAL is not set: it names the directory that holds jsonpath-cts/cts.json")
	}
	data, err := os.ReadFile(filepath.Join(dir, "jsonpath-cts", "cts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Tests []complianceTest }
	if err := json.Unmarshal(data, &suite); err != nil {
		t.Fatal(err)
	}
	if len(suite.Tests) != complianceTests {
		t.Fatalf("the suite has %d tests, want %d", len(suite.Tests), complianceTests)
	}
	return suite.Tests
}

// TestCompliance runs the compliance suite of RFC 9535 through every way a query can be answered.
func TestCompliance(t *testing.T) {
	for _, test := range readCompliance(t) {
		t.Run(test.Name, func(t *testing.T) { runCompliance(t, test) })
	}
}

func runCompliance(t *testing.T, test complianceTest) {
	p, err := jsonpath.Parse(test.Selector)
	if test.Invalid {
		var syntax *jsonpath.SyntaxError
		if !errors.As(err, &syntax) {
			t.Fatalf("Parse(%q): got %v, want a SyntaxError", test.Selector, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("Parse(%q): %v", test.Selector, err)
	}
	nodes, err := p.SelectJSON(test.Document)
	if err != nil {
		t.Fatalf("SelectJSON: %v", err)
	}
	checkCompliance(t, test, "SelectJSON", nodes)

	var document any
	if err := json.Unmarshal(test.Document, &document); err != nil {
		t.Fatal(err)
	}
	nodes, err = p.Select(document)
	if err != nil {
		t.Fatalf("Select: %v", err)
	}
	checkCompliance(t, test, "Select", nodes)

	printed := p.String()
	again, err := jsonpath.Parse(printed)
	if err != nil {
		t.Fatalf("%q prints as %q, which does not parse: %v", test.Selector, printed, err)
	}
	if got := again.String(); got != printed {
		t.Fatalf("%q prints as %q, which prints as %q", test.Selector, printed, got)
	}
	if nodes, err = again.SelectJSON(test.Document); err != nil {
		t.Fatalf("SelectJSON of %q: %v", printed, err)
	}
	checkCompliance(t, test, "printed and parsed again", nodes)
	checkFirst(t, p, test.Document)
}

func checkCompliance(t *testing.T, test complianceTest, way string, nodes []jsonpath.Node) {
	t.Helper()
	values, paths := []any{}, []string{}
	for _, n := range nodes {
		text, err := json.Marshal(n.Value())
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		values, paths = append(values, value), append(paths, n.Path())
	}
	wantValues, wantPaths := test.Results, test.ResultsPath
	if test.Results == nil {
		var want any
		if err := json.Unmarshal(test.Result, &want); err != nil {
			t.Fatal(err)
		}
		wantValues, wantPaths = []any{want}, [][]string{test.ResultPaths}
	}
	for i, want := range wantValues {
		if reflect.DeepEqual(any(values), want) && (wantPaths[i] == nil || reflect.DeepEqual(paths, wantPaths[i])) {
			return
		}
	}
	t.Fatalf("%s of %q in %s:\n got %v at %q\nwant %v at %q",
		way, test.Selector, test.Document, values, paths, wantValues, wantPaths)
}
