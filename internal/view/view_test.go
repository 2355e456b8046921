package view_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/view"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func keeper(t *testing.T) (*view.Keeper, *memory.Store) {
	store := memory.New(func() time.Time { return now })
	t.Cleanup(func() { _ = store.Close() })
	return view.NewKeeper(store, func() time.Time { return now }), store
}

func TestBounds(t *testing.T) {
	k, _ := keeper(t)
	ctx := context.Background()
	for i := range view.MaxPerOwner {
		if _, err := k.Add(ctx, view.View{Name: fmt.Sprint("view ", i), Page: "sessions", Owner: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Add(ctx, view.View{Name: "one more", Page: "sessions", Owner: "ann"}); seshat.KindOfError(err) != seshat.ErrorInvalid {
		t.Errorf("more views than the bound: %v", err)
	}
	if _, err := k.Add(ctx, view.View{Name: "view 1", Page: "explorer", Owner: "bob"}); err != nil {
		t.Errorf("the views of ann are in the way of bob's: %v", err)
	}
	list, err := k.List(ctx, "ann")
	if err != nil || len(list) != view.MaxPerOwner {
		t.Fatalf("%d views, %v", len(list), err)
	}
	list[0].Name = "another name" // one that is changed takes no room
	if _, err := k.Replace(ctx, list[0], list[0].Revision); err != nil {
		t.Error(err)
	}
	list[1].Name = list[2].Name
	if _, err := k.Replace(ctx, list[1], kv.Any); seshat.KindOfError(err) != seshat.ErrorConflict {
		t.Errorf("two views of one name: %v", err)
	}
}

func TestWhatIsNotKept(t *testing.T) {
	k, _ := keeper(t)
	f := func(v view.View) {
		t.Helper()
		if _, err := k.Add(context.Background(), v); seshat.KindOfError(err) != seshat.ErrorInvalid {
			t.Errorf("%+v: %v", v, err)
		}
	}
	f(view.View{Name: "", Page: "sessions", Owner: "ann"})
	f(view.View{Name: " \t", Page: "sessions", Owner: "ann"})
	f(view.View{Name: "a\x1b[31m", Page: "sessions", Owner: "ann"})
	f(view.View{Name: strings.Repeat("ä", view.MaxName+1), Page: "sessions", Owner: "ann"})
	f(view.View{Name: "a", Page: "settings", Owner: "ann"})
	f(view.View{Name: "a", Page: "sessions", Owner: ""})
	f(view.View{Name: "a", Page: "sessions", Owner: "ann", Query: strings.Repeat("q", view.MaxQuery+1)})
	f(view.View{Name: "a", Page: "sessions", Owner: "ann", Query: "a b"})
	f(view.View{Name: "a", Page: "sessions", Owner: "ann", Query: "a\n"})
	f(view.View{Name: "a", Page: "sessions", Owner: "ann", Query: "a#b"})
}

// TestStored checks what is on disk, and that a view of a newer version is left alone.
func TestStored(t *testing.T) {
	k, store := keeper(t)
	ctx := context.Background()
	v, err := k.Add(ctx, view.View{Name: "Errors", Page: "sessions", Query: "?filter=a", Shared: true, Owner: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := store.Get(ctx, "view/"+v.ID)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"name":"Errors","page":"sessions","query":"filter=a","shared":true,"owner":"ann",` +
		`"created":"2026-01-02T03:04:05Z","changed":"2026-01-02T03:04:05Z"}`
	if string(entry.Value) != want {
		t.Errorf("stored: %s\nwant:   %s", entry.Value, want)
	}
	if strings.Contains(v.ID, "ann") {
		t.Errorf("the ID %s says whose view it is", v.ID)
	}
	newer := "view/" + strings.Replace(v.ID, v.ID[:1], "f", 1)
	if _, err := store.Put(ctx, newer, []byte(`{"version":2}`), kv.Any); err != nil {
		t.Fatal(err)
	}
	if list, err := k.List(ctx, "bob"); err != nil || len(list) != 1 || list[0].ID != v.ID {
		t.Errorf("list: %+v, %v", list, err)
	}
	for _, id := range []string{"", "x", v.ID + "x", "../resources/SessionRule", strings.Repeat("-", 30)} {
		if _, err := k.Get(ctx, id); seshat.KindOfError(err) != seshat.ErrorNotFound {
			t.Errorf("get %q: %v", id, err)
		}
		if err := k.Delete(ctx, id, kv.Any); seshat.KindOfError(err) != seshat.ErrorNotFound {
			t.Errorf("delete %q: %v", id, err)
		}
	}
}
