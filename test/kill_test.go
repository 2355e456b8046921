package test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilledImport kills an import without warning, at moments all over its course, and then runs it again: every
// exchange is there once, and the sessions are those of an import that nobody killed.
func TestKilledImport(t *testing.T) {
	need(t, "bash", "gzip")
	times := 10
	if testing.Short() {
		times = 4
	}
	capture := bigCapture(t, 24) // more than five batches of what is stored together
	calm := fresh(t)
	start := time.Now()
	want := calm.importing(capture)
	took := time.Since(start)
	wanted := calm.grouping()
	if want.Read != int64(len(wanted)) || want.Read < 100_000 {
		t.Fatalf("the capture is not what it should be: %+v", want)
	}

	// Where the machine has less to do than a moment ago, imports are done before they are killed: then faster ones.
	s, killed, stored := killImports(t, calm, capture, took, times, want.Read)
	for tries := 0; killed < times/2; tries++ {
		if tries == 3 {
			t.Fatalf("only %d of %d imports were killed: this machine is too fast for this capture", killed, times)
		}
		took /= 2
		s, killed, stored = killImports(t, calm, capture, took, times, want.Read)
	}
	got := s.importing(capture)
	if got.Read != want.Read || got.Stored+got.Duplicates != want.Read || got.Duplicates != stored {
		t.Errorf("%d were stored when it was killed for the last time: %+v", stored, got)
	}
	have := s.grouping()
	if len(have) != len(wanted) {
		t.Errorf("%d exchanges are stored, not %d", len(have), len(wanted))
	}
	wrong := 0
	for id, session := range wanted {
		if have[id] != session {
			if wrong++; wrong <= 3 {
				t.Errorf("exchange %s is in session %s, and in %s when nobody kills", id, have[id], session)
			}
		}
	}
	if wrong > 3 {
		t.Errorf("… %d exchanges are in other sessions", wrong)
	}
	if one, other := s.ok("sessions", "--since", "all", "--limit", "0", "--format", "csv").stdout, calm.ok("sessions", "--since", "all", "--limit", "0", "--format", "csv").stdout; one != other {
		t.Errorf("the list of sessions is another:\n%s", firstDifference(one, other))
	}
	if left := leftovers(t, s); len(left) > 0 {
		t.Errorf("files of the killed imports were left behind: %v", left)
	}
}

// killImports imports a capture again and again into a new directory with the key of another one, kills it after more and
// more of the time that it took, and returns how often that was before its end, and how many exchanges are stored then.
func killImports(t *testing.T, calm *seshat, capture string, took time.Duration, times int, all int64) (s *seshat, killed int, stored int64) {
	t.Helper()
	s = fresh(t)
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	// With the same key sessions get the same IDs.
	if err := os.WriteFile(filepath.Join(s.data, "digest.key"), []byte(read(t, filepath.Join(calm.data, "digest.key"))), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range times {
		ctx, cancel := context.WithTimeout(context.Background(), took*time.Duration(i+1)/time.Duration(times))
		err := s.command(ctx, "import", capture).Run() // the end of the context is SIGKILL
		if ctx.Err() != nil && err != nil {
			killed++
		}
		cancel()
		if _, err := os.Stat(filepath.Join(s.data, "seshat.duckdb")); err != nil {
			continue // it was killed before there was a database
		}
		now := int64(len(s.explore("id")))
		if now < stored {
			t.Fatalf("%d exchanges were stored, and after the next import was killed %d", stored, now)
		}
		if stored = now; stored > 0 && stored < all {
			t.Logf("killed after %d %% of the time, with %d of %d stored", 100*(i+1)/times, stored, all)
		}
	}
	return s, killed, stored
}

// leftovers are the files in the data directory's place for temporary ones.
func leftovers(t *testing.T, s *seshat) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(filepath.Join(s.data, "spool"), func(path string, entry os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func firstDifference(one, other string) string {
	a, b := strings.Split(one, "\n"), strings.Split(other, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n  %s\n  %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(a), len(b))
}

// bigCapture is the traffic of the sample capture and more like it, copied so often, each copy a day later than the one
// before and with cookies, tokens and users of its own: the sessions of one copy have nothing to do with another's.
func bigCapture(t testing.TB, copies int) string {
	t.Helper()
	folder := t.TempDir()
	tool(t, "go", "run", "./trafficgen", "-shape", "mixed", "-seed", "11", "-sessions", "300", "-o", folder)
	lines := tool(t, "gzip", "-dc", filepath.Join(folder, "exchanges.ndjson.gz"))
	path := filepath.Join(folder, "big.ndjson")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	for n := range copies {
		writeCopy(t, out, lines, n)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeCopy writes lines of NDJSON with other IDs and on another day.
func writeCopy(t testing.TB, out io.Writer, lines string, n int) {
	t.Helper()
	const field = `"time":"`
	for line := range strings.Lines(lines) {
		i := strings.Index(line, field) + len(field)
		at, err := time.Parse("2006-01-02", line[i:i+10])
		if err != nil {
			t.Fatal(err)
		}
		line = line[:i] + at.AddDate(0, 0, n).Format("2006-01-02") + line[i+10:]
		line = strings.Replace(line, `"id":"`, fmt.Sprintf(`"id":"c%d-`, n), 1)
		if _, err := io.WriteString(out, strings.TrimSuffix(line, "\n")+"\n"); err != nil {
			t.Fatal(err)
		}
	}
}
