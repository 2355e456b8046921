package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// Difference is how one revision of a resource differs from another one.
type Difference struct {
	// Unified is the unified diff of the two in YAML, with the short forms that people write; empty when nothing differs.
	Unified string
	Changes []Change
}

// Change is a field that differs. Before and After are JSON; empty for a field that is not there.
type Change struct {
	Field         string
	Before, After string
}

// diffContext is how many equal lines are shown around those that differ, as of diff -u.
const diffContext = 3

// Diff compares two revisions; nil stands for one that is not there, as before the first one or after a deletion. The
// names are those of the two sides in the unified diff.
func Diff(fromName, toName string, from, to *seshat.Resource) (Difference, error) {
	var out Difference
	texts, values := [2][]byte{}, [2]any{}
	for i, r := range []*seshat.Resource{from, to} {
		if r == nil {
			continue
		}
		var err error
		if texts[i], err = Marshal([]seshat.Resource{*r}, FormatYAML); err != nil {
			return out, err
		}
		full, err := Marshal([]seshat.Resource{*r}, FormatJSON)
		if err != nil {
			return out, err
		}
		numbers := json.NewDecoder(bytes.NewReader(full))
		numbers.UseNumber()
		if err := numbers.Decode(&values[i]); err != nil {
			return out, fmt.Errorf("compare %s: %w", Key(r.Kind, r.Metadata.Name), err)
		}
	}
	out.Unified = unified(fromName, toName, lines(texts[0]), lines(texts[1]))
	out.Changes = changes(nil, "", values[0], values[1])
	return out, nil
}

func lines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// changes appends the fields below field that differ. A field that is there on one side only is one change, whatever
// is in it, but for the resource as a whole, whose parts are told apart.
func changes(out []Change, field string, before, after any) []Change {
	b, bothObjects := before.(map[string]any)
	a, ok := after.(map[string]any)
	if field == "" && (before == nil || after == nil) || bothObjects && ok {
		keys := make([]string, 0, len(a)+len(b))
		for key := range a {
			keys = append(keys, key)
		}
		for key := range b {
			if _, both := a[key]; !both {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			name := key
			if field != "" {
				name = field + "." + key
			}
			out = changes(out, name, b[key], a[key])
		}
		return out
	}
	if bl, isList := before.([]any); isList {
		if al, ok := after.([]any); ok {
			for i := range max(len(al), len(bl)) {
				out = changes(out, field+"["+strconv.Itoa(i)+"]", at(bl, i), at(al, i))
			}
			return out
		}
	}
	one, two := jsonText(before), jsonText(after)
	if one != two {
		out = append(out, Change{Field: field, Before: one, After: two})
	}
	return out
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func jsonText(value any) string {
	if value == nil {
		return ""
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // what came from JSON
	return strings.TrimSuffix(b.String(), "\n")
}
