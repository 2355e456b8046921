package store_test

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

func TestStateOf(t *testing.T) {
	seen := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	after := func(d time.Duration) time.Time { return seen.Add(d) }
	f := func(facts seshat.SessionFacts, now time.Time, want seshat.State) {
		t.Helper()
		if got := store.StateOf(&facts, seen, now); got != want {
			t.Errorf("StateOf(%+v, seen, seen+%s) = %s; want %s", facts, now.Sub(seen), got, want)
		}
	}
	none := seshat.SessionFacts{}
	f(none, seen, seshat.StateActive)
	f(none, after(-time.Hour), seshat.StateActive) // seen in the future of the one who asks
	f(none, after(30*time.Minute), seshat.StateActive)
	f(none, after(30*time.Minute+1), seshat.StateIdle)

	short := seshat.SessionFacts{IdleTimeout: time.Minute}
	f(short, after(time.Minute), seshat.StateActive)
	f(short, after(time.Minute+1), seshat.StateIdle)

	ended := func(by seshat.EndReason) seshat.SessionFacts {
		return seshat.SessionFacts{EndedBy: by, EndedAt: after(time.Minute), IdleTimeout: time.Hour}
	}
	f(ended(seshat.EndLogout), after(time.Minute), seshat.StateEnded)
	f(ended(seshat.EndLogout), after(time.Second), seshat.StateActive) // not yet
	f(ended(seshat.EndUserSwitch), after(time.Hour), seshat.StateEnded)
	f(ended(seshat.EndIdle), after(time.Hour), seshat.StateEnded)
	f(ended(seshat.EndLifetime), after(time.Hour), seshat.StateEnded)
	f(ended(seshat.EndRefused), after(time.Hour), seshat.StateEnded)
	f(ended(seshat.EndExpiry), after(time.Hour), seshat.StateExpired)
	f(ended(seshat.EndRevoked), after(time.Hour), seshat.StateRevoked)

	expires := seshat.SessionFacts{ExpiresAt: after(time.Minute), IdleTimeout: time.Hour}
	f(expires, after(59*time.Second), seshat.StateActive)
	f(expires, after(time.Minute), seshat.StateExpired)
	late := seshat.SessionFacts{ExpiresAt: after(-time.Minute), IdleTimeout: time.Hour}
	f(late, after(time.Minute), seshat.StateActive) // it was seen after its token lapsed
	f(late, after(2*time.Hour), seshat.StateIdle)
}
