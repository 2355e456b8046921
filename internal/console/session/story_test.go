package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

var begin = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }

func TestTell(t *testing.T) {
	ended := after(900)
	firefox := "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	home := []wire.TimelineDevice{{IP: "192.0.2.7", UserAgent: firefox}}
	start := wire.Moment{Kind: wire.MomentStart, Time: after(0), Exchange: "01"}
	for name, c := range map[string]struct {
		session seshat.Session
		devices []wire.TimelineDevice
		moments []wire.Moment
		want    []string // colour, text, note
	}{
		"the session of a newcomer": {
			session: seshat.Session{User: "alice", State: seshat.StateActive, Exchanges: 42},
			devices: home,
			moments: []wire.Moment{
				start,
				{Kind: wire.MomentSignIn, Time: after(10), Exchange: "02", User: "alice"},
				{Kind: wire.MomentRefresh, Time: after(60), Exchange: "03", Count: 1},
				{Kind: wire.MomentRefresh, Time: after(120), Exchange: "04", Count: 1},
				{Kind: wire.MomentAddress, Time: after(130), Exchange: "05", From: "192.0.2.7", To: "203.0.113.9"},
				{Kind: wire.MomentUserAgent, Time: after(130), Exchange: "05", From: firefox, To: "python-requests/2.32"},
				{Kind: wire.MomentRefused, Time: after(140), Exchange: "06", Count: 3, By: "Limit/strict"},
			},
			want: []string{
				"info Started anonymous | from 192.0.2.7 with Firefox on Linux",
				"good Signed in as alice | ",
				"info Refreshed its token 2 times | until 10:02:00",
				"bad The same session from another network and another device | 192.0.2.7 → 203.0.113.9 · Firefox on Linux → python-requests/2.32",
				"bad 3 exchanges were refused by Limit/strict | ",
				"good Still active | 42 exchanges so far",
			},
		},
		"it begins with a sign-in": {
			session: seshat.Session{User: "bob", State: seshat.StateEnded, EndedBy: seshat.EndLogout, EndedAt: &ended},
			devices: home,
			moments: []wire.Moment{
				start,
				{Kind: wire.MomentSignIn, Time: after(0), Exchange: "01", User: "bob"},
				{Kind: wire.MomentSignOut, Time: after(900), Exchange: "02"},
				{Kind: wire.MomentEnd, Time: ended, Reason: "logout"},
			},
			want: []string{
				"good Started by signing in as bob | from 192.0.2.7 with Firefox on Linux",
				" Signed out | ", " Ended: the client signed out, or its session cookie was deleted | ",
			},
		},
		"passwords are guessed": {
			session: seshat.Session{State: seshat.StateIdle, Exchanges: 570},
			moments: []wire.Moment{start, {Kind: wire.MomentSignInRefused, Time: after(1), Until: after(300), Count: 569, Exchange: "02"}},
			want: []string{
				"info Started anonymous | ", "bad 569 sign-ins were refused | Somebody guesses passwords, or has forgotten theirs.",
				" Nothing seen since | 570 exchanges so far",
			},
		},
		"one wrong password is none": {
			session: seshat.Session{State: seshat.StateExpired},
			moments: []wire.Moment{{Kind: wire.MomentSignInRefused, Time: after(1), Count: 1, Exchange: "02"}, {Kind: wire.MomentExpired, Time: after(9)}},
			want:    []string{"warn A sign-in was refused | ", " Its last client session ID lapsed | "},
		},
		"known from the beginning, revoked by a person": {
			session: seshat.Session{User: "carol", State: seshat.StateRevoked, EndedBy: seshat.EndRevoked},
			devices: home,
			moments: []wire.Moment{start, {Kind: wire.MomentDenied, Time: after(5), By: "ann", Reason: "stolen laptop"}},
			want:    []string{"info Started as carol | from 192.0.2.7 with Firefox on Linux", "bad Revoked by ann | stolen laptop"},
		},
		"another network alone is less than another device": {
			session: seshat.Session{State: seshat.StateRevoked},
			moments: []wire.Moment{
				{Kind: wire.MomentAddress, Time: after(1), Exchange: "01", From: "192.0.2.7", To: "192.0.2.8"},
				{Kind: wire.MomentJA4, Time: after(2), Exchange: "02", From: "t13a", To: "t13b"},
			},
			want: []string{"warn The same session from another network | 192.0.2.7 → 192.0.2.8", "warn The same session from another device | JA4 t13a → t13b"},
		},
		"what identifies it": {
			session: seshat.Session{State: seshat.StateRevoked},
			moments: []wire.Moment{
				{Kind: wire.MomentRotation, Time: after(1), Count: 1, Name: "SESS"},
				{Kind: wire.MomentRotation, Time: after(2), Count: 4, Until: after(8), Name: "SESS"},
				{Kind: wire.MomentJoined, Time: after(9), Count: 1, Evidence: seshat.EvidenceTakeover, Score: 0.83},
				{Kind: wire.MomentTagged, Time: after(10), Count: 1, By: "Limit/a"},
				{Kind: wire.MomentRefreshRefused, Time: after(11), Count: 2},
				{Kind: wire.MomentRegistration, Time: after(12), Count: 1},
				{Kind: wire.MomentIssued, Time: after(13), Count: 1, Name: "bearer"},
			},
			want: []string{
				"info Got a new ID in place of the old one 5 times | SESS",
				"info A client session ID joined: same subject and device, one token after the other | Inferred, score 0.83",
				"warn 1 exchange was tagged by Limit/a | ", "warn 2 refreshes were refused | ", "good Created an account | ",
				"info Was given another client session ID | bearer",
			},
		},
		"what a newer server may say": {
			session: seshat.Session{State: seshat.StateRevoked},
			moments: []wire.Moment{{Kind: "teleported", Time: after(1)}},
		},
	} {
		session := &wire.Session{Session: c.session}
		events, more, _ := tell(session, &wire.Timeline{Devices: c.devices, Moments: c.moments}, now{after(1000)})
		var got []string
		for _, e := range events {
			got = append(got, e.Mark.Kind+" "+e.Text+" | "+e.Note)
		}
		if !slices.Equal(got, c.want) || more != 0 {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestTellMuch checks that a long story keeps its beginning and its end.
func TestTellMuch(t *testing.T) {
	line := &wire.Timeline{Moments: []wire.Moment{{Kind: wire.MomentStart, Time: after(0)}}}
	for i := range 100 {
		line.Moments = append(line.Moments, wire.Moment{Kind: wire.MomentAddress, Time: after(i + 1), Exchange: fmt.Sprint(i), From: "a", To: fmt.Sprint(i)})
	}
	events, more, where := tell(&wire.Session{Session: seshat.Session{State: seshat.StateActive}}, line, now{after(200)})
	if len(events)+more != 102 || len(events) >= 20 || where <= 0 || where >= len(events) {
		t.Fatalf("%d events, %d more before %d", len(events), more, where)
	}
	if events[0].Text != "Started anonymous" || events[len(events)-1].Text != "Still active" {
		t.Errorf("it begins with %q and ends with %q", events[0].Text, events[len(events)-1].Text)
	}
}

// TestTellTakenBack: how it is comes last, also in time, when somebody acted after the last exchange.
func TestTellTakenBack(t *testing.T) {
	session := &wire.Session{Session: seshat.Session{State: seshat.StateActive, LastSeen: after(20)}}
	events, _, _ := tell(session, &wire.Timeline{Moments: []wire.Moment{
		{Kind: wire.MomentStart, Time: after(0)},
		{Kind: wire.MomentDenied, Time: after(10), By: "ada"},
		{Kind: wire.MomentReadmitted, Time: after(30), By: "ada"},
	}}, now{after(40)})
	if n := len(events); n != 4 || events[n-1].Text != "Still active" || !events[n-1].Time.Equal(after(30)) {
		t.Errorf("the story is %+v", events)
	}
}

func TestSure(t *testing.T) {
	inferred := []seshat.Link{{Evidence: seshat.EvidenceTakeover, Score: 0.8}}
	for _, c := range []struct {
		confidence float64
		links      []seshat.Link
		word, why  string
	}{
		{1, nil, "certain", "a session rule says"},
		{0.95, nil, "very likely", "the built-in set"},
		{0.8, inferred, "likely", "inferred"},
		{0.5, nil, "uncertain", "one address and user agent"},
		{0.2, nil, "a guess", "share an address"},
	} {
		if word, why := sure(c.confidence, c.links); word != c.word || !strings.Contains(why, c.why) {
			t.Errorf("%v: %q because %q; want %q because %q", c.confidence, word, why, c.word, c.why)
		}
	}
}

func TestEnding(t *testing.T) {
	soon, past := after(60), after(-60)
	for _, c := range []struct {
		s    seshat.Session
		want string
	}{
		{seshat.Session{State: seshat.StateActive}, ""},
		{seshat.Session{State: seshat.StateActive, ExpiresAt: &soon}, "its last client session ID lapses in 1\u00a0min"},
		{seshat.Session{State: seshat.StateActive, ExpiresAt: &past}, ""},
		{seshat.Session{State: seshat.StateExpired, ExpiresAt: &past}, "the last of its client session IDs lapsed"},
		{seshat.Session{State: seshat.StateEnded, EndedBy: seshat.EndUserSwitch}, "another user signed in with the same client"},
	} {
		if got := ending(&wire.Session{Session: c.s}, now{begin}); got != c.want {
			t.Errorf("%+v: %q; want %q", c.s, got, c.want)
		}
	}
}

func TestProgram(t *testing.T) {
	for in, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0": "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1": "Safari on iPhone",
		"curl/8.9":               "curl/8.9",
		"Mozilla/5.0 strange":    "Mozilla/5.0 strange",
		strings.Repeat("ü", 100): strings.Repeat("ü", mostProgram) + "…",
		"":                       "",
	} {
		if got := program(in); got != want {
			t.Errorf("program(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestCurl(t *testing.T) {
	x := &wire.Exchange{
		Method: "POST", Host: "shop.example", Path: "/it's/<ID>", UserAgent: "a'b\x1b[2J", RequestBytes: 12,
		ClientSessionIDs: []wire.ClientSessionID{
			{Side: "request", Location: "cookie", Field: "SID"},
			{Side: "request", Location: "cookie", Field: "theme"},
			{Side: "request", Location: "header", Field: "Authorization"},
			{Side: "request", Location: "header", Field: "authorization"},
			{Side: "response", Location: "cookie", Field: "NEW"},
			{Side: "request", Location: "header", Field: "Authorization"},
		},
	}
	want := `curl \
  -X 'POST' \
  'https://shop.example/it'\''s/<ID>' \
  -A 'a'\''b[2J' \
  -H 'Authorization: Bearer <token>' \
  -H 'authorization: Bearer <token>' \
  -b 'SID=<SID>; theme=<theme>' \
  --data '<body of 12 bytes>'`
	if got := curl(x); got != want {
		t.Errorf("curl is\n%s\nwant\n%s", got, want)
	}
	if got := curl(&wire.Exchange{Method: "GET", Scheme: "http", Host: "h", Path: "/"}); got != "curl \\\n  'http://h/'" {
		t.Errorf("curl is %s", got)
	}
}

func TestBecause(t *testing.T) {
	cookie := wire.ClientSessionID{Digest: seshat.Digest{1}, Masked: "abcd…(26)", Name: "shop", Origin: "rule", Kind: "session", Side: "request", Location: "cookie", Field: "SID"}
	fallback := wire.ClientSessionID{Name: "ip+user-agent", Origin: "fallback", Kind: "userAgent", Side: "request"}
	link := seshat.Link{To: seshat.Digest{1}, Evidence: seshat.EvidenceRotation, Score: 1, Time: begin, Exchange: 7}
	for _, c := range []struct {
		x     wire.Exchange
		links []seshat.Link
		want  string
	}{
		{
			wire.Exchange{Key: "09", ClientSessionIDs: []wire.ClientSessionID{cookie, fallback}},
			[]seshat.Link{link},
			"Session rule shop (identifier 0) found the session ID abcd…(26) in the cookie SID of the request. It is tried as number 1 of the 2 that were found, and decides. " +
				"It is of this session since 2026-01-02 10:00:00 UTC: the response put it in place of the old one, under the same name.",
		},
		{
			wire.Exchange{Key: wire.KeyText(7), ClientSessionIDs: []wire.ClientSessionID{cookie}},
			[]seshat.Link{link},
			"Session rule shop (identifier 0) found the session ID abcd…(26) in the cookie SID of the request. " +
				"This exchange brought it into the session: the response put it in place of the old one, under the same name.",
		},
		{wire.Exchange{ClientSessionIDs: []wire.ClientSessionID{fallback}}, nil, "No session ID was found in it, so address and user agent stand in for one."},
		{
			wire.Exchange{ClientSessionIDs: []wire.ClientSessionID{fallback}},
			[]seshat.Link{link},
			"No session ID was found in it, so address and user agent stand in for one. It was the only session of its device at the time, so the exchange was taken for a part of it.",
		},
		{
			wire.Exchange{ClientSessionIDs: []wire.ClientSessionID{cookie}},
			nil,
			"Session rule shop (identifier 0) found the session ID abcd…(26) in the cookie SID of the request. The lineage of the session does not name it: what else the exchange shows leads here.",
		},
		{wire.Exchange{Grouping: 3}, nil, "Nothing is kept of what identified it."},
	} {
		if got := strings.Join(because(&c.x, c.links), " "); got != c.want {
			t.Errorf("because\n%s\nwant\n%s", got, c.want)
		}
	}
}
