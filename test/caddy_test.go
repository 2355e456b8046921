package test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// caddyBinary is a Caddy with the module of Seshat, which is built once. The first time that takes some minutes.
var caddyBinary = sync.OnceValues(func() (string, error) {
	program := filepath.Join(filepath.Dir(binary), "caddy")
	build := exec.CommandContext(context.Background(), "go", "build", "-mod=mod", "-o", program, "./cmd/caddy")
	build.Dir = filepath.Join("..", "caddymodule")
	if out, err := build.CombinedOutput(); err != nil {
		return string(out), err
	}
	return program, nil
})

// caddy is a running Caddy by a file of deploy/caddy.
type caddy struct {
	t       testing.TB
	url     string
	folder  string
	process *os.Process
	said    *lines
	ended   chan error
}

// startCaddy runs Caddy with a file of deploy/caddy, in which pairs of texts are replaced, until the test is over.
func startCaddy(t testing.TB, name, origin string, pairs ...string) *caddy {
	t.Helper()
	if testing.Short() {
		t.Skip("building Caddy takes long")
	}
	program, err := caddyBinary()
	if err != nil {
		t.Fatalf("build Caddy: %v\n%s", err, program)
	}
	folder, address := t.TempDir(), freeAddress(t)
	config := change(t, read(t, filepath.Join("..", "deploy", "caddy", name)), append([]string{
		":80 {", "http://" + address + " {", "127.0.0.1:3000", strings.TrimPrefix(origin, "http://"),
	}, pairs...)...)
	c := &caddy{t: t, url: "http://" + address, folder: folder, said: &lines{}, ended: make(chan error, 1)}
	cmd := exec.Command(program, "run", "--config", write(t, folder, "Caddyfile", "{\n\tadmin off\n}\n"+config), "--adapter", "caddyfile")
	cmd.Env = append(environment(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	cmd.Stderr = c.said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.process = cmd.Process
	go func() { c.ended <- cmd.Wait() }()
	t.Cleanup(c.stop)
	eventually(t, "Caddy listens", listens(address))
	return c
}

// stop ends Caddy as a service manager does, and fails the test when that does not go well.
func (c *caddy) stop() {
	if c.process == nil {
		return
	}
	c.t.Helper()
	_ = c.process.Signal(syscall.SIGTERM)
	c.process = nil
	if err := <-c.ended; err != nil {
		c.t.Errorf("Caddy ended with %v", err)
	}
	if c.t.Failed() || strings.Contains(c.said.String(), "panic") {
		c.t.Logf("Caddy said:\n%s", c.said)
	}
}

// actsOnSessions is what every way in has in common: sessions are recorded, a limit and a revocation are in force.
func actsOnSessions(t testing.TB, s *seshat, base string) {
	t.Helper()
	c := client(t)
	cookie := signIn(t, c, base, "alice")
	for range 5 {
		if a := ask(t, c, http.MethodGet, base+"/account", "", "Cookie", cookie); a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	var rows [][]string
	eventually(t, "the account is recorded in one session", func() bool {
		rows = s.explore("status,session_id", "path:/account", "status:200")
		return len(rows) == 5
	})
	for _, row := range rows {
		if row[1] != rows[0][1] {
			t.Errorf("sessions %s and %s", row[1], rows[0][1])
		}
	}
	limit := "apiVersion: seshat/v1\nkind: Limit\nmetadata: {name: login}\nspec: {endpoints: [\"POST */login\"], key: [ip], count: 3, window: 1m}\n"
	s.ok("apply", "-f", file(t, "limit.yaml", limit))
	eventually(t, "a sign-in too many is refused", func() bool {
		return ask(t, c, http.MethodPost, base+"/login", "username=eve").status == http.StatusTooManyRequests
	})
	a := ask(t, c, http.MethodPost, base+"/login", "username=eve")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the refusal: %d %v %s", a.status, a.header, a.body)
	}
	eventually(t, "the refusal is recorded", func() bool { return len(s.explore("status", "path:/login", "status:429")) >= 1 })
	s.ok("revoke", rows[0][1])
	eventually(t, "the revoked session is refused", func() bool {
		return ask(t, c, http.MethodGet, base+"/account", "", "Cookie", cookie).status == http.StatusUnauthorized
	})
	if a := ask(t, c, http.MethodGet, base+"/", "", "User-Agent", "another/1.0"); a.status != http.StatusOK {
		t.Errorf("another client gets %d", a.status)
	}
}

// typed runs the commands of a page that are fenced as they say.
func (s *seshat) typed(name, fence string) string {
	s.t.Helper()
	cmd := shell(s.t, "set -e\n"+page(s.t, name, fence)[0])
	cmd.Env = append(cmd.Env, "SESHAT_DATA="+s.data)
	return finish(s.t, cmd, []string{"docs/" + name}).want(0).stdout
}

// TestCaddyModule runs Caddy with the module: sessions, a limit, a revocation, and an end that loses nothing.
func TestCaddyModule(t *testing.T) {
	origin, s := shop(t), fresh(t)
	c := startCaddy(t, "Caddyfile.module", origin.URL, "/var/lib/caddy/seshat", s.data)
	actsOnSessions(t, s, c.url)
	if found := s.sessions("user:alice"); len(found) != 1 || found[0].Exchanges < 6 || found[0].State != "revoked" {
		t.Errorf("alice's sessions: %+v", found)
	}
	if out := s.typed("caddy.md", "sh caddy"); !strings.Contains(out, "alice") {
		t.Errorf("the page's commands say:\n%s", out)
	}
	ask(t, client(t), http.MethodGet, c.url+"/the-last-one", "")
	c.stop()
	if rows := s.explore("status", "path:/the-last-one"); len(rows) != 1 || rows[0][0] != "200" {
		t.Errorf("the last request is recorded as %v", rows)
	}
}

// TestCaddyForwardAuth runs Caddy as it is, which asks a Seshat beside it, and whose access log is followed.
func TestCaddyForwardAuth(t *testing.T) {
	origin, s, address := shop(t), fresh(t), freeAddress(t)
	log := filepath.Join(t.TempDir(), "seshat.log")
	config := "forwardAuth: {address: \"" + address + "\", observe: log}\nlogs: [{path: \"" + log + "\", format: caddy}]\n"
	s.serve("-c", file(t, "seshat.yaml", config))
	c := startCaddy(t, "Caddyfile.forward_auth", origin.URL, "127.0.0.1:9182", address, "/var/log/caddy/seshat.log", log)
	actsOnSessions(t, s, c.url)
	// Each request once, refusals too, although both the question and the log say them.
	for _, row := range s.explore("id,path,status") {
		if strings.HasPrefix(row[0], "log-") || row[2] == "0" {
			t.Errorf("a request was not joined with its line: %v", row)
		}
	}
}
