package identify_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/rule"
)

func text(s string) *string { return &s }

// key is the match that a plain string stands for.
func key(s string) *seshat.Match { return &seshat.Match{Equals: &s} }

// noBuiltIn switches the built-in set off, so that a test sees its own rules only.
func noBuiltIn() seshat.Resource {
	off := false
	return declare("default", &seshat.SettingsSpec{BuiltIn: &off})
}

func declare(name string, spec seshat.Spec) seshat.Resource {
	return seshat.Resource{APIVersion: seshat.APIVersion, Kind: seshat.KindOf(spec), Metadata: seshat.Metadata{Name: name}, Spec: spec}
}

func sessionRule(name string, ids ...seshat.Identifier) seshat.Resource {
	return declare(name, &seshat.SessionRuleSpec{Identifiers: ids})
}

func engine(t testing.TB, resources ...seshat.Resource) *identify.Engine {
	t.Helper()
	rs, faults := rule.Compile(resources)
	if len(faults) > 0 {
		t.Fatalf("Compile: %v", faults)
	}
	return identify.New(rs, testHasher{})
}

// testHasher is a digest that shows what it was made of.
type testHasher struct{}

func (testHasher) Hash(value []byte) (d seshat.Digest) {
	copy(d[:], value)
	return d
}

func exchange(change func(x *seshat.Exchange)) *seshat.Exchange {
	x := &seshat.Exchange{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Environment: "prod", Service: "shop",
		Client:  seshat.Client{IP: netip.MustParseAddr("203.0.113.9")},
		Request: seshat.Request{Method: "GET", Scheme: "https", Host: "api.shop.example", Path: "/orders/42"},
	}
	if change != nil {
		change(x)
	}
	return x
}

func with(headers ...string) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) { x.Request.Header = fields(headers) }
}

func answered(status int, headers ...string) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) { x.Response.Status, x.Response.Header = status, fields(headers) }
}

func all(changes ...func(x *seshat.Exchange)) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) {
		for _, c := range changes {
			c(x)
		}
	}
}

// fields makes header fields of "Name: value" lines.
func fields(lines []string) []seshat.Field {
	out := make([]seshat.Field, 0, len(lines))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		out = append(out, seshat.Field{Name: name, Value: value})
	}
	return out
}

// found writes what was found, without the fallback, as "name[index]=value" with marks for responses and deletions.
func found(out *seshat.Identity) string {
	var b strings.Builder
	for _, id := range out.IDs {
		if id.Origin == seshat.OriginFallback {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if id.Side == seshat.InResponse {
			b.WriteByte('<')
		}
		b.WriteString(id.Name)
		if id.Origin == seshat.OriginRule {
			b.WriteString("[" + string(rune('0'+id.Index)) + "]")
		}
		b.WriteString("=" + string(id.Value))
		if id.Deleted {
			b.WriteByte('!')
		}
	}
	return b.String()
}

func TestOrderAndGrouping(t *testing.T) {
	first, last := 10, 200
	resources := []seshat.Resource{
		declare("late", &seshat.SessionRuleSpec{Priority: &last, Identifiers: []seshat.Identifier{{Header: "X-A"}}}),
		declare("early", &seshat.SessionRuleSpec{Priority: &first, Identifiers: []seshat.Identifier{{Cookie: "SESSID"}, {Header: "Authorization"}}}),
	}
	w := engine(t, resources...).NewWorker()
	f := func(change func(*seshat.Exchange), wantIDs, wantGrouping string) {
		t.Helper()
		var out seshat.Identity
		w.Identify(exchange(change), &out)
		if got := found(&out); got != wantIDs {
			t.Errorf("found %s\nwant  %s", got, wantIDs)
		}
		g := out.IDs[out.Grouping]
		if got := g.Name + "=" + string(g.Value); got != wantGrouping {
			t.Errorf("grouping %s, want %s", got, wantGrouping)
		}
	}
	f(nil, "", "ip=203.0.113.9")
	f(with("User-Agent: curl/8"), "", "ip+user-agent=203.0.113.9 curl/8")
	f(with("X-A: aaa"), "late[0]=aaa", "late=aaa")
	f(with("X-A: aaa", "authorization: bearer tok"), "early[1]=tok late[0]=aaa bearer=tok", "early=tok")
	f(all(with("X-A: aaa"), answered(200, "Set-Cookie: SESSID=new")), "<early[0]=new late[0]=aaa <cookie:SESSID=new", "late=aaa")
	f(answered(200, "Set-Cookie: SESSID=new"), "<early[0]=new <cookie:SESSID=new", "early=new")
	f(all(with("Cookie: SESSID=old"), answered(200, "Set-Cookie: SESSID=; Max-Age=0")),
		"early[0]=old <early[0]=old! cookie:SESSID=old <cookie:SESSID=old!", "early=old")
	f(answered(200, "Set-Cookie: SESSID=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), "<early[0]=! <cookie:SESSID=!", "ip=203.0.113.9")
	f(with("Cookie: connect.sid=abcdef; bff.sid=123456; a.sid=999999; _ga=GA1.2; csrf_session=1"),
		"cookie:connect.sid=abcdef cookie:*.sid=123456", "cookie:connect.sid=abcdef")
}

func TestBuiltInCompiles(t *testing.T) {
	for _, fault := range identify.BuiltInFaults() {
		t.Error(fault)
	}
}
