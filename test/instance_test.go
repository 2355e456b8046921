package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// origin is a server that traffic can be sent to.
func origin(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			_ = r.ParseForm()
			http.SetCookie(w, &http.Cookie{Name: "PHPSESSID", Value: "signed-in-" + r.PostForm.Get("username") + "-0123456789abcdef", Path: "/", HttpOnly: true})
			w.WriteHeader(http.StatusFound)
			return
		}
		_, _ = fmt.Fprintln(w, "hello")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// copyData copies a data directory that nobody has open.
func copyData(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	// What is only the owner's must stay so.
	err := filepath.WalkDir(to, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o700) //nolint:gosec // a folder
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

const oneRule = `apiVersion: seshat/v1
kind: SessionRule
metadata: {name: %s, description: %s}
spec:
  identifiers:
    - cookie: %s
`

const badLines = `{"id":"n1","time":"2026-03-10T12:00:00Z","client":{"ip":"203.0.113.9"},"request":{"method":"GET","host":"api.shop.example","path":"/a","headers":[["Cookie","PHPSESSID=cccccccccccccccccccccccccc"]]},"response":{"status":200}}
{"id":"n2","time":"yesterday"}
not JSON
{"id":"n3","time":"2026-03-10T12:00:01Z","client":{"ip":"203.0.113.9"},"request":{"method":"GET","host":"api.shop.example","path":"/b","headers":[["Cookie","PHPSESSID=cccccccccccccccccccccccccc"]]},"response":{"status":200}}
`

// TestSameThroughInstance runs commands on a data directory, and through an instance that has a copy of it open: they
// print the same, to the byte, and end with the same exit code.
func TestSameThroughInstance(t *testing.T) {
	alone := fresh(t)
	alone.importing("../examples/shop.ndjson.gz")
	served := &seshat{t: t, data: filepath.Join(t.TempDir(), "served")}
	copyData(t, alone.data, served.data)
	served.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")

	folder := t.TempDir()
	first := write(t, folder, "first.yaml", fmt.Sprintf(oneRule, "shop", "one", "SHOP"))
	second := write(t, folder, "second.yaml", fmt.Sprintf(oneRule, "shop", "two", "SHOP2"))
	twice := write(t, folder, "twice.yaml", fmt.Sprintf(oneRule, "shop", "one", "SHOP")+"---\n"+fmt.Sprintf(oneRule, "shop", "one", "SHOP"))
	fault := write(t, folder, "fault.yaml", fmt.Sprintf(oneRule, "good", "x", "GOOD")+`---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: hide}
spec: {location: cookie, key: {matches: "("}}
`)
	bad := write(t, folder, "bad.ndjson", badLines)
	noise := write(t, folder, "noise.bin", "\x00\x01\x02 nothing that anybody reads")
	exchange := write(t, folder, "exchange.json", strings.SplitAfter(badLines, "\n")[0])
	one := alone.explore("session_id,id", "endpoint:\"POST *\"")[0]
	session, id := one[0], one[1]
	lineage := regexp.MustCompile(`"client_session_id": "([^"]+…[^"]*)"`).FindStringSubmatch(alone.ok("session", session, "--format", "json").stdout)

	commands := [][]string{
		{"sessions", "--since", "all"},
		{"sessions"},
		{"sessions", "--since", "all", "--limit", "3", "--reverse", "--format", "csv"},
		{"sessions", "--since", "all", "--limit", "0", "--format", "json"},
		{"sessions", "--since", "2026-03-10T09:00:00Z", "--until", "2026-03-10T10:00:00Z", "status:>=400 OR user:*", "-flow:billing"},
		{"sessions", "--since", "all", "--sort", "errors", "--limit", "7"},
		{"sessions", "--since", "all", "state:(active,ended,expired)", "duration:>1m", `endpoint:"GET */orders*"`},
		{"sessions", "nothing:here"},
		{"sessions", "--since", "all", "user:nobody-at-all"},
		{"session", session},
		{"session", session[:10], "--format", "json"},
		{"session", session, "--limit", "3"},
		{"session", id},
		{"session", "ffffffff-ffff-8fff-bfff-ffffffffffff"},
		{"session", "ffff"},
		{"session", "no such thing // ../"},
		{"session", ""},
		{"explore", "--since", "all", "--limit", "20"},
		{"explore", "--since", "all", "--limit", "0", "--oldest-first", "--format", "ndjson", "--columns", "time,id,key,session_id,user,roles,status,method,scheme,host,path,endpoint,service,environment,ip,user_agent,ja4,duration,request_bytes,response_bytes,http_version,identifier,origin,client_session_ids,flows,trace_id"},
		{"explore", "--since", "all", "status:>=400", "--format", "csv", "--columns", "time,id,status"},
		{"explain", exchange},
		{"explain", exchange, "--format", "json"},
		{"explain", "--id", id},
		{"explain", "--id", id, "--format", "json"},
		{"explain", "--id", "nothing"},
		{"export", "exchanges", "--format", "ndjson", "-o", "-", "status:500"},
		{"export", "exchanges", "--format", "har", "-o", "-", "session_id:" + session},
		{"export", "sessions", "--format", "ndjson", "-o", "-"},
		{"export", "sessions", "--format", "csv", "-o", "OUT/sessions.csv"},
		{"export", "exchanges", "--format", "csv", "-o", "OUT/exchanges.csv"},
		{"export", "exchanges", "--format", "parquet", "-o", "OUT/exchanges.parquet"},
		{"get"},
		{"get", "flows"},
		{"get", "sessionrule", "nothing"},
		{"apply", "-f", first, "--dry-run"},
		{"apply", "-f", first},
		{"apply", "-f", first},
		{"apply", "-f", second},
		{"apply", "-f", twice},
		{"apply", "-f", fault},
		{"apply", "-f", fault, "-f", second},
		{"get", "sessionrule", "shop"},
		{"get", "sessionrule", "shop", "-o", "json"},
		{"get", "sessionrules"},
		{"history", "sessionrule", "shop"},
		{"rollback", "sessionrule", "shop", "--revision", "REVISION"},
		{"rollback", "sessionrule", "shop", "--revision", "9999"},
		{"get", "sessionrule", "shop", "-o", "yaml"},
		{"delete", "sessionrule", "shop"},
		{"delete", "sessionrule", "shop"},
		{"history", "sessionrule", "nothing"},
		{"import", bad},
		{"import", bad, "--output", "json"},
		{"import", bad, "--bad-lines", "1", "--quiet"},
		{"import", noise, bad, filepath.Join(folder, "missing.har")},
		{"import", noise},
		{"import", bad, "--format", "accesslog"},
		{"sessions", "--since", "all", "--limit", "4", "--format", "json"},
		{"key", "list"},
		{"filter-fields", "sessions"},
		{"validate", "-f", fault},
		{"denylist"},
		{"denylist", "remove", "nothing"},
		{"revoke"},
		{"revoke", "ffff"},
		{"revoke", "--user", "alice", "--status", "418"},
	}
	if len(lineage) > 1 {
		commands = append(commands, []string{"session", lineage[1]})
	}
	// The engine has words of its own for this.
	served.run("export", "exchanges", "--format", "parquet", "-o", "/no/such/folder/x.parquet").want(1).says("export exchanges to /no/such/folder/x.parquet: no such file or directory")
	differs := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ( +tester| +root| +auto-identifier|$)|"seconds":[0-9.]+|[0-9.]+ seconds`)
	for _, args := range commands {
		var results [2]string
		for i, s := range []*seshat{alone, served} {
			own := make([]string, len(args))
			out := t.TempDir()
			for j, arg := range args {
				own[j] = strings.Replace(arg, "OUT/", out+"/", 1)
				if arg == "REVISION" {
					history := strings.Fields(strings.SplitAfter(s.ok("history", "sessionrule", "shop").stdout, "\n")[2])
					own[j] = history[0]
				}
			}
			r := s.run(own...)
			text := fmt.Sprintf("exit code %d\n--- stdout\n%s\n--- stderr\n%s", r.code, r.stdout, r.stderr)
			for _, entry := range must(os.ReadDir(out)) {
				content := must(os.ReadFile(filepath.Join(out, entry.Name())))
				if strings.HasSuffix(entry.Name(), ".parquet") {
					content = content[:4] // the rest has the order of the engine's threads
				}
				text += fmt.Sprintf("\n--- %s\n%s", entry.Name(), content)
			}
			text = strings.NewReplacer(s.data, "DATA", out, "OUT").Replace(text)
			results[i] = differs.ReplaceAllString(text, "DIFFERS$1")
		}
		if results[0] != results[1] {
			t.Errorf("seshat %s: alone\n%s\nthrough the instance\n%s", strings.Join(args, " "), brief(results[0]), brief(results[1]))
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestNothingIsLockedOut: while an instance serves, any number of commands at once do what they are asked to.
func TestNothingIsLockedOut(t *testing.T) {
	s := fresh(t)
	r := s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	c := client(t)
	for range 20 {
		ask(t, c, "GET", r.gateway+"/orders", "", "Cookie", "PHPSESSID=aaaaaaaaaaaaaaaaaaaaaaaaaa")
	}
	eventually(t, "the session is shown", func() bool {
		return strings.Contains(s.run("sessions", "--format", "json").stdout, `"exchanges":20`)
	})
	rule := write(t, t.TempDir(), "rule.yaml", fmt.Sprintf(oneRule, "mine", "x", "MINE"))
	traffic := write(t, t.TempDir(), "more.ndjson", badLines)
	var all sync.WaitGroup
	for _, args := range [][]string{
		{"sessions"},
		{"sessions", "--format", "json"},
		{"explore"},
		{"status"},
		{"get"},
		{"apply", "-f", rule},
		{"apply", "-f", rule},
		{"import", traffic},
		{"import", traffic},
		{"export", "exchanges", "--format", "parquet", "-o", filepath.Join(t.TempDir(), "x.parquet")},
		{"denylist"},
		{"denylist", "add", "guests", "--user", "guest"},
	} {
		all.Go(func() {
			if out := s.run(args...); out.code != 0 {
				t.Errorf("%v", out)
			}
		})
	}
	all.Wait()
	s.ok("status").prints("state      ok", "traffic", "journal    embedded")
	s.ok("explore", "id:n1", "--since", "all", "--format", "csv").prints("/a")

	// A second instance does not start, and says which one runs.
	s.run("run", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0").want(1).says("runs there already", fmt.Sprint(r.cmd.Process.Pid))

	// The file that says where the instance is, is for its owner alone.
	info := filepath.Join(s.data, "instance.json")
	if mode := must(os.Stat(info)).Mode().Perm(); mode != 0o600 {
		t.Errorf("instance.json has mode %o", mode)
	}
	if err := os.Chmod(info, 0o644); err != nil { //nolint:gosec // that is what is wrong with it
		t.Fatal(err)
	}
	s.run("sessions").want(1).says("others may use it (mode 0644), and it is not trusted")
	if err := os.Chmod(info, 0o600); err != nil {
		t.Fatal(err)
	}

	// When it is gone, however it went, commands have the data to themselves again.
	r.kill()
	s.ok("sessions", "--since", "all").prints("cookie:PHPSESSID")
	s.ok("get", "sessionrule", "mine").prints("cookie: MINE")
	s.run("status").want(1).says("no instance is running")
}

// TestInstant: looking through an instance takes no longer than a person notices.
func TestInstant(t *testing.T) {
	s := fresh(t)
	s.importing("../examples/shop.ndjson.gz")
	s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	const most = 100 * time.Millisecond
	for _, args := range [][]string{{"sessions", "--since", "all"}, {"sessions", "--since", "all", "user:alice"}, {"get"}, {"status"}} {
		best := time.Hour
		for range 20 { // the machine may have other work
			begins := time.Now()
			s.ok(args...)
			best = min(best, time.Since(begins))
		}
		if best > most {
			t.Errorf("seshat %s takes %v at best; want %v", strings.Join(args, " "), best, most)
		}
		t.Logf("seshat %s: %v", strings.Join(args, " "), best)
	}
}
