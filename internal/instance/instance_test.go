package instance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/instance"
)

var ours = instance.Info{
	PID: 42, Address: "127.0.0.1:9180", Token: "secret-token", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Version: "v1",
}

// running claims a directory and announces an instance in it.
func running(t *testing.T) (string, *instance.Claim) {
	t.Helper()
	dir := t.TempDir()
	claim, err := instance.Acquire(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = claim.Release() })
	if err := claim.Announce(ours); err != nil {
		t.Fatal(err)
	}
	return dir, claim
}

func TestFind(t *testing.T) {
	dir, claim := running(t)
	got, err := instance.Find(t.Context(), dir, 0)
	if err != nil || got == nil || *got != ours {
		t.Fatalf("Find = %v, %v; want what was announced", got, err)
	}
	status, err := os.Stat(filepath.Join(dir, instance.FileName))
	if err != nil || status.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v; want mode 0600", status.Mode(), err)
	}
	if err := claim.Release(); err != nil {
		t.Fatal(err)
	}
	if got, err := instance.Find(t.Context(), dir, 0); got != nil || err != nil {
		t.Errorf("after Release, Find = %v, %v", got, err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 { // the lock
		t.Errorf("left behind: %v", left)
	}
}

func TestFindMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "no")
	if got, err := instance.Find(t.Context(), dir, time.Minute); got != nil || err != nil {
		t.Errorf("Find = %v, %v", got, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking made the directory")
	}
}

// TestFindStale: a file that a killed instance left behind is not believed, since nobody holds the lock.
func TestFindStale(t *testing.T) {
	dir, claim := running(t)
	text, err := os.ReadFile(filepath.Join(dir, instance.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := claim.Release(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, instance.FileName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := instance.Find(t.Context(), dir, 0); got != nil || err != nil {
		t.Errorf("Find = %v, %v; want nothing", got, err)
	}
	again, err := instance.Acquire(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Release() }()
	// Claimed, and not announced yet: what the other one said is gone.
	if _, err := instance.Find(t.Context(), dir, 0); seshat.KindOfError(err) != seshat.ErrorUnavailable {
		t.Errorf("Find = %v; want that it is starting", err)
	}
}

// TestFindWaits: an instance that is starting is waited for.
func TestFindWaits(t *testing.T) {
	dir := t.TempDir()
	claim, err := instance.Acquire(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = claim.Release() }()
	found := make(chan *instance.Info)
	go func() {
		info, _ := instance.Find(context.Background(), dir, time.Minute)
		found <- info
	}()
	if err := claim.Announce(ours); err != nil {
		t.Fatal(err)
	}
	if info := <-found; info == nil || info.Address != ours.Address {
		t.Errorf("found %v", info)
	}
}

func TestFindDoesNotTrust(t *testing.T) {
	f := func(name string, spoil func(path string) error, want string) {
		t.Helper()
		dir, _ := running(t)
		if err := spoil(filepath.Join(dir, instance.FileName)); err != nil {
			t.Fatal(err)
		}
		info, err := instance.Find(t.Context(), dir, 0)
		if err == nil || info != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %q", name, info, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
	}
	f("readable", func(path string) error { return os.Chmod(path, 0o640) }, "mode 0640")
	f("broken", func(path string) error { return os.WriteFile(path, []byte(`{"token":"secret-token",x`), 0o600) }, "does not say")
	f("empty", func(path string) error { return os.WriteFile(path, []byte(`{}`), 0o600) }, "does not say")
	if os.Geteuid() == 0 {
		f("another's", func(path string) error { return os.Chown(path, 12345, -1) }, "uid 12345")
	}
}

func TestAcquireTwice(t *testing.T) {
	dir, _ := running(t)
	_, err := instance.Acquire(t.Context(), dir, 0)
	if seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "process 42") {
		t.Errorf("a second instance: %v", err)
	}
	if got, err := instance.Find(t.Context(), dir, 0); err != nil || got == nil {
		t.Errorf("the first one is gone: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := instance.Acquire(ctx, dir, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire with a context that is done: %v", err)
	}
}

func TestAnnouncedAddress(t *testing.T) {
	f := func(address, want string) {
		t.Helper()
		dir, claim := running(t)
		info := ours
		info.Address = address
		if err := claim.Announce(info); err != nil {
			t.Fatal(err)
		}
		got, err := instance.Find(t.Context(), dir, 0)
		if err != nil || got.Address != want || got.URL() != "http://"+want {
			t.Errorf("%s is announced as %v, %v; want %s", address, got, err, want)
		}
	}
	f("127.0.0.1:1", "127.0.0.1:1")
	f("0.0.0.0:1", "127.0.0.1:1")
	f(":1", "127.0.0.1:1")
	f("[::]:1", "[::1]:1")
	f("192.0.2.1:1", "192.0.2.1:1")
}

func TestTokens(t *testing.T) {
	a, b := instance.NewToken(), instance.NewToken()
	if a == b || len(a) < 43 {
		t.Errorf("tokens %q, %q", a, b)
	}
	if text := fmt.Sprintf("%v %+v %s", ours, ours, &ours); strings.Contains(text, ours.Token) {
		t.Errorf("the token is printed: %s", text)
	}
}
