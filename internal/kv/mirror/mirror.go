// Package mirror keeps in memory what a key-value store has under a prefix: reading costs nothing, what this process
// writes shows at once, and what others write as soon as the watch tells of it.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seshat-project/seshat/internal/kv"
)

// Codec turns values into what is stored, and back. What Decode returns must not be changed by anybody.
type Codec[T any] struct {
	Encode func(T) ([]byte, error)
	Decode func(kv.Entry) (T, error)
}

// Item is a value with its revision.
type Item[T any] struct {
	Value    T
	Revision kv.Revision
}

// Mirror is the copy of what is under one prefix. Its methods may be called at the same time.
type Mirror[T any] struct {
	store   kv.Store
	prefix  string
	codec   Codec[T]
	changed func(key string, before, after *Item[T])

	mu    sync.RWMutex
	items map[string]Item[T]
	// gone are the revisions of deletions that the watch has not told of yet: what it still tells from before them does
	// not bring the key back.
	gone map[string]kv.Revision
	// told is the newest revision that the watch has told of.
	told   kv.Revision
	faults map[string]error // of entries that cannot be read, by key
	broken error

	stop context.CancelFunc
	done chan struct{}
}

// ErrBroken is returned when the store does not tell of changes any more: what was revoked elsewhere would not be known.
var ErrBroken = errors.New("the store does not tell of changes any more")

// Open reads what is under prefix and follows it until Close. Changed is told of every change, if it is not nil; it is
// called under the lock and must not use the mirror.
func Open[T any](ctx context.Context, store kv.Store, prefix string, codec Codec[T], changed func(key string, before, after *Item[T])) (*Mirror[T], error) {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	updates, err := store.Watch(watching, prefix)
	if err != nil {
		stop()
		return nil, fmt.Errorf("watch %s: %w", prefix, err)
	}
	m := &Mirror[T]{
		store: store, prefix: prefix, codec: codec, changed: changed, items: map[string]Item[T]{}, gone: map[string]kv.Revision{},
		faults: map[string]error{}, stop: stop, done: make(chan struct{}),
	}
	for {
		select {
		case update, open := <-updates:
			if !open {
				stop()
				return nil, fmt.Errorf("watch %s: %w", prefix, ErrBroken)
			}
			if !update.Ready {
				m.apply(update.Entry, true)
				continue
			}
		case <-ctx.Done():
			stop()
			return nil, fmt.Errorf("read %s: %w", prefix, ctx.Err())
		}
		break
	}
	go m.follow(watching, updates)
	return m, nil
}

func (m *Mirror[T]) follow(ctx context.Context, updates <-chan kv.Update) {
	defer close(m.done)
	for {
		select {
		case update, open := <-updates:
			if !open {
				m.mu.Lock()
				m.broken = ErrBroken
				m.mu.Unlock()
				return
			}
			if !update.Ready {
				m.apply(update.Entry, true)
			}
		case <-ctx.Done():
			return
		}
	}
}

// apply takes an entry over, unless a newer one of its key is there already.
func (m *Mirror[T]) apply(entry kv.Entry, told bool) {
	key := strings.TrimPrefix(entry.Key, m.prefix)
	m.mu.Lock()
	defer m.mu.Unlock()
	if told {
		m.told = max(m.told, entry.Revision)
	} else if entry.Revision <= m.told { // the watch, which keeps their order, was faster: it has told this, or what came after
		return
	}
	deleted := m.gone[key]
	if told && deleted != 0 && entry.Revision >= deleted {
		delete(m.gone, key)
	}
	before, had := m.items[key]
	if entry.Revision <= before.Revision || entry.Revision < deleted {
		return
	}
	delete(m.faults, key)
	if entry.Deleted {
		if !told {
			m.gone[key] = entry.Revision
		}
		m.replace(key, before, had, nil)
		return
	}
	value, err := m.codec.Decode(entry)
	if err != nil { // what cannot be read is not there, rather than what was there before
		m.faults[key] = fmt.Errorf("%s cannot be read: %w", entry.Key, err)
		m.replace(key, before, had, nil)
		return
	}
	m.replace(key, before, had, &Item[T]{value, entry.Revision})
}

func (m *Mirror[T]) replace(key string, before Item[T], had bool, after *Item[T]) {
	if after == nil {
		delete(m.items, key)
	} else {
		m.items[key] = *after
	}
	if m.changed == nil || !had && after == nil {
		return
	}
	if had {
		m.changed(key, &before, after)
	} else {
		m.changed(key, nil, after)
	}
}

// Get returns the value of key, which is without the prefix.
func (m *Mirror[T]) Get(key string) (Item[T], bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	item, ok := m.items[key]
	return item, ok
}

// Len is how many values there are.
func (m *Mirror[T]) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.items)
}

// Each calls f with every value, in no order, until it returns false. It must not use the mirror.
func (m *Mirror[T]) Each(f func(key string, item Item[T]) bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for key, item := range m.items {
		if !f(key, item) {
			return
		}
	}
}

// Err is ErrBroken when changes of others are not seen any more.
func (m *Mirror[T]) Err() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.broken
}

// Faults are the entries that cannot be read.
func (m *Mirror[T]) Faults() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []error
	for _, err := range m.faults {
		out = append(out, err)
	}
	return errors.Join(out...)
}

// Put writes a value if the entry of its key is the expected one; else the error is [kv.ErrConflict]. It is there when Put
// returns.
func (m *Mirror[T]) Put(ctx context.Context, key string, value T, expected kv.Revision) (kv.Revision, error) {
	text, err := m.codec.Encode(value)
	if err != nil {
		return 0, fmt.Errorf("encode %s%s: %w", m.prefix, key, err)
	}
	revision, err := m.store.Put(ctx, m.prefix+key, text, expected)
	if err != nil {
		return 0, err
	}
	m.apply(kv.Entry{Key: m.prefix + key, Value: text, Revision: revision}, false)
	return revision, nil
}

// Delete deletes a value if it has the expected revision. [kv.ErrNotFound] when there is none. It is gone when Delete
// returns.
func (m *Mirror[T]) Delete(ctx context.Context, key string, expected kv.Revision) error {
	revision, err := m.store.Delete(ctx, m.prefix+key, expected)
	if err != nil {
		return err
	}
	m.apply(kv.Entry{Key: m.prefix + key, Revision: revision, Deleted: true}, false)
	return nil
}

// Close ends following. The store stays open.
func (m *Mirror[T]) Close() {
	m.stop()
	<-m.done
}
