package test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestMiddleware runs a program that has Seshat inside: commands find it, and it loses nothing when it ends.
func TestMiddleware(t *testing.T) {
	program := filepath.Join(t.TempDir(), "service")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/service").CombinedOutput(); err != nil {
		t.Fatalf("build the service: %v\n%s", err, out)
	}
	origin, s := "", fresh(t)
	cmd := exec.Command(program, s.data)
	cmd.Env = environment()
	said := &lines{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end := func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			if err := cmd.Wait(); err != nil {
				t.Errorf("the service ends with %v:\n%s", err, said)
			}
		}
	}
	t.Cleanup(end)
	eventually(t, "the service serves", func() bool {
		found := regexp.MustCompile(`Serving on (\S+)`).FindStringSubmatch(said.String())
		if found != nil {
			origin = found[1]
		}
		return found != nil
	})
	c := client(t)
	const agent = "bob's browser/1.0"
	cookie := signIn(t, c, origin, "bob", "User-Agent", agent)
	eventually(t, "the handler knows the session that is recorded", func() bool {
		known := strings.TrimSpace(ask(t, c, http.MethodGet, origin+"/session", "", "Cookie", cookie, "User-Agent", agent).body)
		found := s.sessions("user:bob")
		return len(found) == 1 && found[0].ID == known
	})
	actsOnSessions(t, s, origin)

	write(t, filepath.Dir(s.data), "limit.yaml",
		"apiVersion: seshat/v1\nkind: Limit\nmetadata: {name: all}\nspec: {key: [ip], count: 100000, window: 1m, action: tag}\n")
	typed := shell(t, "set -e\n"+page(t, "middleware.md", "sh middleware")[0])
	typed.Dir, typed.Env = filepath.Dir(s.data), append(typed.Env, "SESHAT_DATA="+s.data)
	finish(t, typed, []string{"docs/middleware.md"}).want(0).prints("alice")

	ask(t, c, http.MethodGet, origin+"/the-last-one", "")
	end()
	if rows := s.explore("status,service", "path:/the-last-one"); len(rows) != 1 || rows[0][0] != "200" || rows[0][1] != "shop" {
		t.Errorf("the last request is recorded as %v", rows)
	}
}
