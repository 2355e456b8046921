package terminal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/terminal"
)

func TestEscape(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := terminal.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q; want %q", in, got, want)
		}
	}
	f("", "")
	f("GET /orders/42", "GET /orders/42")
	f("Grüße 世界 👩\u200d💻", "Grüße 世界 👩\u200d💻")
	f("a\x1b[2Jb", `a\x1b[2Jb`)
	f("a\x07\x7f\u0085\u009b", `a\x07\x7f\x85\x9b`)
	f("one\ntwo\r\n\tthree", `one\ntwo\r\n\tthree`)
	f("gnp.\u202eexe", `gnp.\u202eexe`)
	f("a\u2028b\ufeffc", `a\u2028b\ufeffc`)
	f("\xff\xc3(", `\xff\xc3(`)
}

// TestEscapeNeverActs checks that nothing a terminal would act on comes out, whatever goes in.
func TestEscapeNeverActs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := terminal.Escape(string(rapid.SliceOf(rapid.Byte()).Draw(t, "in")))
		for _, r := range out {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e {
				t.Fatalf("%q holds %U", out, r)
			}
		}
	})
}

func TestTable(t *testing.T) {
	columns := []terminal.Column{{Title: "ID"}, {Title: "N", Right: true}, {Title: "Agent", Least: 4}}
	rows := [][]terminal.Cell{
		{{Text: "a"}, {Text: "1", Style: terminal.StyleRed}, {Text: "Mozilla/5.0 (X11; Linux)"}},
		{{Text: "bcd"}, {Text: "12"}, {Text: "漢字漢字漢字漢字漢字漢字"}},
		{{Text: "e\x1b[2J"}, {Text: ""}, {Text: ""}},
	}
	f := func(width int, colour bool, want string) {
		t.Helper()
		var b strings.Builder
		if err := terminal.FixedScreen(&b, width, colour).Table(columns, rows); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want {
			t.Errorf("width %d:\n%s\nwant:\n%s\n%q", width, got, want, got)
		}
	}
	f(0, false, `ID         N  Agent
a          1  Mozilla/5.0 (X11; Linux)
bcd       12  漢字漢字漢字漢字漢字漢字
e\x1b[2J
`)
	f(24, false, `ID         N  Agent
a          1  Mozilla/5…
bcd       12  漢字漢字…
e\x1b[2J
`)
	f(0, true, "\x1b[1mID\x1b[0m         \x1b[1mN\x1b[0m  \x1b[1mAgent\x1b[0m\n"+
		"a          \x1b[31m1\x1b[0m  Mozilla/5.0 (X11; Linux)\nbcd       12  漢字漢字漢字漢字漢字漢字\ne\\x1b[2J\n")
}

// TestTableFits checks that no line is wider than the screen as long as the columns that are kept whole fit.
func TestTableFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := []terminal.Column{{Title: "K"}, {Title: "First", Least: 3}, {Title: "Second", Least: 3}}
		var rows [][]terminal.Cell
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			rows = append(rows, []terminal.Cell{
				{Text: "key"}, {Text: rapid.String().Draw(t, "first")}, {Text: rapid.String().Draw(t, "second")},
			})
		}
		width := rapid.IntRange(13, 80).Draw(t, "width")
		var b strings.Builder
		if err := terminal.FixedScreen(&b, width, false).Table(columns, rows); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != len(rows)+1 {
			t.Fatalf("%d lines for %d rows:\n%s", len(lines), len(rows), b.String())
		}
		for _, line := range lines {
			if w := text.StringWidthWithoutEscSequences(line); w > width {
				t.Fatalf("a line of %d columns on a screen of %d: %q", w, width, line)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	f(terminal.Count(0), "0")
	f(terminal.Count(999), "999")
	f(terminal.Count(1000), "1,000")
	f(terminal.Count(-1234567), "-1,234,567")
	f(terminal.Plural(1, "exchange", "exchanges"), "1 exchange")
	f(terminal.Plural(1200, "exchange", "exchanges"), "1,200 exchanges")
	f(terminal.Span(0), "0s")
	f(terminal.Span(900*time.Microsecond), "900µs")
	f(terminal.Span(12*time.Millisecond+300*time.Microsecond), "12ms")
	f(terminal.Span(3450*time.Millisecond), "3.4s")
	f(terminal.Span(59999*time.Millisecond), "59.9s")
	f(terminal.Span(5*time.Minute+6*time.Second), "5m06s")
	f(terminal.Span(2*time.Hour+7*time.Minute+59*time.Second), "2h07m")
	f(terminal.Span(76*time.Hour), "3d04h")
	f(terminal.Span(-time.Second), "-1s")
	f(terminal.Time(time.Time{}), "-")
	f(terminal.Time(time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))), "2026-01-02 02:04:05Z")
}
