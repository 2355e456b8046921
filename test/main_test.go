package test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binary is the program that the scenarios run. It is built once, without the race detector: the packages' own tests
// run with it, and here it would hide what matters, memory and time.
var binary string

func TestMain(m *testing.M) {
	if program := os.Getenv(measuredProgram); program != "" {
		os.Exit(measure(program, os.Args[1:], os.Getenv(measuredPeak)))
	}
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "seshat-scenarios-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(folder) }()
		binary = filepath.Join(folder, "seshat")
		build := exec.Command("go", "build", "-o", binary, "../cmd/seshat")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// most is how long one command may take: far more than any takes, so that a command that hangs fails its test.
const most = 10 * time.Minute

// seshat is the program on one data directory.
type seshat struct {
	t    testing.TB
	data string
}

// fresh is the program on a data directory that does not exist yet.
func fresh(t testing.TB) *seshat {
	t.Helper()
	return &seshat{t: t, data: filepath.Join(t.TempDir(), "data")}
}

// result is what a command left behind.
type result struct {
	t              testing.TB
	args           []string
	stdout, stderr string
	code           int
}

func (r *result) String() string {
	return fmt.Sprintf("seshat %s\nexit code %d\nstdout:\n%s\nstderr:\n%s", strings.Join(r.args, " "), r.code, brief(r.stdout), brief(r.stderr))
}

// brief is as much of a text as a failure message can take.
func brief(text string) string {
	const long = 4000
	if len(text) > long {
		return text[:long] + fmt.Sprintf("… (%d bytes)", len(text))
	}
	return text
}

// command is the program with args, not started.
func (s *seshat) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, append([]string{"--data", s.data}, args...)...)
	cmd.Env = environment()
	return cmd
}

// environment is the environment without what would change how the program behaves.
func environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "SESHAT_") && !strings.HasPrefix(pair, "NO_COLOR=") {
			env = append(env, pair)
		}
	}
	return env
}

// run runs the program and returns what came of it, whatever that is.
func (s *seshat) run(args ...string) *result {
	s.t.Helper()
	return s.runWith("", args...)
}

// runWith is run with a text on standard input.
func (s *seshat) runWith(stdin string, args ...string) *result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := s.command(ctx, args...)
	cmd.Stdin = strings.NewReader(stdin)
	return finish(s.t, cmd, args)
}

func finish(t testing.TB, cmd *exec.Cmd, args []string) *result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %v: %v", args, err)
	}
	r := &result{t: t, args: args, stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	// Whatever a command says, none of it is a crash.
	if strings.Contains(r.stderr, "goroutine ") && strings.Contains(r.stderr, "panic") {
		t.Fatalf("it crashed: %v", r)
	}
	return r
}

// ok runs the program and fails the test when it does not exit with 0.
func (s *seshat) ok(args ...string) *result {
	s.t.Helper()
	return s.run(args...).want(0)
}

// want fails the test unless the exit code is code.
func (r *result) want(code int) *result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("the exit code is not %d: %v", code, r)
	}
	return r
}

// says fails the test unless each of parts is on standard error.
func (r *result) says(parts ...string) *result {
	r.t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.stderr, part) {
			r.t.Errorf("standard error does not say %q: %v", part, r)
		}
	}
	return r
}

// prints fails the test unless each of parts is on standard output.
func (r *result) prints(parts ...string) *result {
	r.t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.stdout, part) {
			r.t.Errorf("standard output does not have %q: %v", part, r)
		}
	}
	return r
}

// summary is what an import says of itself.
type summary struct {
	Read, Stored, Bad, Duplicates, Sessions int64
	Seconds                                 float64
}

// importing imports and returns the summary; the exit code has to be 0.
func (s *seshat) importing(args ...string) summary {
	s.t.Helper()
	return s.ok(append([]string{"import", "--output", "json"}, args...)...).summary()
}

// summary reads the summary of an import that was asked for it in JSON.
func (r *result) summary() summary {
	r.t.Helper()
	var out summary
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		r.t.Fatalf("the summary is no JSON: %v: %v", err, r)
	}
	return out
}

// counts drops what differs from run to run.
func (s summary) counts() summary {
	s.Seconds = 0
	return s
}

// session is a session as the program prints it in JSON.
type session struct {
	ID           string   `json:"session_id"`
	Previous     string   `json:"previous_session_id"`
	State        string   `json:"state"`
	User         string   `json:"user"`
	IdentifiedBy string   `json:"identified_by"`
	FirstSeen    string   `json:"first_seen"`
	LastSeen     string   `json:"last_seen"`
	EndedBy      string   `json:"ended_by"`
	Exchanges    int64    `json:"exchanges"`
	Errors       int64    `json:"errors"`
	IPs          []string `json:"ips"`
}

// sessions are all sessions that a filter finds.
func (s *seshat) sessions(filter ...string) []session {
	s.t.Helper()
	args := append([]string{"sessions", "--since", "all", "--limit", "0", "--format", "json"}, filter...)
	return decodeLines[session](s.t, s.ok(args...).stdout)
}

// decodeLines reads one JSON value a line.
func decodeLines[T any](t testing.TB, text string) []T {
	t.Helper()
	var out []T
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var one T
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("line %d is no JSON: %v", len(out)+1, err)
		}
		out = append(out, one)
	}
}

// explore returns all exchanges that a filter finds, oldest first, as records with the columns.
func (s *seshat) explore(columns string, filter ...string) [][]string {
	s.t.Helper()
	args := append([]string{
		"explore", "--since", "all", "--limit", "0", "--oldest-first", "--format", "csv", "--columns", columns,
	}, filter...)
	records, err := csv.NewReader(strings.NewReader(s.ok(args...).stdout)).ReadAll()
	if err != nil {
		s.t.Fatalf("explore prints no CSV: %v", err)
	}
	return records[1:] // without the header
}

// grouping is the session of every exchange.
func (s *seshat) grouping() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, record := range s.explore("id,session_id") {
		if _, twice := out[record[0]]; twice {
			s.t.Errorf("the exchange %s is there twice", record[0])
		}
		out[record[0]] = record[1]
	}
	return out
}

// need skips the test, or fails it when nothing may be skipped, unless all tools are installed.
func need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			skip(t, tool+" is not installed")
		}
	}
}

// material is the path of a file or folder of the recordings.
func material(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("SESHAT_MATERIAL")
	if root == "" {
		skip(t, "SESHAT_MATERIAL is not set: it names the folder of the recordings")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("SESHAT_NO_SKIP") == "1" {
		t.Fatalf("%s, and SESHAT_NO_SKIP is set", why)
	}
	t.Skip(why)
}

// tool runs another program and returns its standard output.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// write writes a file into a folder of the test.
func write(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
