package protect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

var keyTime = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func mustKey(t *testing.T) func(*Keyring, error) *Keyring {
	return func(ring *Keyring, err error) *Keyring {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return ring
	}
}

func TestLoadOrCreateKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "digest.key")
	made := mustKey(t)(LoadOrCreateKey(path, keyTime))
	read := mustKey(t)(LoadOrCreateKey(path, keyTime.Add(time.Hour)))
	if made.Current() != read.Current() || read.Current().ID == "" || !read.Current().Created.Equal(keyTime.Truncate(time.Second)) {
		t.Errorf("made %v, read %v", made.Current(), read.Current())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if other := NewKeyring(keyTime); other.Current().secret == made.Current().secret {
		t.Error("two keys are equal")
	}
}

func TestLoadOrCreateKeyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "digest.key")
	var wait sync.WaitGroup
	var rings [16]*Keyring
	for i := range rings {
		wait.Go(func() {
			ring, err := LoadOrCreateKey(path, keyTime)
			if err != nil {
				t.Error(err)
			}
			rings[i] = ring
		})
	}
	wait.Wait()
	for _, ring := range rings {
		if ring != nil && rings[0] != nil && ring.Current() != rings[0].Current() {
			t.Fatal("two keys were made")
		}
	}
}

func TestRotateAndRemoveKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "digest.key")
	link := filepath.Join(t.TempDir(), "link")
	first := mustKey(t)(LoadOrCreateKey(path, keyTime))
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	later := keyTime.Add(time.Hour)
	mustKey(t)(RotateKey(link, later))
	ring := mustKey(t)(LoadKey(path))
	keys := ring.Keys()
	if len(keys) != 2 || keys[1].ID != first.Current().ID || keys[0].ID == keys[1].ID || !keys[1].Retired.Equal(later.Truncate(time.Second)) || !keys[0].Retired.IsZero() {
		t.Fatalf("after rotation: %v", keys)
	}
	digests := ring.Digests([]byte("value"))
	if digests[0] != ring.Digester().Hash([]byte("value")) || digests[1] != first.Digester().Hash([]byte("value")) || digests[0] == digests[1] {
		t.Errorf("digests %v", digests)
	}
	if _, err := RemoveKey(path, keys[0].ID); seshat.KindOfError(err) != seshat.ErrorConflict {
		t.Errorf("removing the current key: %v", err)
	}
	if _, err := RemoveKey(path, "nothing"); seshat.KindOfError(err) != seshat.ErrorNotFound {
		t.Errorf("removing no key: %v", err)
	}
	ring = mustKey(t)(RemoveKey(path, keys[1].ID))
	if again := mustKey(t)(LoadKey(path)); len(ring.Keys()) != 1 || len(again.Keys()) != 1 || again.Current() != keys[0] {
		t.Errorf("after removal: %v, %v", ring.Keys(), again.Keys())
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestLoadKeyErrors(t *testing.T) {
	good := mustKey(t)(LoadOrCreateKey(filepath.Join(t.TempDir(), "k"), keyTime))
	text, err := good.encode()
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Split(strings.Split(string(text), `"key": "`)[1], `"`)[0]
	f := func(content string, mode os.FileMode, kind seshat.ErrorKind, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "digest.key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadOrCreateKey(path, keyTime)
		if err == nil || seshat.KindOfError(err) != kind || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%.60q: %v, want %q", content, err, want)
		}
		if after, _ := os.ReadFile(path); string(after) != content {
			t.Errorf("%.60q was changed", content)
		}
	}
	f(string(text), 0o640, seshat.ErrorInvalid, "chmod 600")
	f(string(text), 0o604, seshat.ErrorInvalid, "0604")
	f(string(text), 0o620, seshat.ErrorInvalid, "chmod 600")
	f("", 0o600, seshat.ErrorInvalid, "not JSON")
	f("garbage", 0o600, seshat.ErrorInvalid, "not JSON")
	f(string(text[:len(text)/2]), 0o600, seshat.ErrorInvalid, "not JSON")
	f("{}", 0o600, seshat.ErrorInvalid, "digest-key.md")
	f(`{"version":1,"keys":[]}`, 0o600, seshat.ErrorInvalid, "digest-key.md")
	f(`{"version":2,"new":true}`, 0o600, seshat.ErrorUnsupported, "newer version")
	f(strings.Replace(string(text), `"id"`, `"idea"`, 1), 0o600, seshat.ErrorInvalid, "digest-key.md")
	f(strings.Replace(string(text), secret, secret[4:], 1), 0o600, seshat.ErrorInvalid, "Base64")
	f(strings.Replace(string(text), secret, "AAAA"+secret[4:], 1), 0o600, seshat.ErrorInvalid, "damaged")
	f(strings.Replace(string(text), `"created"`, `"retired": "2026-01-02T03:04:05Z", "created"`, 1), 0o600, seshat.ErrorInvalid, "current")

	if _, err := LoadOrCreateKey(t.TempDir(), keyTime); err == nil || !strings.Contains(err.Error(), "not a file") && !strings.Contains(err.Error(), "mode") {
		t.Errorf("a directory: %v", err)
	}
	_, err = LoadOrCreateKey(filepath.Join(t.TempDir(), "missing", "k"), keyTime)
	if !errors.Is(err, os.ErrNotExist) || seshat.KindOfError(err) != seshat.ErrorUnavailable {
		t.Errorf("in a directory that does not exist: %v", err)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	ring := NewKeyring(keyTime)
	key := ring.Current()
	derived := ring.Digester().valueKey
	var parts []string
	for _, secret := range [][]byte{key.secret[:4], derived[:4]} {
		parts = append(parts, fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprintf("%d", secret), "[]"), fmt.Sprintf("%#x, %#x", secret[0], secret[1]))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, value := range []any{key, &key, ring.Keys(), ring, *ring, ring.Digester(), ring.Digester().Hasher()} {
			got := fmt.Sprintf(verb, value)
			for _, part := range parts {
				if strings.Contains(got, part) {
					t.Errorf("%s of %T prints the key", verb, value)
				}
			}
		}
	}
}

func FuzzDecodeKeyring(f *testing.F) {
	text, err := NewKeyring(keyTime).Rotate(keyTime).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version":1,"keys":[{"id":"a","created":"2026-01-02T03:04:05Z","key":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := decodeKeyring(text)
		if err != nil {
			return
		}
		written, err := ring.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeKeyring(written)
		if err != nil || len(again.keys) != len(ring.keys) || again.Current().secret != ring.Current().secret {
			t.Fatalf("written as %s: %v", written, err)
		}
	})
}
