package jsonpath_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
	"pgregory.net/rapid"
)

// checkFirst holds the fast path to its slow twin: on a valid document, both find the same.
func checkFirst(t *testing.T, p *jsonpath.Path, document []byte) {
	t.Helper()
	raw, ok := p.First(document)
	value, _, okText := p.FirstString(document, nil)
	if ok != okText {
		t.Fatalf("%s in %q: First says %v, FirstString %v", p, document, ok, okText)
	}
	if ok {
		text, good := jsonpath.AppendScalar(nil, raw)
		if !good || !bytes.Equal(text, value) {
			t.Fatalf("%s in %q: First gives %q, whose text is %q, %v; FirstString %q", p, document, raw, text, good, value)
		}
	}
	nodes, err := p.SelectJSON(document)
	if err != nil {
		return
	}
	for _, n := range nodes {
		want, scalar := n.Text()
		if !scalar {
			continue
		}
		if !ok || string(value) != want {
			t.Fatalf("%s in %q: First finds %q, %v; Select finds %q", p, document, value, ok, want)
		}
		start, end := n.Span()
		if !bytes.Equal(raw, document[start:end]) {
			t.Fatalf("%s in %q: First finds %q; Select finds it at %q", p, document, raw, document[start:end])
		}
		return
	}
	if ok {
		t.Fatalf("%s in %q: First finds %q; Select finds no scalar", p, document, value)
	}
}

func TestFirst(t *testing.T) {
	f := func(expr, document, want string) {
		t.Helper()
		p := mustParse(t, expr)
		raw, ok := p.First([]byte(document))
		if string(raw) != want || ok != (want != "") {
			t.Fatalf("%s in %s: got %q, %v; want %q", expr, document, raw, ok, want)
		}
		checkFirst(t, p, []byte(document))
	}
	f("$", `"a"`, `"a"`)
	f("$", ` 12 `, "12")
	f("$", "12", "12")
	f("$", "null", "")
	f("$.a", `{"a":"x"}`, `"x"`)
	f("$.a", `{"b":{"a":1},"c":[{"a":2}],"a":true}`, "true")
	f("$.a", `{"b":"}\"]{","a":-1.5e3}`, "-1.5e3")
	f("$.a", `{"b":"\\","a":1}`, "1")
	f("$.a", `{"\u0061":1}`, "1")
	f(`$["a\\"]`, `{"a\\":1}`, "1")
	f(`$["a\\"]`, `{"a":2,"a\u005c":1}`, "1")
	f("$.a", `{"a":null}`, "")
	f("$.a", `{"a":{}}`, "")
	f("$.a", `[]`, "")
	f("$.a", `{"a":1,"a":2}`, "1")
	f("$.a", `{"a":null,"a":2}`, "")
	f("$.a.b", `{"a":1,"a":{"b":2}}`, "")
	f("$.a.b[1][0]", `{"a":{"b":[0,["x"]]}}`, `"x"`)
	f("$[0]", `{"0":1}`, "")
	f("$[1]", "[1]", "")
	f("$[-1]", "[1,2,[3]]", "")
	f("$[-2]", "[1,2,[3]]", "2")
	f("$[-4]", "[1,2,3]", "")
	f("$[-1]", "[]", "")
	f("$[-1].a[-2]", `[0,{"a":[5,6]}]`, "5")
	f("$..a", `{"x":{"a":1},"a":2}`, "2")
	f("$..a", `{"x":{"a":1},"y":{"a":3}}`, "1")
	f("$..a", `[{"x":[{"a":null},{"a":{"a":4}}]},{"a":3}]`, "4")
	f("$..a", `{"a":{"a":{"b":1}},"b":{"a":"z"}}`, `"z"`)
	f("$..a", `{"x":{"y":{"a":1},"a":2}}`, "2")
	f("$..a", `{"a":[],"a":3}`, "")
	f("$..a", `1`, "")
	f("$.*", `{"a":null,"b":[],"c":"x"}`, `"x"`)
	f("$[?@.n == 'sid'].v", `[{"n":"a","v":1},{"n":"sid","v":"s"}]`, `"s"`)
}

// TestFirstOfBroken defines what is found in documents that are not valid.
func TestFirstOfBroken(t *testing.T) {
	f := func(expr, document, want string) {
		t.Helper()
		raw, ok := mustParse(t, expr).First([]byte(document))
		if string(raw) != want || ok != (want != "") {
			t.Fatalf("%s in %s: got %q, %v; want %q", expr, document, raw, ok, want)
		}
	}
	// What comes before the cut is found.
	f("$.a", `{"a":"x","b":"cut o`, `"x"`)
	f("$.a", `{"a":"x"`, `"x"`)
	f("$..a", `{"b":{"a":1},"c`, "1")
	f("$[1].a", `[{},{"a":true},`, "true")
	// What is cut itself is not, and an index from the end has no meaning.
	f("$.a", `{"a":"x`, "")
	f("$.a", `{"a":12`, "")
	f("$.a", `{"a":tru`, "")
	f("$.a", `{"a":true`, "")
	f("$[-1]", "[1,2", "")
	f("$.a", `{"b":1`, "")
	f("$.a", `{"a"`, "")
	f("$.a", `{"a":`, "")
	f("$.*", `{"a":1`, "")
	// Values must be values.
	f("$.a", `{"a":01}`, "")
	f("$.a", `{"a":truex}`, "")
	f("$.a", `{"a":1x}`, "")
	f("$.a", `{"a":"\x"}`, "")
	f("$.a", "{\"a\":\"x\ny\"}", "")
	f("$.a", `{"a":'x'}`, "")
	f("$.a", `{b:1,"a":2}`, "")
	f("$.a", `{"b":,"a":2}`, "")
	f("$.a", "", "")
	f("$", "", "")
	f("$[0]", "[", "")
}

func TestFirstString(t *testing.T) {
	f := func(document, want string) {
		t.Helper()
		scratch := make([]byte, 0, 4)
		got, _, ok := mustParse(t, "$.a").FirstString([]byte(document), scratch)
		if !ok || string(got) != want {
			t.Fatalf("%s: got %q, %v; want %q", document, got, ok, want)
		}
	}
	f(`{"a":"plain"}`, "plain")
	f(`{"a":""}`, "")
	f(`{"a":12.50}`, "12.50")
	f(`{"a":false}`, "false")
	f(`{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, "\"\\/\b\f\n\r\té😀")
	f(`{"a":"\ud83d-\ude00\ud83d\ud83d"}`, "\ufffd-\ufffd\ufffd\ufffd")
	f("{\"a\":\"\xff\xc0\"}", "\xff\xc0")
	f("{\"a\":\"\\n\xff\"}", "\n\xff")
}

func TestAppendScalar(t *testing.T) {
	f := func(raw, want string, wantOK bool) {
		t.Helper()
		got, ok := jsonpath.AppendScalar([]byte("kept:"), []byte(raw))
		if string(got) != "kept:"+want || ok != wantOK {
			t.Fatalf("%q: got %q, %v; want %q, %v", raw, got, ok, want, wantOK)
		}
	}
	f(`"a\u0062"`, "ab", true)
	f("-0.5e+1", "-0.5e+1", true)
	f("true", "true", true)
	f("false", "false", true)
	f("null", "", false)
	f("", "", false)
	f(`"`, "", false)
	f(`"a`, "", false)
	f(`"a"b`, "", false)
	f(`"a\"`, "", false)
	f(`"a\x"`, "", false)
	f("1 ", "", false)
	f("[]", "", false)
}

func TestMembers(t *testing.T) {
	f := func(document, want string, complete bool) {
		t.Helper()
		var got []byte
		members := jsonpath.ScanMembers([]byte(document))
		for members.Next() {
			name, ok := members.AppendName(nil)
			if !ok || !members.NameIs(string(name)) {
				t.Fatalf("%s: name %q, %v", document, name, ok)
			}
			got = append(append(got, name...), '=')
			if raw, ok := members.Scalar(); ok {
				got = append(got, raw...)
			}
			got = append(got, ' ')
		}
		if string(got) != want || members.Complete() != complete {
			t.Fatalf("%s: got %q, complete %v; want %q, %v", document, got, members.Complete(), want, complete)
		}
	}
	f(`{}`, "", true)
	f(` { "a" : 1 , "b":{"c":2},"\u0064":"x" } `, `a=1 b= d="x" `, true)
	f(`{"a":1,"b`, "a=1 ", false)
	f(`{"a":1,}`, "a=1 ", false)
	f(`{"a":1}x`, "a=1 ", false)
	f(`[1]`, "", false)
	f(``, "", false)
}

// FuzzFirstAgainstSelect holds the fast path to its slow twin.
func FuzzFirstAgainstSelect(f *testing.F) {
	queries := []string{"$", "$.a", "$.a.b", "$['a'][0]", "$[0]", "$[-1]", "$[1][-2].a", "$..a", "$..b", `$["\\"]`, "$['']", "$['é']", "$.*"}
	for _, document := range []string{
		`{"a":"x"}`, `{"a":{"b":1}}`, `{"\u0061":[true]}`, `[1,[{"a":2},0]]`, `{"x":{"a":1},"a":2}`, `{"a":null,"a":2}`,
		`{"\\":1,"":2,"\u00e9":3}`, `{"a":"\ud83d\ude00\ud83d"}`, `{"a":1`, "[\"\xff\"]", `{"b":"\\\"","a":-0.5E+3 }`,
	} {
		f.Add([]byte(document))
	}
	paths := make([]*jsonpath.Path, len(queries))
	for i, q := range queries {
		paths[i] = mustParse(f, q)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, p := range paths {
			checkFirst(t, p, document)
		}
	})
}

// TestFirstIsSelect is the same with documents and queries that fit each other more often than a fuzzer's.
func TestFirstIsSelect(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		document, err := json.Marshal(genValue(rt, 4))
		if err != nil {
			rt.Fatal(err)
		}
		expr := "$"
		for range rapid.IntRange(0, 3).Draw(rt, "segments") {
			expr += rapid.SampledFrom([]string{"[0]", "[1]", "[-1]", "[-2]", "['a']", "['b']", "['id']", "['']"}).Draw(rt, "step")
		}
		if rapid.Bool().Draw(rt, "anywhere") {
			expr = "$..[" + quote(genName().Draw(rt, "name")) + "]"
		}
		checkFirst(t, mustParse(t, expr), document)
	})
}

func TestFirstDoesNotAllocate(t *testing.T) {
	document := []byte(`{"x":[1,{"y":"z"}],"a":{"b":["p","q\n"]}}`)
	scratch := make([]byte, 0, 64)
	for _, expr := range []string{"$.a.b[0]", "$.a.b[-1]", "$.a['b'][1]", "$..y"} {
		p := mustParse(t, expr)
		allocations := testing.AllocsPerRun(100, func() {
			if _, _, ok := p.FirstString(document, scratch); !ok {
				t.Fatalf("%s finds nothing", expr)
			}
		})
		if allocations != 0 {
			t.Fatalf("%s: %v allocations, want none", expr, allocations)
		}
	}
}
