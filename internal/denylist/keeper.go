package denylist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

const (
	// prefix begins the keys of entries.
	prefix = "denial/"
	// formatVersion is the version of an entry as it is stored; see docs/formats/denylist.md.
	formatVersion = 1
	// DefaultMax is how many entries there may be. Each gateway holds them all, in some 50 MB; more than this many
	// single sessions are better denied by "issued before".
	DefaultMax = 100_000
	// maxAttempts is how often an entry is written anew when others write it at the same time.
	maxAttempts = 16
	// keepExpired is how long an entry is kept after it has ended: clocks differ.
	keepExpired = time.Minute
	// keepPast is how long it is known who took an entry back: as long as somebody may ask what happened in a session.
	keepPast = 90 * 24 * time.Hour
	// sweepInterval is how often a process that watches removes entries that have ended.
	sweepInterval = 10 * time.Minute
)

// Keeper keeps the denylist in a key-value store. Its methods may be called at the same time.
type Keeper struct {
	store kv.Store
	now   func() time.Time
	max   int

	mu   sync.Mutex
	room int // how many entries may be added before they are counted again
}

// NewKeeper returns the keeper of the list in store. Now is the clock.
func NewKeeper(store kv.Store, now func() time.Time) *Keeper {
	return &Keeper{store: store, now: now, max: DefaultMax}
}

// stored is an entry as it is stored.
type stored struct {
	Version int `json:"version"`
	seshat.Denial
}

// Add puts an entry on the list, and returns it as it is kept; see [Check]. Under a name that somebody chose it takes the
// place of the one there is. Without a name it denies at least what was denied already: see [widen].
func (k *Keeper) Add(ctx context.Context, d seshat.Denial) (seshat.Denial, error) {
	derived := d.Name == ""
	if err := Check(&d, k.now()); err != nil {
		return d, err
	}
	if err := k.makeRoom(ctx, d.Name); err != nil {
		return d, err
	}
	for range maxAttempts {
		kept, expected, err := d, kv.Any, error(nil)
		if derived {
			if expected, err = k.widenStored(ctx, &kept); err != nil {
				return d, err
			}
		}
		value, err := json.Marshal(stored{formatVersion, kept})
		if err != nil {
			return d, fmt.Errorf("encode the denial %s: %w", d.Name, err)
		}
		switch _, err := k.store.Put(ctx, prefix+d.Name, value, expected); {
		case err == nil:
			return kept, nil
		case !errors.Is(err, kv.ErrConflict):
			return d, storeError("store the denial "+d.Name, err)
		}
	}
	return d, othersChange(d.Name)
}

// widenStored widens an entry by the one under its name, and returns the revision that is to be replaced.
func (k *Keeper) widenStored(ctx context.Context, d *seshat.Denial) (kv.Revision, error) {
	entry, err := k.store.Get(ctx, prefix+d.Name)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return kv.None, nil
	case err != nil:
		return 0, storeError("read the denial "+d.Name, err)
	}
	// One that cannot be read denies nothing.
	if before, err := decode(entry); err == nil && !before.Expired(k.now()) {
		widen(d, &before)
	}
	return entry.Revision, nil
}

// makeRoom sees to it that one more entry does not make the list too long. Counting reads the whole list, and is done once
// for as many entries as there was room for; several processes that add at once may together go over by as many.
func (k *Keeper) makeRoom(ctx context.Context, name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.room > 0 {
		k.room--
		return nil
	}
	if _, err := k.store.Get(ctx, prefix+name); err == nil {
		return nil // it takes the place of one
	} else if !errors.Is(err, kv.ErrNotFound) {
		return storeError("read the denylist", err)
	}
	list, err := k.sweep(ctx)
	if err != nil {
		return err
	}
	// A quarter of the room at a time: there may be others who add.
	if k.room = (k.max - list + 3) / 4; k.room <= 0 {
		k.room = 0
		return &seshat.Error{
			Kind: seshat.ErrorConflict, Op: "deny", Hint: "remove entries, or deny by user or issued-before instead of one by one",
			Err: fmt.Errorf("%w: it has %d entries", errFull, list),
		}
	}
	k.room--
	return nil
}

// Remove takes an entry off the list in the name of somebody, which [Keeper.Past] tells. The error is of kind
// [seshat.ErrorNotFound] when there is none of that name.
func (k *Keeper) Remove(ctx context.Context, name, by string) error {
	op := "remove the denial " + name
	for range maxAttempts {
		entry, err := k.store.Get(ctx, prefix+name)
		if err != nil {
			return k.found(err, op)
		}
		revision := entry.Revision
		// What cannot be read is only deleted.
		if d, err := decode(entry); err == nil && d.TakenBackAt.IsZero() {
			d.TakenBackBy, d.TakenBackAt = by, k.now().UTC().Truncate(time.Microsecond)
			value, err := json.Marshal(stored{formatVersion, d})
			if err != nil {
				return fmt.Errorf("encode the denial %s: %w", name, err)
			}
			revision, err = k.store.Put(ctx, prefix+name, value, revision)
			if errors.Is(err, kv.ErrConflict) {
				continue
			}
			if err != nil {
				return k.found(err, op)
			}
		}
		if _, err = k.store.Delete(ctx, prefix+name, revision); !errors.Is(err, kv.ErrConflict) {
			return k.found(err, op)
		}
	}
	return othersChange(name)
}

func othersChange(name string) error {
	return &seshat.Error{Kind: seshat.ErrorConflict, Op: "deny", Err: fmt.Errorf("others change the denial %s all the time", name), Hint: "try again"}
}

// Get returns the entry of a name, also when it has ended. The error is of kind [seshat.ErrorNotFound] when there is none.
func (k *Keeper) Get(ctx context.Context, name string) (seshat.Denial, error) {
	entry, err := k.store.Get(ctx, prefix+name)
	if err = k.found(err, "read the denial "+name); err != nil {
		return seshat.Denial{}, err
	}
	return decode(entry)
}

func (k *Keeper) found(err error, op string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kv.ErrNotFound), errors.Is(err, kv.ErrBadKey), errors.Is(err, kv.ErrTooLarge):
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such entry on the denylist"), Hint: "seshat denylist lists them"}
	default:
		return storeError(op, err)
	}
}

// storeError says of a store that does not answer what to do.
func storeError(op string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: errors.New("the store of the denylist did not answer in time"),
			Hint: "it may be done all the same: look with seshat denylist, and at the store with seshat status",
		}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// List returns the entries that are in force, by name. Entries that cannot be read are left out; the error, which is
// returned together with the others, says which.
func (k *Keeper) List(ctx context.Context) ([]seshat.Denial, error) {
	entries, err := k.store.List(ctx, prefix)
	if err != nil {
		return nil, storeError("read the denylist", err)
	}
	now := k.now()
	var faults []error
	out := make([]seshat.Denial, 0, len(entries))
	for _, entry := range entries {
		d, err := decode(entry)
		switch {
		case err != nil:
			faults = append(faults, err)
		case !d.Expired(now):
			out = append(out, d)
		}
	}
	return out, errors.Join(faults...)
}

// Sweep removes the entries that have ended, and returns how many.
func (k *Keeper) Sweep(ctx context.Context) (removed int, err error) {
	before, err := k.store.List(ctx, prefix)
	if err != nil {
		return 0, storeError("read the denylist", err)
	}
	left, err := k.sweepEntries(ctx, before)
	if f, ok := k.store.(kv.Forgetter); ok && err == nil {
		err = f.Forget(ctx, keepPast)
	}
	return len(before) - left, err
}

func (k *Keeper) sweep(ctx context.Context) (left int, err error) {
	entries, err := k.store.List(ctx, prefix)
	if err != nil {
		return 0, storeError("read the denylist", err)
	}
	return k.sweepEntries(ctx, entries)
}

func (k *Keeper) sweepEntries(ctx context.Context, entries []kv.Entry) (left int, err error) {
	now := k.now().Add(-keepExpired)
	left = len(entries)
	for _, entry := range entries {
		d, err := decode(entry)
		if err != nil || !d.Expired(now) {
			continue // what cannot be read is for a person to look at
		}
		// Another process may be sweeping, or somebody may have denied it anew.
		_, err = k.store.Delete(ctx, entry.Key, entry.Revision)
		if err != nil && !errors.Is(err, kv.ErrNotFound) && !errors.Is(err, kv.ErrConflict) {
			return left, fmt.Errorf("remove the denial %s, which has ended: %w", d.Name, err)
		}
		left--
	}
	return left, nil
}

// decode reads an entry as it is stored.
func decode(entry kv.Entry) (seshat.Denial, error) {
	var s stored
	if err := json.Unmarshal(entry.Value, &s); err != nil {
		return seshat.Denial{}, fmt.Errorf("the denial under %q cannot be read: %w", entry.Key, err)
	}
	if s.Version != formatVersion {
		return seshat.Denial{}, fmt.Errorf("the denial under %q cannot be read: its format has version %d, not %d", entry.Key, s.Version, formatVersion)
	}
	if prefix+s.Name != entry.Key {
		return seshat.Denial{}, fmt.Errorf("the denial under %q cannot be read: it is called %q", entry.Key, s.Name)
	}
	if err := checkSubject(&s.Denial); err != nil {
		return seshat.Denial{}, fmt.Errorf("the denial under %q cannot be used: %w", entry.Key, err)
	}
	return s.Denial, nil
}
