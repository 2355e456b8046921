package preview_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func TestContextParameter(t *testing.T) {
	s := newShop(20, 10)
	draft := declared("ContextParameter", "tenant", "extract: {location: header, key: X-Tenant}")
	r := try(t, s.exchanges, "", draft)
	if p := r.Parameters[0]; p.InScope != 200 || p.Found != 180 || p.Distinct != 2 || len(p.Values) != 1 || p.Values[0].Value != "…(7)" || p.Values[0].Count != 180 {
		t.Errorf("masked: %+v", p)
	}
	in := newInput(t, s.exchanges, "", draft)
	in.ShowValues = true
	r = run(t, in)
	if p := r.Parameters[0]; len(p.Values) != 2 || p.Values[0].Value != "tenant0" || p.Values[0].Count != 90 {
		t.Errorf("shown: %+v", p)
	}
	if r.Verdict.Text != "tenant would be kept with 180 of the 200 exchanges in its scope, with 2 different values." {
		t.Errorf("verdict %q", r.Verdict.Text)
	}
	// Who is a user by the rules in force is no secret to whoever may try rules.
	r = try(t, s.exchanges, declaredUser, declared("ContextParameter", "who", "type: user, extract: {location: header, key: X-User}"))
	if p := r.Parameters[0]; p.Distinct != 20 || !strings.HasPrefix(p.Values[0].Value, "user") {
		t.Errorf("users: %+v", p)
	}
	r = try(t, s.exchanges, "", declared("ContextParameter", "none", "extract: {location: header, key: X-None}")+
		declared("ContextParameter", "elsewhere", "scope: {services: [pay]}, extract: {location: header, key: X-Tenant}"))
	if codes(r) != "warning not-in-scope, warning never-found" {
		t.Errorf("warnings %q", codes(r))
	}
}

func TestFlow(t *testing.T) {
	s := newShop(10, 10)
	r := try(t, s.exchanges, "", declared("Flow", "sign-in", `type: authentication, endpoints: ["POST */sign-in"]`))
	f := r.Flows[0]
	if f.InScope != 100 || f.Matched != 10 || f.Share != 0.1 || f.Sessions != 10 || len(f.Endpoints) != 1 || f.Endpoints[0].Value != "POST shop.example/sign-in" {
		t.Errorf("flow %+v", f)
	}
}

func TestMask(t *testing.T) {
	s := newShop(10, 10)
	r := try(t, s.exchanges, "", declared("MaskRule", "people", `in: request, location: header, key: {in: [X-User, X-Pin]}`))
	m := r.Masks[0]
	if m.InScope != 100 || m.Removed != 90 || len(m.Places) != 2 || m.Places[0].Value != "request header X-Pin" || m.Places[0].Count != 90 || len(m.Endpoints) == 0 {
		t.Errorf("mask %+v", m)
	}
}

// TestLimit counts by hand what a limit would have refused: who asks faster than a limit allows.
func TestLimit(t *testing.T) {
	var exchanges []*seshat.Exchange
	for client, every := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 2 * time.Second, 3: 100 * time.Millisecond} {
		for n := range 60 {
			exchanges = append(exchanges, &seshat.Exchange{
				Time: start.Add(time.Duration(n)*every + time.Duration(client)*time.Millisecond), Service: "shop", Client: seshat.Client{IP: netip.AddrFrom4([4]byte{10, 0, 0, byte(client)})},
				Request: seshat.Request{
					Method: "GET", Host: "shop.example", Path: "/search", Header: []seshat.Field{
						{Name: "User-Agent", Value: "a"}, {Name: "X-Visit", Value: secret("visit", client)}, {Name: "X-User", Value: fmt.Sprintf("user%d", client)},
					},
				},
				Response: seshat.Response{Status: 200},
			})
		}
	}
	sortByTime(exchanges)
	inForce := sessionRule("visits", "identifiers: [{header: X-Visit}]") + declaredUser
	for action, words := range map[string]string{"limit": "limited", "tag": "tagged", "block": "blocked"} {
		r := try(t, exchanges, inForce, declared("Limit", "search", `endpoints: ["GET */search"], key: [session], count: 20, window: 10s, action: `+action))
		l := r.Limits[0]
		if l.Counted != 180 || l.Limited == 0 || l.Limited > 80 || l.Sessions != 2 || l.Users != 2 || len(l.Hit) != 2 || l.Action != action {
			t.Errorf("%s: %+v", action, l)
		}
		// The first request of a session is counted by its address: nobody has vouched for it yet.
		if action != "block" && (l.Limited < 78 || l.Limited > 80) {
			t.Errorf("%s: %d requests are limited, of two clients with 60 in 6 s where 20 in 10 s are allowed", action, l.Limited)
		}
		if l.Hit[0].User != "user1" && l.Hit[0].User != "user3" || l.Endpoints[0].Value != "GET shop.example/search" || l.First.IsZero() {
			t.Errorf("%s: %+v", action, l)
		}
		if !strings.Contains(r.Verdict.Text, "search would have "+words) || !strings.Contains(codes(r), "limits-many") {
			t.Errorf("%s: verdict %q, warnings %q", action, r.Verdict.Text, codes(r))
		}
	}
	r := try(t, exchanges, inForce, declared("Limit", "pay", `endpoints: ["POST */pay"], key: [ip], count: 1, window: 1m`))
	if l := r.Limits[0]; l.Counted != 0 || l.Limited != 0 || codes(r) != "warning not-in-scope" {
		t.Errorf("another endpoint: %+v, %q", l, codes(r))
	}
}

func sortByTime(list []*seshat.Exchange) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && list[j].Time.Before(list[j-1].Time); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// TestBodies tries a rule that looks at bodies which nobody has read.
func TestBodies(t *testing.T) {
	s := newShop(5, 10)
	for _, x := range s.exchanges {
		x.Response.Body.Size = 100
	}
	r := try(t, s.exchanges, "", sessionRule("shop", `identifiers: [{in: response, extract: {location: body, jsonPath: $.token}}]`))
	if codes(r) != "warning bodies-not-read" || r.Warnings[0].Count != 50 {
		t.Errorf("warnings %q", codes(r))
	}
}
