package httpfield

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
)

func TestLookup(t *testing.T) {
	header := []seshat.Field{{Name: "X-A", Value: "1"}, {Name: "x-b", Value: ""}, {Name: "x-a", Value: "2"}}
	f := func(name, want string, wantOK bool) {
		t.Helper()
		if got, ok := Lookup(header, name); got != want || ok != wantOK {
			t.Errorf("Lookup(%q) = %q, %v, want %q, %v", name, got, ok, want, wantOK)
		}
	}
	f("x-A", "1", true)
	f("X-B", "", true)
	f("X-C", "", false)
	f("", "", false)
	if i := Find(header, "X-A", 1); i != 2 {
		t.Errorf("the second X-A is at %d, want 2", i)
	}
	if i := Find(header, "X-A", 3); i != -1 {
		t.Errorf("a third X-A is at %d", i)
	}
}

func FuzzEqualFold(f *testing.F) {
	f.Add("Cookie", "cOOKIE")
	f.Add("k", "\u212a")
	f.Add("[", "{")
	f.Add("@", "`")
	f.Fuzz(func(t *testing.T, a, b string) {
		ascii := func(s string) string {
			return strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, s)
		}
		if utf8.ValidString(a) && utf8.ValidString(b) { // other bytes that are not UTF-8 do not pass strings.Map
			if got, want := EqualFold(a, b), ascii(a) == ascii(b); got != want {
				t.Errorf("EqualFold(%q, %q) = %v", a, b, got)
			}
		}
		if !EqualFold(a, strings.ToUpper(a)) && isToken(a) {
			t.Errorf("%q differs from its upper case", a)
		}
	})
}
