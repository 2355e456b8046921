// Package memory is the in-memory twin of the key-value store.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
)

// Store is a [kv.Store] in memory.
type Store struct {
	now func() time.Time

	mu       sync.Mutex
	last     kv.Revision
	history  map[string][]kv.Entry // by key, oldest first, at most kv.MaxHistory
	changed  chan struct{}         // closed at the next change
	closed   bool
	watching sync.WaitGroup
}

var (
	_ kv.Store     = (*Store)(nil)
	_ kv.Forgetter = (*Store)(nil)
)

// New returns an empty store that takes the time of its entries from now.
func New(now func() time.Time) *Store {
	return &Store{now: now, history: make(map[string][]kv.Entry), changed: make(chan struct{})}
}

// newest returns the newest entry of key, deletions included. The lock must be held.
func (s *Store) newest(key string) (kv.Entry, bool) {
	entries := s.history[key]
	if len(entries) == 0 {
		return kv.Entry{}, false
	}
	return entries[len(entries)-1], true
}

// Get implements [kv.Store].
func (s *Store) Get(ctx context.Context, key string) (kv.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(ctx, key); err != nil {
		return kv.Entry{}, err
	}
	entry, ok := s.newest(key)
	if !ok || entry.Deleted {
		return kv.Entry{}, kv.ErrNotFound
	}
	return entry, nil
}

func (s *Store) check(ctx context.Context, key string) error {
	if s.closed {
		return kv.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return kv.CheckKey(key)
}

// Put implements [kv.Store].
func (s *Store) Put(ctx context.Context, key string, value []byte, expected kv.Revision) (kv.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(s.check(ctx, key), kv.CheckValue(value)); err != nil {
		return 0, err
	}
	entry, ok := s.newest(key)
	if !ok || entry.Deleted {
		entry.Revision = kv.None
	}
	if expected != kv.Any && expected != entry.Revision {
		return 0, kv.ErrConflict
	}
	return s.write(kv.Entry{Key: key, Value: bytes.Clone(value)}), nil
}

// Delete implements [kv.Store].
func (s *Store) Delete(ctx context.Context, key string, expected kv.Revision) (kv.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(ctx, key); err != nil {
		return 0, err
	}
	entry, ok := s.newest(key)
	if !ok || entry.Deleted {
		return 0, kv.ErrNotFound
	}
	if expected != kv.Any && expected != entry.Revision {
		return 0, kv.ErrConflict
	}
	return s.write(kv.Entry{Key: key, Deleted: true}), nil
}

// write appends entry to the history of its key. The lock must be held.
func (s *Store) write(entry kv.Entry) kv.Revision {
	s.last++
	entry.Revision, entry.Time = s.last, s.now()
	entries := append(s.history[entry.Key], entry)
	if len(entries) > kv.MaxHistory {
		entries = slices.Clone(entries[1:])
	}
	s.history[entry.Key] = entries
	close(s.changed)
	s.changed = make(chan struct{})
	return entry.Revision
}

// List implements [kv.Store].
func (s *Store) List(ctx context.Context, prefix string) ([]kv.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(ctx, "-"+prefix); err != nil {
		return nil, err
	}
	out := s.since(prefix, 0)
	out = slices.DeleteFunc(out, func(e kv.Entry) bool { return e.Deleted })
	slices.SortFunc(out, func(a, b kv.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// since returns the newest entries under prefix that are newer than revision, in the order of their revisions. The
// lock must be held.
func (s *Store) since(prefix string, revision kv.Revision) []kv.Entry {
	var out []kv.Entry
	for key := range s.history {
		if entry, _ := s.newest(key); entry.Revision > revision && strings.HasPrefix(key, prefix) {
			out = append(out, entry)
		}
	}
	slices.SortFunc(out, func(a, b kv.Entry) int { return cmp.Compare(a.Revision, b.Revision) })
	return out
}

// History implements [kv.Store].
func (s *Store) History(ctx context.Context, key string) ([]kv.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(ctx, key); err != nil {
		return nil, err
	}
	if len(s.history[key]) == 0 {
		return nil, kv.ErrNotFound
	}
	return slices.Clone(s.history[key]), nil
}

// Watch implements [kv.Store].
func (s *Store) Watch(ctx context.Context, prefix string) (<-chan kv.Update, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(ctx, "-"+prefix); err != nil {
		return nil, err
	}
	initial := slices.DeleteFunc(s.since(prefix, 0), func(e kv.Entry) bool { return e.Deleted })
	updates := make(chan kv.Update)
	s.watching.Add(1)
	go s.follow(ctx, prefix, initial, s.last, updates)
	return updates, nil
}

// follow delivers the initial entries, and then whatever is newer than seen, until ctx is done or the store closed.
// It keeps no queue: what was replaced before it was delivered is skipped.
func (s *Store) follow(ctx context.Context, prefix string, initial []kv.Entry, seen kv.Revision, updates chan<- kv.Update) {
	defer s.watching.Done()
	defer close(updates)
	pending := make([]kv.Update, 0, len(initial)+1)
	for _, entry := range initial {
		pending = append(pending, kv.Update{Entry: entry})
	}
	pending = append(pending, kv.Update{Ready: true})
	for {
		s.mu.Lock()
		changed, closed := s.changed, s.closed
		if len(pending) == 0 {
			for _, entry := range s.since(prefix, seen) {
				pending = append(pending, kv.Update{Entry: entry})
			}
			seen = s.last
		}
		s.mu.Unlock()
		if closed {
			return
		}
		if len(pending) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			continue
		}
		select {
		case updates <- pending[0]:
			pending = pending[1:]
		case <-ctx.Done():
			return
		case <-changed:
			// Look again whether the store was closed; what is pending is still to be delivered.
		}
	}
}

// Forget implements [kv.Forgetter].
func (s *Store) Forget(ctx context.Context, age time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(ctx, "-"); err != nil {
		return err
	}
	before := s.now().Add(-age)
	for key := range s.history {
		if entry, _ := s.newest(key); entry.Deleted && !entry.Time.After(before) {
			delete(s.history, key)
		}
	}
	return nil
}

// Close implements [kv.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.changed)
		s.changed = make(chan struct{})
	}
	s.mu.Unlock()
	s.watching.Wait()
	return nil
}
