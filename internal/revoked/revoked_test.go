package revoked_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/revoked"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

var start = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)

func id(n byte) seshat.SessionID { return seshat.SessionID{n, 15: n} }

// stored is a store with five sessions, a minute apart: 1 and 2 of alice, 3 of bob, 4 of alice and logged out, 5 of
// nobody and expired.
func stored(t *testing.T) store.Store {
	t.Helper()
	s := memory.New(func() time.Time { return start })
	batch := &store.Batch{StoredAt: start}
	for n := byte(1); n <= 5; n++ {
		at := start.Add(time.Duration(n) * time.Minute)
		batch.Exchanges = append(batch.Exchanges, seshat.Assigned{
			Observation: &seshat.Observation{Key: seshat.ExchangeKey(n), Time: at, Method: "GET", Host: "shop.example", Path: "/"},
			Session:     id(n),
		})
		facts := seshat.SessionFacts{ID: id(n), Version: 1, Started: at, User: "alice"}
		switch n {
		case 3:
			facts.User = "bob"
		case 4:
			facts.EndedAt, facts.EndedBy = at, seshat.EndLogout
		case 5:
			facts.User, facts.EndedAt, facts.EndedBy = "", at, seshat.EndExpiry
		}
		batch.Sessions = append(batch.Sessions, facts)
	}
	if err := s.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSessions(t *testing.T) {
	s, now := stored(t), start.Add(10*time.Minute)
	denied := start.Add(9 * time.Minute)
	f := func(denials []seshat.Denial, expr, want string) {
		t.Helper()
		parsed, err := filter.Parse(expr, filter.Sessions(), now)
		if err != nil {
			t.Fatal(err)
		}
		for i := range denials {
			denials[i].At = denied
		}
		var got []string
		r := revoked.NewReader(s, denials, now)
		err = r.Sessions(context.Background(), store.Query{Filter: parsed, Now: now, OldestFirst: true}, func(one *seshat.Session) bool {
			got = append(got, fmt.Sprintf("%d:%s", one.ID[0], one.State))
			if revoked := one.State == seshat.StateRevoked; revoked != (one.EndedBy == seshat.EndRevoked) || revoked && !one.EndedAt.Equal(denied) {
				t.Errorf("session %d: %s, ended by %q at %v", one.ID[0], one.State, one.EndedBy, one.EndedAt)
			}
			return true
		})
		if text := strings.Join(got, " "); err != nil || text != want {
			t.Errorf("%q of %v = %q, %v; want %q", expr, denials, text, err, want)
		}
	}
	none := []seshat.Denial{}
	f(none, "", "1:active 2:active 3:active 4:ended 5:expired")
	f(none, "state:revoked", "")

	one := func() []seshat.Denial { return []seshat.Denial{{Session: id(1)}} }
	f(one(), "", "1:revoked 2:active 3:active 4:ended 5:expired")
	f(one(), "state:revoked", "1:revoked")
	f(one(), "-state:revoked", "2:active 3:active 4:ended 5:expired")
	f(one(), "state:active", "2:active 3:active")
	f(one(), "state:(active,revoked)", "1:revoked 2:active 3:active")
	f(one(), "state:active user:alice", "2:active")
	f(one(), "(state:active OR state:ended) user:alice", "2:active 4:ended")
	f(one(), "ended_by:revoked", "1:revoked")
	f(one(), "ended_by:*", "1:revoked 4:ended 5:expired")
	f(one(), "NOT ended_by:*", "2:active 3:active")
	f(one(), "user:alice", "1:revoked 2:active 4:ended")

	// What had ended by itself stays so; what has lapsed since shows why it did.
	f([]seshat.Denial{{Session: id(4)}, {Session: id(5)}}, "", "1:active 2:active 3:active 4:ended 5:revoked")
	f([]seshat.Denial{{Session: id(4)}, {Session: id(5)}}, "state:revoked", "5:revoked")

	alice := func() []seshat.Denial { return []seshat.Denial{{User: "alice"}} }
	f([]seshat.Denial{{User: "Alice"}}, "state:revoked", "1:revoked 2:revoked")
	f(alice(), "", "1:revoked 2:revoked 3:active 4:ended 5:expired")
	f(alice(), "state:active", "3:active")
	f(alice(), "state:revoked -user:bob", "1:revoked 2:revoked")

	before := func() []seshat.Denial { return []seshat.Denial{{IssuedBefore: start.Add(150 * time.Second)}} }
	f(before(), "", "1:revoked 2:revoked 3:active 4:ended 5:expired")
	f(before(), "state:revoked", "1:revoked 2:revoked")
	f([]seshat.Denial{{IssuedBefore: start.Add(90 * time.Second), User: "alice"}}, "state:revoked", "1:revoked")
	f([]seshat.Denial{{IssuedBefore: start.Add(time.Hour), Issuer: "https://id.example"}}, "state:revoked", "")
	f([]seshat.Denial{{ClientSessionID: seshat.Digest{1}}}, "state:revoked", "")
	f([]seshat.Denial{{Session: id(1), Until: now}}, "state:revoked", "")
	f([]seshat.Denial{{Session: id(1), Until: now.Add(1)}, {User: "bob"}}, "state:revoked", "1:revoked 3:revoked")
}

func TestSession(t *testing.T) {
	s, now := stored(t), start.Add(10*time.Minute)
	denial := seshat.Denial{Name: "x", Session: id(1), By: "ann", Reason: "stolen", At: now}
	r := revoked.NewReader(s, []seshat.Denial{denial}, now)
	one, err := r.Session(t.Context(), id(1))
	if err != nil || one.State != seshat.StateRevoked {
		t.Fatalf("Session = %+v, %v", one, err)
	}
	if got := r.Denials(one); len(got) != 1 || got[0] != denial {
		t.Errorf("Denials = %v", got)
	}
	if other, err := r.Session(t.Context(), id(2)); err != nil || other.State != seshat.StateActive || len(r.Denials(other)) > 0 {
		t.Errorf("another session: %+v, %v", other, err)
	}
}
