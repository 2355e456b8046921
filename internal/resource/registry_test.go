package resource_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/resource"
)

func author(name string) resource.Author {
	return resource.Author{By: name, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func newRegistry(t *testing.T) (*resource.Registry, *memory.Store) {
	store := memory.New(time.Now)
	t.Cleanup(func() { _ = store.Close() })
	return resource.NewRegistry(store, compile), store
}

func parse(t *testing.T, text string) []resource.Parsed {
	t.Helper()
	parsed, faults := resource.Parse("in.yaml", []byte(text))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return parsed
}

// cookieRule is a session rule with one cookie.
func cookieRule(name, cookie string) string {
	return fmt.Sprintf("---\n{apiVersion: seshat/v1, kind: SessionRule, metadata: {name: %s}, spec: {identifiers: [{cookie: %q}]}}\n", name, cookie)
}

func maskRule(name, header string) string {
	return fmt.Sprintf("---\n{apiVersion: seshat/v1, kind: MaskRule, metadata: {name: %s}, spec: {location: cookie, key: %q}}\n", name, header)
}

// apply applies text and returns what was done, such as "created a, unchanged b".
func apply(t *testing.T, r *resource.Registry, text string, o resource.ApplyOptions) (string, error) {
	t.Helper()
	outcomes, err := r.Apply(context.Background(), parse(t, text), o)
	var words []string
	for _, outcome := range outcomes {
		words = append(words, string(outcome.Action)+" "+outcome.Name)
	}
	return strings.Join(words, ", "), err
}

func wantApplied(t *testing.T, r *resource.Registry, text, want string) {
	t.Helper()
	if got, err := apply(t, r, text, resource.ApplyOptions{Author: author("ann")}); err != nil || got != want {
		t.Fatalf("applied: %q, %v; want %q", got, err, want)
	}
}

// stored lists what a registry holds, such as "SessionRule/a=SESSID".
func stored(t *testing.T, r *resource.Registry) string {
	t.Helper()
	list, err := r.List(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, s := range list {
		words = append(words, describe(*s.Resource))
	}
	return strings.Join(words, " ")
}

func describe(r seshat.Resource) string {
	out := resource.Key(r.Kind, r.Metadata.Name)
	switch spec := r.Spec.(type) {
	case *seshat.SessionRuleSpec:
		out += "=" + spec.Identifiers[0].Cookie
	case *seshat.MaskRuleSpec:
		out += "=" + *spec.Key.Equals
	}
	return out
}

func TestApply(t *testing.T) {
	r, _ := newRegistry(t)
	wantApplied(t, r, cookieRule("b", "B")+cookieRule("a", "A")+maskRule("m", "M"), "created b, created a, created m")
	wantApplied(t, r, cookieRule("a", "A")+cookieRule("b", "B2")+cookieRule("c", "C"), "unchanged a, updated b, created c")
	if got, want := stored(t, r), "SessionRule/a=A SessionRule/b=B2 SessionRule/c=C MaskRule/m=M"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	got, err := r.Get(context.Background(), seshat.KindSessionRule, "b")
	if err != nil || got.By != "ann" || !got.At.Equal(author("").At) || got.Revision == 0 || describe(*got.Resource) != "SessionRule/b=B2" {
		t.Errorf("Get = %+v, %v", got, err)
	}
	if _, err := r.Get(context.Background(), seshat.KindFlow, "b"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("Get of what is not there: %v", err)
	}
	list, err := r.List(context.Background(), seshat.KindMaskRule)
	if err != nil || len(list) != 1 || list[0].Name != "m" {
		t.Errorf("List of mask rules = %v, %v", list, err)
	}
}

// TestApplyInvalid: what does not validate, alone or with what is stored, changes nothing, and neither does what is
// applied with it.
func TestApplyInvalid(t *testing.T) {
	r, _ := newRegistry(t)
	wantApplied(t, r, cookieRule("a", "A"), "created a")
	f := func(text, want string) {
		t.Helper()
		_, err := apply(t, r, text, resource.ApplyOptions{})
		var faults seshat.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), want) {
			t.Errorf("applied with error %v, want faults with %q", err, want)
		}
		if got := stored(t, r); got != "SessionRule/a=A" {
			t.Errorf("stored %q; the one that works was replaced", got)
		}
	}
	f(cookieRule("new", "N")+
		"---\n{apiVersion: seshat/v1, kind: SessionRule, metadata: {name: a}, spec: {identifiers: [{extract: {location: cookie, key: {matches: '('}}}]}}\n",
		"in.yaml:4:")
	f(maskRule("m", "A"), "SessionRule/a: spec.identifiers[0]: a masked parameter cannot be an identifier")
}

func TestApplyDryRun(t *testing.T) {
	r, _ := newRegistry(t)
	got, err := apply(t, r, cookieRule("a", "A"), resource.ApplyOptions{DryRun: true})
	if err != nil || got != "created a" || stored(t, r) != "" {
		t.Errorf("a dry run: %q, %v, and then stored: %q", got, err, stored(t, r))
	}
}

func TestApplyExpected(t *testing.T) {
	r, _ := newRegistry(t)
	key := resource.Key(seshat.KindSessionRule, "a")
	expect := func(revision kv.Revision) resource.ApplyOptions {
		return resource.ApplyOptions{Expected: map[string]kv.Revision{key: revision}}
	}
	if _, err := apply(t, r, cookieRule("a", "1"), expect(9)); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("updated what is not there: %v", err)
	}
	if _, err := apply(t, r, cookieRule("a", "1"), expect(kv.None)); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, r, cookieRule("a", "2"), expect(kv.None)); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("created what is there: %v", err)
	}
	first, err := r.Get(context.Background(), seshat.KindSessionRule, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, r, cookieRule("a", "2"), expect(first.Revision)); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, r, cookieRule("a", "3")+cookieRule("b", "3"), expect(first.Revision)); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("updated an old revision: %v", err)
	}
	if got := stored(t, r); got != "SessionRule/a=2" {
		t.Errorf("stored %q", got)
	}
}

func TestDeleteHistoryRollback(t *testing.T) {
	ctx := context.Background()
	r, _ := newRegistry(t)
	wantApplied(t, r, cookieRule("a", "1"), "created a")
	wantApplied(t, r, cookieRule("a", "2"), "updated a")
	if err := r.Delete(ctx, seshat.KindSessionRule, "a", kv.Any, author("bob")); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(ctx, seshat.KindSessionRule, "a", kv.Any, author("bob")); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if got := stored(t, r); got != "" {
		t.Errorf("stored after deleting: %q", got)
	}
	history, err := r.History(ctx, seshat.KindSessionRule, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Rollback(ctx, seshat.KindSessionRule, "a", history[2].Revision, kv.Any, author("eve")); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("rolled back to a deletion: %v", err)
	}
	for _, expected := range []kv.Revision{history[1].Revision, history[2].Revision} { // a deletion is no revision that it has
		if _, err := r.Rollback(ctx, seshat.KindSessionRule, "a", history[0].Revision, expected, author("eve")); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("rolled back what has another revision than %d: %v", expected, err)
		}
	}
	outcome, err := r.Rollback(ctx, seshat.KindSessionRule, "a", history[0].Revision, kv.None, author("eve"))
	if err != nil || outcome.Action != resource.ActionRolledBack {
		t.Fatalf("Rollback = %+v, %v", outcome, err)
	}
	history, err = r.History(ctx, seshat.KindSessionRule, "a")
	var got []string
	for _, s := range history {
		content := "-"
		if s.Resource != nil {
			content = describe(*s.Resource)
		}
		got = append(got, fmt.Sprintf("%s by %s: %s", s.Action, s.By, content))
	}
	want := "created by ann: SessionRule/a=1|updated by ann: SessionRule/a=2|deleted by bob: -|rolled back by eve: SessionRule/a=1"
	if err != nil || strings.Join(got, "|") != want {
		t.Errorf("History = %s, %v\nwant      %s", strings.Join(got, "|"), err, want)
	}
	wantApplied(t, r, maskRule("m", "2"), "created m")
	if _, err := r.Rollback(ctx, seshat.KindSessionRule, "a", history[1].Revision, kv.Any, author("eve")); seshat.KindOfError(err) != seshat.ErrorInvalid {
		t.Errorf("rolled back to a rule whose cookie is masked by now: %v", err)
	}
}

// failing is a store that dies after some writes, as a process does.
type failing struct {
	kv.Store
	left int
}

var errDied = errors.New("died")

func (f *failing) Put(ctx context.Context, key string, value []byte, expected kv.Revision) (kv.Revision, error) {
	if f.left--; f.left < 0 {
		return 0, errDied
	}
	return f.Store.Put(ctx, key, value, expected)
}

// TestApplyDies lets a writer die after every number of writes: who comes next sees all of its change or nothing.
func TestApplyDies(t *testing.T) {
	const before, after = "SessionRule/a=1 SessionRule/b=1", "SessionRule/a=2 SessionRule/b=2 SessionRule/c=2"
	for writes := range 6 {
		r, store := newRegistry(t)
		wantApplied(t, r, cookieRule("a", "1")+cookieRule("b", "1"), "created a, created b")
		dying := resource.NewRegistry(&failing{store, writes}, compile)
		_, err := apply(t, dying, cookieRule("a", "2")+cookieRule("b", "2")+cookieRule("c", "2"), resource.ApplyOptions{})
		if (err == nil) != (writes == 5) {
			t.Fatalf("after %d writes: %v", writes, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		snapshots, err := r.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want := after
		if writes == 0 {
			want = before
		}
		if got := describeSnapshot(<-snapshots); got != want {
			t.Errorf("after %d writes: %q, want %q", writes, got, want)
		}
		cancel()
		if got := stored(t, r); got != want {
			t.Errorf("after %d writes stored %q, want %q", writes, got, want)
		}
		history, err := r.History(context.Background(), seshat.KindSessionRule, "a")
		if err != nil || writes > 0 && len(history) != 2 {
			t.Errorf("after %d writes: %d revisions, %v; want 2", writes, len(history), err)
		}
	}
}

func describeSnapshot(s resource.Snapshot) string {
	if s.Err != nil {
		return s.Err.Error()
	}
	var words []string
	for _, r := range s.Resources {
		words = append(words, describe(r))
	}
	return strings.Join(words, " ")
}

func TestWatchSnapshots(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, _ := newRegistry(t)
	snapshots, err := r.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string) {
		t.Helper()
		select {
		case s := <-snapshots:
			if got := describeSnapshot(s); got != want {
				t.Errorf("snapshot %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no snapshot came")
		}
	}
	f("")
	wantApplied(t, r, cookieRule("b", "1")+cookieRule("a", "1"), "created b, created a")
	f("SessionRule/a=1 SessionRule/b=1")
	if err := r.Delete(ctx, seshat.KindSessionRule, "a", kv.Any, author("bob")); err != nil {
		t.Fatal(err)
	}
	f("SessionRule/b=1")
	cancel()
	for range snapshots { // ends
	}
}

// TestConcurrentChanges applies pairs from many sides: every snapshot holds whole pairs, and nothing is lost.
func TestConcurrentChanges(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, store := newRegistry(t)
	snapshots, err := r.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const writers = 6
	var wg sync.WaitGroup
	for i := range writers {
		pair := parse(t, cookieRule("a", fmt.Sprint("v", i))+cookieRule("b", fmt.Sprint("v", i))+cookieRule(fmt.Sprint("own", i), "x"))
		wg.Go(func() {
			if _, err := resource.NewRegistry(store, compile).Apply(ctx, pair, resource.ApplyOptions{}); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	for s := range snapshots {
		text := describeSnapshot(s) + " "
		for i := range writers {
			if strings.Contains(text, fmt.Sprintf("/a=v%d ", i)) != strings.Contains(text, fmt.Sprintf("/b=v%d ", i)) {
				t.Fatalf("a snapshot with a part of a change: %s", text)
			}
		}
		if s.Change == writers {
			break
		}
	}
	wg.Wait()
	if list, err := r.List(ctx, ""); err != nil || len(list) != writers+2 {
		t.Errorf("%d resources, %v; want %d", len(list), err, writers+2)
	}
}

func TestNewerVersionIsRefused(t *testing.T) {
	r, store := newRegistry(t)
	if _, err := store.Put(context.Background(), "resource/Flow/a", []byte(`{"version":2}`), kv.Any); err != nil {
		t.Fatal(err)
	}
	_, err := r.List(context.Background(), "")
	if seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Errorf("a record of a newer version: %v", err)
	}
}
