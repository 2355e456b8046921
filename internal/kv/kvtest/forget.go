package kvtest

import (
	"errors"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
)

// testForget: what was deleted leaves nothing behind, and what is there stays.
func testForget(t *testing.T, s kv.Store) {
	f, ok := s.(kv.Forgetter)
	if !ok {
		t.Fatal("the store cannot forget")
	}
	ctx := testContext(t)
	for _, key := range []string{"a/1", "a/2", "b"} {
		put(t, s, key, "old", kv.None)
	}
	for _, key := range []string{"a/1", "b"} {
		if _, err := s.Delete(ctx, key, kv.Any); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, "b", "new", kv.None)
	if err := f.Forget(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	if history, err := s.History(ctx, "a/1"); err != nil || len(history) == 0 {
		t.Errorf("what was deleted a moment ago is forgotten: %v, %v", history, err)
	}
	if err := f.Forget(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if history, err := s.History(ctx, "a/1"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("what was deleted is not forgotten: %v, %v", history, err)
	}
	for key, want := range map[string]string{"a/2": "old", "b": "new"} {
		if entry, err := s.Get(ctx, key); err != nil || string(entry.Value) != want {
			t.Errorf("%s: %q, %v; want %q", key, entry.Value, err, want)
		}
	}
	put(t, s, "a/1", "again", kv.None)
	if entry, err := s.Get(ctx, "a/1"); err != nil || string(entry.Value) != "again" {
		t.Errorf("a key that was forgotten cannot be used again: %q, %v", entry.Value, err)
	}
}
