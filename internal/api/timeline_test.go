package api_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// told is a store with one session, whose exchanges come a second apart.
func told(t testing.TB, exchanges int, facts seshat.SessionFacts, change func(i int, o *seshat.Observation), links ...seshat.Link) *memory.Store {
	t.Helper()
	s := memory.New(func() time.Time { return start.Add(time.Hour) })
	facts.ID, facts.Version, facts.Started, facts.IdentifiedBy = sessionID(1), 1, start, "cookie"
	b := &store.Batch{StoredAt: start, Sessions: []seshat.SessionFacts{facts}, Links: links}
	for i := range exchanges {
		o := &seshat.Observation{
			Key: seshat.ExchangeKey(i + 1), Time: start.Add(time.Duration(i) * time.Second), Method: "GET", Host: "shop.example", Path: "/", Status: 200,
			ClientIP: netip.MustParseAddr("203.0.113.9"), UserAgent: "Firefox", IDs: []seshat.ObservedID{{Name: "cookie"}},
		}
		change(i, o)
		b.Exchanges = append(b.Exchanges, seshat.Assigned{Observation: o, Session: sessionID(1)})
	}
	if err := s.Commit(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	return s
}

// brief is a moment in one line.
func brief(m *wire.Moment) string {
	return fmt.Sprintf("%v %s %d by=%s user=%s %s>%s %s", m.Time.Sub(start), m.Kind, m.Count, m.By, m.User, m.From, m.To, m.Reason)
}

func TestTimeline(t *testing.T) {
	flow := func(kind seshat.FlowType) []seshat.FlowMatch {
		return []seshat.FlowMatch{{Name: "f-" + string(kind), Type: kind}}
	}
	o := options(t, 0)
	ended := start.Add(40 * time.Second)
	o.Store = told(t, 20, seshat.SessionFacts{User: "alice", EndedAt: ended, EndedBy: seshat.EndLogout}, func(i int, o *seshat.Observation) {
		switch i {
		case 1, 2, 3:
			o.Flows, o.Status = flow(seshat.FlowAuthentication), 401
		case 4:
			o.Flows, o.Status = flow(seshat.FlowAuthentication), 302
			o.Parameters = []seshat.Parameter{{Name: "form", Type: seshat.ParameterUser, Value: "stated", Weak: true}, {Name: "token", Type: seshat.ParameterUser, Value: "alice"}}
		case 6:
			o.Flows = flow(seshat.FlowTokenRefresh)
		case 8:
			o.Verdict = seshat.ObservedVerdict{Action: seshat.ActionTag, By: "Limit/a"}
		case 9, 10:
			o.Verdict, o.Status = seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/b"}, 429
		case 12:
			o.Flows = flow(seshat.FlowBilling)
		case 19:
			o.Flows, o.Status = flow(seshat.FlowLogout), 500
		}
		if i >= 14 {
			o.ClientIP, o.JA4 = netip.MustParseAddr("198.51.100.7"), "t13d"
		}
		if i == 16 {
			o.ClientIP = netip.MustParseAddr("203.0.113.9") // where it was before is nothing new
		}
	}, seshat.Link{Session: sessionID(1), To: seshat.Digest{1}, Evidence: seshat.EvidenceFirst, Score: 1, Time: start, Exchange: 1},
		seshat.Link{Session: sessionID(1), To: seshat.Digest{2}, Evidence: seshat.EvidenceRotation, Score: 1, Time: start.Add(4 * time.Second), Exchange: 5},
		seshat.Link{Session: sessionID(1), To: seshat.Digest{3}, Evidence: seshat.EvidenceTakeover, Score: 0.8, Time: start.Add(13 * time.Second), Exchange: 14})
	s := serve(t, o)
	path := "/api/v1/sessions/" + sessionID(1).String() + "/timeline"
	all := decode[wire.Timeline](s.get(path).is(200))
	var got []string
	for i := range all.Moments {
		got = append(got, brief(&all.Moments[i]))
	}
	want := []string{
		"0s start 1 by= user= > ", "1s sign-in-refused 3 by= user= > ", "4s sign-in 1 by= user=alice > ", "6s refresh 1 by= user= > ",
		"8s tagged 1 by=Limit/a user= > ", "9s refused 2 by=Limit/b user= > ", "13s joined 1 by= user= > ",
		"14s address 1 by= user= 203.0.113.9>198.51.100.7 ", "40s end 0 by= user= > logout",
	}
	if !slices.Equal(got, want) {
		t.Errorf("moments\n%q\nwant\n%q", got, want)
	}
	if all.Exchanges != 20 || total(&all) != 20 || all.Partial || all.MoreMoments != 0 {
		t.Errorf("timeline %+v", all)
	}
	refused, failed := int64(0), int64(0)
	for _, b := range all.Buckets {
		refused += b.Refused
		failed += b.ClientErrors
	}
	if refused != 2 || failed != 5 {
		t.Errorf("%d refused, %d client errors", refused, failed)
	}
	if len(all.Flows) != 4 || all.Flows[0].Name != "f-authentication" || all.Flows[0].Exchanges != 4 || len(all.Flows[0].Counts) != len(all.Buckets) {
		t.Errorf("flows %+v", all.Flows)
	}
	if len(all.Devices) != 3 || all.Devices[0].Exchanges != 14 || all.Devices[1].IP != "198.51.100.7" || all.Devices[1].JA4 != "t13d" {
		t.Errorf("devices %+v", all.Devices)
	}

	// A part of the time has other buckets, and the same moments.
	part := decode[wire.Timeline](s.get(path + "?since=2026-01-02T10:00:05Z&until=2026-01-02T10:00:10Z&buckets=5").is(200))
	if part.Exchanges != 5 || len(part.Buckets) != 5 || part.WidthMS != 1000 || len(part.Moments) != len(all.Moments) || len(part.Flows) != 1 {
		t.Errorf("a part: %+v", part)
	}
	none := decode[wire.Timeline](s.get(path + "?since=2026-01-02T11:00:05Z").is(200))
	if none.Exchanges != 0 || len(none.Buckets) != 0 || len(none.Moments) != len(all.Moments) {
		t.Errorf("nothing: %+v", none)
	}
	s.get(path + "?since=yesterday").problem(400)
	s.get(path + "?buckets=501").problem(422)
	s.get("/api/v1/sessions/" + sessionID(9).String() + "/timeline").problem(404)
	s.get("/api/v1/sessions/none/timeline").problem(400)
}

func total(t *wire.Timeline) int64 {
	n := int64(0)
	for i := range t.Buckets {
		n += t.Buckets[i].Total()
	}
	return n
}

// TestTimelineBounds: a session whose address changes all the time, and that signs in all the time, has a timeline of a
// bounded size that still begins with its beginning and ends with its end.
func TestTimelineBounds(t *testing.T) {
	o := options(t, 0)
	ended := start.Add(59 * time.Minute)
	const exchanges = 3500
	o.Store = told(t, exchanges, seshat.SessionFacts{EndedAt: ended, EndedBy: seshat.EndIdle}, func(i int, o *seshat.Observation) {
		o.ClientIP = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		o.Flows = []seshat.FlowMatch{{Name: fmt.Sprint("flow", i%40), Type: seshat.FlowAuthentication}}
	})
	all := decode[wire.Timeline](serve(t, o).get("/api/v1/sessions/" + sessionID(1).String() + "/timeline?buckets=500").is(200))
	if n := len(all.Moments); n > 500 || all.MoreMoments == 0 || all.Moments[0].Kind != wire.MomentStart || all.Moments[n-1].Kind != wire.MomentEnd {
		t.Errorf("%d moments and %d more, from %s to %s", n, all.MoreMoments, all.Moments[0].Kind, all.Moments[n-1].Kind)
	}
	if len(all.Devices) > 64 || all.MoreDevices != exchanges-64 || len(all.Flows) != 12 || len(all.Buckets) > 500 || total(&all) != exchanges || !all.Partial {
		t.Errorf("%d devices and %d more, %d flows, %d buckets with %d, partial %v", len(all.Devices), all.MoreDevices, len(all.Flows), len(all.Buckets), total(&all), all.Partial)
	}
}
