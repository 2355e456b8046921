package httpfield

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestPathSegment(t *testing.T) {
	f := func(path string, position int, want string, wantOK bool) {
		t.Helper()
		got, ok := PathSegment(path, position, new(Scratch))
		if got != want || ok != wantOK {
			t.Errorf("PathSegment(%q, %d) = %q, %v, want %q, %v", path, position, got, ok, want, wantOK)
		}
	}
	f("/orders/42/items", 0, "orders", true)
	f("/orders/42/items", 1, "42", true)
	f("/orders/42/items", 2, "items", true)
	f("/orders/42/items", 3, "", false)
	f("/orders/42/items", -1, "items", true)
	f("/orders/42/items", -3, "orders", true)
	f("/orders/42/items", -4, "", false)
	f("/orders/42/", -1, "42", true)
	f("//orders///42//", 1, "42", true)
	f("//orders///42//", -2, "orders", true)
	f("/orders/42;v=1;sid=abc", 1, "42", true)
	f("/orders/;sid=abc", 1, "", true)
	f("/a%2Fb/c+d%20e", 0, "a/b", true)
	f("/a%2Fb/c+d%20e", 1, "c+d e", true) // "+" is a plus in a path
	f("/100%/x", 0, "100%", true)
	f("", 0, "", false)
	f("/", 0, "", false)
	f("/", -1, "", false)
	f("*", 0, "*", true)
	f("a/b", 0, "a", true)
	f("/../b", 0, "..", true)
	f("/a", -1<<63, "", false)
	f("/a", 1<<62, "", false)
}

func TestPathParameters(t *testing.T) {
	f := func(path string, want ...string) {
		t.Helper()
		c := PathParameters(path)
		scratch := new(Scratch)
		var got []string
		for name, value, ok := c.Next(scratch); ok; name, value, ok = c.Next(scratch) {
			got = append(got, name+"="+value)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("PathParameters(%q)\n got %q\nwant %q", path, got, want)
		}
	}
	f("/a/b")
	f("/a;jsessionid=AB12", "jsessionid=AB12")
	f("/a;x=1/b;y=2;z", "x=1", "y=2", "z=")
	f("/a;;/b;=v;x=a=b", "=v", "x=a=b")
	f("/a;%6Ax=%2F", "jx=/")
	f(";x=1", "x=1")
}

// FuzzPath compares segments and parameters with an obvious twin by strings.Split.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/orders/42;jsessionid=1/x", "//a//%2F;/", "/100%/%zz;a=%2;b", "", ";;/;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if len(path) > 1000 {
			return // the test is quadratic
		}
		decode := func(s string) string {
			if text, err := url.PathUnescape(s); err == nil {
				return text
			}
			return slowUnescape(strings.ReplaceAll(s, "+", "%2B"))
		}
		var segments, parameters []string
		for part := range strings.SplitSeq(path, "/") {
			segment, rest, _ := strings.Cut(part, ";")
			if part != "" {
				segments = append(segments, decode(segment))
			}
			for parameter := range strings.SplitSeq(rest, ";") {
				if parameter != "" {
					name, value, _ := strings.Cut(parameter, "=")
					parameters = append(parameters, decode(name)+"="+decode(value))
				}
			}
		}
		scratch := new(Scratch)
		for i, want := range segments {
			if got, ok := PathSegment(path, i, scratch); !ok || got != want {
				t.Fatalf("PathSegment(%q, %d) = %q, %v, want %q", path, i, got, ok, want)
			}
			if got, ok := PathSegment(path, i-len(segments), scratch); !ok || got != want {
				t.Fatalf("PathSegment(%q, %d) = %q, %v, want %q", path, i-len(segments), got, ok, want)
			}
		}
		if got, ok := PathSegment(path, len(segments), scratch); ok {
			t.Fatalf("PathSegment(%q, %d) = %q", path, len(segments), got)
		}
		if got, ok := PathSegment(path, -len(segments)-1, scratch); ok {
			t.Fatalf("PathSegment(%q, %d) = %q", path, -len(segments)-1, got)
		}
		var got []string
		c := PathParameters(path)
		for name, value, ok := c.Next(scratch); ok; name, value, ok = c.Next(scratch) {
			got = append(got, name+"="+value)
		}
		if !reflect.DeepEqual(got, parameters) {
			t.Fatalf("PathParameters(%q)\n got %q\nwant %q", path, got, parameters)
		}
	})
}
