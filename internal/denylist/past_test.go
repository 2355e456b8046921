package denylist

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// TestPast: who revoked a session and who took that back is known after the entry is gone.
func TestPast(t *testing.T) {
	stores(t, func(t *testing.T, open func(t *testing.T) kv.Store) {
		ctx, now, session := context.Background(), clock(), seshat.SessionID{1}
		k := NewKeeper(open(t), func() time.Time { return now })
		past := func(user, want string) {
			t.Helper()
			list, err := k.Past(ctx, session, user)
			var got []string
			for i := range list {
				d := &list[i]
				text := d.By + " " + d.Reason
				switch {
				case !d.TakenBackAt.IsZero():
					text += " <" + d.TakenBackBy + " " + d.TakenBackAt.Sub(clock()).String()
				case !d.Until.IsZero():
					text += " until " + d.Until.Sub(clock()).String()
				}
				got = append(got, text)
			}
			if strings.Join(got, "; ") != want || err != nil {
				t.Errorf("past of the session and %q: %q, %v; want %q", user, strings.Join(got, "; "), err, want)
			}
		}
		do := func(err error) {
			t.Helper()
			now = now.Add(time.Minute)
			if err != nil {
				t.Fatal(err)
			}
		}
		add := func(d seshat.Denial) {
			t.Helper()
			_, err := k.Add(ctx, d)
			do(err)
		}
		past("", "")
		add(seshat.Denial{Session: session, By: "ann", Reason: "lost"})
		past("", "") // it is in force
		do(k.Remove(ctx, "session-"+session.String(), "bob"))
		past("", "ann lost <bob 1m0s")
		if list, err := k.List(ctx); len(list) > 0 || err != nil {
			t.Errorf("the list has %+v, %v", list, err)
		}
		// Again, made longer meanwhile by somebody else, and it lapses.
		add(seshat.Denial{Session: session, By: "ann", Reason: "again", Until: now.Add(10 * time.Minute)})
		add(seshat.Denial{Session: session, By: "eve", Reason: "again", Until: now.Add(20 * time.Minute)})
		now = now.Add(time.Hour)
		past("", "ann lost <bob 1m0s; ann again until 23m0s")
		if n, err := k.Sweep(ctx); n != 1 || err != nil {
			t.Errorf("%d were swept, %v", n, err)
		}
		past("", "ann lost <bob 1m0s; ann again until 23m0s")
		// What concerns the user is told together with it.
		before := now
		add(seshat.Denial{User: "alice", By: "ann", Reason: "left"})
		add(seshat.Denial{User: "alice", IssuedBefore: before, By: "ann", Reason: "leak"})
		list, _ := k.List(ctx)
		for i := range list {
			do(k.Remove(ctx, list[i].Name, "bob"))
		}
		past("", "ann lost <bob 1m0s; ann again until 23m0s")
		past("Alice", "ann lost <bob 1m0s; ann again until 23m0s; ann left <bob 1h7m0s; ann leak <bob 1h6m0s")
		// And revoked once more.
		add(seshat.Denial{Session: session, By: "ann"})
		past("", "ann lost <bob 1m0s; ann again until 23m0s")
	})
}
