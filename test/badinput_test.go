package test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadFiles imports, beside a good file, one with which something is wrong: that is said, with a reason, the good
// one is stored, and so is what the bad one has of good.
func TestBadFiles(t *testing.T) {
	folder := t.TempDir()
	good := exchangeLine(1) + exchangeLine(2)
	file := func(name, text string) string { return write(t, folder, name, text) }
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	for n := range 4000 {
		if _, err := zip.Write([]byte(exchangeLine(100 + n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	har := `{"log":{"version":"1.2","entries":[` +
		`{"startedDateTime":"2026-01-02T03:04:05.000Z","time":3,"request":{"method":"GET","url":"https://shop.example/a","httpVersion":"HTTP/1.1","cookies":[],"headers":[],"queryString":[],"headersSize":-1,"bodySize":0},` +
		`"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","cookies":[],"headers":[],"content":{"size":0,"mimeType":""},"redirectURL":"","headersSize":-1,"bodySize":0},"cache":{},"timings":{"send":0,"wait":3,"receive":0}},` +
		`{"startedDateTime":"2026-01-02T03:04:06.0`
	var binary strings.Builder
	for n := range 4096 {
		binary.WriteByte(byte(n * 167 >> 3))
	}

	for name, c := range map[string]struct {
		file   string
		says   []string
		kept   func(n int64) bool // how many exchanges of the file
		bad    int64
		failed bool
	}{
		"cut HAR":        {file("cut.har", har), []string{"cut.har", "entry 2", "cut off"}, equal(1), 0, true},
		"directory":      {folder, []string{folder, "directory"}, equal(0), 0, true},
		"binary":         {file("noise", binary.String()), []string{"noise", "binary"}, equal(0), 0, true},
		"empty":          {file("nothing", ""), []string{"nothing", "empty"}, equal(0), 0, true},
		"missing":        {filepath.Join(folder, "missing"), []string{"missing: no such file"}, equal(0), 0, true},
		"other language": {file("page.html", "<!doctype html>\n<html><body>Hello\n</body></html>\n"), []string{"page.html", "the format is not known", "--format har|ndjson|accesslog"}, equal(0), 0, true},
		"cut gzip": {
			file("cut.gz", packed.String()[:packed.Len()/2]),
			[]string{"cut.gz", "unexpected EOF"},
			func(n int64) bool { return n > 1000 && n < 4000 }, 0, true,
		},
		"bad lines": {
			file("lines.ndjson", exchangeLine(10)+"{\"id\":\nnonsense\n"+exchangeLine(11)+`{"time":"yesterday","request":{"method":"GET","path":"/"}}`+"\n"+exchangeLine(12)),
			[]string{"lines.ndjson:2: ", "lines.ndjson:3: ", "lines.ndjson:5: "},
			equal(3), 3, false,
		},
		"bad log lines": {
			file("access.log", strings.Repeat(logLine, 2)+"what is this\n"+logLine),
			[]string{"access.log:3: "},
			equal(3), 1, false, // equal lines are as many requests
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			code := 0
			if c.failed {
				code = 1
			}
			r := s.run("import", "--output", "json", c.file, write(t, t.TempDir(), "good.ndjson", good))
			r.want(code).says(c.says...)
			got := r.summary()
			if got.Bad != c.bad {
				t.Errorf("%d lines are bad, not %d", got.Bad, c.bad)
			}
			all := int64(len(s.explore("id")))
			if all != got.Stored || !c.kept(all-2) {
				t.Errorf("%d exchanges of the bad file are stored: %v", all-2, r)
			}
			if ids := s.explore("id", "id:(e000001,e000002)"); len(ids) != 2 {
				t.Errorf("of the good file only %v is stored", ids)
			}

			// Alone, a file of which nothing can be read makes the exit code 1.
			alone := fresh(t).run("import", c.file).want(code)
			alone.says(c.says...)
		})
	}
}

// logLine is a line of a combined log.
const logLine = `192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 200 5 "-" "browser"` + "\n"

func equal(want int64) func(int64) bool { return func(n int64) bool { return n == want } }

// TestManyBadLines has more bad lines than anybody would read.
func TestManyBadLines(t *testing.T) {
	s := fresh(t)
	file := write(t, t.TempDir(), "bad.ndjson", exchangeLine(1)+strings.Repeat("{bad\n", 5000))
	r := s.ok("import", "--output", "json", file).says("bad.ndjson:2: ", "more bad lines")
	if lines := strings.Count(r.stderr, "\n"); lines > 40 {
		t.Errorf("%d lines are printed about bad lines", lines)
	}
	if got := r.summary(); got.Bad != 5000 || got.Stored != 1 {
		t.Errorf("%+v", got)
	}
	all := fresh(t).ok("import", "--bad-lines", "6000", file)
	if lines := strings.Count(all.stderr, "bad.ndjson:"); lines != 5000 {
		t.Errorf("asked for all, %d bad lines are reported", lines)
	}
}

// TestBadResources applies files with faults: nothing of them is applied, what was in force stays, and every fault is
// reported with its place.
func TestBadResources(t *testing.T) {
	const good = "apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: shop}\nspec:\n  identifiers:\n    - cookie: SESSID\n"
	s := fresh(t)
	s.ok("apply", "-f", write(t, t.TempDir(), "good.yaml", good))
	before := s.ok("get", "-o", "yaml").stdout

	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"broken expression": {
			strings.Replace(good, "cookie: SESSID", "header: X-A\n      transformations:\n        - regex: '(['", 1),
			[]string{"rules.yaml:8:", "transformations[0]", "missing closing"},
		},
		"unknown field": {
			strings.Replace(good, "cookie: SESSID", "cokie: SESSID", 1),
			[]string{"rules.yaml:6:7: ", "cokie", "did you mean cookie"},
		},
		"unknown kind": {
			strings.Replace(good, "SessionRule", "SesionRule", 1), []string{"rules.yaml:2:", "SesionRule"},
		},
		"masked key": {
			good + "---\napiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: hide}\nspec: {location: cookie, key: SESSID}\n",
			[]string{"rules.yaml:6:", "masked parameter cannot be an identifier", "MaskRule/hide"},
		},
		"masked key that is in force": {
			"apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: hide}\nspec: {location: cookie, key: SESSID}\n",
			[]string{"masked parameter cannot be an identifier", "MaskRule/hide", "shop"},
		},
		"several": {
			good + "---\n" + strings.NewReplacer("shop", "other", "cookie: SESSID", "cokie: SESSID\n      nothing: here").Replace(good),
			[]string{"rules.yaml:13:7: ", "rules.yaml:14:7: ", "2 faults"},
		},
		"a good one and a bad one": {
			strings.Replace(good, "shop", "new", 1) + "---\n" + strings.Replace(good, "cookie: SESSID", "header: ''", 1),
			[]string{"rules.yaml:13:"},
		},
		"no YAML":  {"{", []string{"rules.yaml:1:"}},
		"nothing":  {"", []string{"rules.yaml", "no resource"}},
		"settings": {"apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {retention: 0s}\n", []string{"rules.yaml:4:19: spec.retention: ", "at least"}},
		"duration": {"apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {retention: seven days}\n", []string{"rules.yaml:4:19: spec.retention"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, t.TempDir(), "rules.yaml", c.text)
			s := &seshat{t: t, data: s.data}
			s.run("apply", "-f", file).want(1).says(c.says...).says("nothing was applied")
			s.run("apply", "--dry-run", "-f", file).want(1).says(c.says...)
			if name != "masked key that is in force" { // which only those who know what is in force can tell
				s.run("validate", "-f", file).want(1).says(c.says...)
			}
			if after := s.ok("get", "-o", "yaml").stdout; after != before {
				t.Errorf("what was in force has changed:\n%s", after)
			}
		})
	}
}

// TestWrongUsage types what is not understood. Nothing of it may look like an empty result.
func TestWrongUsage(t *testing.T) {
	s := fresh(t)
	file := write(t, t.TempDir(), "one.ndjson", exchangeLine(1))
	s.importing(file)
	for line, says := range map[string][]string{
		"sessions|status:>>4":                 {"column 9", "status:>>4\n          ^", "is not a number"},
		"sessions|(user:alice":                {"column", "^"},
		"explore|usr:alice":                   {"column 1", "usr", "user", "^"},
		"explore|ip:10.0.0.0/99":              {"column 4", "10.0.0.0/99"},
		"explore|duration:>fast":              {"column", "fast"},
		"explore|time:x OR":                   {"column", "^"},
		"explore|--columns|time,color":        {"--columns", `"color"`, "--columns help"},
		"explore|--colums|time":               {"--colums", "--help"},
		"explore|--format|xml":                {"--format", `"xml"`, "csv"},
		"sessions|--since|3parsecs":           {"--since", `"3parsecs"`, "24h"},
		"sessions|--until|2026-13-01":         {"--until", "2026-13-01"},
		"sessions|--since|1h|--until|2h":      {"--since", "--until"},
		"sessions|--limit|-1":                 {"--limit", "negative"},
		"sessions|--limit|ten":                {"--limit", "ten"},
		"sessions|--sort|size":                {"--sort", "size", "exchanges"},
		"import":                              {"--help"},
		"import|--format|pcap|" + file:        {"--format", "pcap", "har"},
		"import|--log-format|fancy|" + file:   {"--log-format", "fancy", "combined"},
		"import|--log-format|$status|" + file: {"--log-format", "no time in it"},
		"frobnicate":                          {"frobnicate", "--help"},
		"delete|sessionrule":                  {"--help"},
		"get|sessionruel":                     {"sessionruel", "sessionrule"},
		"rollback|sessionrule|x":              {"--revision"},
		"export|things|-o|x":                  {"things", "sessions"},
		"export|sessions|--format|xlsx|-o|x":  {"--format", "xlsx", "parquet"},
		"export|sessions|--format|har|-o|x":   {"har"},
		"export|sessions":                     {"-o"},
		"explain":                             {"no exchange", "--id"},
		"--log|xml|sessions":                  {"--log", "xml"},
	} {
		t.Run(line, func(t *testing.T) {
			s := &seshat{t: t, data: s.data}
			r := s.run(strings.Split(line, "|")...).want(2).says(says...)
			if r.stdout != "" {
				t.Errorf("it prints a result all the same: %v", r)
			}
		})
	}

	// What is understood and not there is another matter.
	for line, says := range map[string][]string{
		"session|ffffffff":                       {"ffffffff", "there is none"},
		"explain|--id|nope":                      {"nope"},
		"presets|show|nope":                      {"nope", "seshat presets"},
		"apply|--preset|nope":                    {"nope"},
		"get|sessionrule|nope":                   {"nope", "no such resource"},
		"delete|sessionrule|nope":                {"nope", "no such resource"},
		"history|sessionrule|nope":               {"nope"},
		"rollback|sessionrule|nope|--revision|1": {"nope"},
		"apply|-f|nope.yaml":                     {"nope.yaml", "no such file"},
		"explain|nope.json":                      {"nope.json"},
		"export|sessions|-o|no/such/place":       {"no/such"},
	} {
		t.Run(line, func(t *testing.T) {
			(&seshat{t: t, data: s.data}).run(strings.Split(line, "|")...).want(1).says(says...)
		})
	}
	s.run("test", "nope.yaml").want(1).prints("nope.yaml", "no such file")
	if n := len(s.explore("id")); n != 1 {
		t.Errorf("%d exchanges are stored after all this", n)
	}
}

// TestNothingImported looks before anything was imported: that is not an empty result either.
func TestNothingImported(t *testing.T) {
	s := fresh(t)
	for _, args := range [][]string{{"sessions"}, {"explore"}, {"session", "abc"}, {"export", "sessions", "-o", filepath.Join(t.TempDir(), "x")}} {
		s.run(args...).want(1).says("nothing was imported", "seshat import")
	}
	if _, err := os.Stat(s.data); err == nil {
		t.Error("looking made a data directory")
	}
}
