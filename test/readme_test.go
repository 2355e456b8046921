package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeCommands types the commands of README.md and of the pages in docs, one page after the other, each in a new
// folder with what the repository ships beside it. A block of commands is one fenced as "sh"; in README.md all of them
// are run, in docs those of which the fence says "sh run". What installs or builds the program is left out: the
// program that is tested is there already.
func TestReadmeCommands(t *testing.T) {
	need(t, "bash", "jq", "gzip")
	pages, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	const readme = "README.md"
	for _, page := range append([]string{filepath.Join("..", readme)}, pages...) {
		name := filepath.Base(page)
		blocks := commandBlocks(t, page, name == readme)
		if name == readme && len(blocks) == 0 {
			t.Errorf("%s has no commands", page)
		}
		if len(blocks) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			folder := scratch(t)
			for _, block := range blocks {
				cmd := shell(t, "set -o pipefail\n"+block.text)
				cmd.Dir = folder
				cmd.Env = append(cmd.Env, "HOME="+folder, "XDG_STATE_HOME="+filepath.Join(folder, "state"))
				r := finish(t, cmd, []string{fmt.Sprintf("%s:%d", page, block.line)})
				if r.code != 0 {
					t.Errorf("%s:%d fails:\n%s\n%v", page, block.line, block.text, r)
				}
			}
		})
	}
}

// block is a command of a page: a line, with those that continue it.
type block struct {
	line int
	text string
}

// notHere matches commands that are about getting the program or the whole project, not about using it.
var notHere = regexp.MustCompile(`^(sudo |apt|brew |go install|git clone|cd |make\b|docker |\./test/|source |eval )`)

func commandBlocks(t *testing.T, page string, all bool) []block {
	t.Helper()
	var out []block
	inside, heredoc := false, ""
	for i, line := range strings.Split(read(t, page), "\n") {
		switch {
		case !inside && strings.HasPrefix(line, "```"):
			fence := strings.TrimSpace(strings.TrimPrefix(line, "```"))
			inside = fence == "sh run" || all && fence == "sh"
		case inside && heredoc == "" && strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			line = strings.TrimPrefix(line, "$ ")
			last := len(out) - 1
			continued := last >= 0 && (heredoc != "" || strings.HasSuffix(out[last].text, "\\") || strings.HasSuffix(out[last].text, "|"))
			if continued {
				out[last].text += "\n" + line
			} else if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, "#") && !notHere.MatchString(trimmed) {
				out = append(out, block{line: i + 1, text: line})
			}
			if heredoc == "" {
				if m := regexp.MustCompile(`<<-?\s*['"]?(\w+)`).FindStringSubmatch(line); m != nil {
					heredoc = m[1]
				}
			} else if strings.TrimSpace(line) == heredoc {
				heredoc = ""
			}
		}
	}
	if inside {
		t.Errorf("%s: a block of commands does not end", page)
	}
	return out
}

// scratch is a folder with the examples in it, and with files under the names that pages take for somebody's own.
func scratch(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "examples"), os.DirFS(filepath.Join("..", "examples"))); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(folder, "docs"), os.DirFS(filepath.Join("..", "docs"))); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestReadmeResources validates the resources that README.md shows.
func TestReadmeResources(t *testing.T) {
	s := fresh(t)
	n := 0
	for _, part := range strings.Split(read(t, filepath.Join("..", "README.md")), "```yaml\n")[1:] {
		text, _, ended := strings.Cut(part, "```")
		if !ended || !strings.Contains(text, "apiVersion:") {
			continue
		}
		n++
		s.runWith(text, "validate", "-f", "-").want(0)
	}
	if n == 0 {
		t.Error("README.md shows no resource")
	}
}

// TestLinks follows every link from a page to a file of the repository.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	n := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*.md", "test/*/*.md"} {
		pages, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
				n++
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
					t.Errorf("%s links to %s, which is not there", page, match[1])
				}
			}
		}
	}
	if n == 0 {
		t.Error("there are no links")
	}
}
