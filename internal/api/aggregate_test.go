package api_test

import (
	"net/url"
	"testing"

	"github.com/seshat-project/seshat/internal/api/wire"
)

func TestAggregates(t *testing.T) {
	s := serve(t, options(t, 6))
	got := decode[wire.Aggregates](s.get("/api/v1/aggregates/exchanges?by=user&by=status&measure=count&measure=unique:session_id&measure=max:duration&order=user&limit=3").is(200))
	if got.Found != 6 || got.Total != 12 || got.Other != 6 || len(got.Groups) != 3 || len(got.By) != 2 || !got.By[0].Many || got.Measures[2].Unit != "ms" {
		t.Fatalf("%+v", got)
	}
	first := got.Groups[0]
	if first.Values[0].Value != "user1" || first.Values[1].Filter != "status:200" || first.Count != 2 || *first.Numbers[1] != 1 || *first.Numbers[2] != 1.5 {
		t.Errorf("the first group: %+v", first)
	}
	if got = decode[wire.Aggregates](s.get("/api/v1/aggregates/sessions?filter=user:nobody").is(200)); got.Found != 1 || got.Total != 0 || *got.Groups[0].Numbers[0] != 0 {
		t.Errorf("of nothing: %+v", got)
	}
	// What is asked for with a comma in its name is one thing.
	s.get("/api/v1/aggregates/exchanges?by=" + url.QueryEscape("attr.a,b")).is(200).has(`"name":"attr.a,b"`)

	facets := decode[wire.Facets](s.get("/api/v1/facets/sessions").is(200))
	if len(facets.Facets) != 8 || facets.Facets[0].Name != "state" || facets.Total != 6 || facets.Facets[1].Values[2].Filter != "-user:*" {
		t.Errorf("facets: %+v", facets)
	}
	one := decode[wire.Facets](s.get("/api/v1/facets/exchanges?field=path&session=" + sessionID(1).String()).is(200))
	if one.Total != 2 || one.Facets[0].Values[0].Count != 2 {
		t.Errorf("facets of a session: %+v", one)
	}

	h := decode[wire.Histogram](s.get("/api/v1/histograms/exchanges?since=1h&buckets=6").is(200))
	if len(h.Buckets) != 6 || h.Width != "10m" || h.Total != 12 || h.Buckets[0].Total != 12 || h.Buckets[5].Total != 0 {
		t.Errorf("the last hour lasts until now: %+v", h)
	}

	f := func(path, op, hint string) {
		t.Helper()
		p := s.get(path).problem(400)
		if p.Kind != "usage" || p.Op != op || p.Hint != hint {
			t.Errorf("%s: %+v; want op %q and hint %q", path, p, op, hint)
		}
	}
	f("/api/v1/aggregates/exchanges?by=endpont", "by", `did you mean "endpoint"?`)
	f("/api/v1/aggregates/exchanges?by=attr", "by", "write attr.NAME")
	f("/api/v1/aggregates/exchanges?by=time", "by", "such as time:5m, time:1h or time:1d")
	f("/api/v1/aggregates/exchanges?by=time:1us", "by", "such as time:5m, time:1h or time:1d")
	f("/api/v1/aggregates/sessions?by=session_id", "by", "one of state, user, role, flow, endpoint, service, environment, ip, user_agent, status, method, path, host, first_seen, last_seen, identified_by, ended_by, verdict, verdict.by, tag")
	f("/api/v1/aggregates/sessions?measure=average:duration", "measure", "count, unique, approx_unique, min, max, avg, sum, or a percentile such as p95")
	f("/api/v1/aggregates/exchanges?measure=sum:durtion", "measure", `did you mean "duration"?`)
	f("/api/v1/aggregates/exchanges?measure=p100:duration", "measure", "such as p50, p95 or p99.9")
	f("/api/v1/aggregates/exchanges?measure=unique:nothing", "measure", "one of session_id, time, method, host, path, endpoint, status, service, environment, ip, user_agent, ja4, user, role, flow, trace_id, origin, identifier, rule, attr.NAME, verdict, verdict.by, tag")
	f("/api/v1/aggregates/exchanges?by=ip&order=host", "order", `one of count, ip, with "-" before it for the greatest first`)
	f("/api/v1/facets/exchanges?field=durations", "field", "one of session_id, time, method, host, path, endpoint, status, service, environment, ip, user_agent, ja4, user, role, flow, trace_id, origin, identifier, rule, attr.NAME, verdict, verdict.by, tag")
	f("/api/v1/histograms/exchanges?since=yesterday", "since", "such as 2026-01-02T15:04:05Z, or 24h")
	f("/api/v1/facets/sessions?filter=usr:x", "filter", `did you mean "user"?`)
	f("/api/v1/facets/sessions?session=x", "session", "a UUID; GET /api/v1/lookup/sessions finds one by its beginning")
	for _, path := range []string{
		"/api/v1/aggregates/exchanges?by=ip&by=host&by=user&by=role", "/api/v1/aggregates/exchanges?limit=10001", "/api/v1/facets/exchanges?limit=101",
		"/api/v1/histograms/exchanges?buckets=501", "/api/v1/histograms/exchanges?buckets=0",
	} {
		s.get(path).problem(422)
	}
	s.get("/api/v1/aggregates/exchanges/nothing").is(404)
	s.get("/api/v1/filters/fields?dataset=exchanges").is(200).has(`"name":"endpoint","type":"endpoint","group":true`, `"aliases":["latency"],"type":"duration","measure":true`)
}

// TestOverviewAddsUp: the overview says what the sessions that are listed add up to.
func TestOverviewAddsUp(t *testing.T) {
	o := options(t, 40)
	s := serve(t, o)
	type names []struct {
		Name  string
		Count int64
	}
	type overview struct {
		Sessions, Exchanges, Errors           int64
		States, Users, Services, IdentifiedBy names
	}
	for _, query := range []string{"since=all", "since=55m", "since=all&filter=user:user1", "since=all&filter=user:nobody"} {
		got := decode[overview](s.get("/api/v1/overview?" + query).is(200))
		list := decode[wire.Page[wire.Session]](s.get("/api/v1/sessions?limit=1000&" + query).is(200))
		var want overview
		users := map[string]int64{}
		for _, one := range list.Items {
			want.Sessions++
			want.Exchanges += one.Exchanges
			want.Errors += one.Errors
			users[one.User] += one.Exchanges
		}
		if got.Sessions != want.Sessions || got.Exchanges != want.Exchanges || got.Errors != want.Errors {
			t.Errorf("%s: %+v; the list adds up to %+v", query, got, want)
		}
		for _, user := range got.Users {
			if user.Name == "" || users[user.Name] != user.Count {
				t.Errorf("%s: %s has %d exchanges; the list has %d", query, user.Name, user.Count, users[user.Name])
			}
		}
		if want.Sessions > 0 && (len(got.Services) != 1 || got.Services[0].Count != want.Sessions || got.States[0].Count != want.Sessions) {
			t.Errorf("%s: services %v and states %v of %d sessions", query, got.Services, got.States, want.Sessions)
		}
	}
	o.Store = nil
	if p := serve(t, o).get("/api/v1/overview").problem(501); p.Kind != "unsupported" {
		t.Errorf("without a store: %+v", p)
	}
}
