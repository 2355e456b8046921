package jsonpath

import (
	"errors"
	"strings"
	"testing"
)

func TestRegexp(t *testing.T) {
	f := func(pattern, text string, match, search bool) {
		t.Helper()
		for _, way := range []struct{ search, want bool }{{false, match}, {true, search}} {
			re := compileRegexp(pattern, kindString, way.search)
			if re.re == nil {
				t.Fatalf("%q is not accepted", pattern)
			}
			if got := re.re.MatchString(text); got != way.want {
				t.Fatalf("%q on %q, search %v: got %v, want %v", pattern, text, way.search, got, way.want)
			}
		}
	}
	f("", "", true, true)
	f("a|b", "b", true, true)
	f("a|b", "ab", false, true)
	f("(a|b){2,3}", "aba", true, true)
	f("(a|)b", "b", true, true)
	f("a{0}b", "b", true, true)
	f(".", "\r", false, false)
	f(".", "\u2028", true, true)
	f("[.]", "x", false, false)
	f(`[^\n]`, "\r", true, true)
	f("[-a]", "-", true, true)
	f("[a-]", "-", true, true)
	f("[^-a]", "-", false, false)
	f(`[\-\]\^]`, "^", true, true)
	f("[a^]", "^", true, true)
	f(`[\p{Lu}0-9]+`, "Ж9", true, true)
	f(`\P{L}`, "1", true, true)
	f(`\p{Cn}`, "a", false, false)
	f(`a\.b\\\(\)\{\|\}\?\*\+\n\r\t`, "a.b\\(){|}?*+\n\r\t", true, true)
	f("^a$", "a", true, true)
	f("^a$", "a\n", false, false) // the end of the text, not of a line
	f("a~&'\"/é😀", "a~&'\"/é😀", true, true)
	f("x{1000}", strings.Repeat("x", 1000), true, true)
}

func TestNotRegexp(t *testing.T) {
	f := func(pattern string) {
		t.Helper()
		if compileRegexp(pattern, kindString, true).re != nil {
			t.Fatalf("%q is accepted", pattern)
		}
	}
	for _, pattern := range []string{
		"*", "a**", "a+?", "(", ")", "a)", "(?:a)", "(?i)a", "[", "[]", "[^]", "[a", "]", "{", "}", "a{", "a{,2}", "a{1", "a{2,1}",
		"a{99999999999999999999}", "a{1001}", `\`, `\d`, `\w`, `\b`, `\$`, `\x41`, `\p`, `\p{`, `\p{}`, `\p{Xx}`, `\p{Greek}`, `\pL`, `\p{Lul}`,
		"[b-a]", "[a-b-c]", "[[a]]", "[a-[b]]", `[\d]`, "a\xff", strings.Repeat("(", 1000), strings.Repeat("a", MaxRegexp+1),
		"((((a{100}){100}){100}){100})", "(a{1000}b){1000}",
	} {
		f(pattern)
	}
}

// TestDocumentRegexp shows that a document that brings its own expressions cannot make one evaluation take long.
func TestDocumentRegexp(t *testing.T) {
	p, err := Parse("$[?search(@.text, @.pattern)]")
	if err != nil {
		t.Fatal(err)
	}
	expensive := func(length int) []any {
		return []any{map[string]any{"text": strings.Repeat("a", length), "pattern": "(a?){900}(a*)*b"}}
	}
	if _, err = p.Select(expensive(500)); err != nil {
		t.Fatal(err)
	}
	if _, err = p.Select(expensive(50_000)); !errors.Is(err, ErrTooMuchWork) {
		t.Fatalf("an expensive expression: got %v, want %v", err, ErrTooMuchWork)
	}
	var list []any
	for len(list) <= maxDocumentRegexps {
		list = append(list, map[string]any{"text": "a", "pattern": strings.Repeat("b", len(list))})
	}
	if _, err = p.Select(list); !errors.Is(err, ErrTooMuchWork) {
		t.Fatalf("many expressions: got %v, want %v", err, ErrTooMuchWork)
	}
}

// FuzzRegexp shows that what is accepted compiles both ways and stays small.
func FuzzRegexp(f *testing.F) {
	for _, seed := range []string{"a|(b){2,3}", `[^\p{Lu}a-z\-]`, `\P{Cn}.`, "(", "[", `\`, "^$", "[&&[a]]", "a{1000}"} {
		f.Add(seed, "text")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		match, search := compileRegexp(pattern, kindString, false), compileRegexp(pattern, kindString, true)
		if (match.re == nil) != (search.re == nil) || match.size > MaxRegexp {
			t.Fatalf("%q: match %v, search %v, size %d", pattern, match.re, search.re, match.size)
		}
		if match.re != nil && match.re.MatchString(text) && !search.re.MatchString(text) {
			t.Fatalf("%q matches %q as a whole, and is not found in it", pattern, text)
		}
	})
}
