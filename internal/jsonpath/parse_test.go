package jsonpath_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
	"pgregory.net/rapid"
)

func mustParse(t testing.TB, expr string) *jsonpath.Path {
	t.Helper()
	p, err := jsonpath.Parse(expr)
	if err != nil {
		t.Fatalf("Parse(%q): %v", expr, err)
	}
	return p
}

func TestParseErrors(t *testing.T) {
	f := func(expr string, column int, want string) {
		t.Helper()
		_, err := jsonpath.Parse(expr)
		var syntax *jsonpath.SyntaxError
		if !errors.As(err, &syntax) {
			t.Fatalf("Parse(%q): got %v, want a SyntaxError", expr, err)
		}
		if syntax.Column != column || !strings.Contains(err.Error(), want) {
			t.Fatalf("Parse(%q):\n got %v\nwant column %d and %q", expr, err, column, want)
		}
	}
	f("", 1, `expected "$", found the end (a path starts with "$", as in $.user.id)`)
	f("user.id", 1, `a path starts with "$"`)
	f(" $", 1, "starts with white space")
	f("$ ", 2, "white space after the end")
	f("$.", 3, "found the end")
	f("$.session-id", 10, `expected ".", ".." or "[", found '-' (names with other characters`)
	f("$.1", 3, `write ['name']`)
	f("$.[0]", 3, `remove the "." before "["`)
	f("$. a", 3, `no white space after "."`)
	f("$[a]", 3, "put the name in quotes")
	f("$['a", 3, "the string is not closed (add ')")
	f("$['a'", 6, `"[" at column 2 is not closed`)
	f("$['é'x", 6, "expected \",\" or \"]\", found 'x'")
	f(`$["\x"]`, 4, "this escape is not known")
	f(`$["\ud800"]`, 4, "half of a surrogate pair")
	f(`$["\u12"]`, 4, "the escape is incomplete")
	f("$['\n']", 4, "a control character")
	f("$[01]", 3, "no leading zero")
	f("$[9007199254740992]", 3, "out of range")
	f("$[?@.a=1]", 7, `write "=="`)
	f("$[?@.a===1]", 9, `"===" is not an operator`)
	f("$[?!@.a==1]", 8, "put the comparison in parentheses")
	f("$[?(@.a)==1]", 9, "remove the parentheses")
	f("$[?@.*==1]", 4, "can select several nodes")
	f("$[?1==@..a]", 7, "can select several nodes")
	f("$[?'a']", 4, "a literal is not a test")
	f("$[?length(@)]", 4, "which is not a test")
	f("$[?match(@,'a')==true]", 4, "cannot be compared")
	f("$[?size(@)>1]", 4, "functions are length, count, match, search and value")
	f("$[?length()>1]", 4, "takes 1 argument(s), not 0")
	f("$[?count(1)>1]", 10, "a query is needed")
	f("$[?length(@.*)>1]", 11, "where one value is needed")
	f("$[?length(match(@,'a'))>1]", 11, "gives true or false where a value is needed")
	f("$[?count(@.a==1)>1]", 13, "no function takes a logical expression")
	f("$[?@.a==True]", 9, "in lower case")
	f("$[?@.a&@.b]", 7, `expected "&&"`)
	f("$[?(@.a]", 8, `expected ")", found ']'`)
	f("$[?(@.a", 4, `"(" is not closed`)
	f("$[?@.a==1.]", 9, "this is not a number")
	f("$.a\xff", 4, "not valid UTF-8")
	f("$"+strings.Repeat("[?@", 100), 2+32*3, "nested too deeply")
	f("$[?"+strings.Repeat("(", 1000), 4+63, "nested too deeply")
	f("$"+strings.Repeat(".a", jsonpath.MaxExpression), jsonpath.MaxExpression+1, "too long")
}

func TestWarnings(t *testing.T) {
	f := func(expr string, columns ...int) {
		t.Helper()
		warnings := mustParse(t, expr).Warnings()
		var got []int
		for _, w := range warnings {
			got = append(got, w.Column)
		}
		if !slices.Equal(got, columns) {
			t.Fatalf("%s: got warnings %v, want them at columns %v", expr, warnings, columns)
		}
	}
	f("$.a")
	f("$[?match(@.a, '[0-9]+')]")
	f(`$[?match(@.a, '\\d+')]`, 15)
	f(`$[?search(@.a, 1) || match(@.b, '(?i)x')]`, 16, 33)
	f("$[?match(@.a, @.b)]")
}

func TestString(t *testing.T) {
	f := func(expr, want string) {
		t.Helper()
		if got := mustParse(t, expr).String(); got != want {
			t.Fatalf("%q prints as %q, want %q", expr, got, want)
		}
	}
	f("$", "$")
	f(`$["a"]['b c'][0].*`, "$.a['b c'][0].*")
	f(`$..["a"]..[*]..[0]`, "$..a..*..[0]")
	f(`$['a',"b" ,1,*]`, "$['a', 'b', 1, *]")
	f(`$["'\"\\\u0007\u00e9"]`, `$['\'"\\\u0007é']`)
	f("$['']", "$['']")
	f("$[ 1 : 2 : 3 ]", "$[1:2:3]")
	f("$[::]", "$[:]")
	f("$[::-1]", "$[::-1]")
	f("$[?( @.a )]", "$[?@.a]")
	f("$[?((@.a&&@.b)||(@.c))]", "$[?@.a && @.b || @.c]")
	f("$[?(@.a||@.b)&&!(@.c==1)]", "$[?(@.a || @.b) && !(@.c == 1)]")
	f("$[?!(@.a)]", "$[?!@.a]")
	f("$[?!(!@.a)]", "$[?!(!@.a)]")
	f(`$[?match( @.a , "x.*" )]`, "$[?match(@.a, 'x.*')]")
	f("$[?length(value($..a))>=-1.50E+2]", "$[?length(value($..a)) >= -1.50E+2]")
	f("$[?@[?@.a!=null]]", "$[?@[?@.a != null]]")
}

func TestSingular(t *testing.T) {
	f := func(expr string, want bool) {
		t.Helper()
		if got := mustParse(t, expr).Singular(); got != want {
			t.Fatalf("%q: got %v, want %v", expr, got, want)
		}
	}
	f("$", true)
	f("$.a['b'][0][-1]", true)
	f("$..a", false)
	f("$.a.*", false)
	f("$[0,1]", false)
	f("$[0:1]", false)
	f("$[?@.a]", false)
}

// genName makes names that need quoting, escaping, or neither.
func genName() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "id", "a b", "", "'", `"`, `\`, "é", "\n", "0"}), rapid.String())
}

func quote(name string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range name {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			const hex = "0123456789ABCDEF"
			b.WriteString(`\u00` + string(hex[r>>4]) + string(hex[r&15]))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func genQuery(t *rapid.T, root string, depth int) string {
	q := root
	for range rapid.IntRange(0, 3).Draw(t, "segments") {
		q += rapid.SampledFrom([]string{"", "", ".."}).Draw(t, "descend") + "[" + genSelector(t, depth)
		for range rapid.IntRange(0, 1).Draw(t, "more") {
			q += " ,\t" + genSelector(t, depth)
		}
		q += "]"
	}
	return q
}

func genSingular(t *rapid.T) string {
	q := rapid.SampledFrom([]string{"$", "@"}).Draw(t, "root")
	for range rapid.IntRange(0, 2).Draw(t, "segments") {
		q += "[" + rapid.SampledFrom([]string{"0", "-1", "'a'", `"b"`}).Draw(t, "step") + "]"
	}
	return q
}

func genSelector(t *rapid.T, depth int) string {
	switch rapid.IntRange(0, 4).Draw(t, "selector") {
	case 0:
		return "*"
	case 1:
		return rapid.SampledFrom([]string{"0", "1", "-1", "7"}).Draw(t, "index")
	case 2:
		return rapid.SampledFrom([]string{":", "1:", ":2", "::2", "::-1", "-2::1", "2:0:-1"}).Draw(t, "slice")
	case 3:
		if depth > 0 {
			return "?" + genLogical(t, depth-1)
		}
		fallthrough
	default:
		return quote(genName().Draw(t, "name"))
	}
}

func genLogical(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 3).Draw(t, "logical") {
		case 0:
			return "(" + genLogical(t, depth-1) + ")"
		case 1:
			return "!(" + genLogical(t, depth-1) + " )"
		case 2:
			return genLogical(t, depth-1) + "&&" + genLogical(t, depth-1)
		case 3:
			return genLogical(t, depth-1) + " || " + genLogical(t, depth-1)
		}
	}
	switch rapid.IntRange(0, 3).Draw(t, "test") {
	case 0:
		return genQuery(t, "@", depth)
	case 1:
		return "search(" + genSingular(t) + ",'[a-z]+')"
	default:
		return genComparable(t, depth) +
			rapid.SampledFrom([]string{"==", "!=", "<", ">", "<=", ">="}).Draw(t, "op") + genComparable(t, depth)
	}
}

func genComparable(t *rapid.T, depth int) string {
	switch rapid.IntRange(0, 4).Draw(t, "comparable") {
	case 0:
		return rapid.SampledFrom([]string{"1", "-0", "1.5", "2e1", "true", "false", "null", "'a'", `""`}).Draw(t, "literal")
	case 1:
		return "length(" + genSingular(t) + ")"
	case 2:
		return "count(" + genQuery(t, "@", depth) + ")"
	case 3:
		return "value(" + genQuery(t, "$", 0) + ")"
	default:
		return genSingular(t)
	}
}

// genValue makes a value of a document.
func genValue(t *rapid.T, depth int) any {
	if depth > 0 {
		switch rapid.IntRange(0, 2).Draw(t, "shape") {
		case 0:
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				list = append(list, genValue(t, depth-1))
			}
			return list
		case 1:
			object := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(t, "members") {
				object[genName().Draw(t, "name")] = genValue(t, depth-1)
			}
			return object
		}
	}
	return rapid.SampledFrom([]any{nil, true, false, 0.0, 1.0, 20.0, 1.5, "", "a", "b", "é"}).Draw(t, "scalar")
}

// TestPrintedParses shows that a printed query parses, prints the same, and selects the same.
func TestPrintedParses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		expr := genQuery(rt, "$", 2)
		p, err := jsonpath.Parse(expr)
		if err != nil {
			rt.Fatalf("Parse(%q): %v", expr, err)
		}
		printed := p.String()
		again, err := jsonpath.Parse(printed)
		if err != nil {
			rt.Fatalf("%q prints as %q: %v", expr, printed, err)
		}
		if got := again.String(); got != printed {
			rt.Fatalf("%q prints as %q, which prints as %q", expr, printed, got)
		}
		value := genValue(rt, 4)
		one, err := p.Select(value)
		if err != nil {
			rt.Fatal(err)
		}
		two, err := again.Select(value)
		if err != nil {
			rt.Fatal(err)
		}
		if len(one) != len(two) {
			rt.Fatalf("%q selects %d nodes, printed as %q %d", expr, len(one), printed, len(two))
		}
		for i := range one {
			if one[i].Path() != two[i].Path() {
				rt.Fatalf("%q selects %s, printed as %q %s", expr, one[i].Path(), printed, two[i].Path())
			}
			// A normalized path is a query for just that node.
			location, err := jsonpath.Parse(one[i].Path())
			if err != nil {
				rt.Fatal(err)
			}
			if nodes, err := location.Select(value); err != nil || len(nodes) != 1 || location.Singular() != true {
				rt.Fatalf("%s selects %d nodes, %v", one[i].Path(), len(nodes), err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"$", "$.a.b[0]", "$..a", `$["\ud83d\ude00"]`, "$[1:2:-3,*,'x']", "$[?@.a==1 && !match(@.b,'[^a-c]{2,}\\\\p{Lu}') || (@.c)]",
		"$[?length(value($..x))>=-0.5e-1]", "$[?count(@.*)<3]", "$[?@[?@.a]]", "$[", "$['", "$.é", "$\xff",
	} {
		f.Add(seed, []byte(`{"a":[1,{"a":"A"}],"b":null,"x":"ab"}`))
	}
	f.Fuzz(func(t *testing.T, expr string, document []byte) {
		p, err := jsonpath.Parse(expr)
		if err != nil {
			var syntax *jsonpath.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(expr) || syntax.Column < 1 {
				t.Fatalf("Parse(%q): %#v", expr, err)
			}
			return
		}
		printed := p.String()
		if len(printed) <= jsonpath.MaxExpression { // escapes may make it longer than it was
			again, err := jsonpath.Parse(printed)
			if err != nil {
				t.Fatalf("%q prints as %q: %v", expr, printed, err)
			}
			if got := again.String(); got != printed {
				t.Fatalf("%q prints as %q, which prints as %q", expr, printed, got)
			}
		}
		checkFirst(t, p, document)
	})
}
