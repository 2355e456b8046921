package api_test

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

const (
	rawID    = "raw-session-id-of-somebody"
	rawShown = "raw-…dy(26)"
)

// rawRule is the rule that keeps client session IDs in clear.
var rawRule = seshat.RuleID{1, 6: 0x80, 8: 0x80}

// storeInClear adds an exchange whose client session ID is stored as it was found.
func storeInClear(t *testing.T, s *memory.Store) {
	t.Helper()
	o := &seshat.Observation{
		Key: 0xc1ea, ID: "clear", Time: start, Method: "GET", Host: "shop.example", Path: "/", Status: 200,
		IDs: []seshat.ObservedID{
			{Digest: seshat.Digest{9}, Masked: rawID, Rule: rawRule, Name: "shop", Origin: seshat.OriginRule, Where: seshat.LocationCookie, Key: "SID"},
			{Masked: "agent 192.0.2.1", Name: "userAgent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent},
		},
	}
	err := s.Commit(context.Background(), &store.Batch{
		StoredAt: start, Exchanges: []seshat.Assigned{{Observation: o, Session: sessionID(99)}},
		Sessions: []seshat.SessionFacts{{ID: sessionID(99), Version: 1, Started: start, IdentifiedBy: "shop"}},
		Links:    []seshat.Link{{Session: sessionID(99), To: seshat.Digest{9}, Masked: rawID, Name: "shop", Evidence: seshat.EvidenceFirst, Score: 1, Time: start, Exchange: 0xc1ea}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClearIsMasked: what is stored in clear is shown to who asks for it and may see it, and that is written down.
func TestClearIsMasked(t *testing.T) {
	o := options(t, 2)
	storeInClear(t, o.Store.(*memory.Store))
	o.Archive = func(ctx context.Context, r store.Reader, _ store.Dataset, _ string, q store.Query, w io.Writer) (n int64, err error) {
		err = r.Exchanges(ctx, q, func(x *seshat.Assigned) bool {
			for _, id := range x.IDs {
				_, _ = w.Write([]byte(id.Masked + "\n"))
			}
			return true
		})
		return 1, err
	}
	employ(t, &o)
	s := serve(t, o)
	attribute := seshat.AttributeName(rawRule, 0)
	paths := map[string]bool{ // and whether they may reveal
		"/api/v1/sessions":                                                                             false,
		"/api/v1/sessions/" + sessionID(99).String():                                                   false,
		"/api/v1/exchanges":                                                                            true,
		"/api/v1/exchanges/clear":                                                                      true,
		"/api/v1/exchanges/000000000000c1ea":                                                           true,
		"/api/v1/lookup/exchange?id=clear":                                                             true,
		"/api/v1/sessions/" + sessionID(99).String() + "/lineage":                                      true,
		"/api/v1/sessions/" + sessionID(99).String() + "/exchanges":                                    true,
		"/api/v1/exports/exchanges?format=har":                                                         true,
		"/api/v1/facets/exchanges?field=attr." + url.QueryEscape(attribute):                            false,
		"/api/v1/aggregates/exchanges?by=attr." + url.QueryEscape(attribute):                           false,
		"/api/v1/exchanges?filter=" + url.QueryEscape("attr."+attribute+":*"):                          true,
		"/api/v1/exchanges?filter=" + url.QueryEscape("attr."+attribute+":raw-session-id-of-somebody"): true,
	}
	revealed := 0
	for path, reveals := range paths {
		for _, who := range []string{"vic", "ana", "ada"} {
			if strings.Contains(path, "exports") && who == "vic" {
				s.get(path, session(t, &o, who)...).problem(403)
				continue
			}
			a := s.get(path, session(t, &o, who)...).is(200)
			if strings.Contains(a.body, rawID) || !strings.Contains(a.body, rawShown) {
				t.Errorf("%s as %s: %s", path, who, a.body)
			}
			if !reveals { // it has no such parameter
				continue
			}
			more := path + "?reveal=true"
			if strings.Contains(path, "?") {
				more = path + "&reveal=true"
			}
			a = s.get(more, session(t, &o, who)...)
			if who == "vic" {
				a.problem(403)
				continue
			}
			if a.is(200); !strings.Contains(a.body, rawID) {
				t.Errorf("%s as %s does not reveal: %s", more, who, a.body)
			}
			if revealed++; strings.Contains(a.body, "agent 192") == strings.Contains(path, "lineage") {
				t.Errorf("%s: what is no secret is masked: %s", more, a.body)
			}
		}
		if a := s.get(path).is(200); reveals && !strings.Contains(a.body, rawID) {
			t.Errorf("%s as the owner: %s", path, a.body)
		}
	}
	if a := s.get("/api/v1/exchanges?reveal=maybe", session(t, &o, "ada")...); a.problem(400).Op != "reveal" {
		t.Errorf("reveal=maybe: %s", a.body)
	}
	events, _ := o.Audit.List(audit.Query{})
	told := 0
	for _, e := range events {
		if e.Action == "traffic.reveal" || e.Action == "traffic.export" && strings.Contains(e.Detail, "in clear") {
			if told++; e.Means != audit.MeansConsole || e.Outcome != audit.Done || e.Subject == "" || e.By == "vic" {
				t.Errorf("the audit log has %+v", e)
			}
		}
		if strings.Contains(e.Subject+e.Detail, "raw-") {
			t.Errorf("the audit log has a secret: %+v", e)
		}
	}
	if told != revealed || told == 0 {
		t.Errorf("%d revelations, and %d of them in the audit log", revealed, told)
	}
}

// TestFiltersDoNotGuess: who may not see a client session ID cannot find it out one character after the other either.
func TestFiltersDoNotGuess(t *testing.T) {
	o := options(t, 2)
	employ(t, &o)
	s := serve(t, o)
	f := func(dataset, text string, viewer int) {
		t.Helper()
		path := "/api/v1/" + dataset + "?filter=" + url.QueryEscape(text)
		if a := s.get(path, session(t, &o, "vic")...); a.status != viewer {
			t.Errorf("%s as a viewer: %d %s; want %d", path, a.status, a.body, viewer)
		}
		s.get(path, session(t, &o, "ana")...).is(200)
		s.get(path).is(200)
	}
	f("exchanges", "attr.seshat.session.*.0.id:*", 200)
	f("exchanges", "attr.seshat.session.*.0.id:abcd", 200)
	f("exchanges", "attr.seshat.session.*.0.id:abcd*", 403)
	f("exchanges", "attr.*:abcd*", 403)
	f("exchanges", "attr.se*.id:abcd*", 403)
	f("exchanges", "attr.tenant:abcd*", 200)
	f("exchanges", "attr.t*:abcd*", 200)
	f("exchanges", "user:a OR NOT (status:200 attr.seshat.session.*:a*)", 403)
	f("exchanges", "abcd", 200)
	f("sessions", "client_session_id:abcd*", 403)
	f("sessions", "client_session_id:abcd", 200)
	f("sessions", "user:a*", 200)
	f("aggregates/exchanges", "attr.seshat.session.*:a*", 403)
	f("facets/exchanges", "attr.seshat.session.*:a*", 403)
	f("histograms/exchanges", "attr.seshat.session.*:a*", 403)
}

// TestDownloads: all of a list at once is a download, which not everybody may, and which is written down.
func TestDownloads(t *testing.T) {
	o := options(t, 2)
	employ(t, &o)
	s := serve(t, o)
	const whole = "Accept: " + wire.NDJSON
	for _, path := range []string{"/api/v1/sessions", "/api/v1/exchanges", "/api/v1/sessions/" + sessionID(1).String() + "/exchanges"} {
		s.get(path, append(session(t, &o, "vic"), whole)...).problem(403)
		s.get(path, append(session(t, &o, "ana"), whole)...).is(200)
		s.get(path, whole).is(200) // the owner's commands
	}
	events, _ := o.Audit.List(audit.Query{Action: "traffic.download"})
	if len(events) != 3 || events[0].By != "ana" {
		t.Errorf("the audit log has %+v", events)
	}
	o.Store = exporting{o.Store}
	s = serve(t, o)
	narrow := "Authorization: Bearer " + apiToken(t, &o, "ana", 0, string(api.ExchangesExport))
	s.get("/api/v1/exports/exchanges?format=parquet", narrow).problem(403)
	s.get("/api/v1/exports/sessions?format=parquet", narrow).problem(403) // they list client session IDs as well
	s.get("/api/v1/exports/sessions?format=ndjson", narrow).is(200)
	s.get("/api/v1/exports/sessions?format=csv", session(t, &o, "ana")...).is(200)
	s.get("/api/v1/exports/exchanges?format=ndjson", narrow).is(200)
	s.get("/api/v1/exports/exchanges?format=ndjson&reveal=true", narrow).problem(403)
	s.get("/api/v1/exports/exchanges?format=csv", session(t, &o, "ana")...).is(200)
	if events, _ := o.Audit.List(audit.Query{Action: "traffic.export", Outcome: audit.Refused}); len(events) != 2 || events[0].Token != "t" {
		t.Errorf("the audit log has %+v", events)
	}
}
