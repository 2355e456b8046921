package node_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/denylist"
	"github.com/seshat-project/seshat/internal/natskv"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// TestTakenBack: what is recorded of a session says that it is revoked as long as it is: until the entry is taken back, or its
// time is over, also while nothing runs.
func TestTakenBack(t *testing.T) {
	folder, s, ctx := t.TempDir(), memory.New(time.Now), context.Background()
	session := func() (one seshat.Session) {
		t.Helper()
		n := 0
		err := s.Sessions(ctx, store.Query{Now: time.Now()}, func(x *seshat.Session) bool {
			one, n = *x, n+1
			return true
		})
		if err != nil || n > 1 {
			t.Fatalf("%d sessions, %v", n, err)
		}
		return one
	}
	becomes := func(want seshat.State) {
		t.Helper()
		deadline := time.Now().Add(most)
		for session().State != want {
			if time.Now().After(deadline) {
				t.Fatalf("the session is %q, want %q", session().State, want)
			}
			<-time.After(5 * time.Millisecond)
		}
	}
	deny := func(n *node.Node, until time.Time) seshat.Denial {
		t.Helper()
		d, err := n.Denylist.Add(ctx, seshat.Denial{Session: session().ID, By: "ann", Until: until})
		if err != nil {
			t.Fatal(err)
		}
		becomes(seshat.StateRevoked)
		return d
	}
	n := start(t, options(folder, s))
	const token = "Bearer one-0123456789"
	pass(t, n, token)
	becomes(seshat.StateActive)

	d := deny(n, time.Time{})
	if err := n.Denylist.Remove(ctx, d.Name, "bob"); err != nil {
		t.Fatal(err)
	}
	becomes(seshat.StateActive)
	pass(t, n, token)

	deny(n, time.Now().Add(1500*time.Millisecond)) // nobody has to change the list
	becomes(seshat.StateActive)

	d = deny(n, time.Time{})
	end(t, n)
	list, err := natskv.Open(ctx, natskv.ServerOptions{Dir: filepath.Join(folder, "nats")}, natskv.Options{Bucket: node.DenylistBucket})
	if err != nil {
		t.Fatal(err)
	}
	if err := denylist.NewKeeper(list, time.Now).Remove(ctx, d.Name, "bob"); err != nil {
		t.Fatal(err)
	}
	_ = list.Close()
	n = start(t, options(folder, s))
	becomes(seshat.StateActive)

	deny(n, time.Time{})
	end(t, n)
	n = start(t, options(folder, s))
	pass(t, n, token)
	end(t, n)
	if got := session(); got.State != seshat.StateRevoked {
		t.Errorf("after a restart the session is %q, want revoked", got.State)
	}
}
