package natskv_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/kvtest"
	"github.com/seshat-project/seshat/internal/natskv"
	"github.com/seshat-project/seshat/internal/natsserver"
)

var options = natskv.Options{Bucket: "test"} //nolint:gochecknoglobals // never changed

func open(t *testing.T, dir string) *natskv.Store {
	t.Helper()
	s, err := natskv.Open(context.Background(), natskv.ServerOptions{Dir: dir}, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Store { return open(t, filepath.Join(t.TempDir(), "nats")) })
}

// TestStoreElsewhere runs the suite over TCP, against a server with its own default limits.
func TestStoreElsewhere(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Store {
		elsewhere, err := server.NewServer(&server.Options{
			Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		elsewhere.Start()
		t.Cleanup(func() { elsewhere.Shutdown(); elsewhere.WaitForShutdown() })
		if !elsewhere.ReadyForConnections(10 * time.Second) {
			t.Fatal("the server did not start")
		}
		s, err := natskv.OpenURL(context.Background(), elsewhere.ClientURL(), options, natsserver.DialOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestReopen(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s := open(t, dir)
	var last kv.Revision
	for _, value := range []string{"1", "2", "3"} {
		var err error
		if last, err = s.Put(ctx, "a/b", []byte(value), last); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close() //nolint:errcheck // checked elsewhere
	got, err := s.Get(ctx, "a/b")
	if err != nil || string(got.Value) != "3" || got.Revision != last {
		t.Errorf("Get after reopening = %+v, %v; want 3 at revision %d", got, err, last)
	}
	if history, err := s.History(ctx, "a/b"); err != nil || len(history) != 3 {
		t.Errorf("History after reopening = %v, %v; want 3 entries", history, err)
	}
}

// TestFilesAreClosedToOthers: whatever modes the server gives its files, nobody else gets through the folder.
func TestFilesAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "nats")
	s := open(t, dir)
	defer s.Close() //nolint:errcheck // checked elsewhere
	if _, err := s.Put(context.Background(), "a", []byte("x"), kv.Any); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("%s has mode %v, %v; want drwx------", dir, info.Mode(), err)
	}
}

// TestNoLeaks opens and closes stores with watches: no goroutine may stay.
func TestNoLeaks(t *testing.T) {
	cycle := func() {
		s := open(t, t.TempDir())
		updates, err := s.Watch(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(context.Background(), "a", []byte("1"), kv.Any); err != nil {
			t.Fatal(err)
		}
		<-updates
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle() // starts what the libraries keep for the whole process
	before := runtime.NumGoroutine()
	for range 5 {
		cycle()
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched() // those that were told to end need a turn to do so
	}
	if after := runtime.NumGoroutine(); after > before {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks)
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := natskv.Open(context.Background(), natskv.ServerOptions{Dir: file}, options); err == nil {
		t.Error("opened a store in a file")
	}
	if _, err := natskv.OpenURL(context.Background(), "nats://user:secret@127.0.0.1:1", options, natsserver.DialOptions{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("opened a store at a closed port, or told its password: %v", err)
	}
	if _, err := natskv.Open(context.Background(), natskv.ServerOptions{Dir: t.TempDir()}, natskv.Options{Bucket: "a b"}); err == nil {
		t.Error("opened a bucket with a bad name")
	}
}
