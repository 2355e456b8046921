package natskv

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Forget implements [kv.Forgetter]. What is written under a key while it is being forgotten stays: only what is older than
// the deletion goes, and the deletion itself. The library's own way would take all.
func (s *Store) Forget(ctx context.Context, age time.Duration) error {
	ctx, end, err := s.begin(ctx, "-")
	if err != nil {
		return err
	}
	defer end()
	deleted, err := s.deletions(ctx, time.Now().Add(-age))
	if err != nil {
		return fmt.Errorf("find what was deleted: %w", contractError(err))
	}
	for _, entry := range deleted {
		subject := "$KV." + s.bucket.Bucket() + "." + entry.Key()
		if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(subject), jetstream.WithPurgeSequence(entry.Revision()+1)); err != nil {
			return fmt.Errorf("forget what was deleted: %w", contractError(err))
		}
	}
	return nil
}

// deletions are the keys whose newest entry is a deletion from before a time.
func (s *Store) deletions(ctx context.Context, before time.Time) ([]jetstream.KeyValueEntry, error) {
	watcher, err := s.bucket.WatchAll(ctx, jetstream.MetaOnly())
	if err != nil {
		return nil, err
	}
	defer watcher.Stop() //nolint:errcheck // the server drops it in any case
	var out []jetstream.KeyValueEntry
	for {
		select {
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok || entry == nil: // everything that there was
				return out, nil
			case entry.Operation() != jetstream.KeyValuePut && !entry.Created().After(before):
				out = append(out, entry)
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
