package correlate_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

// The scenarios of these tests are written as short lines, one an exchange:
//
//	<second> <device> [METHOD path] > ids of the request < ids of the response = status
//
// An ID is kind:value, where kind is c (session cookie), a (access token), r (refresh token), o (authorization
// code), k (API key), t (transaction) or s (session handle outside a cookie). "c:A-" in the response deletes A.
// "a:T@alice" is a JWT whose subject is alice, "a:T#S" one whose sid is S, and "a:T!9" one that lapses at second 9.
// Words with "=" set a field: user=alice (a sign-in as alice), host=api, origin=app, flow=logout.

func digest(parts ...string) seshat.Digest {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return seshat.Digest(sum[:16])
}

func newSessionID(first seshat.Digest, start time.Time) seshat.SessionID {
	return seshat.SessionID(digest("session", first.String(), start.UTC().String()))
}

var epoch = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func at(second float64) time.Time { return epoch.Add(time.Duration(second * float64(time.Second))) }

func TestScenarios(t *testing.T) {
	f := func(name, exchanges, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			got := groups(process(t, exchanges))
			if got != want {
				t.Errorf("sessions of\n%s\n got %s\nwant %s", exchanges, got, want)
			}
		})
	}

	f("equal cookie is one session", `
		0 pc > c:A
		1 pc > c:A
		2 pc > c:B`, "112")
	f("cookie set by the first response", `
		0 pc < c:A
		1 pc > c:A`, "11")
	f("rotation at login keeps the session", `
		0 pc < c:A
		1 pc > c:A
		2 pc POST /login user=alice > c:A < c:B
		3 pc > c:B`, "1111")
	f("refresh continues the session", `
		0 pc > r:R1 < a:T1 r:R2
		1 pc > a:T1
		2 pc > r:R2 < a:T2 r:R3
		3 pc > a:T2`, "1111")
	f("racing refreshes join one session", `
		0 pc > r:R1 < a:T1 r:R2
		1 pc > r:R2 < a:T2 r:R3
		1 pc > r:R2 < a:T3 r:R4
		2 pc > a:T2
		2 pc > a:T3`, "11111")
	f("rotated refresh token belongs to its session", `
		0 pc  > r:R1 < a:T1 r:R2
		1 pc  > r:R2 < a:T2 r:R3
		90 bad > r:R2 = 400`, "111")
	f("tokens that share sid", `
		0 pc > a:T1#S
		1 pc > a:T2#S
		2 pc > a:T3#Z`, "112")
	f("code leads from the sign-in to the token", `
		0 pc  host=op > c:A < o:CODE
		1 bff host=op > o:CODE < a:T
		2 bff host=api > a:T`, "111")
	f("code joins two sessions after the fact", `
		0 pc host=web > c:W
		1 pc host=op  > c:A < o:CODE
		2 pc host=web > c:W o:CODE
		3 pc host=op  > c:A`, "1111")
	f("another user in the same jar", `
		0 pc < c:A
		1 pc POST /login user=alice > c:A
		2 pc > c:A
		3 pc POST /login user=bob > c:A
		4 pc > c:A`, "11122")
	f("a refused sign-in is not another user", `
		0 pc POST /login user=alice > c:A
		1 pc POST /login user=bob > c:A = 401
		2 pc > c:A`, "111")
	f("two addresses with one local part are two users", `
		0 pc POST /login user=alice > c:A
		1 pc POST /login user=alice@x.example > c:A
		2 pc POST /login user=alice@y.example > c:A`, "112")
	f("deleting one cookie of two is not a logout", `
		0 pc > c:A c:FLASH
		1 pc > c:A c:FLASH < c:FLASH-
		2 pc > c:A`, "111")
	f("application's key at a password grant is nobody's session", `
		0 app POST /token user=ann > k:CLIENT < a:T1
		1 app POST /token user=ben > k:CLIENT < a:T2
		2 ann > a:T1
		3 ben > a:T2`, "1212")
	f("a made-up token with somebody's sid ends nothing", `
		0 pc  > a:T1@alice#S
		1 bad > a:T2@mallory#S
		2 pc  > a:T1@alice#S`, "121")
	f("e-mail and local part are one user", `
		0 pc POST /login user=alice > c:A
		1 pc POST /login user=Alice@example.com > c:A`, "11")
	f("logout by deletion", `
		0 pc > c:A
		1 pc POST /logout flow=logout > c:A < c:A- = 303
		2 pc < c:B
		3 pc > c:B`, "1122")
	f("cookie kept through logout starts anew on the same device", `
		0 pc > c:A
		1 pc POST /logout flow=logout > c:A = 303
		2 pc > c:A
		3 pc > c:A`, "1122")
	f("cookie after logout from elsewhere is a replay", `
		0 pc  > c:A
		1 pc  POST /logout flow=logout > c:A = 303
		2 bad > c:A`, "111")
	f("token after logout is a replay", `
		0 pc > a:T
		1 pc POST /logout flow=logout > a:T = 204
		2 pc > a:T = 401`, "111")
	f("logout page that asks is not a logout", `
		0 pc > c:A
		1 pc GET /logout flow=logout > c:A
		2 pc > c:A`, "111")
	f("sign-in after the tokens lapsed", `
		0 pc host=op > c:OP < a:T!5
		1 pc host=api > a:T
		9 pc host=op POST /login user=alice > c:OP < a:U!20
		10 pc host=api > a:U
		11 bad host=api > a:T = 401`, "11221")
	f("refresh after the tokens lapsed goes on", `
		0 pc > r:R1 < a:T!5 r:R2
		9 pc > r:R2 < a:U!20 r:R3
		10 pc > a:U`, "111")
	f("stolen cookie belongs to the victim", `
		0 pc  > c:A
		1 bad > c:A
		2 pc  > c:A`, "111")
	f("key beside a token is the application's", `
		0 pc > k:APP a:T1@alice
		1 pc > k:APP a:T2@bob
		2 pc > k:APP`, "123")
	f("key alone is one session from everywhere", `
		0 a > k:K
		1 b > k:K`, "11")
	f("two users never merge by an ID that both present", `
		0 pc > c:A
		1 pc POST /login user=alice > c:A
		2 ph POST /login user=bob > c:B
		3 ph > c:B c:A`, "1122")
	f("same address without IDs", `
		0 pc
		1 pc
		2 other
		3000 pc`, "1123")
	f("first requests without an ID belong to the login", `
		0 pc host=app GET /
		1 pc host=api origin=app GET /config
		2 pc host=api origin=app POST /login user=alice < a:T
		3 pc host=api origin=app > a:T`, "1111")
	f("two clients at one address are not joined", `
		0 nat host=app GET /
		0 nat host=app GET /
		2 nat host=app POST /login user=alice < a:T
		3 nat host=app > a:T`, "1122")
	f("page without an ID belongs to the only session of the device", `
		0 pc host=op POST /login user=alice < c:A
		1 pc host=op > c:A
		2 pc host=cdn origin=op
		3 pc host=op`, "1112")
	f("client that keeps no cookies", `
		0 bot < c:A
		1 bot < c:B
		2 bot < c:C
		3 bot < c:D
		4 bot < c:E`, "11111")
	f("transaction joins the steps of a sign-in", `
		0 pc < t:I
		1 pc > t:I
		2 pc POST /login user=alice > t:I < c:A
		3 pc > c:A`, "1111")
	f("unknown transaction proves nothing", `
		0 pc > t:X
		1 ph > t:X`, "12")
	f("token whose issue was not seen takes over", `
		0 pc > a:T1@alice!20
		10 pc > a:T1@alice!20
		21 pc > a:T2@alice!40
		30 pc > a:T2@alice!40`, "1111")
	f("two devices of one user at one address stay two", `
		0 pc > a:T1@alice
		10 pc > a:T2@alice
		20 pc > a:T1@alice
		90 pc > a:T2@alice`, "1212")
	f("takeover needs the device", `
		0 pc > a:T1@alice!20
		21 ph > a:T2@alice!40
		30 ph > a:T2@alice!40`, "122")
}

func TestRuleEnds(t *testing.T) {
	rule := seshat.RuleIDFor("web")
	f := func(name string, ends correlate.RuleEnds, exchanges, want string, reason seshat.EndReason) {
		t.Helper()
		config := correlate.DefaultConfig(newSessionID)
		config.RuleEnds = map[seshat.RuleID]correlate.RuleEnds{rule: ends}
		c := correlate.New(config)
		run := scenario{}
		for _, o := range parse(t, exchanges) {
			for i := range o.IDs {
				if o.IDs[i].Origin != seshat.OriginFallback {
					o.IDs[i].Origin, o.IDs[i].Rule = seshat.OriginRule, rule
				}
			}
			run.ids = append(run.ids, c.Process(o))
		}
		run.changes = c.Flush()
		if got := groups(run); got != want {
			t.Errorf("%s: sessions of %s: got %s, want %s", name, exchanges, got, want)
		}
		if got := run.facts(run.ids[0]).EndedBy; got != reason {
			t.Errorf("%s: the first session ended by %q, want %q", name, got, reason)
		}
	}
	f("idle", correlate.RuleEnds{IdleTimeout: time.Minute}, `
		0 pc > c:A
		50 pc > c:A
		111 pc > c:A`, "112", seshat.EndIdle)
	f("lifetime", correlate.RuleEnds{AbsoluteLifetime: time.Minute}, `
		0 pc > c:A
		50 pc > c:A
		61 pc > c:A`, "112", seshat.EndLifetime)
	f("neither", correlate.RuleEnds{}, `
		0 pc > c:A
		90000 pc > c:A`, "11", seshat.EndNone)
}

func TestExpiryIsAnEnd(t *testing.T) {
	f := func(name, exchanges string, reason seshat.EndReason, second float64) {
		t.Helper()
		run := process(t, exchanges)
		got := run.facts(run.root(run.ids[0]))
		if got.EndedBy != reason || reason != seshat.EndNone && !got.EndedAt.Equal(at(second)) {
			t.Errorf("%s: ends by %q at %s, want %q at %s", name, got.EndedBy, got.EndedAt, reason, at(second))
		}
	}
	f("token lapses", "0 pc > a:T!9\n1 pc > a:T", seshat.EndExpiry, 9)
	f("refused use of it afterwards changes nothing", "0 pc > a:T!9\n20 pc > a:T = 401", seshat.EndExpiry, 9)
	f("accepted replay of it changes nothing", "0 pc > a:T!9\n20 bad > a:T", seshat.EndExpiry, 9)
	f("refresh moves it", "0 pc > r:R1 < a:T!9 r:R2\n8 pc > r:R2 < a:U!17 r:R3", seshat.EndExpiry, 17)
	f("another ID that holds outlives it", "0 pc > c:A a:T!9\n20 pc > c:A", seshat.EndNone, 0)
	f("logout comes first", "0 pc > a:T!9\n1 pc POST /logout flow=logout > a:T = 204", seshat.EndLogout, 1)
	f("no expiry", "0 pc > c:A", seshat.EndNone, 0)
}

func TestPreviousSessionAndEvents(t *testing.T) {
	run := process(t, `
		0 pc POST /login user=alice > c:A
		1 pc POST /login user=bob > c:A
		2 pc POST /logout flow=logout > c:A < c:A- = 303`)
	first, second := run.ids[0], run.ids[1]
	if got := run.facts(second).Previous; got != first {
		t.Errorf("previous session of %s is %s, want %s", second, got, first)
	}
	if got := run.facts(first); got.EndedBy != seshat.EndUserSwitch || got.User != "alice" {
		t.Errorf("first session ended by %q as %q, want user-switch as alice", got.EndedBy, got.User)
	}
	if got := run.facts(second); got.User != "bob" {
		t.Errorf("second session's user is %q, want bob", got.User)
	}
	var events []string
	for _, e := range run.changes.Events {
		events = append(events, string(e.Type)+" "+string(e.Reason))
	}
	want := "session.start |session.end user-switch|session.start "
	if got := strings.Join(events, "|"); got != want {
		t.Errorf("events are %q, want %q", got, want)
	}
}

func TestLineage(t *testing.T) {
	run := process(t, `
		0 pc < c:A
		1 pc POST /login user=alice > c:A < c:B
		2 pc > c:B r:R1 < a:T1 r:R2
		3 pc > a:U#S
		4 pc > a:V#S a:T1`)
	var got []string
	for _, l := range run.changes.Links {
		got = append(got, string(l.Evidence))
	}
	want := "first rotation presented refresh refresh first presented shared-claim"
	if strings.Join(got, " ") != want {
		t.Errorf("lineage is %q, want %q", strings.Join(got, " "), want)
	}
}
