package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// commands are all commands of the program with those below them, found by asking for help.
func commands(t *testing.T, s *seshat, above ...string) [][]string {
	t.Helper()
	help := s.ok(append(slices.Clone(above), "--help")...).stdout
	out := [][]string{above}
	listed := false
	for line := range strings.Lines(help) {
		switch {
		case !strings.HasPrefix(line, " "): // a heading, or nothing
			listed = strings.HasSuffix(strings.TrimSpace(line), ":") &&
				!slices.Contains([]string{"Usage:", "Examples:", "Flags:", "Global Flags:"}, strings.TrimSpace(line))
		case listed && strings.HasPrefix(line, "  "):
			if fields := strings.Fields(line); regexp.MustCompile(`^[a-z-]+$`).MatchString(fields[0]) && fields[0] != "help" {
				out = append(out, commands(t, s, append(slices.Clone(above), fields[0])...)...)
			}
		}
	}
	return out
}

// TestHelp asks every command for help: each says what it does in plain text, has an example, and the examples name
// flags that there are.
func TestHelp(t *testing.T) {
	s := fresh(t)
	all := commands(t, s)
	if len(all) < 20 {
		t.Fatalf("only %d commands are found: %v", len(all), all)
	}
	flag := regexp.MustCompile(` (--[a-z-]+)`)
	for _, command := range all {
		name := strings.Join(command, " ")
		r := s.ok(append(slices.Clone(command), "--help")...)
		if r.stderr != "" || r.stdout != terminalSafe(r.stdout) {
			t.Errorf("the help of %q is not plain text on standard output: %v", name, r)
		}
		if len(command) > 0 && command[0] == "completion" { // not ours
			continue
		}
		_, examples, found := strings.Cut(r.stdout, "\nExamples:\n")
		if !found {
			t.Errorf("the help of %q has no example", name)
			continue
		}
		examples, flags, _ := strings.Cut(examples, "\nFlags:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		for line := range strings.Lines(examples) {
			line, _, _ = strings.Cut(line, "|") // another program
			flags := flags
			if strings.Contains(r.stdout, "\nAvailable Commands:\n") { // the example is one of a command below
				if below := strings.Fields(line); len(below) > len(command)+1 && !strings.HasPrefix(below[len(command)+1], "-") {
					flags = s.ok(append(slices.Clone(command), below[len(command)+1], "--help")...).stdout
				}
			}
			for _, match := range flag.FindAllStringSubmatch(line, -1) {
				if len(command) == 1 && strings.Contains(line, "seshat "+name+" ") && !strings.Contains(flags, match[1]) {
					t.Errorf("an example of %q has the flag %s, which it has not: %s", name, match[1], line)
				}
			}
		}
	}
	if _, err := os.Stat(s.data); err == nil {
		t.Error("asking for help made a data directory")
	}
}

// TestVersion asks for the version.
func TestVersion(t *testing.T) {
	r := fresh(t).ok("version")
	if !regexp.MustCompile(`^seshat \S+.* go1\.\S+ \w+/\w+\n$`).MatchString(r.stdout) {
		t.Errorf("no version: %q", r.stdout)
	}
}

// TestCompletion has a shell read the completion script, and asks for completions as it would.
func TestCompletion(t *testing.T) {
	need(t, "bash")
	s := fresh(t)
	for _, name := range []string{"bash", "zsh", "fish", "powershell"} {
		script := s.ok("completion", name).stdout
		if len(script) < 1000 || !strings.Contains(script, "seshat") {
			t.Errorf("the script for %s is %d bytes", name, len(script))
		}
		if name == "bash" {
			tool(t, "bash", "-n", write(t, t.TempDir(), "completion.bash", script))
		}
	}
	s.importing(write(t, t.TempDir(), "one.ndjson", exchangeLine(1)))
	session := s.sessions()[0].ID
	for line, want := range map[string]string{
		"__complete|ses":                         "sessions",
		"__complete|sessions|sta":                "state:",
		"__complete|session|" + session[:6]:      session,
		"__complete|explore|--columns|time,sess": "time,session_id",
		"__complete|presets|show|key":            "keycloak",
		"__complete|import|--log-format|com":     "combined",
	} {
		s.ok(strings.Split(line, "|")...).prints(want)
	}
}

// TestSchema checks that the JSON Schemas are JSON and name what there is.
func TestSchema(t *testing.T) {
	s := fresh(t)
	r := s.ok("schema").prints("SessionRule", "ContextParameter", "Flow", "MaskRule", "Settings", "json-schema.org")
	if !json.Valid([]byte(r.stdout)) {
		t.Error("it is no JSON")
	}
}

// TestPlainOutput checks that nothing that is not a terminal gets colours, cut values or a moving bar, and that --quiet
// is quiet.
func TestPlainOutput(t *testing.T) {
	s := fresh(t)
	sample := filepath.Join("..", "examples", "shop.ndjson.gz")
	runs := [][]string{
		{"import", sample},
		{"sessions"},
		{"explore", "--columns", "time,id,session_id,user,status,user_agent,endpoint,client_session_ids"},
		{"explain", "--id", "g000100"},
		{"session", "g000100"},
		{"get"},
		{"presets"},
		{"filter-fields"},
		{"explore", "--columns", "help"},
		{"history", "sessionrule", "nope"},
		{"sessions", "nope:1"},
		{"import", "nope"},
	}
	for _, args := range runs {
		r := s.run(args...)
		if r.stdout+r.stderr != terminalSafe(r.stdout+r.stderr) {
			t.Errorf("it prints what is for terminals only: %q", brief(r.stdout+r.stderr))
		}
		if strings.Contains(r.stdout, "…\n") {
			t.Errorf("it cuts values short: %v", r)
		}
	}
	for _, args := range [][]string{{"import", sample}, {"sessions"}, {"explore"}} {
		if r := s.ok(append([]string{"--quiet"}, args...)...); r.stderr != "" {
			t.Errorf("it is not quiet: %v", r)
		}
	}
	r := s.ok("--verbose", "--log", "json", "import", sample)
	for line := range strings.Lines(r.stderr) {
		if !json.Valid([]byte(line)) && !strings.HasPrefix(line, "Authorization") {
			t.Errorf("--log json has a line that is none: %q", line)
		}
	}
}

// TestHostileText imports texts that would do something to a terminal, or break a table, wherever traffic can bring
// them. They come out escaped, and nothing else of them does.
func TestHostileText(t *testing.T) {
	const (
		escape = "\x1b]0;owned\x07\x1b[31mred\x1b[2J"
		lines  = "one\ntwo\rthree\ttab"
		hidden = "\u202egnp.exe\u2028\u0085\u009b31m\x00\x7f"
	)
	var capture strings.Builder
	for n, text := range []string{escape, lines, hidden} {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&capture, `{"id":%[1]s,"time":"2026-01-02T03:04:%02[2]dZ","environment":%[1]s,"service":%[1]s,"client":{"ip":"192.0.2.1","ja4":%[1]s},`+
			`"request":{"method":%[1]s,"scheme":"https","host":%[1]s,"path":%[3]s,"query":"","headers":[["User-Agent",%[1]s],["X-User",%[1]s],["Cookie","SESSID=x%[2]d"]]},`+
			`"response":{"status":200}}`+"\n", quoted, n, `"/`+strings.Trim(string(quoted), `"`)+`"`)
	}
	capture.WriteString(`{"id":"` + escape + "\n") // a bad line
	folder := t.TempDir()
	file := write(t, folder, "hostile\x1b[31m.ndjson", capture.String())
	s := fresh(t)
	s.runWith("apiVersion: seshat/v1\nkind: ContextParameter\nmetadata: {name: who}\nspec:\n  type: user\n  extract: {location: header, key: X-User}\n", "apply", "-f", "-").want(0)
	check := func(r *result) *result {
		t.Helper()
		for _, out := range []string{r.stdout, r.stderr} {
			if out != terminalSafe(out) {
				t.Errorf("seshat %q prints a text from traffic as it is: %q", r.args, brief(out))
			}
		}
		return r
	}
	imported := check(s.run("--verbose", "import", "--output", "json", file)).want(0)
	if got := imported.summary(); got.Stored == 0 {
		t.Fatalf("nothing hostile is stored: %+v", got)
	}
	columns := "time,id,session_id,user,status,method,scheme,host,path,endpoint,service,environment,user_agent,ja4,attr.who"
	table := check(s.ok("explore", "--since", "all", "--columns", columns))
	if n := strings.Count(table.stdout, "\n"); int64(n) != imported.summary().Stored+1 {
		t.Errorf("a text breaks the table: %d lines\n%s", n, table.stdout)
	}
	check(s.ok("sessions", "--since", "all"))
	for _, one := range s.sessions() {
		check(s.ok("session", one.ID))
	}
	for _, record := range s.explore("key") {
		check(s.ok("explain", "--id", record[0]))
	}
	check(s.ok("explain", write(t, folder, "good.ndjson", strings.Join(strings.SplitAfter(capture.String(), "\n")[:3], ""))))
	check(s.run("explain", file))
	check(s.run("session", escape))
	check(s.run("sessions", "user:"+escape))
	check(s.run("sessions", "nofield:"+escape))
	check(s.run("apply", "-f", escape))
	check(s.run("explore", "--columns", escape))
	check(s.run("--format", escape))
	check(s.run(escape))
	// What is harmless of them is there, for people and for machines.
	found := false
	for _, x := range decodeLines[map[string]string](t, s.ok("explore", "--since", "all", "--format", "ndjson", "--columns", "user_agent").stdout) {
		found = found || strings.Contains(x["user_agent"], "owned")
	}
	if !found {
		t.Error("no hostile text is there at all")
	}
}
