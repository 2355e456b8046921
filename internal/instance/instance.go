// Package instance lets commands find the process that has a data directory open.
//
// The process that runs holds a lock for as long as it lives, which the system takes back however it ends, and writes
// down how to reach it. What is written counts only while the lock is held: a file that was left behind means nothing.
package instance

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/seshat-project/seshat"
)

// The files of an instance in its data directory.
const (
	FileName     = "instance.json"
	lockFileName = "instance.lock"
)

const (
	fileRights = 0o600 // the token in it is all that the API asks for
	// maxFile is how many bytes of the file are read: it has some hundred.
	maxFile = 16 << 10
	// tokenBytes is how many random bytes a token has: as hard to guess as a key of AES-256.
	tokenBytes = 32
	// lockRetry is how often a lock that another process has is tried again.
	lockRetry = 20 * time.Millisecond
)

// Info is what a running instance says of itself.
type Info struct {
	PID     int    `json:"pid"`     // of this process when it is 0
	Address string `json:"address"` // host and port of the API
	Token   string `json:"token"`   // a secret: it is everything that the API asks for
	// Console is where browsers reach the console, where that is not the address.
	Console string    `json:"console,omitempty"`
	Started time.Time `json:"started"`
	Version string    `json:"version"`
}

// Format implements [fmt.Formatter]: the token is not printed by accident.
func (i Info) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "instance %d at %s", i.PID, i.Address)
}

// URL is where the API is, without a slash at its end.
func (i *Info) URL() string { return "http://" + i.Address }

// NewToken returns a random token.
func NewToken() string {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// Claim is a data directory that this process has for itself, as its only instance.
type Claim struct {
	dir  string
	lock *flock.Flock
}

// Acquire claims the directory, which must exist. It waits until another instance that is about to end has ended, for
// as long as wait; then it fails with an error of kind [seshat.ErrorUnavailable]. Commands that find a claimed
// directory wait for [Claim.Announce], so that nothing else may open what the instance opens meanwhile.
func Acquire(ctx context.Context, dir string, wait time.Duration) (*Claim, error) {
	op := "run in data directory " + dir
	lock := flock.New(filepath.Join(dir, lockFileName), flock.SetPermissions(fileRights))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	locked, err := lock.TryLock()
	if err == nil && !locked && wait > 0 {
		waiting, stop := context.WithTimeout(ctx, wait)
		defer stop()
		locked, err = lock.TryLockContext(waiting, lockRetry)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded), err == nil && !locked:
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: fmt.Errorf("%s runs there already", holder(dir)),
			Hint: "stop it, or use another directory with --data",
		}
	case err != nil:
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: fmt.Errorf("lock it: %w", err)}
	}
	// What an instance that was killed has left says where nobody listens any more.
	if err := os.Remove(filepath.Join(dir, FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(&seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err}, lock.Unlock())
	}
	return &Claim{dir: dir, lock: lock}, nil
}

func holder(dir string) string {
	if info, err := read(dir); err == nil {
		return fmt.Sprintf("process %d", info.PID)
	}
	return "another process"
}

// Announce says how the instance is reached, once it is. The address of one that listens everywhere is taken as that
// of this machine. It may be called again when something has changed.
func (c *Claim) Announce(info Info) error {
	op := "announce the instance in " + c.dir
	info.Address = reachable(info.Address)
	if info.PID == 0 {
		info.PID = os.Getpid()
	}
	text, err := json.MarshalIndent(&info, "", "  ")
	if err != nil {
		return &seshat.Error{Op: op, Err: err}
	}
	// Written beside it and moved, so that nobody reads half of it. CreateTemp gives it to its owner alone.
	file, err := os.CreateTemp(c.dir, FileName+".*")
	if err != nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err}
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Chmod(fileRights), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(c.dir, FileName))
	}
	if err != nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: errors.Join(err, os.Remove(file.Name()))}
	}
	return nil
}

// reachable is the address that a listener at address is reached by from this machine.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "":
		return net.JoinHostPort("127.0.0.1", port)
	case err != nil || !ip.IsUnspecified():
		return address
	case ip.Is4():
		return net.JoinHostPort("127.0.0.1", port)
	default:
		return net.JoinHostPort("::1", port)
	}
}

// Release takes back what was announced and lets others have the directory.
func (c *Claim) Release() error {
	err := os.Remove(filepath.Join(c.dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, c.lock.Unlock())
}
