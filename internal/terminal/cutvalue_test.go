package terminal

import (
	"strings"
	"testing"
)

func TestCutValue(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := CutValue(in); got != want {
			t.Errorf("CutValue of %d bytes is %q; want %q", len(in), got, want)
		}
	}
	f("", "")
	f(strings.Repeat("a", 200), strings.Repeat("a", 200))
	f(strings.Repeat("a", 201), strings.Repeat("a", 200)+"… (1 byte more)")
	f(strings.Repeat("a", 5000), strings.Repeat("a", 200)+"… (4,800 bytes more)")
	f(strings.Repeat("a", 199)+"é", strings.Repeat("a", 199)+"… (2 bytes more)")
	f(strings.Repeat("\xbf", 300), strings.Repeat("\xbf", 196)+"… (104 bytes more)") // not UTF-8
}
