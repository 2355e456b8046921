package natskv

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/seshat-project/seshat/internal/kv"
)

// Watch implements [kv.Store].
func (s *Store) Watch(ctx context.Context, prefix string) (<-chan kv.Update, error) {
	_, end, err := s.begin(ctx, "-"+prefix)
	if err != nil {
		return nil, err
	}
	defer end()
	watching, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	watcher, err := s.bucket.Watch(watching, filterFor(prefix))
	if err != nil {
		stop()
		cancel()
		return nil, fmt.Errorf("watch %s: %w", prefix, contractError(err))
	}
	updates := make(chan kv.Update)
	s.watching.Go(func() {
		defer stop()
		defer cancel()
		defer close(updates)
		defer watcher.Stop() //nolint:errcheck // the server drops it in any case
		forward(watching, watcher, prefix, updates)
	})
	return updates, nil
}

// forward delivers what watcher finds under prefix until ctx is done or the connection closed.
func forward(ctx context.Context, watcher jetstream.KeyWatcher, prefix string, updates chan<- kv.Update) {
	ready := false
	for {
		var update kv.Update
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return
			}
			if entry == nil {
				ready, update = true, kv.Update{Ready: true}
				break
			}
			key, ok := decodeKey(entry.Key())
			if !ok || !strings.HasPrefix(key, prefix) {
				continue
			}
			update.Entry = newEntry(key, entry)
			if update.Deleted && !ready {
				continue // deleted before the watch began
			}
		case <-ctx.Done():
			return
		}
		select {
		case updates <- update:
		case <-ctx.Done():
			return
		}
	}
}
