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
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/instance"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
)

// What is in the data directory, besides the database.
const (
	keyFile = "digest.key"
	// resourcesDir has the files of the embedded NATS server: resources, the denylist, and, where an instance ran, its
	// journal. Whoever starts the server has the lock beside it; see lockResources.
	resourcesDir = "resources"
	spoolDir     = "spool"
)

// lockWait is how long a command waits for another one that has the data directory: looking takes a moment, so two
// commands at once should not fail; an import takes longer, and is said to be in the way.
const lockWait = 3 * time.Second

func (a *app) path(name string) string { return filepath.Join(a.data, name) }

// running returns the instance that has the data directory open, or nil when there is none. One that is starting is
// waited for.
func (a *app) running(ctx context.Context, wait time.Duration) (*client.Client, error) {
	info, err := instance.Find(ctx, a.data, wait)
	if err != nil || info == nil {
		return nil, err
	}
	return client.New(info.URL(), info.Token, a.author().By), nil
}

// openForReading opens what is stored to look at it: through the running instance, where there is one.
func (a *app) openForReading(ctx context.Context) (store.Reader, error) {
	return a.openWithin(ctx, lockWait)
}

func (a *app) openWithin(ctx context.Context, wait time.Duration) (store.Reader, error) {
	if c, err := a.running(ctx, wait); err != nil || c != nil {
		return readerOrNil(c), err
	}
	s, err := a.openLocal(ctx, wait)
	if err == nil {
		return a.withDenials(ctx, s), nil
	}
	// An instance may have been faster. Its lock is the one that was waited for.
	if seshat.KindOfError(err) == seshat.ErrorUnavailable {
		if c, errFind := a.running(ctx, wait); errFind == nil && c != nil {
			return c, nil
		}
	}
	return nil, err
}

func readerOrNil(c *client.Client) store.Reader {
	if c == nil {
		return nil // a nil *client.Client would not be a nil store.Reader
	}
	return c
}

// openLocal opens the store of the data directory, where there is one.
func (a *app) openLocal(ctx context.Context, wait time.Duration) (store.Store, error) {
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
