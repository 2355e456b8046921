package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedCommands runs the commands of docs/cli.md in their order and compares what they print with what stands
// there. A "…" stands for any text within a line, a line of its own for any number of lines.
func TestDocumentedCommands(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram(t)
	t.Chdir(filepath.Join("..", "..")) // examples/ is named as from the root
	ran := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, step := range strings.Split("\n"+block[1], "\n$ seshat ")[1:] {
			line, want, _ := strings.Cut(step, "\n")
			args := words(t, line)
			for i, arg := range args {
				if strings.HasPrefix(arg, "OUT/") {
					args[i] = filepath.Join(p.t.TempDir(), arg[4:])
				}
				if before, ok := strings.CutSuffix(arg, "SESSION"); ok {
					args[i] = before + p.must("explore", "id:g000006", "--columns", "session_id", "--format", "csv", "--since", "all").lines()[1]
				}
			}
			r := p.run(args...)
			ran[args[0]] = true
			got := r.stdout + r.stderr
			if !wildcard(want).MatchString(got) {
				t.Errorf("seshat %s prints (exit code %d)\n%s\nthe page says\n%s", line, r.code, got, want)
			}
		}
	}
	for _, command := range (&app{}).root().Commands() {
		if name := command.Name(); !ran[name] && !strings.Contains(string(text), "`seshat "+name+" ") && name != "help" {
			t.Errorf("docs/cli.md has no example of seshat %s", name)
		}
	}
}

// wildcard compiles expected output.
func wildcard(want string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(strings.TrimRight(want, "\n"))
	quoted = regexp.MustCompile(`(^|\n)…(\n|$)`).ReplaceAllString(quoted, "$1(?s:.*)$2")
	quoted = strings.ReplaceAll(quoted, "…", ".*")
	return regexp.MustCompile("^" + quoted + "\n*$")
}

// words takes a command line apart as a shell does, as far as the page needs it: single and double quotes.
func words(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && r == ' ':
			if inside {
				out, inside = append(out, word.String()), false
				word.Reset()
			}
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		t.Fatalf("a quote is not closed: %s", line)
	}
	if inside {
		out = append(out, word.String())
	}
	return out
}
