package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// program runs the program in one data directory.
type program struct {
	t    *testing.T
	data string
}

func newProgram(t *testing.T) *program {
	t.Helper()
	t.Setenv("NO_COLOR", "1")
	t.Setenv("USER", "tester")
	return &program{t: t, data: filepath.Join(t.TempDir(), "data")}
}

// result is what one run did.
type result struct {
	t              *testing.T
	args           []string
	code           int
	stdout, stderr string
}

func (p *program) input(stdin string, args ...string) *result {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(p.t.Context(), append([]string{"--data", p.data}, args...), strings.NewReader(stdin), &stdout, &stderr)
	return &result{p.t, args, code, stdout.String(), stderr.String()}
}

func (p *program) run(args ...string) *result {
	p.t.Helper()
	return p.input("", args...)
}

// must runs a command that has to do what it is asked to.
func (p *program) must(args ...string) *result {
	p.t.Helper()
	return p.run(args...).exits(exitDone)
}

func (r *result) exits(code int) *result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("seshat %s: exit code %d; want %d\n%s%s", strings.Join(r.args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

func (r *result) prints(parts ...string) *result {
	r.t.Helper()
	return r.holds("standard output", r.stdout, parts)
}

func (r *result) says(parts ...string) *result {
	r.t.Helper()
	return r.holds("standard error", r.stderr, parts)
}

func (r *result) holds(where, text string, parts []string) *result {
	r.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			r.t.Errorf("seshat %s: %s lacks %q:\n%s", strings.Join(r.args, " "), where, part, text)
		}
	}
	return r
}

func (r *result) silent() *result {
	r.t.Helper()
	if r.stderr != "" {
		r.t.Errorf("seshat %s: standard error: %s", strings.Join(r.args, " "), r.stderr)
	}
	return r
}

func (r *result) lines() []string {
	if r.stdout == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// traffic is two people: alice signs in at the site and signs out, bob uses the API.
const traffic = `{"id":"x1","time":"2026-01-02T10:00:00Z","duration_ms":12.5,"environment":"prod","client":{"ip":"203.0.113.9"},"request":{"method":"GET","scheme":"https","host":"www.shop.example","path":"/","headers":[["User-Agent","Firefox"]]},"response":{"status":200,"headers":[["Set-Cookie","PHPSESSID=aaaaaaaaaaaaaaaaaaaaaaaaaa; Path=/"]]}}
{"id":"x2","time":"2026-01-02T10:00:10Z","duration_ms":80,"environment":"prod","client":{"ip":"203.0.113.9"},"request":{"method":"POST","scheme":"https","host":"www.shop.example","path":"/login","headers":[["User-Agent","Firefox"],["Cookie","PHPSESSID=aaaaaaaaaaaaaaaaaaaaaaaaaa"],["Content-Type","application/x-www-form-urlencoded"]],"body":"username=alice&password=correct-horse"},"response":{"status":302,"headers":[["Set-Cookie","PHPSESSID=bbbbbbbbbbbbbbbbbbbbbbbbbb; Path=/"],["Location","/account"]]}}
{"id":"x3","time":"2026-01-02T10:20:00Z","duration_ms":5,"environment":"prod","client":{"ip":"198.51.100.7"},"request":{"method":"GET","scheme":"https","host":"www.shop.example","path":"/orders/42","headers":[["User-Agent","Firefox"],["Cookie","PHPSESSID=bbbbbbbbbbbbbbbbbbbbbbbbbb"]]},"response":{"status":404}}
{"id":"x4","time":"2026-01-02T10:21:00Z","environment":"prod","client":{"ip":"192.0.2.77"},"request":{"method":"GET","scheme":"https","host":"api.shop.example","path":"/v1/me","headers":[["User-Agent","app/1"],["X-Shop-Session","bob-session-0000000000000001"]]},"response":{"status":200}}
{"id":"x5","time":"2026-01-02T10:22:00Z","environment":"prod","client":{"ip":"192.0.2.77"},"request":{"method":"GET","scheme":"https","host":"api.shop.example","path":"/v1/cart","headers":[["User-Agent","app/1"],["X-Shop-Session","bob-session-0000000000000001"]]},"response":{"status":200}}
`

const shopRule = `apiVersion: seshat/v1
kind: SessionRule
metadata:
  name: shop-app
  description: The app's own header
spec:
  identifiers:
    - header: X-Shop-Session
`

func TestUsage(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		r := newProgram(t).run(args...).exits(exitUsage)
		if got := strings.TrimSuffix(r.stderr, "\n"); got != want {
			t.Errorf("seshat %s says\n%s\nwant\n%s", strings.Join(args, " "), got, want)
		}
		if r.stdout != "" {
			t.Errorf("seshat %s prints %s", strings.Join(args, " "), r.stdout)
		}
	}
	f(`seshat: unknown command "sesions" for "seshat" (did you mean sessions or session?)`, "sesions")
	f(`seshat: unknown command "xyzzy" for "seshat" (see seshat --help)`, "xyzzy")
	f(`seshat: unknown command "foo" for "seshat completion" (see seshat completion --help)`, "completion", "foo")
	f(`seshat: unknown flag: --nope (see seshat sessions --help)`, "sessions", "--nope")
	f(`seshat: requires at least 1 arg(s), only received 0 (see seshat import --help)`, "import")
	f(`seshat: invalid argument "x" for "--limit" flag: strconv.ParseInt: parsing "x": invalid syntax (see seshat sessions --help)`,
		"sessions", "--limit", "x")
	f("seshat: filter, column 12: sessions have no field \"usr\" (did you mean \"user\"?)\n  status:200 usr:alice\n             ^",
		"sessions", "status:200", "usr:alice")
	f(`seshat: --since: "yesterday" is no time (for example 24h, 7d, 2026-01-02, 2026-01-02T15:04:05Z or all)`,
		"sessions", "--since", "yesterday")
	f(`seshat: --since 2026-01-02 is not before --until 2026-01-01`, "sessions", "--since", "2026-01-02", "--until", "2026-01-01")
	f(`seshat: --format: "xml" is not one of them (table, json, csv)`, "sessions", "--format", "xml")
	f(`seshat: --sort: "size" is not one of them (last_seen, first_seen, exchanges, errors, duration, confidence, user, addresses, user_agents)`,
		"sessions", "--sort", "size")
	f(`seshat: --limit: a limit cannot be negative (0 is no limit)`, "explore", "--limit=-1")
	f(`seshat: --columns: there is no column "idd" (--columns help lists them)`, "explore", "--columns", "time,idd")
	f(`seshat: "sessionrulez" is no kind of resource (one of sessionrule, contextparameter, flow, maskrule, limit, jwtvalidation, settings)`, "get", "sessionrulez")
	f(`seshat: --output: no file was named (for example -o sessions.parquet)`, "export", "sessions")
	f(`seshat: --format: a HAR holds exchanges (seshat export exchanges --format har)`, "export", "sessions", "--format", "har", "-o", "x")
	f(`seshat: --format: "pcap" is not one of them (har, ndjson, accesslog)`, "import", "--format", "pcap", "x")
	f(`seshat: --log: "xml" is no format of logs (text or json)`, "version", "--log", "xml")
	f(`seshat: no file was named (for example -f rules.yaml, or -f - for standard input)`, "apply")
	f(`seshat: a file and --id exclude each other`, "explain", "x", "--id", "y")
	f(`seshat: --revision: which revision is not said (seshat history flow x lists them)`, "rollback", "flow", "x")
}

func TestNothingImported(t *testing.T) {
	p := newProgram(t)
	for _, args := range [][]string{{"sessions"}, {"explore"}, {"session", "1"}, {"export", "sessions", "-o", "x"}} {
		p.run(args...).exits(exitFailed).says("seshat: open data directory " + p.data + ": nothing was imported yet (import something with: seshat import FILE)\n")
	}
	for _, args := range [][]string{
		{"get"}, {"get", "flow", "x"}, {"history", "flow", "x"}, {"delete", "flow", "x"}, {"rollback", "flow", "x", "--revision", "1"},
	} {
		p.run(args...).exits(exitFailed).says("seshat: open the resources in " + p.data + ": nothing was applied or imported yet (apply some with: ")
	}
	p.run("key", "list").exits(exitFailed)
	p.must("__complete", "get", "flow", "")
	p.must("apply", "--dry-run", "-f", write(t, "rule.yaml", shopRule)).prints("sessionrule/shop-app created (dry run)")
	p.input(traffic, "explain", "-").exits(exitDone).says("Nothing is in " + p.data + ": this is by the built-in set alone.\n")
	if _, err := os.Stat(p.data); !os.IsNotExist(err) {
		t.Errorf("looking made the data directory: %v", err)
	}
}

func TestDataDirectory(t *testing.T) {
	f := func(want string, env map[string]string, flag ...string) {
		t.Helper()
		for _, name := range []string{"SESHAT_DATA", "XDG_STATE_HOME"} {
			t.Setenv(name, env[name])
		}
		t.Setenv("HOME", "/home/nobody")
		var stdout, stderr bytes.Buffer
		run(context.Background(), append([]string{"sessions"}, flag...), strings.NewReader(""), &stdout, &stderr)
		if !strings.Contains(stderr.String(), "open data directory "+want+": ") {
			t.Errorf("env %v, flags %v: %s; want %s", env, flag, stderr.String(), want)
		}
	}
	f("/home/nobody/.local/state/seshat", nil)
	f("/s/seshat", map[string]string{"XDG_STATE_HOME": "/s"})
	f("/home/nobody/.local/state/seshat", map[string]string{"XDG_STATE_HOME": "relative"})
	f("/e", map[string]string{"XDG_STATE_HOME": "/s", "SESHAT_DATA": "/e"})
	f("/f", map[string]string{"XDG_STATE_HOME": "/s", "SESHAT_DATA": "/e"}, "--data", "/f")
}

// TestHelp checks that every command says what it is, with an example that names itself.
func TestHelp(t *testing.T) {
	a := &app{}
	root := a.root()
	for _, command := range root.Commands() {
		if command.Name() == "help" || command.Name() == "completion" {
			continue
		}
		r := newProgram(t).must(command.Name(), "--help")
		r.prints("Usage:\n  seshat "+command.Name(), "Examples:\n")
		if regexp.MustCompile(`(?m)^.{140,}$`).MatchString(command.Long) {
			t.Errorf("the help of %s has a line that wraps", command.Name())
		}
	}
	newProgram(t).must("--help").prints("Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.")
	newProgram(t).must("version").prints("seshat ")
	newProgram(t).must("completion", "bash").prints("bash completion")
}
