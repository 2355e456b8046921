// Package kv is the contract of the store that holds declared configuration: small values under keys, with
// revisions, history, and a watch through which every process sees changes. Its suite, which every implementation
// passes, is package kvtest; package memory is the twin for tests and for commands that keep nothing.
package kv

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits of the contract.
const (
	// MaxKey is how many bytes a key may have. Encoded for NATS it may triple, and must stay a short subject.
	MaxKey = 256
	// MaxValue is how many bytes a value may have: 1 MiB, NATS's default for a message, less 4 KiB for its headers.
	MaxValue = 1<<20 - 4<<10
	// MaxHistory is how many entries of a key are kept, deletions included: the most that NATS keeps.
	MaxHistory = 64
)

// Revision numbers the writes of a store, upwards, over all its keys.
type Revision uint64

// What a write expects to find, besides the revision of the entry.
const (
	// None expects that there is no entry, or that it was deleted.
	None Revision = 0
	// Any expects nothing.
	Any Revision = 1<<64 - 1
)

// The errors that callers tell apart. They may be wrapped.
var (
	// ErrNotFound is returned when there is no entry under a key.
	ErrNotFound = errors.New("no such key")
	// ErrConflict is returned when an entry does not have the revision that a write expected.
	ErrConflict = errors.New("the value has changed meanwhile")
	// ErrTooLarge is returned for a key or value beyond its limit.
	ErrTooLarge = errors.New("too large")
	// ErrBadKey is returned for a key that is empty or not UTF-8.
	ErrBadKey = errors.New("not a key")
	// ErrClosed is returned once the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// Entry is one value of a key. Its Value must not be changed.
type Entry struct {
	Key      string
	Value    []byte // nil for a deletion
	Revision Revision
	Time     time.Time // when it was written, by the clock of the store
	Deleted  bool
}

// Update is what a watch delivers. The first updates are the entries that there were when it began, in any order;
// then comes one with Ready set and no entry; then the changes, in the order of their revisions.
type Update struct {
	Entry
	Ready bool
}

// Store is a key-value store. All methods may be called at the same time. Keys are texts of at most MaxKey bytes;
// values are copied.
type Store interface {
	// Get returns the newest entry of key, or ErrNotFound when there is none or it was deleted.
	Get(ctx context.Context, key string) (Entry, error)
	// Put writes value if the entry of key is the expected one, and returns its revision; else ErrConflict.
	Put(ctx context.Context, key string, value []byte, expected Revision) (Revision, error)
	// Delete deletes the entry of key if it is the expected one. Its history stays. ErrNotFound when there is none.
	Delete(ctx context.Context, key string, expected Revision) (Revision, error)
	// List returns the newest entries of the keys that begin with prefix, without deleted ones, ordered by key.
	List(ctx context.Context, prefix string) ([]Entry, error)
	// History returns the last MaxHistory entries of key, deletions included, oldest first; ErrNotFound when there
	// never was one.
	History(ctx context.Context, key string) ([]Entry, error)
	// Watch delivers the entries of the keys that begin with prefix, and their changes, until ctx is done or the
	// store is closed; then the channel is closed. A slow reader may miss values of a key that were replaced, but
	// never the last one.
	Watch(ctx context.Context, prefix string) (<-chan Update, error)
	// Close ends all watches and frees what the store holds. Using it afterwards is ErrClosed.
	Close() error
}

// Forgetter is a store that can remove the traces of deletions. A store whose keys come and go needs that: each deleted key
// leaves an entry behind.
type Forgetter interface {
	// Forget removes what is left of the keys that were deleted at least age ago, with their history. Watches that begin
	// later do not see that there was anything; those that go on have seen it.
	Forget(ctx context.Context, age time.Duration) error
}

// CheckKey returns ErrBadKey or ErrTooLarge for a key outside the contract.
func CheckKey(key string) error {
	if key == "" || !utf8.ValidString(key) {
		return fmt.Errorf("%w: %q", ErrBadKey, key)
	}
	if len(key) > MaxKey {
		return fmt.Errorf("%w: a key of %d bytes; at most %d are allowed", ErrTooLarge, len(key), MaxKey)
	}
	return nil
}

// CheckValue returns ErrTooLarge for a value outside the contract.
func CheckValue(value []byte) error {
	if len(value) > MaxValue {
		return fmt.Errorf("%w: a value of %d bytes; at most %d are allowed", ErrTooLarge, len(value), MaxValue)
	}
	return nil
}
