package kvtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
)

// next receives an update, or fails.
func next(t *testing.T, updates <-chan kv.Update) kv.Update {
	t.Helper()
	select {
	case update, ok := <-updates:
		if !ok {
			t.Fatal("the watch ended")
		}
		return update
	case <-time.After(patience):
		t.Fatal("no update came")
	}
	return kv.Update{}
}

// describe is an update as a short text.
func describe(update kv.Update) string {
	switch {
	case update.Ready:
		return "ready"
	case update.Deleted:
		return update.Key + " deleted"
	default:
		return update.Key + "=" + string(update.Value)
	}
}

func watch(t *testing.T, s kv.Store, ctx context.Context, prefix string) <-chan kv.Update { //nolint:revive // t comes first in tests
	t.Helper()
	updates, err := s.Watch(ctx, prefix)
	if err != nil {
		t.Fatalf("Watch(%q): %v", prefix, err)
	}
	return updates
}

func wantUpdates(t *testing.T, updates <-chan kv.Update, want ...string) {
	t.Helper()
	for _, expected := range want {
		update := next(t, updates)
		if got := describe(update); got != expected {
			t.Fatalf("update %q, want %q of %q", got, expected, want)
		}
		if !update.Ready && (update.Revision == 0 || update.Time.IsZero()) {
			t.Errorf("update %q has revision %d and time %v", expected, update.Revision, update.Time)
		}
	}
}

func testWatch(t *testing.T, s kv.Store) {
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	put(t, s, "r/a", "1", kv.None)
	put(t, s, "r/gone", "1", kv.None)
	put(t, s, "other", "1", kv.None)
	put(t, s, "ra", "1", kv.None)
	put(t, s, "r/a", "2", kv.Any)
	put(t, s, "r/b", "1", kv.None)
	if _, err := s.Delete(ctx, "r/gone", kv.Any); err != nil {
		t.Fatal(err)
	}

	updates := watch(t, s, ctx, "r/")
	initial := []string{describe(next(t, updates)), describe(next(t, updates))}
	slices.Sort(initial)
	if want := []string{"r/a=2", "r/b=1"}; !slices.Equal(initial, want) {
		t.Fatalf("initial updates %q, want %q", initial, want)
	}
	wantUpdates(t, updates, "ready")

	put(t, s, "r/c", "1", kv.None)
	wantUpdates(t, updates, "r/c=1")
	put(t, s, "other", "2", kv.Any)
	if _, err := s.Delete(ctx, "r/a", kv.Any); err != nil {
		t.Fatal(err)
	}
	wantUpdates(t, updates, "r/a deleted")
	put(t, s, "r/a", "3", kv.None)
	wantUpdates(t, updates, "r/a=3")

	all := watch(t, s, ctx, "r")
	var got []string
	for {
		update := next(t, all)
		if update.Ready {
			break
		}
		got = append(got, describe(update))
	}
	slices.Sort(got)
	if want := []string{"r/a=3", "r/b=1", "r/c=1", "ra=1"}; !slices.Equal(got, want) {
		t.Errorf("a prefix within a segment: %q, want %q", got, want)
	}
	wantUpdates(t, watch(t, s, ctx, "nothing/"), "ready")
}

func testWatchEnds(t *testing.T, s kv.Store) {
	put(t, s, "a", "1", kv.None)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cancelled, closed := watch(t, s, ctx, ""), watch(t, s, context.Background(), "")
	unread := watch(t, s, context.Background(), "")
	wantUpdates(t, cancelled, "a=1", "ready")
	wantUpdates(t, closed, "a=1", "ready")
	cancel()
	wantEnd(t, cancelled)
	put(t, s, "a", "2", kv.Any)
	wantUpdates(t, closed, "a=2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, closed)
	wantEnd(t, unread)
}

// wantEnd drains updates until the channel is closed.
func wantEnd(t *testing.T, updates <-chan kv.Update) {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case _, ok := <-updates:
			if !ok {
				return
			}
		case <-timeout:
			t.Fatal("the watch did not end")
		}
	}
}

// testSlowWatch writes much while nobody reads: no write may wait, and the last value must come.
func testSlowWatch(t *testing.T, s kv.Store) {
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	updates := watch(t, s, ctx, "")
	const writes = 600
	for i := range writes {
		put(t, s, "a", fmt.Sprint(i), kv.Any)
	}
	last := kv.Revision(0)
	for {
		update := next(t, updates)
		if update.Ready {
			continue
		}
		if update.Revision <= last {
			t.Fatalf("revision %d came behind %d", update.Revision, last)
		}
		last = update.Revision
		if string(update.Value) == fmt.Sprint(writes-1) {
			return
		}
	}
}
