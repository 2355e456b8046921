package httpfield

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	f := func(query string, want ...string) {
		t.Helper()
		var scratch Scratch
		var got []string
		c := Parameters(query)
		for name, value, ok := c.Next(&scratch); ok; name, value, ok = c.Next(&scratch) {
			got = append(got, name+"="+value)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Parameters(%q)\n got %q\nwant %q", query, got, want)
		}
	}
	f("")
	f("&&&")
	f("a=1", "a=1")
	f("a=1&b=2&a=3", "a=1", "b=2", "a=3")
	f("a&=v&b=&=", "a=", "=v", "b=", "=")
	f("a=b=c", "a=b=c")
	f("a=1;b=2", "a=1;b=2") // ";" does not divide
	f("a+b=c+d", "a b=c d")
	f("a%20b=%C3%A4%26", "a b=ä&")
	f("sid%5B0%5D=x", "sid[0]=x")
	f("a=%zz&b=100%&c=%4&d=%41%", "a=%zz", "b=100%", "c=%4", "d=A%") // malformed escapes stay
	f("a=%+x", "a=% x")
	f("a=%00%ff", "a=\x00\xff")
	f("a=%2541", "a=%41") // decoded once
}

func TestParametersLast(t *testing.T) {
	c := FormParameters([]byte("a=1&b=cut"))
	_, _, _ = c.NextRaw()
	if c.Last() {
		t.Error("the first of two is the last")
	}
	if _, value, _ := c.NextRaw(); value != "cut" || !c.Last() {
		t.Error("the second of two is not the last")
	}
}

func TestScratchKeepsEarlierStrings(t *testing.T) {
	var scratch Scratch
	var texts []string
	for i := range 200 {
		text, _ := UnescapeQuery(strings.Repeat("a+", i), &scratch)
		texts = append(texts, text)
	}
	for i, text := range texts {
		if want := strings.Repeat("a ", i); text != want {
			t.Fatalf("string %d was overwritten: %q", i, text)
		}
	}
	scratch.Reset()
	if n := testing.AllocsPerRun(100, func() {
		scratch.Reset()
		_, _ = UnescapeQuery("a+b%20c", &scratch)
	}); n != 0 {
		t.Errorf("%v allocations with a warm scratch", n)
	}
	if text, _ := UnescapeQuery("a+b", nil); text != "a b" {
		t.Errorf("without scratch: %q", text)
	}
	scratch.take(10 * scratchKept)
	if scratch.Reset(); cap(scratch.buf) > scratchKept {
		t.Errorf("Reset keeps %d bytes", cap(scratch.buf))
	}
}

// FuzzParameters compares with net/url where the escapes of a pair are well-formed and no ";" makes net/url refuse.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "a+b=%20&&=", "a=%zz&b=%", "%61=%41%2", "a;b=c"} {
		f.Add(seed)
	}
	var scratch Scratch
	f.Fuzz(func(t *testing.T, query string) {
		scratch.Reset()
		c := Parameters(query)
		for pair := range strings.SplitSeq(query, "&") {
			if pair == "" {
				continue
			}
			gotName, gotValue, ok := c.Next(&scratch)
			if !ok {
				t.Fatalf("%q: %q is missing", query, pair)
			}
			rawName, rawValue, _ := strings.Cut(pair, "=")
			for _, part := range [][2]string{{rawName, gotName}, {rawValue, gotValue}} {
				want, err := url.QueryUnescape(part[0])
				if _, wellFormed := UnescapeQuery(part[0], &scratch); wellFormed != (err == nil) {
					t.Fatalf("%q: well-formed %v, net/url: %v", part[0], wellFormed, err)
				}
				if err != nil {
					want = slowUnescape(part[0])
				}
				if part[1] != want {
					t.Fatalf("%q decodes to %q, want %q", part[0], part[1], want)
				}
			}
		}
		if _, _, ok := c.Next(&scratch); ok {
			t.Fatalf("%q has one parameter too many", query)
		}
	})
}

// slowUnescape decodes what can be decoded, byte by byte.
func slowUnescape(s string) string {
	out := ""
	for s != "" {
		n := 1
		if s[0] == '%' && len(s) >= 3 {
			n = 3
		}
		text, err := url.QueryUnescape(s[:n])
		if err != nil {
			text, n = s[:1], 1
		}
		out, s = out+text, s[n:]
	}
	return out
}
