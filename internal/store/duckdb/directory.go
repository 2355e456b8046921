package duckdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Rights of what is in a data directory, and of itself: exchanges tell who did what when.
const (
	directoryRights = fs.FileMode(0o700)
	fileRights      = fs.FileMode(0o600)
	othersRights    = fs.FileMode(0o077)
)

// walSuffix and tempName name what DuckDB makes beside the database.
const (
	walSuffix = ".wal"
	tempName  = "tmp"
)

// makeDirectory creates dir for this user alone, and takes it from others where it is there already.
func makeDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.MkdirAll(dir, directoryRights)
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("not a directory")
	case info.Mode().Perm()&othersRights == 0:
		return nil
	}
	// A directory that is meant for all stays as it is: who names it by mistake must not lock others out.
	if info.Mode()&fs.ModeSticky != 0 || dir == filepath.Dir(dir) {
		return errors.New("it is shared with others, who could read what is stored")
	}
	if err := os.Chmod(dir, info.Mode().Perm()&^othersRights); err != nil {
		return fmt.Errorf("others can read it, and that cannot be changed: %w", err)
	}
	return nil
}

// makePrivate takes a file of the data directory from others; one that is not there is not missed.
func makePrivate(path string) error {
	if err := os.Chmod(path, fileRights); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// makeTemp makes the directory for what does not fit into memory, and takes what a killed process left there.
func makeTemp(dir string) error {
	temp := filepath.Join(dir, tempName)
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	return os.Mkdir(temp, directoryRights)
}
