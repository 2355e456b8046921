package test

import (
	"strings"
	"testing"
	"time"
)

// TestOldCapture imports a capture of last year: it is there at once, and the output says what it shows.
func TestOldCapture(t *testing.T) {
	at := time.Now().UTC().AddDate(-1, 0, 0).Truncate(time.Hour)
	line := func(id string, at time.Time) string {
		return `{"id":"` + id + `","time":"` + at.Format(time.RFC3339) + `","client":{"ip":"192.0.2.1"},"request":{"method":"GET","host":"shop.example","path":"/","headers":[["Cookie","SESSID=` + id + `aaaaaaaaaaaaaaaa"]]},"response":{"status":200}}` + "\n"
	}
	s := fresh(t)
	s.ok("import", write(t, t.TempDir(), "old.ndjson", line("newest", at)+line("same-day", at.Add(-20*time.Hour))+line("older", at.Add(-72*time.Hour))))

	r := s.ok("explore", "--columns", "id").says("Nothing in the last 24 hours", at.Format("2006-01-02"), "--since all")
	r.prints("newest", "same-day")
	if strings.Contains(r.stdout, "older") {
		t.Errorf("more is shown than is said: %v", r)
	}
	sessions := s.ok("sessions", "--format", "csv").says("Nothing in the last 24 hours")
	if n := strings.Count(sessions.stdout, "\n"); n != 3 { // a heading and two
		t.Errorf("%d lines of sessions: %v", n, sessions)
	}
	for _, args := range [][]string{{"--since", "all"}, {"--since", "800d"}, {"--since", at.Add(-80 * time.Hour).Format("2006-01-02")}} {
		r := s.ok(append([]string{"explore", "--columns", "id"}, args...)...).prints("newest", "same-day", "older")
		if r.stderr != "" {
			t.Errorf("what was asked for is shown, and a note with it: %v", r)
		}
	}
	// Who asks for a time gets that time, also when nothing is there.
	none := s.ok("explore", "--columns", "id", "--format", "csv", "--since", "24h").says("No exchange matches")
	if none.stdout != "id\n" {
		t.Errorf("%v", none)
	}
	until := s.ok("explore", "--columns", "id", "--format", "csv", "--since", "all", "--until", at.Add(-48*time.Hour).Format(time.RFC3339))
	if until.stdout != "id\nolder\n" {
		t.Errorf("--until: %v", until)
	}

	// Retention counts from when it was stored: what is a year old and was stored now stays.
	s.runWith("apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {retention: 24h}\n", "apply", "-f", "-").want(0)
	s.ok("import", write(t, t.TempDir(), "new.ndjson", line("today", time.Now().UTC().Add(-time.Minute))))
	if n := len(s.explore("id")); n != 4 {
		t.Errorf("%d exchanges are left, of 4 that were stored today", n)
	}
	// With something of today there is nothing to say.
	if r := s.ok("explore", "--columns", "id", "--format", "csv"); r.stdout != "id\ntoday\n" || r.stderr != "" {
		t.Errorf("%v", r)
	}
}
