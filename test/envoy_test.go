package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// component is a program that test/install.sh unpacked into the folder of components; pattern is its path there.
func component(t testing.TB, pattern ...string) string {
	t.Helper()
	folder := os.Getenv("SESHAT_COMPONENTS")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		folder = filepath.Join(cache, "seshat-components")
	}
	found, err := filepath.Glob(filepath.Join(append([]string{folder}, pattern...)...))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		skip(t, filepath.Join(pattern...)+" is not installed: run test/install.sh")
	}
	return found[len(found)-1]
}

// envoy is a running Envoy.
type envoy struct {
	t      testing.TB
	url    string // of its listener
	admin  string
	stdout *lines
	stderr *lines
}

// startEnvoy runs Envoy with a configuration of deploy/envoy, on free ports, until the test is over.
func startEnvoy(t testing.TB, config, origin, seshat string) *envoy {
	t.Helper()
	program := component(t, "envoy-*", "envoy", "_bin", "envoy")
	text := read(t, filepath.Join("..", "deploy", "envoy", config))
	for _, change := range [][2]string{
		{"0.0.0.0, port_value: 8080", "127.0.0.1, port_value: 0"},
		{"port_value: 9901", "port_value: 0"},
		{"port_value: 3000", "port_value: " + portOf(t, origin)},
		{"port_value: 9181", "port_value: " + portOf(t, seshat)},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("%s has no %q", config, change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	folder := t.TempDir()
	adminFile := filepath.Join(folder, "admin")
	e := &envoy{t: t, stdout: &lines{}, stderr: &lines{}}
	cmd := exec.Command(program, "-c", write(t, folder, "envoy.yaml", text), "--concurrency", "1", "--disable-hot-restart",
		"--log-level", "warning", "--file-flush-interval-msec", "20", "--admin-address-path", adminFile)
	cmd.Stdout, cmd.Stderr = e.stdout, e.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Envoy said:\n%s\n%s", e.stdout, e.stderr)
		}
	})
	eventually(t, "Envoy has a listener", func() bool {
		address, err := os.ReadFile(adminFile)
		if err != nil || len(address) == 0 {
			return false
		}
		e.admin = string(address)
		var listeners struct {
			Statuses []struct {
				Address struct {
					Socket struct {
						Port int `json:"port_value"`
					} `json:"socket_address"`
				} `json:"local_address"`
			} `json:"listener_statuses"`
		}
		if json.Unmarshal([]byte(e.ask("/listeners?format=json")), &listeners) != nil || len(listeners.Statuses) == 0 {
			return false
		}
		e.url = fmt.Sprintf("http://127.0.0.1:%d", listeners.Statuses[0].Address.Socket.Port)
		return e.ask("/ready") == "LIVE\n"
	})
	return e
}

// ask asks Envoy's administration.
func (e *envoy) ask(path string) string {
	response, err := http.Get("http://" + e.admin + path)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// logged waits for a line of Envoy's access log with a path and a status, and returns the last.
func (e *envoy) logged(path string, status int) map[string]any {
	e.t.Helper()
	var found map[string]any
	eventually(e.t, fmt.Sprintf("Envoy logs %s with %d", path, status), func() bool {
		for line := range strings.Lines(e.stdout.String()) {
			var one map[string]any
			if json.Unmarshal([]byte(line), &one) == nil && one["path"] == path && one["status"] == float64(status) {
				found = one
			}
		}
		return found != nil
	})
	return found
}

func portOf(t testing.TB, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serveEnvoy starts an instance that serves an Envoy, and nothing else.
func serveEnvoy(t testing.TB, s *seshat) (r *running, address string) {
	t.Helper()
	address = freePort(t)
	r = s.serve("-c", file(t, "seshat.yaml", fmt.Sprintf("extProc: {address: %q}\n", address)))
	eventually(t, "the external processor is there", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return r, address
}

// TestEnvoyAsks leads a sign-in through an Envoy: its body names the user, its cookie the session, which is in Envoy's access
// log; a limit and a revocation are in force.
func TestEnvoyAsks(t *testing.T) {
	origin, s := shop(t), fresh(t)
	r, address := serveEnvoy(t, s)
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)
	c := client(t)
	cookie := signIn(t, c, e.url, "alice", "User-Agent", "test/1.0")
	get := func(cookie string) answerOf {
		return ask(t, c, http.MethodGet, e.url+"/account", "", "Cookie", cookie, "User-Agent", "test/1.0")
	}
	for range 3 {
		if a := get(cookie); a.status != http.StatusOK {
			t.Fatalf("the account gives %d", a.status)
		}
	}
	var sessions []session
	eventually(t, "all exchanges are in one session", func() bool {
		sessions = s.sessions("user:alice")
		return len(sessions) == 1 && sessions[0].Exchanges == 4
	})
	if got := e.logged("/account", http.StatusOK); got["session_id"] != sessions[0].ID || got["verdict"] != "allow" {
		t.Errorf("Envoy's access log has %v, want the session %s", got, sessions[0].ID)
	}

	s.ok("apply", "-f", file(t, "limit.yaml", `
apiVersion: seshat/v1
kind: Limit
metadata: {name: account}
spec: {endpoints: ["GET */account"], key: [session], count: 5, window: 1m}
`))
	within(t, 5*time.Second, "the limit refuses", func() bool {
		a := get(cookie)
		return a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != "" && a.header.Get("RateLimit-Policy") != ""
	})
	if got := e.logged("/account", http.StatusTooManyRequests); got["details"] != "seshat:Limit/account" || got["by"] != "Limit/account" {
		t.Errorf("Envoy's access log has %v", got)
	}
	s.ok("delete", "limit", "account")

	s.ok("revoke", sessions[0].ID)
	within(t, 5*time.Second, "the session is refused", func() bool { return get(cookie).status == http.StatusUnauthorized })

	r.kill() // failure_mode_allow: true
	if a := get(cookie); a.status != http.StatusOK {
		t.Errorf("without Seshat the account gives %d", a.status)
	}
}

// TestEnvoyTells takes the access log of an Envoy: the session is found by its cookies, and nothing is refused.
func TestEnvoyTells(t *testing.T) {
	origin, s := shop(t), fresh(t)
	s.ok("apply", "-f", file(t, "limit.yaml", `
apiVersion: seshat/v1
kind: Limit
metadata: {name: none}
spec: {key: [ip], count: 1, window: 1h}
`))
	_, address := serveEnvoy(t, s)
	e := startEnvoy(t, "access-log-service.yaml", origin.URL, address)
	c := client(t)
	cookie := signIn(t, c, e.url, "alice", "User-Agent", "test/1.0")
	for range 3 {
		a := ask(t, c, http.MethodGet, e.url+"/account", "", "Cookie", cookie, "User-Agent", "test/1.0")
		if a.status != http.StatusOK || a.header.Get("RateLimit") != "" {
			t.Fatalf("the account gives %d %v", a.status, a.header)
		}
	}
	eventually(t, "all exchanges are in one session", func() bool {
		for _, one := range s.sessions() {
			if one.Exchanges == 4 && one.IdentifiedBy != "" {
				return true
			}
		}
		return false
	})
}
