package test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// running is an instance that serves: "seshat run" and its like.
type running struct {
	*seshat
	// gateway and api are URLs without a slash at the end; gateway is empty when no traffic is served.
	gateway, api string

	cmd    *exec.Cmd
	stderr *lines
	ended  chan error
}

// soon is how long something may take that takes moments: far more than it takes, on a machine that has other work too.
const soon = 30 * time.Second

// serve starts "seshat run" with args, on free ports of the loopback interface, and waits until it serves. It is stopped
// when the test ends, and must then end well.
func (s *seshat) serve(args ...string) *running {
	s.t.Helper()
	return s.launch(append([]string{"run", "--api", "127.0.0.1:0"}, args...)...)
}

// launch starts a command that serves until it is stopped.
func (s *seshat) launch(args ...string) *running {
	s.t.Helper()
	return s.launchProgram(binary, args...)
}

// launchProgram is launch with another build of the program.
func (s *seshat) launchProgram(program string, args ...string) *running {
	s.t.Helper()
	r := &running{seshat: s, stderr: &lines{grown: make(chan struct{}, 1)}, ended: make(chan error, 1)}
	r.cmd = s.command(context.Background(), args...)
	r.cmd.Path = program
	r.cmd.Stdout, r.cmd.Stderr = io.Discard, r.stderr
	if err := r.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	s.t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			r.stop()
		}
	})
	r.api = r.said(`The API is at (http://[^, ]+)`)
	if found := regexp.MustCompile(`Serving on (https?://[^, ]+)`).FindStringSubmatch(r.stderr.String()); found != nil {
		r.gateway = found[1]
	}
	return r
}

// said waits until the instance has said something that matches the expression, and returns its first group.
func (r *running) said(expression string) string {
	r.t.Helper()
	re, timeout := regexp.MustCompile(expression), time.After(soon)
	for {
		if found := re.FindStringSubmatch(r.stderr.String()); found != nil {
			return found[len(found)-1]
		}
		select {
		case <-r.stderr.grown:
		case err := <-r.ended:
			r.ended <- err
			if re.MatchString(r.stderr.String()) {
				continue
			}
			r.t.Fatalf("it ended (%v) and never said %q:\n%s", err, expression, r.stderr)
		case <-timeout:
			r.t.Fatalf("it does not say %q:\n%s", expression, r.stderr)
		}
	}
}

// stop ends the instance as a service manager does, and fails the test when that does not go well.
func (r *running) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Error(err)
	}
	r.wait()
}

// wait waits for the end of the instance, which must be a good one.
func (r *running) wait() {
	r.t.Helper()
	select {
	case err := <-r.ended:
		r.ended <- err
		if err != nil && r.cmd.ProcessState.ExitCode() != 0 && r.cmd.ProcessState.ExitCode() != interrupted {
			r.t.Errorf("it ended with %v:\n%s", err, r.stderr)
		}
	case <-time.After(2 * soon):
		_ = r.cmd.Process.Signal(syscall.SIGQUIT) // which says where it hangs
		<-r.ended
		r.t.Errorf("it does not end:\n%s", r.stderr)
	}
	if strings.Contains(r.stderr.String(), "panic:") {
		r.t.Errorf("it crashed:\n%s", r.stderr)
	}
}

// interrupted is the exit code of a command that was ended by a signal.
const interrupted = 130

// kill ends the instance without warning.
func (r *running) kill() {
	r.t.Helper()
	_ = r.cmd.Process.Kill()
	err := <-r.ended
	r.ended <- err
}

// lines is what a process says, for reading while it speaks.
type lines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually waits until f says that it is so. Waiting is for what happens in another process.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	within(t, soon, what, f)
}

// within is eventually with a time that matters.
func within(t testing.TB, most time.Duration, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(most)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("after %v it is not so that %s", most, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// answerOf is what came of a request.
type answerOf struct {
	status int
	header http.Header
	body   string
}

// client is a client of its own connections that keeps no cookies and follows no redirects.
func client(t testing.TB) *http.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: soon,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a request; fields are names and values of header fields by turns.
func ask(t testing.TB, c *http.Client, method, url, body string, fields ...string) answerOf {
	t.Helper()
	a, err := tryAsk(c, method, url, body, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tryAsk(c *http.Client, method, url, body string, fields ...string) (answerOf, error) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, url, content)
	if err != nil {
		return answerOf{}, err
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if strings.EqualFold(fields[i], "Host") {
			request.Host = fields[i+1]
			continue
		}
		request.Header.Add(fields[i], fields[i+1])
	}
	response, err := c.Do(request)
	if err != nil {
		return answerOf{}, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return answerOf{response.StatusCode, response.Header, string(data)}, err
}

// file writes a file for a scenario and returns its path.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
