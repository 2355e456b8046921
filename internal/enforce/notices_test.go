package enforce_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

func someNotices() []byte {
	return enforce.AppendNotices(nil, []seshat.SessionFacts{
		{ID: seshat.SessionID{1}, User: "alice", Started: start()},
		{ID: seshat.SessionID{2}, MergedInto: seshat.SessionID{1}, Started: start()},
		{ID: seshat.SessionID{3}, EndedBy: seshat.EndLogout, User: strings.Repeat("u", 256), Started: start()},
		{ID: seshat.SessionID{4}, Started: start()}, // nothing to act on
		{ID: seshat.SessionID{5}, Started: start(), EndedBy: seshat.EndIdle, EndedAt: start().Add(time.Hour)},
	}, []seshat.Link{
		{Session: seshat.SessionID{1}, To: digestOf("a"), Evidence: seshat.EvidenceIssued, Time: start()},
		{Session: seshat.SessionID{2}, To: digestOf("b"), Evidence: seshat.EvidenceFirst, Time: start()},
		{Session: seshat.SessionID{3}, To: digestOf("c"), Evidence: seshat.EvidenceRefresh, Time: start()},
		{Session: seshat.SessionID{3}}, // an ID that is not known
	})
}

func TestNotices(t *testing.T) {
	if got := enforce.AppendNotices([]byte("x"), []seshat.SessionFacts{{ID: seshat.SessionID{4}}}, nil); string(got) != "x" {
		t.Errorf("nothing to say takes %q", got)
	}
	g := newGateway(t, sessionRule)
	if err := g.enforcer.Learn(someNotices()); err != nil {
		t.Fatal(err)
	}
	f := func(cookie, want string, session byte, user string) {
		t.Helper()
		g.want(want, g.send("GET /", "Cookie: SESSID="+cookie))
		if g.decision.Session != (seshat.SessionID{session}) || g.decision.User != user {
			t.Errorf("%s: session %s of %q", cookie, g.decision.Session, g.decision.User)
		}
	}
	f("a", "allow vouched", 1, "alice")
	f("b", "allow", 1, "alice")
	f("c", "allow", 3, strings.Repeat("u", 256))
}

// TestNoticesOfLongAgo: a gateway that starts reads all there are, and forgets those that nobody used for a week.
func TestNoticesOfLongAgo(t *testing.T) {
	g := newGateway(t, sessionRule)
	learn(t, g, nil, []seshat.Link{{Session: seshat.SessionID{1}, To: digestOf("a"), Time: start().Add(-8 * 24 * time.Hour)}})
	learn(t, g, nil, []seshat.Link{{Session: seshat.SessionID{2}, To: digestOf("b"), Time: start().Add(-6 * 24 * time.Hour)}})
	if s := g.send("GET /", "Cookie: SESSID=a").Session; s == (seshat.SessionID{1}) {
		t.Error("what was not used for 8 days is still there")
	}
	if s := g.send("GET /", "Cookie: SESSID=b").Session; s != (seshat.SessionID{2}) {
		t.Errorf("what was used 6 days ago is gone: %s", s)
	}
}

func FuzzLearn(f *testing.F) {
	notices := someNotices()
	f.Add(notices)
	f.Add(notices[:len(notices)-1])
	f.Add(append([]byte{9}, notices...))
	f.Add([]byte{1, 2})
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, notices []byte) {
		g := newGateway(t, sessionRule)
		before := bytes.Clone(notices)
		if err := g.enforcer.Learn(notices); err == nil && len(notices) > 1 {
			for cut := range len(notices) {
				_ = g.enforcer.Learn(notices[:cut])
			}
		}
		if !bytes.Equal(before, notices) {
			t.Error("the notices were changed")
		}
		g.send("GET /", "Cookie: SESSID=a")
		if g.decision.Session.IsZero() && len(notices) == 0 {
			t.Error("no session")
		}
	})
}
