package main

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
)

// imported is a program with the traffic of this file.
func imported(t *testing.T) *program {
	t.Helper()
	p := newProgram(t)
	p.must("apply", "-f", write(t, "rule.yaml", shopRule))
	p.must("import", write(t, "traffic.ndjson", traffic))
	return p
}

// sessionsOf returns the sessions as the JSON has them.
func (p *program) sessionsOf(args ...string) []seshat.Session {
	p.t.Helper()
	var out []seshat.Session
	for _, line := range p.must(append([]string{"sessions", "--since", "all", "--format", "json"}, args...)...).lines() {
		var s seshat.Session
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			p.t.Fatalf("%v: %s", err, line)
		}
		out = append(out, s)
	}
	return out
}

func TestImport(t *testing.T) {
	p := newProgram(t)
	file := write(t, "traffic.ndjson", traffic)
	r := p.must("import", file)
	r.prints("5 exchanges read, 5 stored, 0 bad, 0 duplicates, 2 sessions, ")
	again := p.must("import", file, "--format", "json")
	var summary map[string]any
	if err := json.Unmarshal([]byte(again.stdout), &summary); err != nil {
		t.Fatal(err, again.stdout)
	}
	for name, want := range map[string]float64{"read": 5, "stored": 0, "bad": 0, "duplicates": 5, "sessions": 0} {
		if summary[name] != want {
			t.Errorf("importing again: %s is %v; want %v", name, summary[name], want)
		}
	}
	if _, ok := summary["seconds"].(float64); !ok {
		t.Errorf("the summary says no seconds: %s", again.stdout)
	}
}

func TestImportStandardInputAndGzip(t *testing.T) {
	p := newProgram(t)
	p.input(traffic, "import", "-", "--output", "json", "--environment", "other").exits(exitDone).prints(`"read":5,"stored":5`)
	path := filepath.Join(t.TempDir(), "t.gz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(file)
	if _, err := w.Write([]byte(traffic)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	p.must("import", path).prints("5 exchanges read, 0 stored, 0 bad, 5 duplicates")
}

func TestImportBadLines(t *testing.T) {
	p := newProgram(t)
	var b strings.Builder
	b.WriteString(traffic)
	for range 25 {
		b.WriteString("{\"time\":\"never\",\"token\":\"sesame\"}\n")
	}
	file := write(t, "bad.ndjson", b.String())
	r := p.must("import", file).prints("5 exchanges read, 5 stored, 25 bad")
	r.says(file+":6: ", file+":25: ", "seshat: 5 more bad lines (--bad-lines says how many are reported)\n")
	if strings.Contains(r.stderr, file+":26: ") {
		t.Errorf("more than 20 bad lines are reported:\n%s", r.stderr)
	}
	if strings.Contains(r.stderr, "sesame") {
		t.Errorf("a bad line is quoted:\n%s", r.stderr)
	}
	p.must("import", file, "--bad-lines", "0").says("seshat: 25 bad lines (--bad-lines")
}

func TestImportUnreadable(t *testing.T) {
	p := newProgram(t)
	good := write(t, "good.ndjson", traffic)
	missing := filepath.Join(t.TempDir(), "missing.har")
	empty := write(t, "empty.log", "")
	garbage := write(t, "garbage", "\x00\x01\x02\x03\xff\xfe\xfd\x00garbage\x00\x00")
	directory := t.TempDir()

	p.run("import", missing, good, empty, garbage, directory).exits(exitFailed).
		prints("5 exchanges read, 5 stored").
		says("seshat: read "+missing+": no such file or directory\n", "seshat: read "+empty+": it is empty\n",
			"seshat: read "+garbage+": it is binary", "seshat: read "+directory+": it is a directory (give the files in it")
	p.run("import", missing).exits(exitFailed)
	p.run("import", empty).exits(exitFailed)
	nothing := write(t, "nothing.ndjson", "{\"time\":\"never\",\"request\":{}}\n")
	p.run("import", nothing, "--format", "ndjson").exits(exitFailed)
	if n := len(p.sessionsOf()); n != 2 {
		t.Errorf("%d sessions; want 2", n)
	}
}

func TestSessions(t *testing.T) {
	p := imported(t)
	all := p.sessionsOf()
	if len(all) != 2 || all[0].IdentifiedBy != "shop-app" || all[1].User != "alice" || all[1].Exchanges != 3 || all[1].Errors != 1 {
		t.Fatalf("sessions: %+v", all)
	}
	f := func(want int, args ...string) {
		t.Helper()
		if got := p.sessionsOf(args...); len(got) != want {
			t.Errorf("seshat sessions %v: %d; want %d", args, len(got), want)
		}
	}
	f(1, "user:alice", "status:>=400")
	f(1, "user:alice status:>=400")
	f(0, "user:bob")
	f(1, "--limit", "1")
	f(2, "--limit", "0")
	f(0, "--until", "2026-01-01")
	f(2, "--until", "2026-01-02")
	f(1, "--until", "2026-01-02T10:20")
	first := func(want string, args ...string) {
		t.Helper()
		if got := p.sessionsOf(args...)[0].IdentifiedBy; got != want {
			t.Errorf("seshat sessions %v begins with %s; want %s", args, got, want)
		}
	}
	cookie := all[1].IdentifiedBy
	first(cookie, "--sort", "exchanges")
	first(cookie, "--sort", "errors", "--limit", "1")
	first("shop-app", "--sort", "errors", "--reverse")
	first("shop-app", "--sort", "first_seen")
	first(cookie, "--sort", "duration")
	first("shop-app", "--sort", "confidence")
	first(cookie, "--sort", "user")
	first(cookie, "--reverse")
}

func TestSessionsFormats(t *testing.T) {
	p := imported(t)
	line := p.must("sessions", "user:alice", "--since", "all", "--format", "json").stdout
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range sessionFields {
		if _, ok := fields[name]; !ok {
			t.Errorf("the JSON has no %s: %s", name, line)
		}
	}
	if len(fields) != len(sessionFields) {
		t.Errorf("%d fields in JSON, %d in CSV", len(fields), len(sessionFields))
	}
	records, err := csv.NewReader(strings.NewReader(p.must("sessions", "--since", "all", "--format", "csv").stdout)).ReadAll()
	if err != nil || len(records) != 3 || !slices.Equal(records[0], sessionFields) || records[2][3] != "alice" {
		t.Errorf("CSV: %v %q", err, records)
	}
	table := p.must("sessions", "--since", "all").lines()
	if len(table) != 3 || !strings.HasPrefix(table[0], "SESSION") || !strings.Contains(table[2], "alice") {
		t.Errorf("table: %q", table)
	}
}

func TestDefaultRange(t *testing.T) {
	p := imported(t)
	const note = "Nothing in the last 24 hours; showing the last 24 hours of what is stored, from 2026-01-01 10:22:00Z to 2026-01-02 10:22:00Z (--since all shows everything).\n"
	r := p.must("sessions").says(note)
	if len(r.lines()) != 3 {
		t.Errorf("old data is not shown:\n%s", r.stdout)
	}
	p.must("explore").says(note)
	p.must("sessions", "--quiet").silent()
	p.must("sessions", "--since", "24h").says("No session matches.\n")
	p.must("sessions", "--since", "all", "--limit", "1").says("There are more; --limit 0 shows all.\n")
	p.must("sessions", "--since", "all").silent()
}

func TestExplore(t *testing.T) {
	p := imported(t)
	r := p.must("explore", `endpoint:"POST /login"`, "--columns", "time,id,session_id,user,status", "--format", "ndjson", "--since", "all")
	alice := p.sessionsOf("user:alice")[0].ID.String()
	want := `{"time":"2026-01-02T10:00:10Z","id":"x2","session_id":"` + alice + `","user":"alice","status":302}` + "\n"
	if r.stdout != want {
		t.Errorf("explore prints %s; want %s", r.stdout, want)
	}
	records, err := csv.NewReader(strings.NewReader(
		p.must("explore", "--columns", "id,duration,ip,identifier,client_session_ids", "--format", "csv", "--since", "all", "--oldest-first").stdout)).ReadAll()
	if err != nil || len(records) != 6 || records[1][0] != "x1" || records[1][1] != "12.5" || records[4][3] != "shop-app" {
		t.Errorf("CSV: %v %q", err, records)
	}
	if strings.Contains(fmt.Sprint(records), "bob-session-0000000000000001") {
		t.Errorf("a client session ID is shown: %q", records)
	}
	rule := seshat.AttributeName(seshat.RuleIDFor("shop-app"), 0)
	p.must("explore", "host:api.shop.example", "--columns", "attr."+rule, "--format", "ndjson", "--since", "all", "--limit", "1").
		prints(`{"attr.`+rule+`":"`, "…").says("There are more; --limit 0 shows all.")
	table := p.must("explore", "status:404", "--since", "all").lines()
	if len(table) != 2 || !strings.Contains(table[1], "GET www.shop.example/orders/{var1}") {
		t.Errorf("table: %q", table)
	}
	p.must("explore", "status:599", "--since", "all").says("No exchange matches.\n")
	help := p.must("explore", "--columns", "help")
	for _, c := range exchangeColumns() {
		help.prints("\n" + c.name + " ")
		p.must("explore", "--since", "all", "--columns", c.name)
	}
}

func TestSession(t *testing.T) {
	p := imported(t)
	id := p.sessionsOf("user:alice")[0].ID.String()
	story := p.must("session", id)
	story.prints("Session "+id, "user           alice", "Timeline\n", "10:00:10Z     +10s  302  POST www.shop.example/login", "← sign-in",
		"⋯ nothing for 19m50s", "← other address: 198.51.100.7", "Lineage", "rotated: the response replaced it under the same name", "Why this is one session\n")
	if strings.Contains(story.stdout, "aaaaaaaa") || strings.Contains(story.stdout, "bbbbbbbb") {
		t.Errorf("a client session ID is shown:\n%s", story.stdout)
	}
	for _, other := range []string{id[:13], strings.ToUpper(id[:10]), "x3"} {
		if got := p.must("session", other).stdout; got != story.stdout {
			t.Errorf("seshat session %s tells another story:\n%s", other, got)
		}
	}
	if got := p.input("bbbbbbbbbbbbbbbbbbbbbbbbbb\n", "session", "-").exits(exitDone).stdout; got != story.stdout {
		t.Errorf("the session of a client session ID tells another story:\n%s", got)
	}
	p.input("never-seen-0123456789\n", "session", "-").exits(exitFailed).says("no session has it")
	p.input("", "session", "-").exits(exitFailed).says("there is none")
	p.run("session", "zzz").exits(exitFailed).says("seshat: find session zzz: there is none (seshat sessions --since all lists them)\n")
	p.run("session", "00000000-0000-8000-8000-000000000000").exits(exitFailed)

	var told struct {
		Session  seshat.Session
		Timeline []struct {
			ID    string
			Marks []string
		}
		Lineage []struct{ Evidence string }
		LeftOut int64 `json:"left_out"`
		Why     []string
	}
	read := func(args ...string) {
		t.Helper()
		if err := json.Unmarshal([]byte(p.must(append([]string{"session", id, "--format", "json"}, args...)...).stdout), &told); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if told.Session.ID.String() != id || len(told.Timeline) != 3 || len(told.Lineage) != 2 || len(told.Why) == 0 || told.LeftOut != 0 {
		t.Errorf("story in JSON: %+v", told)
	}
	read("--limit", "2")
	if len(told.Timeline) != 2 || told.Timeline[0].ID != "x1" || told.Timeline[1].ID != "x3" || told.LeftOut != 1 {
		t.Errorf("with --limit 2: %+v", told)
	}
	p.must("session", id, "--limit", "2").prints("⋯ 1 exchange left out; --limit 0 shows all")
}

func TestExplain(t *testing.T) {
	p := imported(t)
	line := strings.Split(traffic, "\n")[3]
	var indented strings.Builder
	out := json.NewEncoder(&indented)
	out.SetIndent("", "  ")
	if err := out.Encode(json.RawMessage(line)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{line, indented.String()} {
		r := p.must("explain", write(t, "exchange.json", text)).prints("GET https://api.shop.example/v1/me", "shop-app (priority 100): in scope",
			"The session is that of shop-app")
		if strings.Contains(r.stdout, "bob-session-0000000000000001") {
			t.Errorf("a client session ID is shown:\n%s", r.stdout)
		}
	}
	p.input(traffic, "explain", "-", "--format", "json").exits(exitDone).prints(`"reason"`)
	other := &program{t: t, data: filepath.Join(t.TempDir(), "none")}
	other.must("explain", write(t, "x.json", line), "--rules", write(t, "r.yaml", shopRule)).prints("shop-app (priority 100): in scope")
	if _, err := os.Stat(other.data); !os.IsNotExist(err) {
		t.Errorf("explaining by --rules made a data directory: %v", err)
	}
	p.must("explain", "--id", "x4").prints("* shop-app[0] ", "gave the exchange its session, by shop-app (rule)", "Only what was found is kept")
	p.must("explain", "--id", "x4", "--format", "json").prints(`"not_kept"`)
	p.run("explain", "--id", "nope").exits(exitFailed)
	bad := write(t, "bad.json", "\n\n{\"time\":\"never\"}\n")
	p.run("explain", bad).exits(exitFailed).says("seshat: read " + bad + ":3: ")
	p.run("explain", write(t, "cut.json", "{\"time\":")).exits(exitFailed).says(":1: unexpected EOF")
	p.input("", "explain", "-").exits(exitFailed).says("there is no exchange in it")
}

func TestExport(t *testing.T) {
	p := imported(t)
	dir := t.TempDir()
	f := func(what, format string, want int64, args ...string) string {
		t.Helper()
		path := filepath.Join(dir, what+"."+format)
		p.must(append([]string{"export", what, "--format", format, "-o", path}, args...)...).
			says(fmt.Sprintf("%d %s", want, what), " written to "+path+".\n")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := f("exchanges", "parquet", 5); !strings.HasPrefix(text, "PAR1") {
		t.Error("not Parquet")
	}
	f("sessions", "parquet", 2)
	if records, err := csv.NewReader(strings.NewReader(f("exchanges", "csv", 5))).ReadAll(); err != nil || len(records) != 6 {
		t.Errorf("CSV: %v, %d records", err, len(records))
	}
	if text := f("sessions", "ndjson", 2); strings.Count(text, "\n") != 2 {
		t.Errorf("sessions: %s", text)
	}
	f("exchanges", "ndjson", 3, "host:www.shop.example", "--since", "2026-01-02")

	// What is exported can be imported elsewhere, exchange by exchange.
	for _, format := range []string{"ndjson", "har"} {
		path := filepath.Join(dir, "all."+format)
		p.must("export", "exchanges", "--format", format, "-o", path)
		newProgram(t).must("import", path).prints("5 exchanges read, 5 stored, 0 bad")
		text := p.must("export", "exchanges", "--format", format, "-o", "-").stdout
		for _, secret := range []string{"aaaaaaaa", "bbbbbbbb", "bob-session-0", "correct-horse"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a secret: %s", format, text)
			}
		}
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".part") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	p.run("export", "exchanges", "--format", "har", "-o", filepath.Join(dir, "none", "x.har")).exits(exitFailed).says("no such file or directory")
}
