package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
)

// What is in the data directory, besides the database.
const (
	keyFile      = "digest.key"
	resourcesDir = "resources"
	spoolDir     = "spool"
)

// lockWait is how long a command waits for another one that has the data directory: looking takes a moment, so two
// commands at once should not fail; an import takes longer, and is said to be in the way.
const lockWait = 3 * time.Second

func (a *app) path(name string) string { return filepath.Join(a.data, name) }

// openForReading opens the store to look at what is in it.
func (a *app) openForReading(ctx context.Context) (store.Store, error) {
	return a.openWithin(ctx, lockWait)
}

func (a *app) openWithin(ctx context.Context, wait time.Duration) (store.Store, error) {
	if _, err := os.Stat(a.path(duckdb.FileName)); errors.Is(err, fs.ErrNotExist) {
		return nil, &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: "open data directory " + a.data, Err: errors.New("nothing was imported yet"),
			Hint: "import something with: seshat import FILE",
		}
	}
	return a.openStore(ctx, duckdb.Options{LockWait: wait})
}

func (a *app) openStore(ctx context.Context, options duckdb.Options) (store.Store, error) {
	s, err := duckdb.Open(ctx, a.data, options)
	if err != nil {
		return nil, err // a nil *duckdb.Store would not be a nil store.Store
	}
	return s, nil
}

// closeRead closes a store that was only read. It gave its answer already: that it cannot tidy up behind itself, on a
// full disk for example, is said but makes no command fail.
func (a *app) closeRead(s io.Closer) {
	if err := s.Close(); err != nil {
		a.complain("warning: " + err.Error())
	}
}

// closing closes c, which a command is done with, and adds its error to the command's.
func closing(c io.Closer, err *error) { *err = errors.Join(*err, c.Close()) }
