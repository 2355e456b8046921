package resource

import (
	"context"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// Snapshot is all resources after a change.
type Snapshot struct {
	Resources []seshat.Resource // ordered by kind and name
	// Change is the number of the change; it grows.
	Change uint64
	// Err says that a resource cannot be read; Resources are then empty, and the snapshot before it stays in force.
	Err error
}

// Watch delivers the resources as they are, and again after every change, until ctx is done or the store is closed;
// then the channel is closed. It never shows a part of a change. A slow reader misses snapshots, but never the last.
func (r *Registry) Watch(ctx context.Context) (<-chan Snapshot, error) {
	if _, err := r.recover(ctx); err != nil {
		return nil, err
	}
	updates, err := r.store.Watch(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("watch resources: %w", err)
	}
	snapshots := make(chan Snapshot)
	go follow(ctx, updates, snapshots)
	return snapshots, nil
}

// follow turns updates into snapshots. While the reader is busy it goes on collecting.
func follow(ctx context.Context, updates <-chan kv.Update, snapshots chan<- Snapshot) {
	defer close(snapshots)
	w := watched{records: make(map[string]kv.Entry), last: transaction{Done: true}}
	var pending Snapshot
	var out chan<- Snapshot // nil while there is nothing to deliver
	for {
		select {
		case update, ok := <-updates:
			if !ok {
				return
			}
			if w.add(update) {
				pending, out = w.snapshot(), snapshots
			}
		case out <- pending:
			out = nil
		case <-ctx.Done():
			return
		}
	}
}

// watched is what a watch has seen.
type watched struct {
	records map[string]kv.Entry
	last    transaction
	ready   bool
	err     error
}

// add takes one update in and reports whether the resources are complete with it, after a change.
func (w *watched) add(update kv.Update) bool {
	switch {
	case update.Ready:
		w.ready = true
		return w.last.Done
	case update.Key == changeKey && !update.Deleted:
		w.last, w.err = decodeTransaction(update.Entry)
		return w.ready && (w.last.Done || w.err != nil)
	case strings.HasPrefix(update.Key, resourcePrefix):
		w.records[update.Key] = update.Entry
	}
	return false
}

func (w *watched) snapshot() Snapshot {
	out := Snapshot{Change: w.last.Number, Err: w.err}
	for _, entry := range w.records {
		if entry.Deleted || out.Err != nil {
			continue
		}
		stored, err := decodeRecord(entry)
		if err != nil {
			return Snapshot{Change: w.last.Number, Err: err}
		}
		if stored.Resource != nil {
			out.Resources = append(out.Resources, *stored.Resource)
		}
	}
	sortResources(out.Resources)
	return out
}
