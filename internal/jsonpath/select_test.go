package jsonpath_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
)

// selected is the nodes of expr in document as "path=value" lines.
func selected(t *testing.T, expr, document string) string {
	t.Helper()
	nodes, err := mustParse(t, expr).SelectJSON([]byte(document))
	if err != nil {
		t.Fatalf("%s in %s: %v", expr, document, err)
	}
	var lines []string
	for _, n := range nodes {
		start, end := n.Span()
		lines = append(lines, n.Path()+"="+document[start:end])
	}
	return strings.Join(lines, " ")
}

func TestSelectJSON(t *testing.T) {
	f := func(expr, document, want string) {
		t.Helper()
		if got := selected(t, expr, document); got != want {
			t.Fatalf("%s in %s:\n got %s\nwant %s", expr, document, got, want)
		}
	}
	f("$", ` "a" `, `$="a"`)
	f("$.z", `{"b":1,"z":2}`, "$['z']=2")
	f("$.*", `{"z":1,"b":2}`, "$['z']=1 $['b']=2") // in the order of the document
	f("$..a", `{"x":{"a":1},"a":2}`, "$['a']=2 $['x']['a']=1")
	f("$[-1]", `[1, [2 ] ]`, "$[1]=[2 ]")

	// Duplicate names: the first for a name, all for the others.
	f("$.a", `{"a":1,"a":2}`, "$['a']=1")
	f("$.*", `{"a":1,"a":2}`, "$['a']=1 $['a']=2")
	f("$[?@ == $.b]", `[{"a":1,"a":2}]`, "")
	f(`$[?@.x == @.y]`, `[{"x":{"a":1,"b":2},"y":{"b":2,"a":1}}]`, `$[0]={"x":{"a":1,"b":2},"y":{"b":2,"a":1}}`)
	f(`$[?@.x == @.y]`, `[{"x":{"a":1,"b":2},"y":{"b":2,"c":1}}]`, "")

	// Numbers are exact.
	f("$[?@ == 12345678901234567890]", `[12345678901234567890,12345678901234567891]`, "$[0]=12345678901234567890")
	f("$[?@ > 1e400]", `[1e399,1e401,-1e500]`, "$[1]=1e401")

	// Surrogates and bytes that are not UTF-8.
	f(`$["😀"]`, `{"\ud83d\ude00":1}`, "$['😀']=1")
	f("$['\ufffd']", `{"\ud83d":1}`, "$['\ufffd']=1")
	f("$['\ufffd']", "{\"\xff\":1}", "")
	f("$.*", "[\"\xff\"]", "$[0]=\"\xff\"")
	f("$[?@ == '\ufffda']", `["\ude00a","\ud83da","\ud83d\u0061"]`,
		`$[0]="\ude00a" $[1]="\ud83da" $[2]="\ud83d\u0061"`)

	// A regular expression from the document, and one that is none.
	f("$.v[?search(@, $.re)]", `{"re":"^b","v":["ab","bc",1]}`, `$['v'][1]="bc"`)
	f("$.v[?search(@, $.re)]", `{"re":"(","v":["("]}`, "")
	f(`$[?search(@, '(?i)A')]`, `["a"]`, "")
}

func TestSelectJSONErrors(t *testing.T) {
	f := func(document string, offset int) {
		t.Helper()
		_, err := mustParse(t, "$").SelectJSON([]byte(document))
		var bad *jsonpath.DocumentError
		if !errors.As(err, &bad) || bad.Offset != offset {
			t.Fatalf("%q: got %v, want a DocumentError at %d", document, err, offset)
		}
		if json.Valid([]byte(document)) {
			t.Fatalf("%q is valid for encoding/json", document)
		}
	}
	f("", 0)
	f(" ", 1)
	f("nul", 0)
	f("nulll", 4)
	f("1 2", 2)
	f("01", 0)
	f("+1", 0)
	f("1.", 0)
	f("[1,]", 3)
	f("[1", 2)
	f("{1:2}", 1)
	f(`{"a" 1}`, 5)
	f(`{"a":1,}`, 7)
	f(`"a`, 0)
	f("\"a\nb\"", 2)
	f(`"\x"`, 0)
	f(`"\u12"`, 0)
	f(`"\`, 0)
	f("\ufeff1", 0)
	f("'a'", 0)
}

func TestSelect(t *testing.T) {
	inner := []any{"x", json.Number("12345678901234567890")}
	value := map[string]any{"b": inner, "a": 1.5, "n": nil, "i": 7, "j": int64(-7)}
	nodes, err := mustParse(t, "$.*").Select(value)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes {
		got = append(got, fmt.Sprintf("%s=%v", n.Path(), n.Value()))
	}
	want := []string{"$['a']=1.5", "$['b']=[x 12345678901234567890]", "$['i']=7", "$['j']=-7", "$['n']=<nil>"}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	nodes[1].Value().([]any)[0] = "changed"
	if inner[0] != "changed" {
		t.Fatal("the value is a copy")
	}
	for _, bad := range []any{struct{}{}, []any{make(chan int)}, json.Number("x"), json.Number("")} {
		if _, err := mustParse(t, "$").Select(bad); err == nil {
			t.Fatalf("%#v is accepted", bad)
		}
	}
	cycle := map[string]any{}
	cycle["self"] = cycle
	if _, err := mustParse(t, "$").Select(cycle); !errors.Is(err, jsonpath.ErrTooDeep) {
		t.Fatalf("a value that holds itself: got %v, want %v", err, jsonpath.ErrTooDeep)
	}
}

// TestLimits shows that no document and no query takes more than its share.
func TestLimits(t *testing.T) {
	f := func(expr, document string, want error) {
		t.Helper()
		p := mustParse(t, expr)
		_, err := p.SelectJSON([]byte(document))
		if !errors.Is(err, want) {
			t.Fatalf("%s in %.40s… (%d bytes): got %v, want %v", expr, document, len(document), err, want)
		}
		if !errors.Is(want, jsonpath.ErrTooMuchWork) { // First takes the same way there, and as long
			p.First([]byte(document))
		}
	}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	list := func(n int) string { return "[" + strings.Repeat("0,", n-1) + "0]" }
	f("$", nested(jsonpath.MaxDepth), nil)
	f("$", nested(jsonpath.MaxDepth+2), jsonpath.ErrTooDeep)
	f("$", strings.Repeat("[", 5_000_000), jsonpath.ErrTooDeep)
	f("$..a", strings.Repeat(`{"a":`, 1_000_000), jsonpath.ErrTooDeep)
	f("$[0]", strings.Repeat("[", 1_000_000), jsonpath.ErrTooDeep)
	f("$[-1]", strings.Repeat("[", 1_000_000), jsonpath.ErrTooDeep)
	f("$[0]", list(jsonpath.MaxValues-1), nil)
	f("$[0]", list(jsonpath.MaxValues), jsonpath.ErrTooManyValues)
	f("$[*]", list(jsonpath.MaxResults), nil)
	f("$[*]", list(jsonpath.MaxResults+1), jsonpath.ErrTooManyResults)
	f("$[*,*,*,*]", list(jsonpath.MaxResults/2), jsonpath.ErrTooManyResults)
	f("$[?count($[*]) > 0]", list(100), nil)
	f("$[?count($[*]) > 0]", list(10_000), jsonpath.ErrTooMuchWork)
	f("$[?$[?$[?@ == 1] || @ == 1]]", list(1000), jsonpath.ErrTooMuchWork)
	f("$..*..*..*..*..*..a", nested(200), jsonpath.ErrTooMuchWork)
	f("$[?@ == $[0]]", "["+list(3000)+strings.Repeat(","+list(3000), 2000/16)+"]", nil)
}
