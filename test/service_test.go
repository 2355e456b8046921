package test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSystemdUnit has systemd look at the unit.
func TestSystemdUnit(t *testing.T) {
	need(t, "systemd-analyze")
	unit := read(t, filepath.Join("..", "deploy", "systemd", "seshat.service"))
	command := regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`).FindStringSubmatch(unit)
	if command == nil {
		t.Fatal("the unit starts nothing")
	}
	// On the machine of the test neither the program nor its user is installed.
	unit = strings.Replace(unit, command[1], binary, 1)
	unit = regexp.MustCompile(`(?m)^(User|Group)=.*\n`).ReplaceAllString(unit, "")
	path := file(t, "seshat.service", unit)
	out, err := exec.Command("systemd-analyze", "verify", path).CombinedOutput()
	if err != nil {
		t.Errorf("systemd does not take the unit: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "seshat.service") {
			t.Errorf("systemd says of the unit: %s", line)
		}
	}
	// The flags of the unit are those of the program.
	config := file(t, "seshat.yaml", "upstreams: [{name: a, servers: [\"http://127.0.0.1:3000\"]}]\n")
	args := strings.Fields(strings.NewReplacer("/etc/seshat/seshat.yaml", config, "/var/lib/seshat", t.TempDir()).Replace(command[2]))
	if out, err := exec.Command(binary, append(args, "--check")...).CombinedOutput(); err != nil {
		t.Errorf("the program does not take %v: %v\n%s", args, err, out)
	}
}

// TestNotify is the service manager: it is told when the instance serves, while it reads its configuration again, and when
// it ends.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	told := func() string {
		t.Helper()
		_ = socket.SetReadDeadline(time.Now().Add(soon))
		message := make([]byte, 4096)
		n, err := socket.Read(message)
		if err != nil {
			t.Fatalf("nothing is told: %v", err)
		}
		return string(message[:n])
	}
	origin := shop(t)
	config := file(t, "seshat.yaml", "listen: 127.0.0.1:0\napi: {address: 127.0.0.1:0}\nupstreams: [{name: a, servers: [\""+origin.URL+"\"]}]\n")
	s := fresh(t)
	r := &running{seshat: s, stderr: &lines{grown: make(chan struct{}, 1)}, ended: make(chan error, 1)}
	r.cmd = s.command(context.Background(), "run", "-c", config)
	r.cmd.Env = append(r.cmd.Env, "NOTIFY_SOCKET="+path)
	r.cmd.Stdout, r.cmd.Stderr = io.Discard, r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			r.kill()
		}
	})
	if got := told(); got != "READY=1" {
		t.Fatalf("first it tells %q", got)
	}
	r.gateway = r.said(`Serving on (http://[^, ]+)`)
	if a := ask(t, client(t), http.MethodGet, r.gateway+"/", ""); a.status != http.StatusOK {
		t.Errorf("it says that it is ready, and answers with %d", a.status)
	}
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got := told(); !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+$`).MatchString(got) {
		t.Errorf("at a reload it tells %q", got)
	}
	if got := told(); got != "READY=1" {
		t.Errorf("after a reload it tells %q", got)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != "STOPPING=1" {
		t.Errorf("at the end it tells %q", got)
	}
	r.wait()
}

// TestStartIsQuick measures the time from the start of the program to its first answer, on a new directory and on one that
// is there. 200 ms are the goal; a machine that builds and tests at the same time gets more.
func TestStartIsQuick(t *testing.T) {
	origin := shop(t)
	s := fresh(t)
	const goal, most = 200 * time.Millisecond, 5 * time.Second
	for _, what := range []string{"a new data directory", "one that is there"} {
		var times []time.Duration
		for range 3 {
			address := freeAddress(t)
			if what == "a new data directory" {
				s = fresh(t)
			}
			c := client(t)
			start := time.Now()
			r := &running{seshat: s, stderr: &lines{grown: make(chan struct{}, 1)}, ended: make(chan error, 1)}
			r.cmd = s.command(context.Background(), "run", "--upstream", origin.URL, "--listen", address, "--api", "127.0.0.1:0")
			r.cmd.Stderr = r.stderr
			if err := r.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			go func() { r.ended <- r.cmd.Wait() }()
			for {
				if a, err := tryAsk(c, http.MethodGet, "http://"+address+"/", ""); err == nil && a.status == http.StatusOK {
					break
				}
				if time.Since(start) > most {
					r.kill()
					t.Fatalf("after %v it does not answer:\n%s", most, r.stderr)
				}
				time.Sleep(time.Millisecond)
			}
			times = append(times, time.Since(start))
			r.stop()
		}
		slices.Sort(times)
		fmt.Fprintf(os.Stderr, "start to first answer on %s: %v (goal %v)\n", what, times[len(times)/2].Round(time.Millisecond), goal)
	}
}

// TestContainerfile checks what can be checked of it without an engine: that it names what is there.
func TestContainerfile(t *testing.T) {
	text := read(t, filepath.Join("..", "deploy", "container", "Containerfile"))
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, filepath.Join("..", "go.mod")))[1]
	if !strings.Contains(text, "golang:"+version+"-") {
		t.Errorf("the image is built with another Go than %s", version)
	}
	command := regexp.MustCompile(`(?m)^CMD \["([^\]]*)"\]$`).FindStringSubmatch(text)
	if command == nil {
		t.Fatal("the image runs nothing")
	}
	args := strings.Split(command[1], `", "`)
	config := file(t, "seshat.yaml", "upstreams: [{name: a, servers: [\"http://127.0.0.1:3000\"]}]\n")
	for i := range args {
		args[i] = strings.Replace(args[i], "/etc/seshat/seshat.yaml", config, 1)
	}
	fresh(t).ok(append(args, "--check")...)
	for _, wanted := range []string{"USER ", "STOPSIGNAL SIGTERM", "SESHAT_DATA", "VOLUME", "EXPOSE 8080"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("there is no %s", wanted)
		}
	}
}
