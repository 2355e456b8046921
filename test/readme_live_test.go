package test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeWaysIn types the commands of README.md that serve traffic: those of blocks that are fenced as "sh live", each block
// as one script, in front of an API that the test serves. Only the ports are others than those that are written, so
// that nothing that runs on this machine is in the way. Each way has to show a session with its cookie.
func TestReadmeWaysIn(t *testing.T) {
	need(t, "bash", "curl", "nginx")
	envoy := component(t, "envoy-*", "envoy", "_bin")
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"orders":[]}`) }))
	defer origin.Close()
	blocks := strings.Split(read(t, filepath.Join("..", "README.md")), "```sh live\n")[1:]
	if len(blocks) != 3 {
		t.Fatalf("README.md shows %d ways in; three are promised", len(blocks))
	}
	for _, part := range blocks {
		script, _, _ := strings.Cut(part, "```")
		name, _, _ := strings.Cut(script, "&")
		t.Run(strings.TrimSpace(name), func(t *testing.T) {
			folder := t.TempDir()
			ports := strings.NewReplacer(portsOf(t, origin.Listener.Addr().String())...)
			for _, shipped := range []string{"examples", "deploy"} {
				shipWithPorts(t, shipped, filepath.Join(folder, shipped), ports)
			}
			gateway := ports.Replace(":8080")
			script = ports.Replace(script)
			script = regexp.MustCompile(`seshat run --upstream`).ReplaceAllString(script, "seshat run --listen 127.0.0.1"+gateway+" --upstream")
			script = strings.ReplaceAll(script, "seshat run ", "seshat run --api 127.0.0.1:0 ")
			// What runs in the background has nothing of the script's output open, and ends with it.
			script = regexp.MustCompile(`(?m)&$`).ReplaceAllString(script, ">> server.log 2>&1 &")
			cmd := shell(t, "set -e -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"+script)
			cmd.Dir = folder
			cmd.Env = append(cmd.Env, "HOME="+folder, "XDG_STATE_HOME="+filepath.Join(folder, "state"),
				"PATH="+filepath.Dir(binary)+":"+envoy+":"+os.Getenv("PATH"))
			r := finish(t, cmd, []string{script})
			if r.code != 0 || !strings.Contains(r.stdout, "cookie:SESSIONID") {
				log, _ := os.ReadFile(filepath.Join(folder, "server.log"))
				t.Errorf("no session is shown: %v\nservers said:\n%s", r, brief(string(log)))
			}
		})
	}
}

// portsOf are the ports that the examples are written with, and free ones in their place.
func portsOf(t *testing.T, origin string) []string {
	t.Helper()
	out := []string{":3000", port(origin), "port_value: 3000", "port_value: " + port(origin)[1:]}
	for _, known := range []string{"8080", "9181", "9182", "9901"} {
		free := port(freePort(t))
		out = append(out, ":"+known, free, "port_value: "+known, "port_value: "+free[1:])
	}
	return out
}

// port is ":" and the port of an address.
func port(address string) string { return address[strings.LastIndexByte(address, ':'):] }

// shipWithPorts copies a folder of the repository with its ports replaced.
func shipWithPorts(t *testing.T, from, to string, ports *strings.Replacer) {
	t.Helper()
	root := os.DirFS(filepath.Join("..", from))
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		switch filepath.Ext(name) {
		case ".yaml", ".conf":
			data = []byte(ports.Replace(string(data)))
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
