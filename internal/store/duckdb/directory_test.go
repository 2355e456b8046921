//go:build unix

package duckdb_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// TestRights checks that nobody else can read what is stored, also where the directory was there before, with files
// that others could read.
func TestRights(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	check := func(when string) {
		t.Helper()
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %s has the rights %v", when, path, info.Mode().Perm())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	traffic := storetest.NewTraffic(3, 3)
	for _, when := range []string{"new", "again", "there before"} {
		s, err := duckdb.Open(context.Background(), dir, duckdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		check(when + ", opened")
		storetest.Commit(t, s, traffic.Batch(50))
		if _, err := s.Span(context.Background()); err != nil { // which moves it into the tables
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, duckdb.FileName+".wal")); err != nil {
			t.Fatalf("want something written ahead: %v", err)
		}
		check(when + ", written")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		check(when + ", closed")
		if when == "again" { // for the last time around
			for path, rights := range map[string]fs.FileMode{"": 0o755, duckdb.FileName: 0o644, "lock": 0o664, duckdb.TailName: 0o666} {
				if err := os.Chmod(filepath.Join(dir, path), rights); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestSharedDirectory names a directory that is meant for all, such as /tmp: it stays as it is.
func TestSharedDirectory(t *testing.T) {
	dir := t.TempDir()
	const shared = fs.ModeSticky | 0o777
	if err := os.Chmod(dir, shared); err != nil {
		t.Fatal(err)
	}
	_, err := duckdb.Open(context.Background(), dir, duckdb.Options{})
	if seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "shared with others") || !strings.Contains(err.Error(), "--data") {
		t.Errorf("opened: %v; want a refusal with a hint", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode()&(fs.ModeSticky|fs.ModePerm) != shared {
		t.Errorf("its rights are %v now, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("it has %v now, %v", entries, err)
	}
}
