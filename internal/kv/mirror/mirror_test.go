package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
)

func texts() Codec[string] {
	return Codec[string]{
		Encode: func(s string) ([]byte, error) {
			if s == "cannot" {
				return nil, errors.New("cannot be encoded")
			}
			return []byte(s), nil
		},
		Decode: func(e kv.Entry) (string, error) {
			if string(e.Value) == "bad" {
				return "", errors.New("it is bad")
			}
			return string(e.Value), nil
		},
	}
}

func contents(m *Mirror[string]) map[string]string {
	out := map[string]string{}
	m.Each(func(key string, item Item[string]) bool {
		out[key] = item.Value
		return true
	})
	return out
}

// TestMirrorsAgree: whatever two processes write, both end with what the store has, and each sees its own writes at once.
func TestMirrorsAgree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) [3]int {
			return [3]int{rapid.IntRange(0, 3).Draw(r, "what"), rapid.IntRange(0, 2).Draw(r, "key"), rapid.IntRange(0, 5).Draw(r, "value")}
		}), 1, 40).Draw(r, "steps")
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			store := memory.New(time.Now)
			told := map[string]string{}
			a, err := Open(ctx, store, "x/", texts(), func(key string, before, after *Item[string]) {
				if was, had := told[key]; had != (before != nil) || had && was != before.Value {
					r.Errorf("%s was %q; it is said to have been %v", key, was, before)
				}
				if delete(told, key); after != nil {
					told[key] = after.Value
				}
			})
			if err != nil {
				r.Fatal(err)
			}
			b, err := Open(ctx, store, "x/", texts(), nil)
			if err != nil {
				r.Fatal(err)
			}
			for _, s := range steps {
				m, key, value := []*Mirror[string]{a, b}[s[0]%2], fmt.Sprint(s[1]), fmt.Sprint(s[2])
				if s[0] < 2 {
					if _, err := m.Put(ctx, key, value, kv.Any); err != nil {
						r.Fatal(err)
					}
					if item, ok := m.Get(key); !ok || item.Value != value {
						r.Fatalf("what was put is not there: %v %t", item, ok)
					}
				} else if err := m.Delete(ctx, key, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
					r.Fatal(err)
				} else if _, ok := m.Get(key); err == nil && ok {
					r.Fatal("what was deleted is there")
				}
			}
			synctest.Wait()
			want := map[string]string{}
			list, err := store.List(ctx, "x/")
			if err != nil {
				r.Fatal(err)
			}
			for _, e := range list {
				want[e.Key[len("x/"):]] = string(e.Value)
			}
			for name, got := range map[string]map[string]string{"a": contents(a), "b": contents(b), "what was told": told} {
				if !maps.Equal(got, want) {
					r.Errorf("%s has %v; the store has %v", name, got, want)
				}
			}
			if len(a.gone)+len(b.gone) > 0 {
				r.Errorf("deletions are remembered for ever: %v %v", a.gone, b.gone)
			}
			a.Close()
			b.Close()
			_ = store.Close()
		})
	})
}

// TestMirrorOrder: what the watch tells late changes nothing that is newer.
func TestMirrorOrder(t *testing.T) {
	m := &Mirror[string]{prefix: "x/", codec: texts(), items: map[string]Item[string]{}, gone: map[string]kv.Revision{}, faults: map[string]error{}}
	f := func(told bool, revision kv.Revision, value, want string) {
		t.Helper()
		m.apply(kv.Entry{Key: "x/k", Value: []byte(value), Revision: revision, Deleted: value == ""}, told)
		if item, ok := m.Get("k"); ok != (want != "") || item.Value != want {
			t.Errorf("revision %d: %q, %t; want %q", revision, item.Value, ok, want)
		}
	}
	f(false, 5, "five", "five")
	f(true, 4, "four", "five")
	f(true, 5, "five", "five")
	f(false, 8, "", "")
	f(true, 6, "six", "")
	f(true, 7, "", "")
	f(true, 8, "", "")
	f(true, 9, "nine", "nine")
	f(true, 10, "bad", "")
	if m.Faults() == nil {
		t.Error("what cannot be read is not told of")
	}
	f(true, 11, "eleven", "eleven")
	if err := m.Faults(); err != nil {
		t.Errorf("what was replaced is told of: %v", err)
	}
}

func TestMirrorEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(time.Now)
		m, err := Open(t.Context(), store, "", texts(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Put(t.Context(), "k", "cannot", kv.Any); err == nil {
			t.Error("what cannot be encoded is stored")
		}
		if _, err := m.Put(t.Context(), "k", "v", 7); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("a revision that is not there: %v", err)
		}
		if err := m.Err(); err != nil {
			t.Errorf("it is said to be broken: %v", err)
		}
		_ = store.Close()
		synctest.Wait()
		if err := m.Err(); !errors.Is(err, ErrBroken) {
			t.Errorf("the store was closed: %v", err)
		}
		m.Close()
		if _, err := Open(t.Context(), store, "", texts(), nil); err == nil {
			t.Error("a closed store is opened")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(gone, memory.New(time.Now), "", texts(), nil); err == nil {
			t.Error("it is opened by who has gone")
		}
	})
}
