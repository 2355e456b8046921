package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTraefik runs Traefik by the files of deploy/traefik: it asks Seshat, and its access log is followed.
func TestTraefik(t *testing.T) {
	program := component(t, "traefik-*", "traefik")
	origin, s, asks, address := shop(t), fresh(t), freeAddress(t), freeAddress(t)
	folder := t.TempDir()
	log := filepath.Join(folder, "seshat.log")
	config := "forwardAuth: {address: \"" + asks + "\", observe: log}\nlogs: [{path: \"" + log + "\", format: traefik}]\n"
	s.serve("-c", file(t, "seshat.yaml", config))

	deploy := filepath.Join("..", "deploy", "traefik")
	dynamic := write(t, folder, "dynamic.yaml", change(t, read(t, filepath.Join(deploy, "dynamic.yaml")),
		"127.0.0.1:9182", asks, "http://127.0.0.1:3000", origin.URL))
	static := write(t, folder, "static.yaml", change(t, read(t, filepath.Join(deploy, "static.yaml")),
		`":80"`, `"`+address+`"`, "/etc/traefik/dynamic.yaml", dynamic, "/var/log/traefik/seshat.log", log)+
		"global: {checkNewVersion: false, sendAnonymousUsage: false}\n")
	cmd := exec.Command(program, "--configFile="+static)
	said := &lines{}
	cmd.Stdout, cmd.Stderr, cmd.Env = said, said, append(environment(), "HOME="+folder)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Traefik said:\n%s", said)
		}
	})
	base := "http://" + address
	c := client(t)
	eventually(t, "Traefik serves the origin", func() bool {
		a, err := tryAsk(c, "GET", base+"/ready", "", "X-Seshat-User", "forged")
		return err == nil && a.status == 200
	})
	actsOnSessions(t, s, base)
	for _, row := range s.explore("id,path,status") {
		if (strings.HasPrefix(row[0], "log-") || row[2] == "0") && row[1] != "/ready" {
			t.Errorf("a request was not joined with its line: %v", row)
		}
	}
}
