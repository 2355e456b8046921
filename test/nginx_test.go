package test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// nginx is a running NGINX by the configuration of deploy/nginx and docs/nginx.md.
type nginx struct {
	t       testing.TB
	url     string
	log     string
	folder  string
	process *os.Process
}

// page is a page of docs, and what the blocks of one kind in it say.
func page(t testing.TB, name, fence string) []string {
	t.Helper()
	var out []string
	for _, part := range strings.Split(read(t, filepath.Join("..", "docs", name)), "```"+fence+"\n")[1:] {
		block, _, ended := strings.Cut(part, "\n```")
		if !ended {
			t.Fatalf("%s: a block of %s does not end", name, fence)
		}
		out = append(out, block)
	}
	if len(out) == 0 {
		t.Fatalf("%s has no block of %s", name, fence)
	}
	return out
}

// change replaces texts, all of which must be there.
func change(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("there is no %q in:\n%s", pairs[i], text)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// freeAddress is an address of the loopback interface that nothing listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func listens(address string) func() bool {
	return func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
}

// startNGINX runs NGINX in front of an origin until the test is over, asking at an address.
func startNGINX(t testing.TB, folder, origin, asks string) *nginx {
	t.Helper()
	need(t, "nginx")
	address := freeAddress(t)
	n := &nginx{t: t, url: "http://" + address, log: filepath.Join(folder, "seshat.log"), folder: folder}
	deploy := filepath.Join("..", "deploy", "nginx")
	write(t, folder, "seshat.conf", change(t, read(t, filepath.Join(deploy, "seshat.conf")),
		"127.0.0.1:9182", asks, "/var/log/nginx/seshat.log", n.log))
	for _, name := range []string{"seshat-server.conf", "seshat-location.conf"} {
		write(t, folder, name, read(t, filepath.Join(deploy, name)))
	}
	http := change(t, page(t, "nginx.md", "nginx")[0], "listen 80", "listen "+address, "http://127.0.0.1:3000", origin,
		"http {", "http {\n  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;")
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	write(t, folder, "nginx.conf", user+" daemon off; pid nginx.pid; error_log stderr; events {}\n"+http)
	cmd := exec.Command("nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr")
	said := &lines{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n.process = cmd.Process
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("NGINX said:\n%s", said)
		}
	})
	eventually(t, "NGINX listens", listens(address))
	return n
}

// rotate does what logrotate does.
func (n *nginx) rotate() {
	n.t.Helper()
	if err := os.Rename(n.log, n.log+".1"); err != nil {
		n.t.Fatal(err)
	}
	if err := n.process.Signal(syscall.SIGUSR1); err != nil {
		n.t.Fatal(err)
	}
	eventually(n.t, "NGINX has a new log", func() bool {
		_, err := os.Stat(n.log)
		return err == nil
	})
}

// asked starts an instance that NGINX asks, by the configuration of docs/nginx.md.
func (s *seshat) asked(log, address string) *running {
	s.t.Helper()
	config := change(s.t, page(s.t, "nginx.md", "yaml")[0], "127.0.0.1:9182", address, "/var/log/nginx/seshat.log", log)
	r := s.serve("-c", file(s.t, "seshat.yaml", config))
	r.said(`Forward-auth is served on http://([^. ]+\.[0-9.]+:[0-9]+)`)
	return r
}

// TestNGINX follows docs/nginx.md: sessions, their responses, a limit, and a revocation.
func TestNGINX(t *testing.T) {
	need(t, "nginx", "curl")
	origin, s, address, folder := shop(t), fresh(t), freeAddress(t), t.TempDir()
	n := startNGINX(t, folder, origin.URL, address)
	s.asked(n.log, address)

	script := strings.ReplaceAll(page(t, "nginx.md", "sh nginx")[0], "http://localhost", n.url)
	eventually(t, "the page's commands show a session of a cookie", func() bool {
		cmd := shell(t, "set -e\n"+script)
		cmd.Env = append(cmd.Env, "SESHAT_DATA="+s.data)
		finish(t, cmd, []string{"docs/nginx.md"}).want(0)
		found := s.sessions("path:/account")
		return len(found) == 1 && found[0].Exchanges >= 2 && !strings.Contains(found[0].IdentifiedBy, "ip")
	})

	c := client(t)
	cookie := signIn(t, c, n.url, "alice")
	for range 5 {
		if a := ask(t, c, http.MethodGet, n.url+"/account", "", "Cookie", cookie); a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	var rows [][]string
	eventually(t, "the account is recorded with its responses", func() bool {
		rows = s.explore("status,session_id,response_bytes", "path:/account", "status:200")
		return len(rows) == 5
	})
	for _, row := range rows {
		if row[1] != rows[0][1] || row[2] == "0" {
			t.Errorf("a row is %v, the first one %v", row, rows[0])
		}
	}

	s.ok("apply", "-f", file(t, "limit.yaml", page(t, "nginx.md", "yaml")[1]))
	eventually(t, "the sixth sign-in is refused", func() bool {
		return ask(t, c, http.MethodPost, n.url+"/login", "username=eve").status == http.StatusTooManyRequests
	})
	a := ask(t, c, http.MethodPost, n.url+"/login", "username=eve")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the refusal: %d %v %s", a.status, a.header, a.body)
	}
	eventually(t, "the refusal is recorded", func() bool { return len(s.explore("status", "path:/login", "status:429")) >= 1 })

	s.ok("revoke", rows[0][1])
	eventually(t, "the revoked session is refused", func() bool {
		return ask(t, c, http.MethodGet, n.url+"/account", "", "Cookie", cookie).status == http.StatusUnauthorized
	})
}

// TestNGINXWholeLog sends requests while the log is rotated and Seshat is ended, killed and started again: traffic flows,
// and each request is recorded once.
func TestNGINXWholeLog(t *testing.T) {
	need(t, "nginx")
	origin, s, address, folder := shop(t), fresh(t), freeAddress(t), t.TempDir()
	n := startNGINX(t, folder, origin.URL, address)
	r := s.asked(n.log, address)
	c := client(t)
	sent := 0
	send := func(times int) {
		t.Helper()
		for range times {
			sent++
			if a := ask(t, c, http.MethodGet, fmt.Sprintf("%s/n/%d", n.url, sent), "", "Cookie", "SHOPSESS=of-bob-Zk3vQ9xTt1LmN8pR2s"); a.status != http.StatusOK {
				t.Fatalf("request %d: status %d: %s", sent, a.status, a.body)
			}
		}
	}
	recorded := func() {
		t.Helper()
		eventually(t, fmt.Sprintf("%d requests are recorded", sent), func() bool { return len(s.explore("path", "path:/n/*")) >= sent })
		seen := map[string]int{}
		for _, row := range s.explore("path", "path:/n/*") {
			seen[row[0]]++
		}
		for n := 1; n <= sent; n++ {
			if path := fmt.Sprintf("/n/%d", n); seen[path] != 1 {
				t.Errorf("%s is recorded %d times", path, seen[path])
			}
		}
	}
	send(10)
	n.rotate()
	send(10)
	recorded()
	r.stop()
	send(10) // nobody answers, and traffic flows
	n.rotate()
	send(10)
	r = s.asked(n.log, address)
	send(10)
	recorded()
	for range 3 {
		send(20)
		r.kill()
		send(5)
		r = s.asked(n.log, address)
		send(5)
		recorded()
	}
}

var secretOfNGINX = regexp.MustCompile(`of-bob|SHOPSESS`)

// TestNGINXLogHoldsNoSecret checks that the log of the default format has nothing to take over a session with.
func TestNGINXLogHoldsNoSecret(t *testing.T) {
	need(t, "nginx")
	origin, folder := shop(t), t.TempDir()
	n := startNGINX(t, folder, origin.URL, freeAddress(t)) // where nobody answers
	c := client(t)
	if a := ask(t, c, http.MethodGet, n.url+"/", "", "Cookie", "SHOPSESS=of-bob-Zk3vQ9xTt1LmN8pR2s"); a.status != http.StatusOK {
		t.Fatalf("status %d", a.status)
	}
	signIn(t, c, n.url, "bob")
	var text string
	eventually(t, "the log has two lines", func() bool {
		text = read(t, n.log)
		return strings.Count(text, "\n") == 2
	})
	if found := secretOfNGINX.FindString(text); found != "" {
		t.Errorf("the log has %s:\n%s", found, text)
	}
}
