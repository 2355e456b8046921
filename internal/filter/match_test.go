package filter

import (
	"net/netip"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// testRow is a row as a table: values by field name, attributes by their own name.
type testRow struct {
	values map[string][]Value
	attrs  map[string]string
}

func (r testRow) Values(field *Field, yield func(string, Value) bool) {
	if field.Family {
		for name, text := range r.attrs {
			if !yield(name, Value{Text: text}) {
				return
			}
		}
		return
	}
	for _, v := range r.values[field.Name] {
		if !yield("", v) {
			return
		}
	}
}

func textValues(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, text := range texts {
		values[i].Text = text
	}
	return values
}

func aliceOrders() testRow {
	return testRow{
		values: map[string][]Value{
			"id":             textValues("e1"),
			"time":           {{Time: testNow().Add(-10 * time.Minute)}},
			"duration":       {{Duration: 251 * time.Millisecond}},
			"method":         textValues("GET"),
			"host":           textValues("API.shop.example"),
			"path":           textValues("/v1/orders/{id}"),
			"endpoint":       textValues("GET api.shop.example/v1/orders/{var1}"),
			"status":         {{Number: 503}},
			"ip":             {{IP: netip.MustParsePrefix("10.1.2.3/32")}},
			"user_agent":     textValues("Mozilla/5.0 (X11) Firefox/140.0"),
			"user":           textValues("Alice", "alice@shop.example"),
			"flow":           textValues("checkout", "billing"),
			"response_bytes": {{Number: 10240}},
			"origin":         textValues("built-in"),
		},
		attrs: map[string]string{"seshat.session.8a.0.id": "eyJh…", "Tenant": "Acme"},
	}
}

func TestMatch(t *testing.T) {
	row := aliceOrders()
	f := func(input string, want bool) {
		t.Helper()
		e, err := Parse(input, Exchanges(), testNow())
		if err != nil {
			t.Fatalf("Parse(%q): %v", input, err)
		}
		if got := Match(e, row); got != want {
			t.Fatalf("Match(%q) = %v, want %v", input, got, want)
		}
	}

	f(``, true)

	f(`user:alice`, true)
	f(`user:alice*example`, true)
	f(`user:ali`, false)
	f(`user:(bob,ALICE)`, true)
	f(`path:/V1/orders/*`, false) // paths have case
	f(`path:/v1/*/{id}`, true)
	f(`host:api.*`, true)
	f(`method:get`, true)

	// Absent values pass no test, and their negation holds.
	f(`role:admin`, false)
	f(`-role:admin`, true)
	f(`role:*`, false)
	f(`-role:*`, true)
	f(`request_bytes:<10`, false)
	f(`-request_bytes:<10`, true)

	// A field with many values passes by one; its negation needs that none does.
	f(`flow:billing`, true)
	f(`flow:checkout flow:billing`, true)
	f(`-flow:billing`, false)
	f(`-flow:admin`, true)

	f(`status:>=500`, true)
	f(`status:500..502`, false)
	f(`status:(200,500..599)`, true)
	f(`status:<503`, false)
	f(`status:<=503`, true)
	f(`status:>503`, false)
	f(`status:503`, true)
	f(`duration:>250ms`, true)
	f(`duration:..250ms`, false)
	f(`response_bytes:10KiB`, true)
	f(`response_bytes:>10kB`, true)

	f(`time:2026-01-02`, true)
	f(`time:>2026-01-02`, false)
	f(`time:<=2026-01-02`, true)
	f(`time:<2026-01-02`, false)
	f(`time:>now-15m`, true)
	f(`time:now-5m..now`, false)

	f(`ip:10.0.0.0/8`, true)
	f(`ip:10.1.2.3`, true)
	f(`ip:10.1.2.0/31`, false)
	f(`ip:(192.168.0.0/16 10.1.2.2/31)`, true)
	f(`ip:2001:db8::/32`, false)

	f(`origin:built-in`, true)
	f(`origin:(rule,fallback)`, false)

	f(`endpoint:"GET */orders/{var1}"`, true)
	f(`endpoint:"GET /v1/orders/{var1}"`, true)
	f(`endpoint:"get /v1/orders/*"`, true)
	f(`endpoint:"GET /orders/{var1}"`, false)
	f(`endpoint:"POST */orders/{var1}"`, false)
	f(`endpoint:/v1/orders/{var1}`, true)
	f(`endpoint:api.shop.example/*`, true)
	f(`endpoint:"* api.shop.example/*"`, true)
	f(`endpoint:*`, true)

	f(`attr.Tenant:Acme`, true)
	f(`attr.Tenant:acme`, false) // attributes have case
	f(`attr.tenant:Acme`, false)
	f(`attr.seshat.session.*.0.id:*`, true)
	f(`attr.seshat.session.*.1.id:*`, false)
	f(`attr.*:Ac*`, true)

	f(`firefox`, true)
	f(`ORDERS`, true)
	f(`"X11) fire*"`, true)
	f(`chrome`, false)
	f(`-chrome orders`, true)
	f(`checkout`, false) // flows are not searched for bare words

	f(`chrome OR firefox`, true)
	f(`chrome firefox`, false)
	f(`user:bob status:503 OR user:alice`, true)
	f(`user:bob (status:503 OR user:alice)`, false)
	f(`-(user:bob OR status:503)`, false)
	f(`NOT (user:bob status:503)`, true)
}

// TestPatternTwins checks the fast matchers against the expressions that a store may use instead.
func TestPatternTwins(t *testing.T) {
	text := rapid.StringMatching(`[aAb./{} ]{0,8}`)
	pattern := rapid.Custom(func(t *rapid.T) Pattern {
		return Pattern(rapid.SliceOfN(rapid.StringMatching(`[aAb./{} ]{0,3}`), 1, 4).Draw(t, "parts")).collapse()
	})
	t.Run("pattern", rapid.MakeCheck(func(t *rapid.T) {
		p, s := pattern.Draw(t, "pattern"), text.Draw(t, "text")
		if got, want := p.Match(s), regexp.MustCompile(p.Regexp()).MatchString(s); got != want {
			t.Fatalf("%q matches %q: %v, its expression says %v", p, s, got, want)
		}
	}))
}

func TestPatternLike(t *testing.T) {
	f := func(p Pattern, want string) {
		t.Helper()
		if got := p.Like('\\'); got != want {
			t.Fatalf("%q.Like = %s, want %s", p, got, want)
		}
	}
	f(Pattern{"a"}, `a`)
	f(Pattern{"a", "b"}, `a%b`)
	f(Pattern{"", `50%_\x`, ""}, `%50\%\_\\x%`)
}
