package duckdb_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// childVariable says what this test binary is to do when a test starts it as a process of its own.
const childVariable = "SESHAT_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	role, dir, _ := strings.Cut(os.Getenv(childVariable), " ")
	switch role {
	case "":
		os.Exit(m.Run())
	case "hold":
		child(func() error { return hold(dir) })
	case "write":
		child(func() error { return writeForever(dir, smallCrash) })
	case "write-much":
		child(func() error { return writeForever(dir, largeCrash) })
	case "fill":
		child(func() error { return fill(dir) })
	}
}

func child(f func() error) {
	if err := f(); err != nil {
		_, _ = os.Stdout.WriteString("failed: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// start starts this test binary in a role. Lines are what it prints.
func start(t *testing.T, role, dir string) (command *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	command = exec.Command(os.Args[0], "a-child") //nolint:gosec // ourselves
	command.Env = append(os.Environ(), childVariable+"="+role+" "+dir)
	if _, err := command.StdinPipe(); err != nil { // open until the test ends
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return command, bufio.NewScanner(output)
}

func say(line string) { _, _ = os.Stdout.WriteString(line + "\n") }

// hold opens the store and keeps it until its input ends, which it never does.
func hold(dir string) error {
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{})
	if err != nil {
		return err
	}
	say("open")
	if _, err := io.ReadAll(os.Stdin); err != nil {
		return err
	}
	return s.Close()
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	command, lines := start(t, "hold", dir)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the first process says %q", lines.Text())
	}
	_, err := duckdb.Open(context.Background(), dir, duckdb.Options{LockWait: 120 * time.Millisecond})
	if seshat.KindOfError(err) != seshat.ErrorUnavailable {
		t.Fatalf("the second process: %v; want unavailable", err)
	}
	for _, want := range []string{dir, "process " + strconv.Itoa(command.Process.Pid), "a-child", "wait until it is done"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	// A process that was killed leaves no lock behind, and who waits gets in.
	go func() { _ = command.Process.Kill() }()
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{LockWait: time.Minute})
	if err != nil {
		t.Fatalf("after the first process ended: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestSecondOpening(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, duckdb.Options{})
	if _, err := duckdb.Open(context.Background(), dir, duckdb.Options{}); seshat.KindOfError(err) != seshat.ErrorUnavailable {
		t.Errorf("opened twice in one process: %v; want unavailable", err)
	}
}

// Sizes of the batches of a process that is killed. What was committed in small ones is in the tail, most likely; with
// large ones it is moved into the tables every few batches.
const (
	smallCrash = 40
	largeCrash = 3000
)

// crashBatch is batch n of a sequence in which everything says which batch it came with.
func crashBatch(n, size int) *store.Batch {
	b := storetest.NewTraffic(uint64(n), 3).Batch(size) //nolint:gosec // small
	b.Source, b.Position = "crash", []byte(strconv.Itoa(n))
	b.State = []store.StateRecord{{Key: seshat.Digest{1}, Value: []byte(strconv.Itoa(n))}}
	b.Exchanges[0].ID = "first-" + strconv.Itoa(n)
	b.Exchanges[size-1].ID = "last-" + strconv.Itoa(n)
	return b
}

// writeForever commits batch after batch and says so after each.
func writeForever(dir string, size int) error {
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := s.Commit(context.Background(), crashBatch(n, size)); err != nil {
			return err
		}
		say(strconv.Itoa(n))
	}
}

func TestKill(t *testing.T) {
	for range 3 {
		killed(t, "write", smallCrash, 7)
	}
}

// TestKillWhileSettling kills the process at moments of which some are in the middle of moving the tail into the tables.
func TestKillWhileSettling(t *testing.T) {
	for _, after := range []int{2, 3, 4, 6, 7, 9} {
		killed(t, "write-much", largeCrash, after)
	}
}

// killed starts a process that writes, kills it after so many batches, and looks at what it leaves.
func killed(t *testing.T, role string, size, after int) {
	t.Helper()
	dir := t.TempDir()
	command, lines := start(t, role, dir)
	acknowledged := 0
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the writer says %q", lines.Text())
		}
		if acknowledged = n; n == after {
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = command.Wait()
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{})
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	checkCrashed(t, s, acknowledged, size)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// checkCrashed checks that every acknowledged batch is there, and that each is whole.
func checkCrashed(t *testing.T, s store.Store, acknowledged, size int) {
	t.Helper()
	ctx := context.Background()
	position, err := s.Position(ctx, "crash")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(position))
	if err != nil || n < acknowledged {
		t.Fatalf("position %q, %v; batch %d was acknowledged", position, err, acknowledged)
	}
	if span, err := s.Span(ctx); err != nil || span.Exchanges != int64(size*n) {
		t.Errorf("%d exchanges, %v; want %d of each of %d batches", span.Exchanges, err, size, n)
	}
	state, err := s.LoadState(ctx, []seshat.Digest{{1}})
	if err != nil || string(state[seshat.Digest{1}]) != strconv.Itoa(n) {
		t.Errorf("state %q, %v; want that of batch %d", state[seshat.Digest{1}], err, n)
	}
	for i := 1; i <= n; i++ {
		for _, id := range []string{"first-", "last-"} {
			if _, err := s.Exchange(ctx, id+strconv.Itoa(i)); err != nil {
				t.Errorf("exchange %s%d: %v", id, i, err)
			}
		}
	}
	if _, err := s.Exchange(ctx, "first-"+strconv.Itoa(n+1)); seshat.KindOfError(err) != seshat.ErrorNotFound {
		t.Errorf("an exchange of batch %d: %v; want none", n+1, err)
	}
}
