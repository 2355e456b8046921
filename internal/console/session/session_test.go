package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/session"
	"github.com/seshat-project/seshat/internal/store"
)

var begin = time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)

func id(n byte) seshat.SessionID { return seshat.SessionID{n, 1, 2, 3, 6: 0x80, 8: 0x80, 15: n} }

func address(n byte) string { return "/sessions/" + id(n).String() }

// exchange is the nth exchange of a session.
func exchange(of byte, n int, change ...func(*seshat.Observation)) seshat.Assigned {
	o := &seshat.Observation{
		Key: seshat.ExchangeKey(int(of)<<32 + n), Time: begin.Add(time.Duration(n) * time.Second), Duration: 12 * time.Millisecond,
		Service: "shop", Method: "GET", Scheme: "https", Host: "shop.example", Path: fmt.Sprintf("/items/%d", n), Endpoint: "/items/{var1}", Status: 200,
		ResponseBytes: 2048, ClientIP: netip.MustParseAddr("192.0.2.7"), UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		IDs: []seshat.ObservedID{{
			Digest: seshat.Digest{of, 1}, Masked: "abcd…(26)", Name: "cookie:SID", Origin: seshat.OriginBuiltIn, Where: seshat.LocationCookie, Key: "SID",
		}},
	}
	for _, f := range change {
		f(o)
	}
	return seshat.Assigned{Observation: o, Session: id(of)}
}

func link(of byte, n int, to byte, e seshat.Evidence, score float64) seshat.Link {
	l := seshat.Link{
		Session: id(of), To: seshat.Digest{of, to}, Masked: fmt.Sprintf("id-%d…", to), Name: "cookie:SID", Evidence: e, Score: score,
		Time: begin.Add(time.Duration(n) * time.Second), Exchange: seshat.ExchangeKey(int(of)<<32 + n),
	}
	if to > 1 {
		l.From = seshat.Digest{of, to - 1}
	}
	return l
}

// stolen is a session that signs in, refreshes, and is then seen from elsewhere.
func stolen(t testing.TB) *consoletest.Site {
	t.Helper()
	s := consoletest.New(t, session.Register)
	s.SetNow(begin.Add(time.Minute))
	commit(t, s, &store.Batch{
		Exchanges: []seshat.Assigned{
			exchange(1, 0),
			exchange(1, 5, func(o *seshat.Observation) {
				o.Method, o.Path, o.Endpoint, o.Flows = "POST", "/login", "/login", []seshat.FlowMatch{{Name: "login", Type: seshat.FlowAuthentication}}
				o.Parameters = []seshat.Parameter{{Name: "who", Type: seshat.ParameterUser, Value: "alice"}}
			}),
			exchange(1, 9, func(o *seshat.Observation) {
				o.Method, o.Path, o.Endpoint, o.Flows = "POST", "/refresh", "/refresh", []seshat.FlowMatch{{Name: "token-refresh", Type: seshat.FlowTokenRefresh}}
			}),
			exchange(1, 20, func(o *seshat.Observation) {
				o.ClientIP, o.UserAgent = netip.MustParseAddr("203.0.113.66"), "python-requests/2.32"
			}),
			exchange(1, 21, func(o *seshat.Observation) {
				o.ClientIP, o.UserAgent, o.Status = netip.MustParseAddr("203.0.113.66"), "python-requests/2.32", 429
				o.Verdict = seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/strict"}
			}),
			exchange(2, 30),
		},
		Sessions: []seshat.SessionFacts{
			{ID: id(1), Version: 1, Started: begin, User: "alice", Roles: []string{"customer"}, IdentifiedBy: "cookie:SID", Confidence: 0.95},
			{ID: id(2), Version: 1, Started: begin, User: "bob", IdentifiedBy: "cookie:SID", Confidence: 0.95, Previous: id(1)},
			{ID: id(3), Version: 2, MergedInto: id(1)},
		},
		Links: []seshat.Link{link(1, 0, 1, seshat.EvidenceFirst, 1), link(1, 5, 2, seshat.EvidenceRotation, 1), link(1, 9, 3, seshat.EvidenceTakeover, 0.8)},
	})
	return s
}

func commit(t testing.TB, s *consoletest.Site, b *store.Batch) {
	t.Helper()
	b.StoredAt = begin
	if err := s.Store.Commit(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func TestPage(t *testing.T) {
	s := stolen(t)
	p := s.Get(address(1)).Want(http.StatusOK, "Started anonymous", "Signed in as alice", "Refreshed its token", "The same session from another network and another device",
		"192.0.2.7 → 203.0.113.66", "1 exchange was refused by Limit/strict", "Still active", "5 exchanges so far", "very likely", "customer", "limit by Limit/strict",
		"ID rotated", "takeover 0.80", "3 IDs", "python-requests/2.32", `class="edge inferred"`, `aria-label="Choose a time: 5 exchanges`, "data-brush", "cookie:SID",
		`<span class="badge good">built-in</span>`)
	p.Lacks("style=", "onclick", "hx-on")
	key := wire.KeyText(seshat.ExchangeKey(1<<32 + 20))
	s.Get(address(1)+"?at="+key).Want(http.StatusOK, "The list begins with the exchange that you followed", `id="x-`+key).Lacks(`id="x-` + wire.KeyText(1<<32+9))
	s.Get(address(1)+"?at="+key+"&order=newest").Want(http.StatusOK, `id="x-`+key, `id="x-`+wire.KeyText(1<<32+9)).Lacks(`id="x-` + wire.KeyText(1<<32+21))
	s.Get(address(1)+"?filter=status%3A429").Want(http.StatusOK, `id="x-`+wire.KeyText(1<<32+21)).Lacks(`id="x-` + key)
	s.Get(address(1)+"?filter=bad%3A%3A").Want(http.StatusBadRequest, "Started anonymous", `aria-invalid="true"`, "^")
	s.Get(address(1)+"?since=2026-03-01T11:00:04Z&until=2026-03-01T11:00:10Z").Want(http.StatusOK, "Whole session", "2 exchanges from", "Whole time", "Signed in as alice").Lacks(`id="x-` + key)
	s.Get(address(1)+"?since=2026-03-01T11:30:00Z&until=2026-03-01T11:40:00Z").Want(http.StatusOK, "No exchanges in this time", "The whole session")

	// Other ways to it, and none.
	if to := s.Get(address(3) + "?order=newest").Want(http.StatusSeeOther).Header.Get("Location"); to != address(1)+"?order=newest" {
		t.Errorf("a session that was merged leads to %s", to)
	}
	if to := s.Get("/sessions/" + id(2).String()[:8]).Want(http.StatusSeeOther).Header.Get("Location"); to != address(2) {
		t.Errorf("the beginning of an ID leads to %s", to)
	}
	s.Get(address(9)).Want(http.StatusNotFound)
	s.Get("/sessions/none").Want(http.StatusNotFound)
	s.Get("/sessions/no-session-ID").Want(http.StatusNotFound)

	// Sessions before and after.
	s.Get(address(2)).Want(http.StatusOK, `href="`+address(1)+`"`)
	s.Get(address(1)+"/later", "HX-Request", "true").Want(http.StatusOK, `href="`+address(2)+`"`, "bob")
	s.Get(address(2)+"/later", "HX-Request", "true").Want(http.StatusOK, "No other session of the same client")
}

func TestStates(t *testing.T) {
	s := consoletest.New(t, session.Register)
	b := &store.Batch{}
	ended := begin.Add(time.Second)
	for i, c := range []struct {
		facts seshat.SessionFacts
		want  string
	}{
		{seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndLogout}, "Ended: the client signed out"},
		{seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndUserSwitch}, "Ended: another user signed in"},
		{seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndExpiry}, "Ended: the last of its client session IDs lapsed"},
		{seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndLifetime}, "Ended: it reached the lifetime"},
		{seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndRefused}, "Ended: its refresh was refused"},
		{seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndRevoked}, "Ended: it was revoked"},
		{seshat.SessionFacts{ExpiresAt: ended}, "Its last client session ID lapsed"},
		{seshat.SessionFacts{}, "Nothing seen since"},
	} {
		n := byte(i + 1)
		c.facts.ID, c.facts.Version, c.facts.Started, c.facts.IdentifiedBy = id(n), 1, begin, "ip+user-agent"
		b.Exchanges, b.Sessions = append(b.Exchanges, exchange(n, 0)), append(b.Sessions, c.facts)
		t.Cleanup(func() { s.Get(address(n)).Want(http.StatusOK, c.want, "fallback", "Started anonymous") })
	}
	commit(t, s, b)
}

// TestHostile: whatever traffic holds is text.
func TestHostile(t *testing.T) {
	for i, text := range consoletest.Hostile() {
		s := consoletest.New(t, session.Register)
		s.SetNow(begin.Add(time.Minute))
		hostile := func(o *seshat.Observation) {
			o.Path, o.Endpoint, o.Method, o.Host, o.UserAgent, o.JA4, o.Service, o.Origin, o.TraceID = "/"+text, "/"+text, text, text, text, text, text, text, text
			o.Environment = text
			o.Parameters = []seshat.Parameter{{Name: text, Type: seshat.ParameterUser, Value: text}}
			o.Flows = []seshat.FlowMatch{{Name: text, Type: seshat.FlowAuthentication}}
			o.Verdict = seshat.ObservedVerdict{Action: seshat.ActionTag, By: text, Tags: []string{text, "Limit/" + text}}
			o.IDs[0].Masked, o.IDs[0].Name, o.IDs[0].Key = text, text, text
			o.IDs[0].Token = seshat.ObservedClaims{IsToken: true, Issuer: text, Subject: text}
		}
		l, l2 := link(1, 0, 1, seshat.EvidenceFirst, 1), link(1, 1, 2, seshat.EvidenceTakeover, 0.5)
		l.Masked, l.Name, l2.Masked, l2.Name = text, text, text, text
		commit(t, s, &store.Batch{
			Exchanges: []seshat.Assigned{exchange(1, 0, hostile), exchange(1, 1)},
			Sessions: []seshat.SessionFacts{{
				ID: id(1), Version: 1, Started: begin, User: text, Roles: []string{text}, IdentifiedBy: text, Previous: id(1),
			}},
			Links: []seshat.Link{l, l2},
		})
		if _, err := s.Denylist.Add(context.Background(), seshat.Denial{Name: text, Session: id(1), By: text, Reason: text, At: begin, Status: 401}); err != nil {
			t.Fatal(err)
		}
		key := wire.KeyText(1 << 32)
		for _, path := range []string{
			address(1), address(1) + "?filter=" + url.QueryEscape(text), address(1) + "?at=" + url.QueryEscape(text), address(1) + "?since=" + url.QueryEscape(text),
			address(1) + "?order=" + url.QueryEscape(text), address(1) + "/exchanges/" + key, address(1) + "/revoke", address(1) + "/revoke?what=user",
			"/sessions/" + url.PathEscape(text), address(1) + "/exchanges/" + url.PathEscape(text),
		} {
			p := s.Get(path)
			if p.Status >= http.StatusInternalServerError {
				t.Errorf("%d: %s answers with %d", i, path[:min(len(path), 80)], p.Status)
			}
			p.Body = strings.ReplaceAll(p.Body, `<a class="brand" href="/"><img src="`, "") // of every page
			p.Lacks(consoletest.Breaks()...)
		}
		s.Get(address(1), "HX-Request", "true").Want(http.StatusOK)
	}
}

func TestDetail(t *testing.T) {
	s := stolen(t)
	key := wire.KeyText(1<<32 + 5)
	want := []string{
		"The built-in identifier cookie:SID found the session ID abcd…(26) in the cookie SID of the request.", "alice", "Nothing stood against it.", ">shop.example/login<",
		"4bf92f3577b34da6a3ce929d0e0e4736", "seshat.session.00000000-0000-0000-0000-000000000000.0.id", "decides", "SID=&lt;SID&gt;", `&#34;session_id&#34;`, "/login",
	}
	p := s.Get(address(1)+"/exchanges/"+key, "HX-Request", "true").Want(http.StatusOK, want...)
	if !strings.HasPrefix(p.Body, `<tr class="detail" id="d-`+key) || strings.Contains(p.Body, "<html") {
		t.Errorf("the part of the page is\n%s", p.Body[:200])
	}
	s.Get(address(1)+"/exchanges/"+key).Want(http.StatusOK, append(want, "<html", "Breadcrumb")...)
	s.Get(address(1)+"/exchanges/"+wire.KeyText(1<<32+21)).Want(http.StatusOK, "Refused for a while (429) by Limit/strict: the origin did not see it.", `href="/limits"`)
	s.Get(address(2) + "/exchanges/" + key).Want(http.StatusNotFound)
	s.Get(address(1) + "/exchanges/0000000000000000").Want(http.StatusNotFound)
}

func TestRevoke(t *testing.T) {
	s := stolen(t)
	s.Get(address(1)).Want(http.StatusOK, `data-dialog="revoke-session"`, `data-dialog="revoke-user"`, `id="revoke-session"`, `id="revoke-user"`,
		"/limits/new?key=user", "format=har", "format=ndjson", "session="+id(1).String())
	form := s.Get(address(1)+"/revoke").Want(http.StatusOK, "Revoke this session")
	done := form.Submit(address(1)+"/revoke", "", "", "reason", "stolen laptop", "for", "24h", "status", "403")
	done.Leads(address(1)).Want(http.StatusOK, "This session is revoked", "by ann", "stolen laptop", "Answered with 403", "2026-03-02 11:01:00", "revoked", "Revoked by ann", "Take it back")
	list, _ := s.Denylist.List(context.Background())
	if len(list) != 1 || list[0].Session != id(1) || list[0].Reason != "stolen laptop" || list[0].Status != 403 || list[0].Until.Sub(list[0].At) != 24*time.Hour {
		t.Fatalf("the denylist is %+v", list)
	}
	undone := s.Post(address(1)+"/denials/"+list[0].Name+"/remove", url.Values{"csrf": {"csrf-of-the-test"}})
	undone.Leads(address(1)).Want(http.StatusOK, "off the denylist", "Still active", "Revoked by", "Taken back by").Lacks("Take it back")
	s.Post(address(1)+"/denials/none/remove", nil).Want(http.StatusNotFound)

	// All sessions of the user, with and without what they begin from now on.
	s.Get(address(1)+"/revoke?what=user").Want(http.StatusOK, "Revoke all sessions of alice").Submit(address(1)+"/revoke", "", "", "reason", "left").Leads(address(1)).
		Want(http.StatusOK, "The sessions of alice before 2026-03-01 11:01:00 UTC are revoked", "left", "for good")
	list, _ = s.Denylist.List(context.Background())
	if len(list) != 1 || list[0].User != "alice" || !list[0].IssuedBefore.Equal(s.Now()) {
		t.Fatalf("the denylist is %+v", list)
	}
	_ = s.Denylist.Remove(context.Background(), list[0].Name, "ann")
	s.Get(address(1)+"/revoke?what=user").Submit(address(1)+"/revoke", "", "", "stay", "1").Leads(address(1)).Want(http.StatusOK, "Everything of alice is refused")
	list, _ = s.Denylist.List(context.Background())
	if len(list) != 1 || list[0].User != "alice" || !list[0].IssuedBefore.IsZero() {
		t.Fatalf("the denylist is %+v", list)
	}

	// What is wrong is said beside the form, which keeps what was written.
	s.Post(address(1)+"/revoke", url.Values{"what": {"session"}, "for": {"a while"}, "reason": {"because"}}).
		Want(http.StatusUnprocessableEntity, "It was not revoked", "cannot be read", `value="because"`)
	s.Post(address(1)+"/revoke", url.Values{"what": {"session"}, "for": {"0s"}}).Want(http.StatusUnprocessableEntity, "It was not revoked")
	s.Post(address(1)+"/revoke", url.Values{"what": {"session"}, "reason": {strings.Repeat("x", 2000)}}).Want(http.StatusUnprocessableEntity, "It was not revoked")
}

// TestPermissions: what the viewer may not do is not offered, and is refused.
func TestPermissions(t *testing.T) {
	s := stolen(t).Without(api.DenylistWrite, api.ResourcesWrite, api.ExchangesExport)
	s.Get(address(1)).Want(http.StatusOK, `aria-describedby="may-not-revoke"`, `id="may-not-revoke">Needs the permission <code>denylist:write</code>`).Lacks(`data-dialog="revoke`, "title=\"You need")
	if _, err := s.Denylist.Add(context.Background(), seshat.Denial{Name: "one", Session: id(1), By: "ben", At: begin, Status: 401}); err != nil {
		t.Fatal(err)
	}
	s.Get(address(1)).Want(http.StatusOK, "This session is revoked", "by ben").
		Lacks("data-dialog=\"revoke", "Take it back", "/limits/new", "format=har", `action="`+address(1)+`/revoke"`)
	s.Post(address(1)+"/revoke", url.Values{"what": {"session"}}).Want(http.StatusForbidden)
	s.Post(address(1)+"/denials/one/remove", nil).Want(http.StatusForbidden)
	s.Without(api.SessionsRead).Get(address(1)).Want(http.StatusForbidden)
}

// TestPages: part by part, the list is every exchange once and in order, with how long after the one before it came.
func TestPages(t *testing.T) {
	s := consoletest.New(t, session.Register)
	b := &store.Batch{Sessions: []seshat.SessionFacts{{ID: id(1), Version: 1, Started: begin, IdentifiedBy: "cookie:SID", EndedAt: begin.Add(time.Hour / 2), EndedBy: seshat.EndLogout}}}
	const all = 350
	for i := range all {
		b.Exchanges = append(b.Exchanges, exchange(1, i))
	}
	commit(t, s, b)
	row := regexp.MustCompile(`<tr id="x-([0-9a-f]{16})"`)
	next := regexp.MustCompile(`hx-get="([^"]*/rows[^"]*)"`)
	for _, order := range []string{"oldest", "newest"} {
		p := s.Get(address(1) + "?order=" + order).Want(http.StatusOK)
		var got []string
		for n := 0; ; n++ {
			for _, found := range row.FindAllStringSubmatch(p.Body, -1) {
				got = append(got, found[1])
			}
			if n > 0 && strings.Contains(p.Body, "<html") {
				t.Fatal("a part is a whole page")
			}
			// Every row but the very first in time came a second after the one before.
			if have, want := strings.Count(p.Body, ">+1\u00a0s<"), len(row.FindAllString(p.Body, -1)); have < want-1 || have > want || have < want && len(got) < all && order == "newest" {
				t.Errorf("%s, part %d: %d of %d rows say how long after the one before they came", order, n, have, want)
			}
			more := next.FindStringSubmatch(p.Body)
			if more == nil {
				break
			}
			if n > 10 {
				t.Fatal("the parts do not end")
			}
			p = s.Get(strings.ReplaceAll(more[1], "&amp;", "&"), "HX-Request", "true").Want(http.StatusOK)
		}
		if len(got) != all {
			t.Fatalf("%s: %d rows of %d", order, len(got), all)
		}
		for i := range got {
			want := i
			if order == "newest" {
				want = all - 1 - i
			}
			if got[i] != wire.KeyText(seshat.ExchangeKey(1<<32+want)) {
				t.Fatalf("%s: row %d is %s", order, i, got[i])
			}
		}
	}
}

// TestLive: what came meanwhile is shown, in the order of the list, and nothing when nothing came.
func TestLive(t *testing.T) {
	s := stolen(t)
	polled := regexp.MustCompile(`hx-get="([^"]*/(?:new|over)\?[^"]*)"`)
	for _, order := range []string{"oldest", "newest"} {
		var paths []string
		for _, found := range polled.FindAllStringSubmatch(s.Get(address(1)+"?order="+order).Want(http.StatusOK, "data-live").Body, -1) {
			paths = append(paths, strings.ReplaceAll(found[1], "&amp;", "&"))
		}
		if len(paths) != 2 {
			t.Fatalf("%s: the page asks for %v", order, paths)
		}
		for _, path := range paths {
			if p := s.Get(path, "HX-Request", "true").Want(http.StatusNoContent); p.Body != "" {
				t.Errorf("%s: %q", path, p.Body)
			}
		}
		first := 40
		if order == "newest" {
			first = 50
		}
		commit(t, s, &store.Batch{Exchanges: []seshat.Assigned{exchange(1, first), exchange(1, first+1)}})
		a, b := `id="x-`+wire.KeyText(seshat.ExchangeKey(1<<32+first)), `id="x-`+wire.KeyText(seshat.ExchangeKey(1<<32+first+1))
		for _, path := range paths {
			p := s.Get(path, "HX-Request", "true").Want(http.StatusOK, "data-live")
			if strings.Contains(path, "/over") {
				p.Want(http.StatusOK, "exchanges so far", "data-brush")
				continue
			}
			p.Want(http.StatusOK, a, b, "+1\u00a0s", "hold="+wire.KeyText(seshat.ExchangeKey(1<<32+first+1)))
			if older := strings.Index(p.Body, a) < strings.Index(p.Body, b); older != (order == "oldest") {
				t.Errorf("%s: the new rows are in the wrong order", order)
			}
		}
	}
	// Nothing asks for more once the session is over.
	commit(t, s, &store.Batch{Sessions: []seshat.SessionFacts{{
		ID: id(1), Version: 2, Started: begin, User: "alice", IdentifiedBy: "cookie:SID", EndedAt: begin.Add(55 * time.Second), EndedBy: seshat.EndLogout,
	}}})
	s.Get(address(1)).Want(http.StatusOK, "Ended: the client signed out").Lacks("data-live", `"every `)
}

// TestLong: the page of a session of many exchanges loads its timeline behind it.
func TestLong(t *testing.T) {
	s := consoletest.New(t, session.Register)
	b := &store.Batch{Sessions: []seshat.SessionFacts{{ID: id(1), Version: 1, Started: begin, User: "robot", IdentifiedBy: "cookie:SID"}}}
	for i := range 3500 {
		b.Exchanges = append(b.Exchanges, exchange(1, i))
	}
	for i := byte(1); i < 100; i++ {
		b.Links = append(b.Links, link(1, int(i), i, seshat.EvidenceRotation, 1))
	}
	commit(t, s, b)
	s.Get(address(1)).Want(http.StatusOK, `hx-trigger="load"`, "3,500 exchanges are being added up", "More exchanges", "99 IDs", " more</text>").Lacks("data-brush")
	s.Get(address(1)+"/over", "HX-Request", "true").Want(http.StatusOK, "data-brush", "Started as robot", "Got a new ID in place of the old one", "3,500 exchanges so far")
}

// TestReveal: what a rule keeps in clear is masked until somebody asks for it who may, and nobody else is offered that.
func TestReveal(t *testing.T) {
	const raw, shown = "raw-session-id-of-alice", "(23)"
	s := stolen(t)
	commit(t, s, &store.Batch{Exchanges: []seshat.Assigned{exchange(1, 40, func(o *seshat.Observation) { o.IDs[0].Masked = raw })}})
	at := address(1) + "/exchanges/" + wire.KeyText(1<<32+40)
	s.Get(at).Want(http.StatusOK, shown, "Reveal IDs", at+"?reveal=true").Lacks(raw)
	s.Get(at+"?reveal=true").Want(http.StatusOK, raw).Lacks("Reveal IDs")
	viewer := s.Without(api.ExchangesReveal)
	viewer.Get(at).Want(http.StatusOK, shown).Lacks(raw, "Reveal IDs")
	viewer.Get(at + "?reveal=true").Want(http.StatusForbidden).Lacks(raw)
}
