package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/seshat-project/seshat"
)

// lockFile is locked by the process that has the data directory, and names it. DuckDB has a lock of its own, which
// says less, and which a second reader would not get either while there is a writer.
const lockFile = "lock"

// lockRetry is how often a waiting process looks again.
const lockRetry = 50 * time.Millisecond

// maxHolder is how many bytes of the lock file are shown.
const maxHolder = 200

func lockDirectory(ctx context.Context, dir string, wait time.Duration) (*flock.Flock, error) {
	path := filepath.Join(dir, lockFile)
	lock := flock.New(path, flock.SetPermissions(fileRights))
	locked, err := lock.TryLock()
	if err == nil && !locked && wait > 0 {
		waiting, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		locked, err = lock.TryLockContext(waiting, lockRetry)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			err = nil
		}
	}
	op := "open data directory " + dir
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: fmt.Errorf("lock it: %w", err)}
	}
	if !locked {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: fmt.Errorf("in use by %s", holder(path)),
			Hint: "wait until it is done or stop it, or use another directory with --data",
		}
	}
	if err := errors.Join(os.WriteFile(path, []byte(self()), fileRights), makePrivate(path)); err != nil {
		return nil, errors.Join(&seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: fmt.Errorf("write the lock: %w", err), Hint: hintFull(err),
		}, lock.Unlock())
	}
	return lock, nil
}

// self is what the lock file says of this process. Secrets never come on a command line.
func self() string {
	command := append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...)
	return fmt.Sprintf("process %d: %s\n", os.Getpid(), strings.Join(command, " "))
}

// holder is what the lock file says of the process that has it.
func holder(path string) string {
	content, err := os.ReadFile(path) //nolint:gosec // the path is ours
	text := strings.ToValidUTF8(strings.TrimSpace(string(content)), "")
	if err != nil || text == "" {
		return "another process"
	}
	if len(text) > maxHolder {
		text = strings.ToValidUTF8(text[:maxHolder], "") + " …"
	}
	return text
}
