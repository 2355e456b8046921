package protect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/seshat-project/seshat"
)

const (
	keyFileMode = 0o600
	// keyFileOthers are the permissions that a key file must not give: any to group and others.
	keyFileOthers = 0o077
	// maxKeyFile is how large a key file may be; a key takes 150 bytes.
	maxKeyFile = 1 << 20
)

// LoadKey reads the key file at path. A file that others than its owner can read or write is refused, with an error
// that says what to do: a key that others know protects nothing.
func LoadKey(path string) (*Keyring, error) {
	fail := func(kind seshat.ErrorKind, hint string, err error) (*Keyring, error) {
		return nil, &seshat.Error{Kind: kind, Op: "read digest key " + path, Hint: hint, Err: err}
	}
	file, err := os.Open(path) //nolint:gosec // the path is the operator's
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fail(seshat.ErrorNotFound, "", err)
		}
		return fail(seshat.ErrorUnavailable, "", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return fail(seshat.ErrorUnavailable, "", err)
	case !info.Mode().IsRegular():
		return fail(seshat.ErrorInvalid, "", errors.New("it is not a file"))
	case runtime.GOOS != "windows" && info.Mode().Perm()&keyFileOthers != 0: // Windows has no such permissions
		return fail(seshat.ErrorInvalid, "chmod 600 "+path,
			fmt.Errorf("its mode %04o lets others than its owner use it", info.Mode().Perm()))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return fail(seshat.ErrorUnavailable, "", err)
	}
	ring, err := decodeKeyring(text)
	switch {
	case errors.Is(err, errNewerFormat):
		return fail(seshat.ErrorUnsupported, "use the version of Seshat that made it, or a newer one", err)
	case err != nil:
		return fail(seshat.ErrorInvalid, "restore the file from a backup; a new key would make all sessions start anew", err)
	}
	return ring, nil
}

// LoadOrCreateKey reads the key file at path or, if there is none, makes one with a new random key, created at now.
// Of several processes that do so at once, one makes the file and all read it.
func LoadOrCreateKey(path string, now time.Time) (*Keyring, error) {
	ring, err := LoadKey(path)
	if seshat.KindOfError(err) != seshat.ErrorNotFound || err == nil {
		return ring, err
	}
	ring = NewKeyring(now)
	// A link fails if there is something at path already, where a rename would replace it.
	switch err = writeKeyFile(path, ring, os.Link); {
	case errors.Is(err, fs.ErrExist):
		return LoadKey(path)
	case err != nil:
		return nil, err
	}
	return ring, nil
}

// RotateKey puts a new current key into the key file at path, created at now, and keeps the others. Processes that
// have read the file go on with the old key until they read it again.
func RotateKey(path string, now time.Time) (*Keyring, error) {
	return changeKeyFile(path, func(ring *Keyring) (*Keyring, error) { return ring.Rotate(now), nil })
}

// RemoveKey removes the key called id from the key file at path. The current key cannot be removed.
func RemoveKey(path, id string) (*Keyring, error) {
	return changeKeyFile(path, func(ring *Keyring) (*Keyring, error) { return ring.Remove(id) })
}

func changeKeyFile(path string, change func(*Keyring) (*Keyring, error)) (*Keyring, error) {
	ring, err := LoadKey(path)
	if err != nil {
		return nil, err
	}
	if ring, err = change(ring); err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // replace the file, not the link to it
	}
	if err = writeKeyFile(path, ring, os.Rename); err != nil {
		return nil, err
	}
	return ring, nil
}

// writeKeyFile writes a whole file beside path and then puts it in place, so that there is a good file at path at any
// time, also after a crash.
func writeKeyFile(path string, ring *Keyring, place func(from, to string) error) (err error) {
	defer func() {
		if err != nil {
			err = &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "write digest key " + path, Err: err}
		}
	}()
	text, err := ring.encode()
	if err != nil {
		return err
	}
	directory := filepath.Dir(path)
	file, err := os.CreateTemp(directory, ".digest-key-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(keyFileMode), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err = place(file.Name(), path); err != nil {
		return err
	}
	return syncDirectory(directory)
}

// syncDirectory makes the name of a new file survive a power loss.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" { // where directories cannot be synced, and names are journalled
		return nil
	}
	directory, err := os.Open(path) //nolint:gosec // see LoadKey
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
