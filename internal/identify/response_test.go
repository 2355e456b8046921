package identify

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// TestResponseAdds checks that where the response is said to add nothing, the request alone gives the same identity.
func TestResponseAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, x := drawRuleset(t), drawExchange(t)
		if rapid.Bool().Draw(t, "plain answer") {
			x.Response = seshat.Response{Status: x.Response.Status, Header: []seshat.Field{{Name: "Content-Type", Value: "text/html"}, {Name: "Server", Value: "x"}}}
		}
		if e.ResponseAdds(x) {
			return
		}
		var whole, request seshat.Identity
		e.Identify(x, &whole)
		half := *x
		half.Response = seshat.Response{}
		e.Identify(&half, &request)
		if d := cmp.Diff(whole, request); d != "" {
			t.Fatalf("the response adds something all the same (whole, request alone):\n%s", d)
		}
	})
}

// TestResponseAddsTable checks what is said of some responses, so that the property above is not empty.
func TestResponseAddsTable(t *testing.T) {
	status, ok := seshat.Condition{In: "response", Extract: seshat.Extract{Location: "status", Value: equal("200")}}, true
	with := func(ids ...seshat.Identifier) *Engine {
		return New(compiled(t, seshat.Resource{
			APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "r"},
			Spec: &seshat.SessionRuleSpec{Identifiers: ids},
		}), nil)
	}
	f := func(e *Engine, want bool, fields ...string) {
		t.Helper()
		x := &seshat.Exchange{Request: seshat.Request{Method: "GET", Path: "/", Header: []seshat.Field{{Name: "Cookie", Value: "a=b"}}}}
		x.Response.Status = 200
		for i := 0; i < len(fields); i += 2 {
			x.Response.Header = append(x.Response.Header, seshat.Field{Name: fields[i], Value: fields[i+1]})
		}
		if got := e.ResponseAdds(x); got != want {
			t.Errorf("with %q it is %v; want %v", fields, got, want)
		}
	}
	plain := with(seshat.Identifier{Cookie: "SID"}, seshat.Identifier{Header: "X-Session"})
	f(plain, false)
	f(plain, false, "Content-Type", "text/html", "Content-Length", "12")
	f(plain, true, "set-cookie", "x=y")
	f(with(seshat.Identifier{In: "response", Extract: &seshat.Extract{Location: "header", Key: equal("X-New")}}), false, "Server", "x")
	f(with(seshat.Identifier{In: "response", Extract: &seshat.Extract{Location: "header", Key: equal("X-New")}}), true, "x-new", "v")
	f(with(seshat.Identifier{Cookie: "SID", Conditions: []seshat.Condition{status}}), ok)
}

func equal(s string) *seshat.Match { return &seshat.Match{Equals: &s} }

func compiled(t *testing.T, resources ...seshat.Resource) *rule.Ruleset {
	t.Helper()
	rules, faults := rule.Compile(resources)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return rules
}
