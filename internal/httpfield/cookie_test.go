package httpfield

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
)

func collectCookies(c CookieCursor) []string {
	var got []string
	for name, value, ok := c.Next(); ok; name, value, ok = c.Next() {
		got = append(got, name+"="+value)
	}
	return got
}

func TestCookies(t *testing.T) {
	f := func(value string, want ...string) {
		t.Helper()
		if got := collectCookies(Cookies(value)); !reflect.DeepEqual(got, want) {
			t.Errorf("Cookies(%q)\n got %q\nwant %q", value, got, want)
		}
	}
	f("")
	f(" ; ;\t;")
	f("a=1", "a=1")
	f("a=1; b=2", "a=1", "b=2")
	f("a=1;b=2;", "a=1", "b=2")
	f("a=1; a=2; A=3", "a=1", "a=2", "A=3")
	f("  a =  1 \t; b=2", "a=1", "b=2")
	f(`a="1 2"; b=""; c="`, "a=1 2", "b=", `c="`)
	f(`a="1;2"`, `a="1`, `=2"`) // quotes do not protect a semicolon
	f(`a=""1""`, `a="1"`)
	f("a=b=c==", "a=b=c==")
	f("token; a=1", "=token", "a=1") // no "=": a cookie without a name
	f("=v; =; a=", "=v", "a=")
	f("a=1, b=2", "a=1, b=2") // a comma does not divide
	f("naïve=größe; 鍵=値", "naïve=größe", "鍵=値")
	f("a=\xff\x00; b=\x7f", "a=\xff\x00", "b=\x7f")
	f("a=s%3Aabc.d%2Be", "a=s%3Aabc.d%2Be") // cookies are not percent-decoded
}

func TestRequestCookies(t *testing.T) {
	header := []seshat.Field{
		{Name: "Host", Value: "h"},
		{Name: "cookie", Value: "a=1; b=2"},
		{Name: "COOKIE", Value: ""},
		{Name: "Set-Cookie", Value: "no=1"},
		{Name: "Cookie", Value: "a=3"},
	}
	want := []string{"a=1", "b=2", "a=3"}
	c := RequestCookies(header)
	if got := collectCookies(c); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	empty := RequestCookies(nil)
	if _, _, ok := empty.Next(); ok {
		t.Error("a header without cookies has one")
	}
}

func TestCookiesDoNotAllocate(t *testing.T) {
	header := []seshat.Field{{Name: "Cookie", Value: `a=1; b="2"; c=3`}, {Name: "Cookie", Value: "d=4"}}
	if n := testing.AllocsPerRun(100, func() {
		c := RequestCookies(header)
		n := 0
		for _, _, ok := c.Next(); ok; _, _, ok = c.Next() {
			n++
		}
		if n == 0 {
			t.Fatal("found nothing")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzCookies compares with two twins: an obvious one by strings.Split, which must agree on everything, and net/http,
// which must agree on what it accepts. net/http differs where servers differ: it drops cookies with names that are
// not tokens or values with bytes outside RFC 6265's set, takes a pair without "=" for a name without value, and
// keeps spaces at the start of a value.
func FuzzCookies(f *testing.F) {
	for _, seed := range []string{"a=1; b=2", `a="x y"; b=`, "token; =v; =", "a=\xff;;; \tb =\t1", `a="1;2"`, `c="`, "a= 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := collectCookies(Cookies(value))
		var want []string
		for pair := range strings.SplitSeq(value, ";") {
			name, v, found := strings.Cut(pair, "=")
			if !found {
				name, v = "", pair
			}
			name, v = strings.Trim(name, " \t"), strings.Trim(v, " \t")
			if name+v == "" {
				continue
			}
			if len(v) > 1 && strings.HasPrefix(v, `"`) && strings.HasSuffix(v, `"`) {
				v = v[1 : len(v)-1]
			}
			want = append(want, name+"="+v)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("Cookies(%q)\n got %q\nwant %q", value, got, want)
		}

		if hasControl(value) { // a server never gets line breaks, but net/http trims them
			return
		}
		request := http.Request{Header: http.Header{"Cookie": {value}}}
		rest := got
		for _, c := range request.Cookies() {
			v := c.Value
			if !c.Quoted {
				v = strings.Trim(v, " \t")
			}
			for len(rest) > 0 && rest[0] != c.Name+"="+v && rest[0] != "="+c.Name {
				rest = rest[1:]
			}
			if len(rest) == 0 {
				t.Fatalf("net/http finds %q in %q, which gave %q", c, value, got)
			}
			rest = rest[1:]
		}
	})
}
