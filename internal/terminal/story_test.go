package terminal_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/terminal"
)

// told is the story of a session in which everything happens that a story can show.
func told() *terminal.Story {
	start := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	ended := at(time.Hour)
	session := &seshat.Session{
		ID: seshat.SessionID{0x3f, 0x1c}, Previous: seshat.SessionID{0xaa}, State: seshat.StateEnded, User: "al\x1bice",
		Roles: []string{"admin"}, IdentifiedBy: "cookie:SESS", Confidence: 0.83, Environment: "prod",
		Services: []string{"shop"}, FirstSeen: start, LastSeen: at(time.Hour), EndedBy: seshat.EndLogout, EndedAt: &ended,
		Exchanges: 4, Errors: 1, IPs: []string{"203.0.113.9", "198.51.100.7"}, UserAgents: []string{"Firefox"},
		Flows: []seshat.FlowShare{{Name: "login", Exchanges: 1, Share: 0.25}},
	}
	a, b := seshat.Digest{1}, seshat.Digest{2}
	links := []seshat.Link{
		{To: a, Masked: "aa…", Name: "cookie:SESS", Evidence: seshat.EvidenceFirst, Score: 1, Time: start, Exchange: 1},
		{From: a, To: b, Masked: "bb…", Name: "cookie:SESS", Evidence: seshat.EvidenceRotation, Score: 1, Time: at(time.Second), Exchange: 2},
		{From: b, To: seshat.Digest{3}, Masked: "cc…", Kind: seshat.KindAccessToken, Name: "bearer", Evidence: seshat.EvidenceTakeover, Score: 0.83, Time: at(time.Hour), Exchange: 4, ExpiresAt: at(2 * time.Hour)},
	}
	s := terminal.NewStory(session, links)
	add := func(key seshat.ExchangeKey, after time.Duration, method, path string, status int, ip string, flows ...seshat.FlowMatch) {
		s.Add(&seshat.Assigned{Observation: &seshat.Observation{
			Key: key, Time: at(after), Duration: 12 * time.Millisecond, Method: method, Host: "shop.example", Path: path,
			Status: status, ClientIP: netip.MustParseAddr(ip), UserAgent: "Firefox", Flows: flows,
			IDs: []seshat.ObservedID{{Name: "cookie:SESS", Origin: seshat.OriginBuiltIn, Key: "SESS"}},
		}})
	}
	add(1, 0, "GET", "/", 200, "203.0.113.9")
	add(2, time.Second, "POST", "/login", 302, "203.0.113.9", seshat.FlowMatch{Name: "login", Type: seshat.FlowAuthentication})
	add(3, 2*time.Second, "GET", "/\x1b[2J", 404, "203.0.113.9")
	add(4, time.Hour, "POST", "/logout", 0, "198.51.100.7", seshat.FlowMatch{Name: "out", Type: seshat.FlowLogout})
	s.Finish()
	return s
}

func TestStory(t *testing.T) {
	var b strings.Builder
	if err := terminal.FixedScreen(&b, 0, false).Story(told()); err != nil {
		t.Fatal(err)
	}
	want := `Session 3f1c0000-0000-0000-0000-000000000000  ended by logout
  user           al\x1bice (admin)
  identified by  cookie:SESS, confidence 0.83
  seen           2026-01-02 10:00:00Z to 2026-01-02 11:00:00Z (1h00m)
  exchanges      4, 1 error
  ended          2026-01-02 11:00:00Z
  environment    prod
  services       shop
  from           203.0.113.9
                 198.51.100.7
  devices        Firefox
  flows          login: 1 exchange, 25 %
  previous       aa000000-0000-0000-0000-000000000000

Timeline
  2026-01-02
  10:00:00Z      +0s  200  GET  shop.example/  12ms
  10:00:01Z      +1s  302  POST shop.example/login  12ms  ← sign-in  ← cookie:SESS rotated
  10:00:02Z      +2s  404  GET  shop.example/\x1b[2J  12ms
            ⋯ nothing for 59m58s
  11:00:00Z   +1h00m    -  POST shop.example/logout  12ms  ← sign-out  ← joined by inference  ← other address: 198.51.100.7

Lineage: client session IDs and what links them
  2026-01-02 10:00:00Z  aa… session (cookie:SESS)
                        first
  2026-01-02 10:00:01Z  bb… session (cookie:SESS)
                        rotated: the response replaced it under the same name; follows aa…
  2026-01-02 11:00:00Z  cc… accessToken (bearer)
                        inferred: same subject and device, one token after the other; follows bb…; score 0.83; lapses 2026-01-02 12:00:00Z

Why this is one session
  4 exchanges have an ID in SESS, which built-in identifier cookie:SESS finds.
  After the first client session ID, 1 more joined with certainty: 1 by rotation in one exchange.
  At 2026-01-02 11:00:00Z accessToken cc… was joined by inference (same subject and device, one token after the other, score 0.83).
  Confidence 0.83: that of its weakest link, which is inferred.
  The same client had session aa000000-0000-0000-0000-000000000000 before; another user, a sign-out or its end divides the two.
  It ended at 2026-01-02 11:00:00Z: the client signed out, or its session cookie was deleted.
`
	if got := b.String(); got != want {
		t.Errorf("the story is\n%s\nwant\n%s", got, want)
	}
}

// TestStoryOfRefused checks that a story shows what was decided.
func TestStoryOfRefused(t *testing.T) {
	start := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	s := terminal.NewStory(&seshat.Session{FirstSeen: start, LastSeen: start, Exchanges: 2, Refused: 1}, nil)
	add := func(v seshat.ObservedVerdict) {
		s.Add(&seshat.Assigned{Observation: &seshat.Observation{Time: start, Method: "GET", Host: "h", Path: "/", Status: 200, Verdict: v}})
	}
	add(seshat.ObservedVerdict{Action: seshat.ActionTag, By: "Limit/strict", Tags: []string{"Limit/strict", "Limit/login"}})
	add(seshat.ObservedVerdict{Action: seshat.ActionBlock, By: "Denylist/alice"})
	s.Finish()
	var b strings.Builder
	if err := terminal.FixedScreen(&b, 0, false).Story(s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2, 0 errors, 1 refused\n", "← tag by Limit/strict  ← tagged by Limit/login\n", "← block by Denylist/alice\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the story lacks %q:\n%s", want, b.String())
		}
	}
	out, err := json.Marshal(s)
	if want := `"verdict":"block","verdict_by":"Denylist/alice"`; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("the JSON lacks %s: %s, %v", want, out, err)
	}
}

// TestStoryFits checks that no line is wider than the terminal, and that nothing of the traffic acts on it.
func TestStoryFits(t *testing.T) {
	for _, width := range []int{40, 60, 80, 200} {
		var b strings.Builder
		if err := terminal.FixedScreen(&b, width, true).Story(told()); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b[2J") {
			t.Errorf("what the traffic holds reaches the terminal")
		}
		for line := range strings.Lines(b.String()) {
			if w := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); w > width {
				t.Errorf("a line of %d columns on a screen of %d: %q", w, width, line)
			}
		}
	}
}

func TestStoryJSON(t *testing.T) {
	out, err := json.Marshal(told())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"timeline":[{"time":"2026-01-02T10:00:00Z","offset_ms":0,"gap_ms":0,"id":"0000000000000001",`,
		`"marks":["sign-in","cookie:SESS rotated"]`, `"evidence":"takeover","score":0.83`, `"left_out":0`, `"why":["`,
	} {
		if !strings.Contains(string(out), part) {
			t.Errorf("the JSON lacks %s:\n%s", part, out)
		}
	}
}

func TestProgressLines(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var b strings.Builder
	p := terminal.NewProgress(terminal.FixedScreen(&b, 0, false), false, func() time.Time { return now })
	for range 40 {
		p.Bytes("reading", 3<<20, 4<<20)
		now = now.Add(time.Second)
	}
	p.Count("storing exchanges", 1234, 0)
	p.Done()
	want := strings.Repeat("reading: 3.0 MiB (75 %)\n", 3) + "storing exchanges: 1,234\n"
	if b.String() != want {
		t.Errorf("progress is\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	hidden := terminal.NewProgress(terminal.FixedScreen(&b, 80, true), true, func() time.Time { return now })
	hidden.Bytes("reading", 1, 2)
	now = now.Add(time.Hour)
	hidden.Count("storing", 1, 2)
	hidden.Done()
	if b.String() != "" {
		t.Errorf("hidden progress is shown: %q", b.String())
	}
}

func TestProgressBar(t *testing.T) {
	var b strings.Builder
	p := terminal.NewProgress(terminal.FixedScreen(&b, 80, true), false, time.Now)
	p.Bytes("reading", 50, 100)
	p.Count("storing exchanges", 5, 10)
	p.Done()
	if out := b.String(); !strings.Contains(out, "reading") || !strings.Contains(out, "50%") || strings.Contains(out, "\n") {
		t.Errorf("the bar is %q", out)
	}
}
