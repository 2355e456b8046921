package instance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/seshat-project/seshat"
)

// Find returns the instance that runs in the data directory dir, or nil when none does. One that is just starting is
// waited for, for as long as wait. What it says of itself is believed only when it is a file of this user that nobody
// else can read: a token or an address that somebody else put there would lead to them.
func Find(ctx context.Context, dir string, wait time.Duration) (*Info, error) {
	waiting, stop := context.WithTimeout(ctx, wait)
	defer stop()
	for {
		held, err := claimed(dir)
		if err != nil || !held {
			return nil, err
		}
		info, err := read(dir)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return info, err
		}
		select {
		case <-waiting.Done():
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return nil, &seshat.Error{
				Kind: seshat.ErrorUnavailable, Op: "find the instance of " + dir,
				Err: errors.New("it is starting or stopping"), Hint: "try again in a moment",
			}
		case <-time.After(lockRetry):
		}
	}
}

// claimed reports whether a process has the directory claimed.
func claimed(dir string) (bool, error) {
	path := filepath.Join(dir, lockFileName)
	if _, err := os.Lstat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil // there never was one; looking makes no file
		}
		return false, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "find the instance of " + dir, Err: err}
	}
	lock := flock.New(path, flock.SetPermissions(fileRights))
	// Shared, so that those who only look do not stand in each other's way.
	free, err := lock.TryRLock()
	switch {
	case errors.Is(err, fs.ErrPermission):
		return false, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "find the instance of " + dir, Err: err,
			Hint: "run the command as the user that the data directory belongs to",
		}
	case err != nil:
		return false, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "find the instance of " + dir, Err: err}
	case free:
		return false, lock.Unlock()
	default:
		return true, nil
	}
}

// read reads the file of an instance. The error is [fs.ErrNotExist] when there is none.
func read(dir string) (*Info, error) {
	path := filepath.Join(dir, FileName)
	op := "read " + path
	file, err := os.Open(path) //nolint:gosec // a file of the data directory
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: errors.Unwrap(err),
			Hint: "run the command as the user that the instance runs as",
		}
	}
	defer func() { _ = file.Close() }() // it was only read
	status, err := file.Stat()
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err}
	}
	if err := trust(op, status); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err}
	}
	var info Info
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&info); err != nil || info.Address == "" || info.Token == "" {
		return nil, &seshat.Error{ // the error of the decoder might quote the token
			Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("it does not say how the instance is reached"),
			Hint: "stop the instance and start it again",
		}
	}
	return &info, nil
}

// trust returns an error unless the file is one of this user's that only this user can use.
func trust(op string, status fs.FileInfo) error {
	if !status.Mode().IsRegular() {
		return &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("it is no regular file")}
	}
	if owner, known := ownerOf(status); known && owner != os.Geteuid() {
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: op, Err: fmt.Errorf("it belongs to another user (uid %d), and is not trusted", owner),
			Hint: "run the command as that user",
		}
	}
	if rights := status.Mode().Perm(); hasRights && rights&0o077 != 0 {
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: op, Err: fmt.Errorf("others may use it (mode %04o), and it is not trusted", rights),
			Hint: "somebody may know its token: stop the instance and start it again",
		}
	}
	return nil
}
