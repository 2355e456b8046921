package denylist

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/natskv"
)

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestCheck(t *testing.T) {
	id := seshat.SessionID{1, 2, 3}
	at := clock().Add(-time.Hour)
	f := func(d seshat.Denial, want string) {
		t.Helper()
		err := Check(&d, clock())
		got := d.Name
		if err != nil {
			got = err.Error()
			if seshat.KindOfError(err) != seshat.ErrorInvalid {
				t.Errorf("%+v: kind %d", d, seshat.KindOfError(err))
			}
		} else if d.Status == 0 || d.At.IsZero() {
			t.Errorf("%+v is not complete", d)
		}
		if !strings.Contains(got, want) || err == nil && got != want {
			t.Errorf("%+v: %s, want %s", d, got, want)
		}
	}
	f(seshat.Denial{Session: id}, "session-01020300-0000-0000-0000-000000000000")
	f(seshat.Denial{ClientSessionID: seshat.Digest{0xab}}, "id-ab000000000000000000000000000000")
	f(seshat.Denial{User: "alice"}, "user-alice-2bd806c97f0e")
	f(seshat.Denial{User: "Alice"}, "user-alice-2bd806c97f0e")
	f(seshat.Denial{User: "Ünï <> X"}, "user-n-x-d3c2f7d98612")
	f(seshat.Denial{User: strings.Repeat("a", 256)}, "user-"+strings.Repeat("a", 45)+"-02d7160d77e1")
	f(seshat.Denial{IssuedBefore: at}, "issued-before")
	f(seshat.Denial{IssuedBefore: at, User: "alice"}, "issued-before-for-alice-2bd806c97f0e")
	f(seshat.Denial{IssuedBefore: at, Issuer: "https://id.example"}, "issued-before-by-https-id-example-20a69b77c181")
	f(seshat.Denial{User: "alice", Name: "my-own"}, "my-own")
	f(seshat.Denial{}, "it denies nothing")
	f(seshat.Denial{Issuer: "x"}, "an issuer alone denies nothing")
	f(seshat.Denial{Session: id, User: "alice"}, "it denies several things")
	f(seshat.Denial{Session: id, IssuedBefore: at}, "it denies several things")
	f(seshat.Denial{User: "alice", Issuer: "x"}, "an issuer goes together with issued-before only")
	f(seshat.Denial{User: "alice", Issuer: "x", IssuedBefore: at}, "a user or an issuer, not both")
	f(seshat.Denial{User: "alice", Name: "No Name"}, "is not a name")
	f(seshat.Denial{User: "alice", Status: 404}, "the status 404 is neither 401 nor 403")
	f(seshat.Denial{User: "alice", Until: at}, "it would have ended at 2026-03-01T11:00:00Z")
	f(seshat.Denial{IssuedBefore: clock().Add(30 * time.Second)}, "issued-before")
	f(seshat.Denial{IssuedBefore: clock().Add(2 * time.Minute)}, "2026-03-01T12:02:00Z is in the future")
	f(seshat.Denial{User: strings.Repeat("a", 257)}, "at most 256 are allowed")
	f(seshat.Denial{User: "a", Reason: strings.Repeat("a", 1025)}, "at most 1024 are allowed")
}

// stores are what keepers are tested with.
func stores(t *testing.T, f func(t *testing.T, open func(t *testing.T) kv.Store)) {
	t.Run("memory", func(t *testing.T) {
		f(t, func(*testing.T) kv.Store { return memory.New(clock) })
	})
	t.Run("nats", func(t *testing.T) {
		f(t, func(t *testing.T) kv.Store {
			s, err := natskv.Open(context.Background(), natskv.ServerOptions{Dir: filepath.Join(t.TempDir(), "nats")}, natskv.Options{Bucket: "denylist"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		})
	})
}

func names(list []seshat.Denial) string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Name
	}
	return strings.Join(out, " ")
}

// Revoking again never gives back what was refused; naming the entry does.
func TestAddingAgainDeniesAtLeastAsMuch(t *testing.T) {
	stores(t, func(t *testing.T, open func(t *testing.T) kv.Store) {
		ctx := context.Background()
		now := clock()
		k := NewKeeper(open(t), func() time.Time { return now })
		f := func(d, want seshat.Denial) {
			t.Helper()
			kept, err := k.Add(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.Get(ctx, kept.Name)
			if err != nil || got != kept {
				t.Errorf("%+v is kept as %+v, %v", kept, got, err)
			}
			if !got.Until.Equal(want.Until) || !got.IssuedBefore.Equal(want.IssuedBefore) || got.Status != want.Status || got.By != want.By {
				t.Errorf("%+v: %+v, want %+v", d, got, want)
			}
		}
		hour, day := now.Add(time.Hour), now.Add(24*time.Hour)
		f(seshat.Denial{User: "alice", Until: hour}, seshat.Denial{Until: hour, Status: 401})
		f(seshat.Denial{User: "alice", Until: day, Status: 403}, seshat.Denial{Until: day, Status: 403})
		f(seshat.Denial{User: "Alice", Until: hour, By: "ann"}, seshat.Denial{Until: day, Status: 401, By: "ann"})
		f(seshat.Denial{User: "alice"}, seshat.Denial{Status: 401})
		f(seshat.Denial{User: "alice", Until: day}, seshat.Denial{Status: 401})
		f(seshat.Denial{User: "alice", Until: hour, Name: "mine"}, seshat.Denial{Until: hour, Status: 401})
		f(seshat.Denial{User: "alice", Until: now.Add(time.Minute), Name: "mine"}, seshat.Denial{Until: now.Add(time.Minute), Status: 401})

		f(seshat.Denial{IssuedBefore: now}, seshat.Denial{IssuedBefore: now, Status: 401})
		f(seshat.Denial{IssuedBefore: now.Add(-time.Hour)}, seshat.Denial{IssuedBefore: now, Status: 401})
		f(seshat.Denial{IssuedBefore: now.Add(time.Second), Until: hour}, seshat.Denial{IssuedBefore: now.Add(time.Second), Status: 401})

		f(seshat.Denial{User: "bob", Until: day}, seshat.Denial{Until: day, Status: 401})
		now = now.Add(25 * time.Hour) // what has ended does not count
		f(seshat.Denial{User: "bob", Until: now.Add(time.Hour)}, seshat.Denial{Until: now.Add(time.Hour), Status: 401})
	})
}

// away is a store that does not answer.
type away struct{ kv.Store }

var errAway = fmt.Errorf("ask: %w", context.DeadlineExceeded)

func (away) Get(context.Context, string) (kv.Entry, error) { return kv.Entry{}, errAway }

func (away) List(context.Context, string) ([]kv.Entry, error)                 { return nil, errAway }
func (away) Delete(context.Context, string, kv.Revision) (kv.Revision, error) { return 0, errAway }

func TestStoreThatDoesNotAnswer(t *testing.T) {
	ctx := context.Background()
	k := NewKeeper(away{}, clock)
	_, add := k.Add(ctx, seshat.Denial{User: "alice"})
	_, list := k.List(ctx)
	for what, err := range map[string]error{"add": add, "list": list, "remove": k.Remove(ctx, "a", "ann")} {
		if seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "did not answer in time") || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestKeeper(t *testing.T) {
	stores(t, func(t *testing.T, open func(t *testing.T) kv.Store) {
		ctx := context.Background()
		now := clock()
		store := open(t)
		k := NewKeeper(store, func() time.Time { return now })
		snapshots, err := k.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wait := func(want string) {
			t.Helper()
			deadline := time.After(20 * time.Second)
			for {
				select {
				case s := <-snapshots:
					if names(s.Denials) == want {
						return
					}
				case <-deadline:
					t.Fatalf("no snapshot with %q", want)
				}
			}
		}
		add := func(d seshat.Denial) {
			t.Helper()
			if _, err := k.Add(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		wait("")
		add(seshat.Denial{Name: "b", User: "bob", By: "ann", Reason: "left"})
		wait("b")
		add(seshat.Denial{Name: "a", User: "alice", Until: now.Add(time.Hour), Status: 403})
		wait("a b")
		got, err := k.Get(ctx, "a")
		if err != nil || got.User != "alice" || got.Status != 403 || !got.Until.Equal(now.Add(time.Hour)) || !got.At.Equal(now) {
			t.Errorf("Get is %+v, %v", got, err)
		}
		add(seshat.Denial{Name: "b", User: "bert"})
		if got, err := k.Get(ctx, "b"); err != nil || got.User != "bert" {
			t.Errorf("replaced: %+v, %v", got, err)
		}
		if _, err := k.Get(ctx, "c"); seshat.KindOfError(err) != seshat.ErrorNotFound {
			t.Errorf("Get of what is not there: %v", err)
		}
		if err := k.Remove(ctx, "c", "ann"); seshat.KindOfError(err) != seshat.ErrorNotFound {
			t.Errorf("Remove of what is not there: %v", err)
		}

		now = now.Add(2 * time.Hour)
		if list, err := k.List(ctx); err != nil || names(list) != "b" {
			t.Errorf("List is %q, %v", names(list), err)
		}
		if n, err := k.Sweep(ctx); n != 1 || err != nil {
			t.Errorf("%d entries were swept, %v", n, err)
		}
		wait("b")

		// What cannot be read harms nothing else.
		for key, value := range map[string]string{
			"denial/x": "{", "denial/y": `{"version":2,"name":"y","user":"u"}`, "denial/z": `{"version":1,"name":"q","user":"u"}`,
			"denial/w": `{"version":1,"name":"w"}`,
		} {
			if _, err := store.Put(ctx, key, []byte(value), kv.Any); err != nil {
				t.Fatal(err)
			}
		}
		add(seshat.Denial{Name: "d", User: "dora"})
		wait("b d")
		list, err := k.List(ctx)
		if names(list) != "b d" || err == nil {
			t.Errorf("List is %q, %v", names(list), err)
		}
		for _, key := range []string{"w", "x", "y", "z"} {
			if !strings.Contains(fmt.Sprint(err), `"denial/`+key+`"`) {
				t.Errorf("%v does not name %s", err, key)
			}
		}
		if err := k.Remove(ctx, "x", "ann"); err != nil {
			t.Errorf("what cannot be read cannot be removed: %v", err)
		}

		again := NewKeeper(store, func() time.Time { return now })
		if list, _ := again.List(ctx); names(list) != "b d" {
			t.Errorf("another keeper sees %q", names(list))
		}
	})
}

func TestListIsBounded(t *testing.T) {
	ctx := context.Background()
	now := clock()
	k := NewKeeper(memory.New(clock), func() time.Time { return now })
	k.max = 10
	for i := range 10 {
		d := seshat.Denial{User: fmt.Sprint(i)}
		if i < 3 {
			d.Until = now.Add(time.Minute)
		}
		if _, err := k.Add(ctx, d); err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	if _, err := k.Add(ctx, seshat.Denial{User: "one too many"}); !errors.Is(err, errFull) || seshat.KindOfError(err) != seshat.ErrorConflict {
		t.Errorf("one too many: %v", err)
	}
	if _, err := k.Add(ctx, seshat.Denial{User: "5"}); err != nil {
		t.Errorf("replacing one of a full list: %v", err)
	}
	now = now.Add(time.Hour) // three have ended, and make room
	for i := range 3 {
		if _, err := k.Add(ctx, seshat.Denial{User: fmt.Sprint("new", i)}); err != nil {
			t.Errorf("room for %d: %v", i, err)
		}
	}
}

func TestWatchSweepsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		store := memory.New(time.Now)
		k := NewKeeper(store, time.Now)
		if _, err := k.Add(ctx, seshat.Denial{Name: "a", User: "a", Until: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		snapshots, err := k.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s := <-snapshots; names(s.Denials) != "a" {
			t.Errorf("first %q", names(s.Denials))
		}
		begin := time.Now()
		if s := <-snapshots; names(s.Denials) != "" || time.Since(begin) > sweepInterval+time.Second {
			t.Errorf("after %s: %q", time.Since(begin), names(s.Denials))
		}
		stop()
		if _, open := <-snapshots; open {
			t.Error("the watch goes on")
		}
		_ = store.Close()
	})
}
