package test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demo starts "seshat demo" with args on free ports, as somebody does who has just built it: without a data directory. What
// it keeps is below temporary.
func demo(t testing.TB, args ...string) (d *running, temporary string) {
	t.Helper()
	temporary = filepath.Join(t.TempDir(), "with space")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	d = &running{seshat: &seshat{t: t}, stderr: &lines{grown: make(chan struct{}, 1)}, ended: make(chan error, 1)}
	d.cmd = exec.Command(binary, append([]string{"demo", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"}, args...)...)
	d.cmd.Env = append(environment(), "TMPDIR="+temporary, "HOME="+temporary)
	d.cmd.Stdout, d.cmd.Stderr = io.Discard, d.stderr
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() {
		if d.cmd.ProcessState == nil {
			d.stop()
		}
	})
	d.api = d.said(`The API is at (http://[^, ]+)`)
	d.gateway = d.said(`Serving on (http://[^, ]+)`)
	return d, temporary
}

// commands are the commands that a demo has said so far, each as it can be typed.
func (r *running) commands() []string {
	var out []string
	for line := range strings.Lines(r.stderr.String()) {
		if command := strings.TrimSpace(line); strings.HasPrefix(line, "  "+binary) || strings.HasPrefix(line, "  seshat ") {
			out = append(out, command)
		}
	}
	return out
}

// typed runs a command in a shell.
func typed(t testing.TB, command string) *result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Env = environment()
	return finish(t, cmd, []string{command})
}

// TestDemo watches the demo until everything has happened, types every command that it says, and ends it with Ctrl-C.
func TestDemo(t *testing.T) {
	need(t, "bash")
	d, temporary := demo(t, "--pace", "100ms")
	for _, chapter := range []string{
		"signed in, and out again", "erin reads the orders of others", "makes up sessions", "guesses passwords", "token was refreshed",
		"A cookie was stolen",
	} {
		d.said(chapter)
	}
	d.said(`(revoke [0-9a-f-]{36} )`)
	if a := ask(t, client(t), "GET", d.gateway+"/", ""); a.status != 200 || !strings.Contains(a.body, "Sign in as") {
		t.Errorf("a visitor with a browser sees %d: %s", a.status, a.body)
	}

	// The command of the chapter that was told last may follow a moment later.
	eventually(t, "every chapter has its command", func() bool { return len(d.commands()) >= 4+7 })
	commands, stolen := d.commands(), ""
	for _, command := range commands {
		r := typed(t, command).want(0)
		if r.stdout == "" && !strings.Contains(command, " revoke ") {
			t.Errorf("%s prints nothing", command)
		}
		if found := regexp.MustCompile(`revoke ([0-9a-f-]{36})`).FindStringSubmatch(command); found != nil {
			stolen = found[1]
		}
	}
	// The session is over for the thief.
	data := regexp.MustCompile(`--data ('[^']*'|\S+)`).FindString(commands[0])
	eventually(t, "the thief is refused", func() bool {
		r := typed(t, binary+" explore --quiet --format csv --columns status session_id:"+stolen+" verdict:block ip:203.0.113.66 "+data)
		return strings.Contains(r.stdout, "401")
	})

	start := time.Now()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wait()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
	for line := range strings.Lines(d.stderr.String()) {
		if strings.Contains(line, "level=") || strings.Contains(line, "seshat: ") {
			t.Errorf("there is noise: %s", line)
		}
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind (%v)", left, err)
	}
}

// TestDemoFirstScreen looks at what a newcomer sees first.
func TestDemoFirstScreen(t *testing.T) {
	d, _ := demo(t, "--for", "1s")
	d.wait()
	screen, _, _ := strings.Cut(d.stderr.String(), "\nCtrl-C ends it all.")
	for i, line := range strings.Split(screen, "\n") {
		if shown := regexp.MustCompile(`'?`+regexp.QuoteMeta(filepath.Dir(binary))+`\S*|--data .*`).ReplaceAllString(line, ""); len(shown) > 80 {
			t.Errorf("line %d does not fit a terminal of 80 columns: %s", i+1, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends in spaces", i+1)
		}
	}
	if strings.Contains(screen, "%!") || strings.Count(screen, "\n\n") < 2 {
		t.Errorf("the first screen is\n%s", screen)
	}
	if !strings.Contains(d.stderr.String(), "All of it is removed") {
		t.Errorf("it does not say what becomes of what it kept:\n%s", d.stderr)
	}
}

// TestDemoKeeps keeps what happened where it is told to.
func TestDemoKeeps(t *testing.T) {
	s := fresh(t)
	d := s.launch("demo", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--for", "3s", "--pace", "50ms")
	d.wait()
	if found := s.sessions(); len(found) == 0 {
		t.Error("no session was kept")
	}
	if !strings.Contains(d.stderr.String(), "They are kept in "+s.data) {
		t.Errorf("it does not say where it kept them:\n%s", d.stderr)
	}
}

// TestDemoSaysWhatIsWrong makes mistakes on purpose.
func TestDemoSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	t.Setenv("TMPDIR", t.TempDir())
	f := func(args []string, code int, want ...string) {
		t.Helper()
		var stderr bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, append([]string{"demo"}, args...)...)
		cmd.Env, cmd.Stderr = environment(), &stderr
		_ = cmd.Run()
		if cmd.ProcessState.ExitCode() != code {
			t.Errorf("demo %v exits with %d; want %d: %s", args, cmd.ProcessState.ExitCode(), code, &stderr)
		}
		for _, part := range want {
			if !strings.Contains(stderr.String(), part) {
				t.Errorf("demo %v does not say %q: %s", args, part, &stderr)
			}
		}
		if n := strings.Count(stderr.String(), "\n"); n > 2 {
			t.Errorf("demo %v says %d lines: %s", args, n, &stderr)
		}
	}
	f([]string{"--listen", taken.Addr().String(), "--api", "127.0.0.1:0"}, 1, "address already in use", "--listen")
	f([]string{"--listen", "127.0.0.1:0", "--api", taken.Addr().String()}, 1, "address already in use", "--api")
	f([]string{"--listen", "8080"}, 1, `--listen`, `"8080" is no address`, `":8080"`)
	f([]string{"--pace", "0s"}, 2, "--pace")
	f([]string{"--pace", "fast"}, 2, "--pace", "--help")
	f([]string{"--for", "-1s"}, 2, "--for")
	f([]string{"now"}, 2, "demo --help")
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("mistakes leave %v behind (%v)", left, err)
	}
}

// TestMakeRun types what README.md tells newcomers to type, and ends it as they do.
func TestMakeRun(t *testing.T) {
	need(t, "make")
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "run", "BIN="+t.TempDir(),
		"DEMO_ARGS=--for 10s --pace 100ms --listen 127.0.0.1:0 --api 127.0.0.1:0")
	cmd.Dir, cmd.Env = "..", environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // make and what it starts get a signal together
	r := finish(t, cmd, []string{"make", "run"}).want(0)
	r.says("Serving on http://127.0.0.1:", "In another terminal:", "requests, ")
}
