package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/audit"
)

// TestDenied: the audit log has what somebody who is signed in was refused, once an hour for each route, and nothing of what
// the request said.
func TestDenied(t *testing.T) {
	var mu sync.Mutex
	now := start.Add(time.Hour)
	o := optionsAt(t, 2, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	})
	employ(t, &o)
	s := serve(t, o)
	tokens := map[string]string{"token": "Authorization: Bearer " + apiToken(t, &o, "ada", 0, "sessions:read")}
	vera := session(t, &o, "vic")
	denied := func() []audit.Event {
		list, _ := o.Audit.List(audit.Query{Action: "access.denied"})
		return list
	}
	refuse := func(method, path, body string, fields ...string) {
		t.Helper()
		if a := s.ask(method, path, body, fields...); a.status != http.StatusForbidden {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
	}
	const secret = "s3cret-0123456789abcdef"
	for range 50 {
		refuse("PUT", "/api/v1/denylist/"+secret, `{"client_session_ids":["`+secret+`"]}`, vera...)
	}
	got := denied()
	if len(got) != 1 {
		t.Fatalf("%d entries: %+v", len(got), got)
	}
	if e := got[0]; e.By != "vic" || e.Means != audit.MeansConsole || e.Outcome != audit.Refused || e.Subject != "PUT /api/v1/denylist/{name}" ||
		e.Address != "127.0.0.1" || !strings.Contains(e.Detail, "denylist:write") {
		t.Errorf("the entry is %+v", e)
	}
	// Another route, another person and a token of theirs are entries of their own.
	refuse("GET", "/api/v1/audit", "", vera...)
	refuse("GET", "/api/v1/audit", "", tokens["token"])
	refuse("GET", "/api/v1/sessions/"+sessionID(0).String()+"/lineage?reveal=true", "", tokens["token"])
	got = denied()
	if len(got) != 4 || got[0].Token != "t" || got[0].By != "ada" || got[0].Means != audit.MeansToken {
		t.Errorf("%d entries, the last is %+v", len(got), got[0])
	}
	// An hour later it is told again, with how many there were.
	mu.Lock()
	now = now.Add(59 * time.Minute)
	mu.Unlock()
	vera = session(t, &o, "vic")
	refuse("PUT", "/api/v1/denylist/"+secret, `{}`, vera...)
	if n := len(denied()); n != 4 {
		t.Errorf("%d entries within an hour", n)
	}
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	refuse("PUT", "/api/v1/denylist/other", `{}`, vera...)
	got = denied()
	if len(got) != 5 || !strings.Contains(got[0].Detail, "50 more") {
		t.Errorf("%d entries, the last is %+v", len(got), got[0])
	}
	if all, _ := o.Audit.List(audit.Query{}); strings.Contains(fmt.Sprintf("%+v", all), secret) {
		t.Error("the audit log has what the request said")
	}
	// Nobody, and who may, are not in it.
	s.ask("GET", "/api/v1/audit", "", "Authorization: Bearer wrong").is(http.StatusUnauthorized)
	s.get("/api/v1/audit").is(http.StatusOK)
	if n := len(denied()); n != 5 {
		t.Errorf("%d entries", n)
	}
}
