package protect

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestMask(t *testing.T) {
	f := func(value, want string) {
		t.Helper()
		if got := Mask(value); got != want {
			t.Errorf("Mask(%q) = %q, want %q", value, got, want)
		}
	}
	f("", "")
	f("1234", "…(4)")
	f("fifteen letters", "…(15)")
	f("sixteen letters!", "si…s!(16)")
	f("abcdefghijklmnopqrst", "abc…st(20)")
	f("s%3AZj"+strings.Repeat("x", 74)+"kI", "s%3A…kI(82)")
	f("größe größe größe größe", "grö…ße(23)")
	f("\x1b[2J\x00"+strings.Repeat("x", 30)+"\u202e\xff", "?[2J…??(37)")
	f(strings.Repeat("\xff", 24), "????…??(24)")
}

// checkMask checks that a masked form shows no more than it may, and is harmless.
func checkMask(t interface{ Fatalf(string, ...any) }, value string) {
	masked := Mask(value)
	if value == "" {
		return
	}
	n := utf8.RuneCountInString(value)
	first, rest, ok := strings.Cut(masked, "…")
	open := strings.LastIndexByte(rest, '(')
	if strings.Contains(value, "…") && !ok || open < 0 {
		t.Fatalf("Mask(%q) = %q", value, masked)
	}
	shown := utf8.RuneCountInString(masked[:strings.LastIndexByte(masked, '(')]) - 1
	if shown > n/4 || shown > 6 || n < 16 && shown > 0 {
		t.Fatalf("Mask(%q) = %q shows %d of %d characters", value, masked, shown, n)
	}
	if len(first) > 0 && !strings.Contains(first, "?") && !strings.HasPrefix(value, first) {
		t.Fatalf("Mask(%q) = %q does not start like the value", value, masked)
	}
	for _, r := range masked {
		if !unicode.IsPrint(r) {
			t.Fatalf("Mask(%q) = %q is not printable", value, masked)
		}
	}
}

func TestMaskProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkMask(t, rapid.String().Draw(t, "value")) })
}

func FuzzMask(f *testing.F) {
	f.Add("s%3AZjabcdefghijklmnop")
	f.Add("…………………………………………")
	f.Add("\xff\x00\u202e(((((((((((((((((((")
	f.Fuzz(func(t *testing.T, value string) { checkMask(t, value) })
}

func TestClean(t *testing.T) {
	f := func(s string, limit int, want string) {
		t.Helper()
		if got := clean(s, limit); got != want {
			t.Errorf("clean(%q, %d) = %q, want %q", s, limit, got, want)
		}
	}
	f("plain", 10, "plain")
	f("plain", 3, "pla")
	f("größe", 4, "grö")
	f("größe", 3, "gr")
	f("a\x00b", 10, "ab")
	f("a\x1b[31m\n\u0085", 20, "a\uFFFD[31m\uFFFD\uFFFD")
	f("a\xffb", 10, "a\uFFFDb")
	f("\xff\xff", 5, "\uFFFD")
	f("\xff\xff\xff\xff\xff\xff\xff\xff", 6, "\uFFFD\uFFFD")
	f("", 0, "")
}

func FuzzClean(f *testing.F) {
	f.Add("größe\x00\xff\x1b", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 || limit > 1<<16 {
			return
		}
		got := clean(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.IndexFunc(got, unicode.IsControl) >= 0 {
			t.Fatalf("clean(%q, %d) = %q", s, limit, got)
		}
		if again := clean(got, limit); again != got {
			t.Fatalf("clean(%q) = %q, and again %q", s, got, again)
		}
	})
}

func TestInternerIsBounded(t *testing.T) {
	var in interner
	for i := range 3 * maxInterned {
		in.intern(strings.Repeat("x", i%300)+string(rune(i)), 200)
	}
	if len(in.kept) > maxInterned {
		t.Errorf("keeps %d strings", len(in.kept))
	}
	if got := in.intern("abcdef", 3); got != "abc" {
		t.Errorf("got %q", got)
	}
	in.intern("abcdef", 6)
	if got := in.intern("abcdef", 3); got != "abc" {
		t.Errorf("with a smaller limit than before: %q", got)
	}
}
