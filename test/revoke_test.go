package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// effective is how soon a revocation must be in force.
const effective = time.Second

// visitor is somebody with a session at the gateway.
type visitor struct {
	t      testing.TB
	r      *running
	c      *http.Client
	cookie string
}

// signedIn signs somebody in through the gateway.
func signedIn(t testing.TB, r *running, user string) *visitor {
	t.Helper()
	v := &visitor{t: t, r: r, c: client(t), cookie: "PHPSESSID=signed-in-" + user + "-0123456789abcdef"}
	a := ask(t, v.c, "POST", r.gateway+"/login", "username="+user+"&password=correct-horse", "Content-Type", "application/x-www-form-urlencoded",
		"Cookie", "PHPSESSID=anonymous-of-"+user+"-0123456789", "User-Agent", "Browser of "+user)
	if a.status != http.StatusFound || !strings.Contains(a.header.Get("Set-Cookie"), "signed-in-"+user) {
		t.Fatalf("sign in: %+v", a)
	}
	v.want(http.StatusOK)
	return v
}

func (v *visitor) status() int {
	v.t.Helper()
	return ask(v.t, v.c, "GET", v.r.gateway+"/account", "", "Cookie", v.cookie, "User-Agent", "Browser").status
}

func (v *visitor) want(status int) {
	v.t.Helper()
	if got := v.status(); got != status {
		v.t.Fatalf("the answer has status %d; want %d", got, status)
	}
}

// becomes waits until requests are answered with status, for as long as a revocation may take.
func (v *visitor) becomes(status int) {
	v.t.Helper()
	within(v.t, effective, fmt.Sprintf("requests are answered with %d", status), func() bool { return v.status() == status })
}

// sessionOf waits until a user's session is stored and returns its ID.
func sessionOf(t testing.TB, s *seshat, user string) string {
	t.Helper()
	var id string
	eventually(t, "the session of "+user+" is stored", func() bool {
		for _, one := range s.sessions("user:" + user) {
			id = one.ID
		}
		return id != ""
	})
	return id
}

func (s *seshat) state(id string) string {
	s.t.Helper()
	for _, one := range s.sessions("session_id:" + id) {
		return one.State
	}
	return ""
}

func TestRevokeSession(t *testing.T) {
	s := fresh(t)
	r := s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice, bob := signedIn(t, r, "alice"), signedIn(t, r, "bob")
	id := sessionOf(t, s, "alice")

	s.ok("revoke", id[:13], "--reason", "stolen laptop").prints("session-" + id + " denied")
	alice.becomes(http.StatusUnauthorized)
	bob.want(http.StatusOK)
	s.ok("denylist").prints("session-"+id, "stolen laptop", "for good", "401")
	if got := s.state(id); got != "revoked" {
		t.Errorf("the session is %q; want revoked", got)
	}
	s.ok("session", id).prints("revoked", "stolen laptop", "session-"+id)
	var story struct {
		Session session
		Denials []struct{ Reason, By string }
	}
	if err := json.Unmarshal([]byte(s.ok("session", id, "--format", "json").stdout), &story); err != nil {
		t.Fatal(err)
	}
	if story.Session.State != "revoked" || story.Session.EndedBy != "revoked" || len(story.Denials) != 1 || story.Denials[0].Reason != "stolen laptop" || story.Denials[0].By == "" {
		t.Errorf("the story: %+v", story)
	}
	if found := s.sessions("state:revoked"); len(found) != 1 || found[0].ID != id {
		t.Errorf("state:revoked finds %+v", found)
	}
	for _, one := range s.sessions("-state:revoked") {
		if one.ID == id {
			t.Error("-state:revoked finds the session")
		}
	}

	// It is refused after a restart, also one without warning, and shown as revoked without an instance.
	r.kill()
	if got := s.state(id); got != "revoked" {
		t.Errorf("without an instance the session is %q; want revoked", got)
	}
	s.ok("session", id).prints("stolen laptop")
	r = s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice.r, bob.r = r, r
	alice.want(http.StatusUnauthorized)
	bob.want(http.StatusOK)

	// Taken back, it goes on as the session that it was: nothing but the story tells of it.
	s.ok("denylist", "remove", "session-"+id).prints("removed")
	alice.becomes(http.StatusOK)
	eventually(t, "the session is active again", func() bool { return s.state(id) == "active" })
	if found := s.sessions("user:alice"); len(found) != 1 || found[0].ID != id {
		t.Errorf("the sessions of alice are %+v; want only %s", found, id)
	}
	if found := s.sessions("state:revoked"); len(found) != 0 {
		t.Errorf("state:revoked finds %+v", found)
	}
	s.ok("session", id).prints("stolen laptop", "taken back")
	r.stop()
	s.ok("session", id).prints("active", "stolen laptop", "taken back")
	r = s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice.r = r
	alice.want(http.StatusOK)
	if got := s.state(id); got != "active" {
		t.Errorf("after a restart the session is %q; want active", got)
	}

	// Taken back without an instance.
	s.ok("revoke", id)
	alice.becomes(http.StatusUnauthorized)
	eventually(t, "the session is revoked", func() bool { return s.state(id) == "revoked" })
	r.stop()
	s.ok("denylist", "remove", "session-"+id).prints("removed")
	s.ok("session", id).prints("active", "taken back")
	r = s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice.r = r
	alice.want(http.StatusOK)
	eventually(t, "the session is active again", func() bool { return s.state(id) == "active" })
	s.run("denylist", "remove", "session-"+id).want(1).says("no such entry")
}

func TestRevokeOthers(t *testing.T) {
	s := fresh(t)
	r := s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice, bob := signedIn(t, r, "alice"), signedIn(t, r, "bob")
	sessionOf(t, s, "alice")
	sessionOf(t, s, "bob")

	s.ok("revoke", "--user", "alice", "--for", "1h", "--status", "403").prints("denied until")
	alice.becomes(http.StatusForbidden)
	bob.want(http.StatusOK)
	if found := s.sessions("state:revoked user:alice"); len(found) == 0 {
		t.Error("no session of alice is shown as revoked")
	}

	// A client session ID is a secret: it comes on standard input, and is nowhere in the data directory.
	_, secret, _ := strings.Cut(bob.cookie, "=")
	s.run("revoke", "--client-session-id", secret).want(2).says("secrets do not belong on a command line")
	s.runWith(secret+"\n", "revoke", "--client-session-id", "-").want(0).prints("id-")
	bob.becomes(http.StatusUnauthorized)

	carol := signedIn(t, r, "carol")
	sessionOf(t, s, "carol")
	s.ok("denylist", "add", "everything", "--issued-before", "now", "--reason", "leak").prints("everything denied")
	carol.becomes(http.StatusUnauthorized)
	s.ok("denylist", "--format", "json").prints(`"name": "everything"`, `"issued_before"`)
	s.ok("denylist", "remove", "everything")
	carol.becomes(http.StatusOK)

	r.stop()
	leaks := 0
	_ = filepath.WalkDir(s.data, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), secret) { //nolint:gosec // of the test
				t.Errorf("%s has the client session ID", path)
				leaks++
			}
		}
		return nil
	})
}

// TestRevokeWithoutInstance: what is revoked while nothing runs is refused once something does.
func TestRevokeWithoutInstance(t *testing.T) {
	s := fresh(t)
	r := s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice := signedIn(t, r, "alice")
	id := sessionOf(t, s, "alice")
	r.stop()

	s.run("denylist").want(0).says("Nothing is denied")
	s.ok("revoke", id, "--user", "mallory").prints("session-"+id, "user-mallory").says("No instance is running")
	s.ok("sessions", "--since", "all", "state:revoked").prints(id)
	alice.r = s.serve("--upstream", origin(t), "--listen", "127.0.0.1:0")
	alice.want(http.StatusUnauthorized)
	refused := ask(t, client(t), "POST", alice.r.gateway+"/login", "username=mallory&password=x", "Content-Type", "application/x-www-form-urlencoded")
	if refused.status == 0 {
		t.Error("no answer")
	}
}
