//go:build unix

package duckdb_test

import (
	"context"
	"errors"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// processorTime is what this process, with DuckDB's threads, has taken of the processors so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// fileLimit stands for a full disk: no file may become larger.
const fileLimit = 3 << 20

// fill commits until the disk is full, checks that what was committed is still there, makes room and goes on.
func fill(dir string) error {
	ctx := context.Background()
	s, err := duckdb.Open(ctx, dir, duckdb.Options{})
	if err != nil {
		return err
	}
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ) // so that writing fails instead
	full := limit
	full.Cur = fileLimit
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	traffic := storetest.NewTraffic(1, 3)
	stored := int64(0)
	for {
		err = s.Commit(ctx, traffic.Batch(2000))
		if err != nil {
			break
		}
		if stored += 2000; stored > 1<<20 {
			return errors.New("the disk was never full")
		}
	}
	if seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "the disk is full") {
		return errors.New("want an error that says that the disk is full, got: " + err.Error())
	}
	say("full")
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := s.Commit(ctx, traffic.Batch(2000)); err != nil {
		return errors.New("with room again: " + err.Error())
	}
	stored += 2000
	say(strconv.FormatInt(stored, 10))
	return s.Close()
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	command, lines := start(t, "fill", dir)
	if !lines.Scan() || lines.Text() != "full" {
		t.Fatalf("the writer says %q, %v", lines.Text(), command.Wait())
	}
	if !lines.Scan() {
		t.Fatal("the writer says nothing after there was room again")
	}
	want, err := strconv.ParseInt(lines.Text(), 10, 64)
	if err != nil {
		t.Fatalf("the writer says %q", lines.Text())
	}
	for lines.Scan() {
		t.Errorf("the writer says %q", lines.Text())
	}
	s := open(t, dir, duckdb.Options{})
	if span, err := s.Span(context.Background()); err != nil || span.Exchanges != want {
		t.Errorf("%d exchanges, %v; want %d", span.Exchanges, err, want)
	}
}
