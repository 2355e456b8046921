package denylist

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// Snapshot is the whole list after a change.
type Snapshot struct {
	Denials []seshat.Denial // by name; entries that have ended may be among them
	// Faults are entries that cannot be read. The others are in force all the same.
	Faults []error
}

// Watch delivers the list as it is, and again after every change, until ctx is done or the store is closed; then the
// channel is closed. A slow reader misses snapshots, but never the last. Whoever watches also removes, now and then, what
// has ended.
func (k *Keeper) Watch(ctx context.Context) (<-chan Snapshot, error) {
	updates, err := k.store.Watch(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("watch the denylist: %w", err)
	}
	snapshots := make(chan Snapshot)
	go k.follow(ctx, updates, snapshots)
	return snapshots, nil
}

// gather is how long changes are gathered before the list is delivered anew: whoever denies a thousand sessions at once
// does not have the list copied and sorted a thousand times.
const gather = 20 * time.Millisecond

// follow turns updates into snapshots. While the reader is busy it goes on collecting.
func (k *Keeper) follow(ctx context.Context, updates <-chan kv.Update, snapshots chan<- Snapshot) {
	defer close(snapshots)
	sweep := time.NewTicker(sweepInterval)
	defer sweep.Stop()
	w := watched{denials: map[string]seshat.Denial{}, faults: map[string]error{}}
	var pending Snapshot
	var out chan<- Snapshot       // nil while there is nothing to deliver
	var gathered <-chan time.Time // nil while nothing has changed
	ready := false
	for {
		select {
		case update, ok := <-updates:
			switch {
			case !ok:
				return
			case update.Ready:
				ready = true
				pending, out = w.snapshot(), snapshots
			default:
				w.add(update.Entry)
				if ready && gathered == nil {
					gathered = time.After(gather)
				}
			}
		case <-gathered:
			gathered = nil
			pending, out = w.snapshot(), snapshots
		case out <- pending:
			out, pending = nil, Snapshot{}
		case <-sweep.C:
			_, _ = k.Sweep(ctx) // it is tried again; an entry that has ended has no effect
		case <-ctx.Done():
			return
		}
	}
}

// watched is what a watch has seen.
type watched struct {
	denials map[string]seshat.Denial // by key
	faults  map[string]error
}

func (w *watched) add(entry kv.Entry) {
	delete(w.denials, entry.Key)
	delete(w.faults, entry.Key)
	if entry.Deleted {
		return
	}
	d, err := decode(entry)
	if err != nil {
		w.faults[entry.Key] = err
		return
	}
	if !d.TakenBackAt.IsZero() {
		return // it is about to be deleted
	}
	w.denials[entry.Key] = d
}

func (w *watched) snapshot() Snapshot {
	out := Snapshot{Denials: make([]seshat.Denial, 0, len(w.denials))}
	for _, d := range w.denials {
		out.Denials = append(out.Denials, d)
	}
	slices.SortFunc(out.Denials, func(a, b seshat.Denial) int { return cmp.Compare(a.Name, b.Name) })
	for _, err := range w.faults {
		out.Faults = append(out.Faults, err)
	}
	slices.SortFunc(out.Faults, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return out
}
