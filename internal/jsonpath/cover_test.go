package jsonpath_test

import (
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
	"pgregory.net/rapid"
)

func TestCovers(t *testing.T) {
	f := func(outer, inner string, want bool) {
		t.Helper()
		if got := mustParse(t, outer).Covers(mustParse(t, inner)); got != want {
			t.Errorf("%s covers %s: %v, want %v", outer, inner, got, want)
		}
	}
	for _, outer := range []string{
		"$", "$.a", "$.a.token", "$['a']['token']", `$["a"].token`, "$.*", "$.*.*", "$..token", "$..a", "$..*", "$.a..token",
		"$..a.token", "$.a.*", "$['x', 'a']", "$..['x', 'token']", "$.*..token",
	} {
		f(outer, "$.a.token", true)
	}
	for _, outer := range []string{
		"$.b", "$.a.other", "$.a.token.x", "$..b", "$.token", "$.*.*.*", "$..token.a", "$.a..a", "$[0]", "$..[0]", "$.a[?@.token]", "$..token..*", "$.a[:]",
	} {
		f(outer, "$.a.token", false)
	}
	f("$.a", "$", false)
	f("$", "$", true)
	f("$.a[0]", "$.a[0].b", true)
	f("$.a[-1]", "$.a[0]", false)
	f("$.a[:]", "$.a[-1]", true)
	f("$.a[1:5:2]", "$.a[3]", true)
	f("$.a[1:5:2]", "$.a[2]", false)
	f("$.a[1:5:2]", "$.a[5]", false)
	f("$.a[:-1]", "$.a[0]", false)
	f("$.a[::-1]", "$.a[0]", false)
	f("$..id", "$..id", true)
	f("$..id", "$..user.id", true)
	f("$..user", "$..user.id", true)
	f("$.id", "$..id", false)
	f("$.a", "$.a[*].token", true)
	f("$..token", "$.a[*].token", true)
	f("$.a[0]", "$.a[*]", false)
	f("$.a[?@.x == 1]", "$.a[?@.x==1].token", true)
	f("$.a[?@.x == 1]", "$.a[?@.x==2].token", false)
}

// TestCoversIsSound holds Covers to what the queries select in documents.
func TestCoversIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outer, err := jsonpath.Parse(genQuery(t, "$", 2))
		if err != nil {
			t.Skip(err)
		}
		inner, err := jsonpath.Parse(genQuery(t, "$", 2))
		if err != nil || !outer.Covers(inner) {
			t.Skip("not covered")
		}
		document := genValue(t, 4)
		whole, err := outer.Select(document)
		if err != nil {
			t.Skip(err)
		}
		parts, err := inner.Select(document)
		if err != nil {
			t.Skip(err)
		}
		for _, part := range parts {
			found := false
			for _, w := range whole {
				found = found || len(part.Path()) >= len(w.Path()) && part.Path()[:len(w.Path())] == w.Path()
			}
			if !found {
				t.Fatalf("%s covers %s, but not %s in %v", outer, inner, part.Path(), document)
			}
		}
	})
}
