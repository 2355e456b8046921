package test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestExport exports sessions and exchanges in every format and reads the files with something else: Parquet and CSV
// with DuckDB, NDJSON and HAR with jq.
func TestExport(t *testing.T) {
	need(t, "jq")
	s := fresh(t)
	s.importing(filepath.Join("..", "examples", "shop.ndjson.gz"))
	rows := map[string]int{"sessions": len(s.sessions()), "exchanges": len(s.explore("id"))}
	errors := len(s.explore("id", "status:>=400"))
	if rows["sessions"] < 50 || rows["exchanges"] != 1543 || errors == 0 {
		t.Fatalf("there is nothing to export: %v, %d errors", rows, errors)
	}
	folder := t.TempDir()
	export := func(what, format string, more ...string) string {
		t.Helper()
		path := filepath.Join(folder, fmt.Sprintf("%s%d.%s", what, len(more), format))
		s.ok(append([]string{"export", what, "--format", format, "-o", path}, more...)...)
		return path
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ask := func(query string) string {
		t.Helper()
		var out string
		if err := db.QueryRow(query).Scan(&out); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return out
	}
	for what, n := range rows {
		want := strconv.Itoa(n)
		for _, format := range []string{"parquet", "csv"} {
			path := export(what, format)
			if format == "parquet" && !strings.HasPrefix(read(t, path), "PAR1") {
				t.Errorf("%s is not Parquet", path)
			}
			if got := ask(fmt.Sprintf("SELECT count(*)::TEXT FROM '%s'", path)); got != want {
				t.Errorf("%s has %s rows, not %s", path, got, want)
			}
			if got := ask(fmt.Sprintf("SELECT count(DISTINCT session_id)::TEXT FROM '%s'", path)); got != strconv.Itoa(rows["sessions"]) {
				t.Errorf("%s has %s sessions, not %d", path, got, rows["sessions"])
			}
		}
		path := export(what, "ndjson")
		if got := tool(t, "jq", "-s", "length", path); got != want {
			t.Errorf("%s has %s lines, not %s", path, got, want)
		}
		if out := s.ok("export", what, "--format", "ndjson", "-o", "-").stdout; out != read(t, path) {
			t.Errorf("to standard output it is another:\n%s", firstDifference(out, read(t, path)))
		}
	}
	if got := ask(fmt.Sprintf("SELECT string_agg(status || '=' || n, ' ' ORDER BY status) FROM (SELECT status, count(*) AS n FROM '%s' GROUP BY status)", filepath.Join(folder, "exchanges0.parquet"))); got != statuses(t, s) {
		t.Errorf("the statuses are %s, not %s", got, statuses(t, s))
	}
	records, err := csv.NewReader(strings.NewReader(read(t, filepath.Join(folder, "exchanges0.csv")))).ReadAll()
	if err != nil || len(records) != rows["exchanges"]+1 {
		t.Errorf("the CSV has %d records, %v", len(records), err)
	}

	har := export("exchanges", "har")
	if got := tool(t, "jq", "-r", `[.log.version, (.log.entries | length | tostring), (.log.entries | all(.startedDateTime and (.time >= 0) and .request.method and (.request.url | startswith("https://")) and (.request.headers | type == "array") and .request.httpVersion and (.response.status | type == "number") and .response.content and .timings and .cache) | tostring)] | join(" ")`, har); got != "1.2 1543 true" {
		t.Errorf("the HAR is none: %s", got)
	}

	// A filter narrows what is exported, and what was exported can be imported.
	if got := tool(t, "jq", "-s", "length", export("exchanges", "ndjson", "status:>=400")); got != strconv.Itoa(errors) {
		t.Errorf("%s errors are exported, not %d", got, errors)
	}
	for _, format := range []string{"ndjson", "har"} {
		again := fresh(t)
		if got := again.importing(filepath.Join(folder, "exchanges0."+format)); got.Stored != 1543 || got.Bad != 0 {
			t.Errorf("what was exported as %s is imported as %+v", format, got)
		}
	}

	// A file is there whole or not at all.
	missing := filepath.Join(folder, "no", "folder", "x.csv")
	s.run("export", "sessions", "--format", "csv", "-o", missing).want(1).says("no")
	before := read(t, har)
	s.run("export", "exchanges", "--format", "har", "-o", har, "nofield:1").want(2)
	if read(t, har) != before {
		t.Error("an export that failed has changed the file")
	}
	left, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), ".") || strings.Contains(entry.Name(), "tmp") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

// statuses are the statuses of all exchanges with how often each occurs.
func statuses(t *testing.T, s *seshat) string {
	t.Helper()
	counts := map[string]int{}
	for _, record := range s.explore("id,status") {
		counts[record[1]]++
	}
	var out []string
	for status := 100; status < 600; status++ {
		if n := counts[strconv.Itoa(status)]; n > 0 {
			out = append(out, fmt.Sprintf("%d=%d", status, n))
		}
	}
	return strings.Join(out, " ")
}
