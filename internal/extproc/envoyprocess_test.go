package extproc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// envoyBinary is where test/install.sh puts Envoy; see test/components.sh.
func envoyBinary(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("SESHAT_COMPONENTS")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		folder = filepath.Join(cache, "seshat-components")
	}
	found, _ := filepath.Glob(filepath.Join(folder, "envoy-*", "envoy", "_bin", "envoy"))
	if len(found) == 0 {
		const why = "Envoy is not installed: run test/install.sh"
		if os.Getenv("SESHAT_NO_SKIP") == "1" {
			t.Fatal(why + ", and SESHAT_NO_SKIP is set")
		}
		t.Skip(why)
	}
	return found[len(found)-1]
}

// output is what a process writes; it can be read while it goes on.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// envoy is a running Envoy.
type envoy struct {
	t      testing.TB
	url    string // of its listener
	host   string
	admin  string
	stdout output
	stderr output
}

// startEnvoy runs Envoy with a configuration of deploy/envoy, on free ports, until the test is over. changes are pairs of
// texts, old and new: each old one must be there.
func startEnvoy(t testing.TB, file, origin, seshat string, changes ...string) *envoy {
	t.Helper()
	binary := envoyBinary(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "envoy", file))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	replace := func(old, with string) {
		if !strings.Contains(config, old) {
			t.Fatalf("%s has no %q", file, old)
		}
		config = strings.ReplaceAll(config, old, with)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		replace(changes[i], changes[i+1])
	}
	replace("0.0.0.0, port_value: 8080", "127.0.0.1, port_value: 0")
	replace("port_value: 9901", "port_value: 0")
	replace("port_value: 3000", "port_value: "+port(t, origin))
	replace("port_value: 9181", "port_value: "+port(t, seshat))

	folder := t.TempDir()
	path, adminPath := filepath.Join(folder, "envoy.yaml"), filepath.Join(folder, "admin")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &envoy{t: t}
	cmd := exec.Command(binary, "-c", path, "--concurrency", "1", "--use-dynamic-base-id", "--disable-hot-restart",
		"--log-level", "warning", "--file-flush-interval-msec", "20", "--admin-address-path", adminPath)
	cmd.Stdout, cmd.Stderr = &e.stdout, &e.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Envoy said:\n%s\n%s", e.stdout.String(), e.stderr.String())
		}
	})
	e.until("Envoy did not start", func() bool {
		address, err := os.ReadFile(adminPath)
		e.admin = string(address)
		return err == nil && e.admin != ""
	})
	e.until("Envoy has no listener", func() bool {
		var listeners struct {
			Statuses []struct {
				Address struct {
					Socket struct {
						Port json.Number `json:"port_value"`
					} `json:"socket_address"`
				} `json:"local_address"`
			} `json:"listener_statuses"`
		}
		if json.Unmarshal([]byte(e.adminGet("/listeners?format=json")), &listeners) != nil || len(listeners.Statuses) == 0 {
			return false
		}
		e.host = "127.0.0.1:" + listeners.Statuses[0].Address.Socket.Port.String()
		e.url = "http://" + e.host
		return e.adminGet("/ready") == "LIVE\n"
	})
	return e
}

func port(t testing.TB, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// until waits for a condition.
func (e *envoy) until(what string, condition func() bool) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			e.t.Fatalf("%s\n%s", what, e.stderr.String())
		case <-tick.C:
		}
	}
}

func (e *envoy) adminGet(path string) string {
	response, err := http.Get("http://" + e.admin + path)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// logged waits for the line of the access log of a path.
func (e *envoy) logged(path string) map[string]any {
	e.t.Helper()
	var line map[string]any
	e.until("no line of the access log of "+path, func() bool {
		for text := range strings.Lines(e.stdout.String()) {
			var one map[string]any
			if json.Unmarshal([]byte(text), &one) == nil && one["path"] == path {
				line = one
				return true
			}
		}
		return false
	})
	return line
}

// serve runs a server with a twin until the test is over.
func serve(t testing.TB, w *twin, options Options) (s *Server, address string) {
	t.Helper()
	s = newServer(w, options)
	address, stop := run(t, s, "127.0.0.1:0")
	t.Cleanup(stop)
	return s, address
}

// run serves on an address until stop is called.
func run(t testing.TB, s *Server, listen string) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	return listener.Addr().String(), sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}
