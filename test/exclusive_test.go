package test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // a reader and writer of databases and Parquet files that is not the program's
)

// TestTwoProcesses has one import wait for its input while other commands come to the same data directory: they say
// who is in the way and exit with 1, and the import is unharmed.
func TestTwoProcesses(t *testing.T) {
	s := fresh(t)
	s.importing(write(t, t.TempDir(), "before.ndjson", exchangeLine(0)))

	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	makePipe(t, pipe)
	first := s.command(ctx, "import", "--output", "json", "--format", "ndjson", pipe)
	var stdout, stderr bytes.Buffer
	first.Stdout, first.Stderr = &stdout, &stderr
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	opened := make(chan *os.File)
	go func() { ended <- first.Wait() }()
	go func() {
		// This waits until the first process opens the pipe to read it, and then it has the data directory.
		in, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
		}
		opened <- in
	}()
	var stdin *os.File
	select {
	case stdin = <-opened:
	case err := <-ended:
		t.Fatalf("the first process reads nothing: %v\n%s", err, stderr.String())
	}
	if _, err := io.WriteString(stdin, exchangeLine(1)); err != nil {
		t.Fatal(err)
	}

	for _, args := range [][]string{
		{"sessions"}, {"explore"}, {"import", write(t, t.TempDir(), "other.ndjson", exchangeLine(2))},
	} {
		r := s.run(args...).want(1)
		r.says("another", fmt.Sprint(first.Process.Pid))
		if r.stdout != "" {
			t.Errorf("the second process printed something: %v", r)
		}
	}
	if _, err := io.WriteString(stdin, exchangeLine(3)); err != nil {
		t.Fatal(err)
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("the first process was harmed: %v\n%s", err, stderr.String())
	}
	if got := (&result{t: t, stdout: stdout.String()}).summary(); got.Stored != 2 || got.Bad != 0 {
		t.Errorf("the first process: %+v", got)
	}
	if n := len(s.explore("id")); n != 3 {
		t.Errorf("%d exchanges are stored, not 3", n)
	}
}

// exchangeLine is an exchange in NDJSON, one of a number.
func exchangeLine(n int) string {
	return fmt.Sprintf(`{"id":"e%06d","time":"2026-01-02T%02d:%02d:%02d.000000Z","duration_ms":2,"service":"shop","client":{"ip":"192.0.2.%d"},`+
		`"request":{"method":"GET","scheme":"https","host":"shop.example","path":"/orders/%d","headers":[["Cookie","SESSID=%032x"],["User-Agent","browser/%d"]]},`+
		`"response":{"status":200,"body_bytes":10}}`+"\n", n, n/3600%24, n/60%60, n%60, n%7+1, n, n%101+1, n%7)
}

// database opens the database of a data directory behind the program's back.
func database(t *testing.T, s *seshat) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", databaseFile(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func databaseFile(t *testing.T, s *seshat) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.data, "*.duckdb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the database is one file: %v, %v", found, err)
	}
	return found[0]
}

// TestNewerVersion has the database of a newer program: it is refused, with what to do about it, and not touched.
func TestNewerVersion(t *testing.T) {
	s := fresh(t)
	file := write(t, t.TempDir(), "some.ndjson", exchangeLine(1))
	s.importing(file)
	db := database(t, s)
	if _, err := db.Exec("UPDATE schema_version SET version = 9999"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := read(t, databaseFile(t, s))
	for _, args := range [][]string{{"sessions"}, {"import", file}} {
		s.run(args...).want(1).says("9999", "newer")
	}
	if read(t, databaseFile(t, s)) != before {
		t.Error("the database of the newer version was written to")
	}
}

// TestDamagedDatabase has a database file of which the beginning was overwritten, and one that was cut.
func TestDamagedDatabase(t *testing.T) {
	file := write(t, t.TempDir(), "some.ndjson", exchangeLine(1)+exchangeLine(2))
	for name, damage := range map[string]func(string) string{
		"overwritten": func(whole string) string { return strings.Repeat("damaged ", 4096) + whole[32768:] },
		"cut":         func(whole string) string { return whole[:5000] },
		"other file":  func(string) string { return "this is a text" },
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			s.importing(file)
			path := databaseFile(t, s)
			damaged := damage(read(t, path))
			if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"sessions", "--since", "all"}, {"import", file}} {
				r := s.run(args...).want(1)
				r.says(filepath.Base(path))
				if strings.Count(r.stderr, "\n") > 6 {
					t.Errorf("that is not a message but a dump: %v", r)
				}
			}
			if read(t, path) != damaged {
				t.Error("a file that cannot be understood was written to")
			}
		})
	}
}
