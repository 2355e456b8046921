package jsonpath_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/seshat-project/seshat/internal/jsonpath"
)

// FuzzDecode holds the decoder to encoding/json: both accept the same documents and read the same values, but for
// duplicate names and bytes that are not UTF-8, where they differ on purpose.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x"],"":{}}`, `"\u00e9\ud83d\ude00\ud83d\"\\"`, `[1,]`, `01`, "\"\xff\"", " [ ] ", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	root, all := mustParse(f, "$"), mustParse(f, "$..*")
	f.Fuzz(func(t *testing.T, document []byte) {
		nodes, err := root.SelectJSON(document)
		if errors.Is(err, jsonpath.ErrTooDeep) || errors.Is(err, jsonpath.ErrTooManyValues) {
			return
		}
		if (err == nil) != json.Valid(document) {
			t.Fatalf("%q: got %v, encoding/json says %v", document, err, json.Valid(document))
		}
		if err != nil || !utf8.Valid(document) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(document))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		mine, err := all.SelectJSON(document)
		if err != nil {
			return
		}
		theirs, err := all.Select(want)
		if err != nil {
			t.Fatal(err)
		}
		if len(mine) != len(theirs) {
			// Duplicate names, of which the map has one: then there are more here.
			if len(mine) < len(theirs) || !bytes.Contains(document, []byte("{")) {
				t.Fatalf("%q: %d values, encoding/json has %d", document, len(mine), len(theirs))
			}
			return
		}
		if got := nodes[0].Value(); !reflect.DeepEqual(got, want) && !hasDuplicates(mine) {
			t.Fatalf("%q:\n got %#v\nwant %#v", document, got, want)
		}
	})
}

func hasDuplicates(nodes []jsonpath.Node) bool {
	seen := map[string]bool{}
	for _, n := range nodes {
		if seen[n.Path()] {
			return true
		}
		seen[n.Path()] = true
	}
	return false
}
