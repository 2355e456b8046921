// Package kvtest is the suite that every implementation of the key-value contract passes.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
)

// patience is how long the suite waits for something that must come. It is only ever spent when a test fails.
const patience = 20 * time.Second

// Run runs the suite. Open returns a new, empty store; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) kv.Store) {
	for _, test := range []struct {
		name string
		f    func(t *testing.T, s kv.Store)
	}{
		{"GetPutDelete", testGetPutDelete},
		{"Expected", testExpected},
		{"OneWriterWins", testOneWriterWins},
		{"List", testList},
		{"History", testHistory},
		{"Keys", testKeys},
		{"Limits", testLimits},
		{"ValuesAreCopied", testCopies},
		{"Watch", testWatch},
		{"WatchEnds", testWatchEnds},
		{"SlowWatch", testSlowWatch},
		{"Closed", testClosed},
		{"Cancelled", testCancelled},
		{"Forget", testForget},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			test.f(t, s)
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func put(t *testing.T, s kv.Store, key, value string, expected kv.Revision) kv.Revision {
	t.Helper()
	revision, err := s.Put(testContext(t), key, []byte(value), expected)
	if err != nil {
		t.Fatalf("Put(%q, %q, %d): %v", key, value, expected, err)
	}
	return revision
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func testGetPutDelete(t *testing.T, s kv.Store) {
	ctx := testContext(t)
	_, err := s.Get(ctx, "a")
	wantError(t, "Get before Put", err, kv.ErrNotFound)
	_, err = s.Delete(ctx, "a", kv.Any)
	wantError(t, "Delete before Put", err, kv.ErrNotFound)

	before := time.Now().Add(-time.Minute)
	first := put(t, s, "a", "1", kv.None)
	second := put(t, s, "a", "2", kv.Any)
	other := put(t, s, "b", "", kv.Any)
	if first == 0 || second <= first || other <= second {
		t.Errorf("revisions do not grow: %d, %d, %d", first, second, other)
	}
	got, err := s.Get(ctx, "a")
	if err != nil || got.Key != "a" || string(got.Value) != "2" || got.Revision != second || got.Deleted {
		t.Errorf("Get = %+v, %v; want value 2 at revision %d", got, err, second)
	}
	if got.Time.Before(before) || got.Time.After(time.Now().Add(time.Minute)) {
		t.Errorf("written at %v, which is not now", got.Time)
	}
	if got, err := s.Get(ctx, "b"); err != nil || len(got.Value) != 0 {
		t.Errorf("Get of an empty value = %+v, %v", got, err)
	}
	deleted, err := s.Delete(ctx, "a", kv.Any)
	if err != nil || deleted <= other {
		t.Errorf("Delete = %d, %v; want a revision above %d", deleted, err, other)
	}
	_, err = s.Get(ctx, "a")
	wantError(t, "Get after Delete", err, kv.ErrNotFound)
	_, err = s.Delete(ctx, "a", kv.Any)
	wantError(t, "Delete after Delete", err, kv.ErrNotFound)
	put(t, s, "a", "3", kv.None) // a deleted key is free again
}

func testExpected(t *testing.T, s kv.Store) {
	ctx := testContext(t)
	_, err := s.Put(ctx, "a", nil, 7)
	wantError(t, "Put over a revision that never was", err, kv.ErrConflict)
	first := put(t, s, "a", "1", kv.None)
	_, err = s.Put(ctx, "a", nil, kv.None)
	wantError(t, "Put of a new key over an old one", err, kv.ErrConflict)
	second := put(t, s, "a", "2", first)
	_, err = s.Put(ctx, "a", nil, first)
	wantError(t, "Put over an old revision", err, kv.ErrConflict)
	_, err = s.Delete(ctx, "a", first)
	wantError(t, "Delete of an old revision", err, kv.ErrConflict)
	deleted, err := s.Delete(ctx, "a", second)
	wantError(t, "Delete", err, nil)
	_, err = s.Put(ctx, "a", nil, second)
	wantError(t, "Put over a deleted revision", err, kv.ErrConflict)
	_, err = s.Put(ctx, "a", nil, deleted)
	wantError(t, "Put over the deletion itself", err, kv.ErrConflict)
	put(t, s, "a", "3", kv.None)
}

func testOneWriterWins(t *testing.T, s kv.Store) {
	ctx := testContext(t)
	first := put(t, s, "a", "0", kv.None)
	const writers = 8
	results := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { _, results[i] = s.Put(ctx, "a", []byte{byte('a' + i)}, first) })
	}
	wg.Wait()
	won := -1
	for i, err := range results {
		switch {
		case err == nil && won < 0:
			won = i
		case err == nil:
			t.Errorf("writers %d and %d both replaced revision %d", won, i, first)
		default:
			wantError(t, "a writer that lost", err, kv.ErrConflict)
		}
	}
	if got, err := s.Get(ctx, "a"); err != nil || won < 0 || string(got.Value) != string(rune('a'+won)) {
		t.Errorf("Get = %q, %v; writer %d won", got.Value, err, won)
	}
}

func testList(t *testing.T, s kv.Store) {
	for _, key := range []string{"b/2", "a", "b/1", "b", "bc/1", "b/gone", "b/1/x"} {
		put(t, s, key, "value of "+key, kv.None)
	}
	if _, err := s.Delete(testContext(t), "b/gone", kv.Any); err != nil {
		t.Fatal(err)
	}
	f := func(prefix string, want ...string) {
		t.Helper()
		entries, err := s.List(testContext(t), prefix)
		var got []string
		for _, entry := range entries {
			got = append(got, entry.Key)
			if string(entry.Value) != "value of "+entry.Key || entry.Revision == 0 || entry.Time.IsZero() {
				t.Errorf("List(%q) has %+v", prefix, entry)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, %v; want %q", prefix, got, err, want)
		}
	}
	f("", "a", "b", "b/1", "b/1/x", "b/2", "bc/1")
	f("b/", "b/1", "b/1/x", "b/2")
	f("b", "b", "b/1", "b/1/x", "b/2", "bc/1")
	f("b/1", "b/1", "b/1/x")
	f("nothing/")
}

func testHistory(t *testing.T, s kv.Store) {
	ctx := testContext(t)
	_, err := s.History(ctx, "a")
	wantError(t, "History before Put", err, kv.ErrNotFound)
	put(t, s, "a", "1", kv.None)
	put(t, s, "other", "x", kv.None)
	put(t, s, "a", "2", kv.Any)
	if _, err := s.Delete(ctx, "a", kv.Any); err != nil {
		t.Fatal(err)
	}
	put(t, s, "a", "3", kv.None)
	history, err := s.History(ctx, "a")
	var got []string
	last := kv.Revision(0)
	for _, entry := range history {
		got = append(got, fmt.Sprintf("%s%v", entry.Value, entry.Deleted))
		if entry.Revision <= last || entry.Key != "a" || entry.Time.IsZero() {
			t.Errorf("History has %+v behind revision %d", entry, last)
		}
		last = entry.Revision
	}
	if want := []string{"1false", "2false", "true", "3false"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("History = %q, %v; want %q", got, err, want)
	}
	for i := range kv.MaxHistory + 5 {
		put(t, s, "b", fmt.Sprint(i), kv.Any)
	}
	history, err = s.History(ctx, "b")
	if err != nil || len(history) != kv.MaxHistory || string(history[0].Value) != "5" || string(history[kv.MaxHistory-1].Value) != fmt.Sprint(kv.MaxHistory+4) {
		t.Errorf("History after %d writes has %d entries, %v; want the last %d", kv.MaxHistory+5, len(history), err, kv.MaxHistory)
	}
}

// testKeys uses keys with everything in them that a backend may give a meaning to.
func testKeys(t *testing.T, s kv.Store) {
	keys := []string{
		"a", "A", "a.b", "a/b", "a//b", "/", "//", "/a", "a/", ".", "..", "a.", ".a", "*", ">", "a.*", "a.>", "$KV.x", "=", "=3D", "a=", "a b",
		"\n", "\x00", "é", "日本語", "😀", "_", "-", "SessionRule/shop", "%2F", strings.Repeat("é", kv.MaxKey/2), "a:b", "\\", "\"",
	}
	for _, key := range keys {
		put(t, s, key, "value of "+key, kv.None)
	}
	for _, key := range keys {
		if got, err := s.Get(testContext(t), key); err != nil || got.Key != key || string(got.Value) != "value of "+key {
			t.Errorf("Get(%q) = %q %q, %v", key, got.Key, got.Value, err)
		}
		if history, err := s.History(testContext(t), key); err != nil || len(history) != 1 || history[0].Key != key {
			t.Errorf("History(%q) = %v, %v; want one entry", key, history, err)
		}
	}
	entries, err := s.List(testContext(t), "")
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Key)
	}
	slices.Sort(keys)
	if err != nil || !slices.Equal(got, keys) {
		t.Errorf("List = %q, %v; want %q", got, err, keys)
	}
}

func testLimits(t *testing.T, s kv.Store) {
	ctx := testContext(t)
	for _, key := range []string{"", "\xff"} {
		_, err := s.Get(ctx, key)
		wantError(t, fmt.Sprintf("Get(%q)", key), err, kv.ErrBadKey)
		_, err = s.Put(ctx, key, nil, kv.Any)
		wantError(t, fmt.Sprintf("Put(%q)", key), err, kv.ErrBadKey)
	}
	_, err := s.Put(ctx, strings.Repeat("k", kv.MaxKey+1), nil, kv.Any)
	wantError(t, "Put under a key that is too long", err, kv.ErrTooLarge)
	_, err = s.Put(ctx, "a", make([]byte, kv.MaxValue+1), kv.Any)
	wantError(t, "Put of a value that is too large", err, kv.ErrTooLarge)

	value := bytes.Repeat([]byte{0, 1, 0xff, '\n'}, kv.MaxValue/4)
	for i, expected := range []kv.Revision{kv.None, kv.Any} {
		if _, err := s.Put(ctx, strings.Repeat("k", kv.MaxKey), value, expected); err != nil {
			t.Fatalf("Put %d of the largest value: %v", i, err)
		}
	}
	if got, err := s.Get(ctx, strings.Repeat("k", kv.MaxKey)); err != nil || !bytes.Equal(got.Value, value) {
		t.Errorf("Get of the largest value: %d bytes, %v; want %d", len(got.Value), err, len(value))
	}
}

func testCopies(t *testing.T, s kv.Store) {
	value := []byte("before")
	if _, err := s.Put(testContext(t), "a", value, kv.None); err != nil {
		t.Fatal(err)
	}
	copy(value, "after!")
	if got, err := s.Get(testContext(t), "a"); err != nil || string(got.Value) != "before" {
		t.Errorf("Get = %q, %v; the store kept the caller's slice", got.Value, err)
	}
}

func testClosed(t *testing.T, s kv.Store) {
	put(t, s, "a", "1", kv.None)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := testContext(t)
	_, err := s.Get(ctx, "a")
	wantError(t, "Get", err, kv.ErrClosed)
	_, err = s.Put(ctx, "a", nil, kv.Any)
	wantError(t, "Put", err, kv.ErrClosed)
	_, err = s.Delete(ctx, "a", kv.Any)
	wantError(t, "Delete", err, kv.ErrClosed)
	_, err = s.List(ctx, "")
	wantError(t, "List", err, kv.ErrClosed)
	_, err = s.History(ctx, "a")
	wantError(t, "History", err, kv.ErrClosed)
	_, err = s.Watch(ctx, "")
	wantError(t, "Watch", err, kv.ErrClosed)
	// Run closes it a second time, which must be fine.
}

func testCancelled(t *testing.T, s kv.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Put(ctx, "a", nil, kv.Any)
	wantError(t, "Put with a cancelled context", err, context.Canceled)
	_, err = s.Get(ctx, "a")
	wantError(t, "Get with a cancelled context", err, context.Canceled)
	_, err = s.List(ctx, "")
	wantError(t, "List with a cancelled context", err, context.Canceled)
}
