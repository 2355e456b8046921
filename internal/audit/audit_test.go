package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
)

func open(t *testing.T, store kv.Store, o Options) *Log {
	t.Helper()
	l, err := Open(t.Context(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func details(events []Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.Detail)
	}
	return strings.Join(out, " ")
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		store := memory.New(time.Now)
		l := open(t, store, Options{})
		began := time.Now()
		entry, err := l.Begin(ctx, Event{By: "ann", Means: MeansConsole, Action: "user.create", Subject: "bob", Detail: "one"})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := l.List(Query{}); len(got) != 1 || got[0].Outcome != Begun {
			t.Errorf("what has begun: %+v", got)
		}
		time.Sleep(time.Minute)
		entry.End(ctx, Done, func(e *Event) {
			e.After, e.ID, e.Time, e.Means = 7, "another", time.Now(), MeansNone // of which only the first can change
		})
		for i, e := range []Event{
			{Means: MeansNone, Action: "session.sign-in", Subject: "ann", Outcome: Refused, Detail: "two"},
			{By: "ann", Means: MeansToken, Token: "ci", Action: "user.delete", Subject: "bob", Outcome: Done, Detail: "three"},
			{By: "bob", Means: MeansOwner, Action: "users", Outcome: Failed, Detail: "four\x00" + strings.Repeat("é", 400)},
		} {
			time.Sleep(time.Duration(i+1) * time.Minute)
			if err := l.Record(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
		check := func(l *Log) {
			t.Helper()
			f := func(q Query, want string) {
				t.Helper()
				events, more := l.List(q)
				for i := range events {
					if len(events[i].Detail) > maxDetail || strings.Contains(events[i].Detail, "\x00") {
						t.Errorf("a detail is not bounded: %q", events[i].Detail)
					}
					events[i].Detail, _, _ = strings.Cut(events[i].Detail, "?")
				}
				if got := details(events); got != want || more != (q.Limit > 0 && len(events) == q.Limit && q.Limit < 4 && q.Before == "") {
					t.Errorf("%+v: %s, more %t; want %s", q, got, more, want)
				}
			}
			f(Query{}, "four three two one")
			f(Query{Limit: 4}, "four three two one")
			f(Query{Limit: 2}, "four three")
			f(Query{By: "ann"}, "three one")
			f(Query{Action: "user."}, "three one")
			f(Query{Action: "user"}, "")
			f(Query{Action: "user.create"}, "one")
			f(Query{Subject: "bob"}, "three one")
			f(Query{Means: MeansToken}, "three")
			f(Query{Outcome: Refused}, "two")
			f(Query{Since: began.Add(2 * time.Minute)}, "four three two")
			f(Query{Until: began.Add(2 * time.Minute)}, "one")
			page, _ := l.List(Query{Limit: 2})
			f(Query{Before: page[1].ID}, "two one")
		}
		check(l)
		if got, _ := l.List(Query{Action: "user.create"}); got[0].After != 7 || !got[0].Time.Equal(began) || got[0].Means != MeansConsole {
			t.Errorf("what was completed: %+v", got[0])
		}
		l.Close()
		again := open(t, store, Options{}) // after a restart
		check(again)
		again.Close()
		_ = store.Close()
	})
}

// full is a store that takes nothing.
type full struct{ kv.Store }

func (full) Put(context.Context, string, []byte, kv.Revision) (kv.Revision, error) {
	return 0, errors.New("no space left on device")
}

// TestWhatCannotBeWrittenFails: then nothing may be done.
func TestWhatCannotBeWrittenFails(t *testing.T) {
	store := memory.New(time.Now)
	l := open(t, full{store}, Options{})
	_, begin := l.Begin(t.Context(), Event{Means: MeansConsole})
	for what, err := range map[string]error{"begin": begin, "record": l.Record(t.Context(), Event{})} {
		if seshat.KindOfError(err) != seshat.ErrorUnavailable || strings.Contains(err.Error(), "device") {
			t.Errorf("%s: %v", what, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	l.Close()
	l = open(t, store, Options{})
	if err := l.Record(gone, Event{Means: MeansConsole}); err != nil {
		t.Errorf("what somebody did who has gone is not written: %v", err)
	}
	l.Close()
	_ = store.Close()
}

// TestLogIsBounded: by count and by age, and attempts do not push out events.
func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(time.Now)
		l := open(t, store, Options{Max: 100, MaxAttempts: 10, MaxAge: 24 * time.Hour})
		for i := range 150 {
			time.Sleep(time.Second)
			if err := l.Record(t.Context(), Event{Means: MeansConsole, Detail: fmt.Sprint("e", i), Outcome: Done}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := l.Record(t.Context(), Event{Outcome: Refused, Detail: "attempt"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		events, _ := l.List(Query{Means: MeansConsole})
		attempts, _ := l.List(Query{Outcome: Refused})
		if n := len(events); n < 100 || n > 102 || events[0].Detail != "e149" {
			t.Errorf("%d events, the newest %s", n, events[0].Detail)
		}
		if n := len(attempts); n < 10 || n > 12 {
			t.Errorf("%d attempts", n)
		}
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if events, _ := l.List(Query{}); len(events) != 0 {
			t.Errorf("%d events are older than may be", len(events))
		}
		list, err := store.List(t.Context(), "")
		if err != nil || len(list) != 0 {
			t.Errorf("%d entries are left, %v", len(list), err)
		}
		l.Close()
		_ = store.Close()
	})
}

// TestPagesAreWhole: page by page is the same as all at once, whatever there is.
func TestPagesAreWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		kinds := rapid.SliceOfN(rapid.Bool(), 0, 30).Draw(r, "events")
		limit := rapid.IntRange(1, 7).Draw(r, "limit")
		synctest.Test(t, func(t *testing.T) {
			store := memory.New(time.Now)
			l := open(t, store, Options{})
			for i, attempt := range kinds {
				e := Event{Detail: fmt.Sprint(i), Outcome: Done}
				if !attempt {
					e.Means = MeansConsole
				}
				if i%3 > 0 { // and some of them at the same time
					time.Sleep(time.Nanosecond)
				}
				if err := l.Record(t.Context(), e); err != nil {
					r.Fatal(err)
				}
			}
			all, more := l.List(Query{})
			if len(all) != len(kinds) || more {
				r.Fatalf("%d of %d", len(all), len(kinds))
			}
			var paged []Event
			for q := (Query{Limit: limit}); ; {
				page, more := l.List(q)
				paged = append(paged, page...)
				if !more {
					break
				}
				q.Before = page[len(page)-1].ID
			}
			if details(paged) != details(all) || len(all) > 1 && all[0].Detail != fmt.Sprint(len(kinds)-1) {
				r.Errorf("pages: %s; at once: %s", details(paged), details(all))
			}
			l.Close()
			_ = store.Close()
		})
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"id":"a","outcome":"done"}`))
	f.Add([]byte(`{"version":2,"id":"a"}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := decode("event/")(kv.Entry{Key: "event/a", Value: value})
		if err == nil && e.ID != "a" {
			t.Errorf("%q is %+v", value, e)
		}
	})
}
