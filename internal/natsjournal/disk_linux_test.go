package natsjournal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/natsserver"
)

// TestDiskFull fills a small disk, by the journal and by somebody else: the journal takes nothing while there is no room,
// loses nothing, and goes on by itself when there is room again.
func TestDiskFull(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=96m"); err != nil {
		if os.Getenv("SESHAT_NO_SKIP") == "1" {
			t.Fatalf("no disk can be made here, and SESHAT_NO_SKIP is set: %v", err)
		}
		t.Skipf("no disk can be made here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	s := start(t, natsserver.Options{Dir: filepath.Join(disk, "nats")})
	t.Cleanup(s.Close)
	conn := connect(t, s)
	t.Cleanup(conn.Close)
	l := openLog(t, conn, natsjournal.Options{Stream: "exchanges", Room: s.Room})
	t.Cleanup(func() { _ = l.Close() })

	n := 0
	entry := make([]byte, 128<<10)
	fill := func() {
		t.Helper()
		for range 2000 {
			switch _, err := l.Append(t.Context(), fmt.Sprint(n), entry); {
			case errors.Is(err, journal.ErrFull):
				return
			case err != nil:
				t.Fatal(err)
			}
			n++
		}
		t.Fatal("the disk is never full")
	}
	settles := func(what string, f func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !f(); {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	appends := func() bool {
		_, err := l.Append(t.Context(), fmt.Sprint(n), entry)
		if err == nil {
			n++
		}
		return err == nil
	}
	fill()
	if n < 50 {
		t.Errorf("full after %d entries", n)
	}
	if err := l.Trim(t.Context(), journal.Sequence(n)); err != nil {
		t.Fatal(err)
	}
	settles("nothing is taken after the journal was trimmed", appends)

	foreign := filepath.Join(disk, "foreign")
	_ = os.WriteFile(foreign, make([]byte, 90<<20), 0o600) // as much of it as there is room for
	settles("entries are taken although the disk is full", func() bool {
		return !appends()
	})
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	settles("nothing is taken after there was room again", appends)
	if last, err := l.Last(t.Context()); err != nil || int(last) != n {
		t.Errorf("the log has %d entries, %v; %d were taken", last, err, n)
	}
}
