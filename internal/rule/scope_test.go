package rule

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"pgregory.net/rapid"
)

func TestLiteralPrefixes(t *testing.T) {
	f := func(expr string, exact bool, want ...string) {
		t.Helper()
		got, ok := literalPrefixes(expr)
		if !slices.Equal(got, want) || ok != exact && want != nil {
			t.Errorf("%s: %q, exact %v; want %q, %v", expr, got, ok, want, exact)
		}
	}
	f(`^https://a\.example/`, true, "https://a.example/")
	f(`^https?://a/`, true, "http://a/", "https://a/")
	f(`^https://(api|www)\.a/x.*`, true, "https://api.a/x", "https://www.a/x")
	f(`^https://a/\d+`, false, "https://a/")
	f(`^https://a/$`, false, "https://a/")
	f(`^(ab.*)c`, false, "ab")
	f(`^(?:https://a/|https://b/)`, true, "https://a/", "https://b/")
	f(`/orders`, false)
	f(`^`, false)
	f(`^a?b?`, false)
	f(`(?i)^https://a/`, false)
	f(`^a|^b`, false)
	f(`(?m)^a`, false)
}

// TestLiteralPrefixesAgree holds the prefixes of an expression to the expression.
func TestLiteralPrefixesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "b", "ab", "a?", "(a|b)", "(ab|a)", "[ab]", "b*", "(a.*)", ".", "$", "(?:ab)?", ".*", "^", "a+", "(b|)"})
		expr := "^" + strings.Join(rapid.SliceOfN(part, 0, 5).Draw(t, "parts"), "")
		text := rapid.StringMatching(`[ab]{0,6}`).Draw(t, "text")
		re := regexp.MustCompile(expr)
		p := urlPattern{text: expr, re: re}
		p.prefixes, p.exact = literalPrefixes(expr)
		if got, want := p.match(text), re.MatchString(text); got != want {
			t.Fatalf("%s on %q: %v by prefixes %q (exact %v), %v by the expression", expr, text, got, p.prefixes, p.exact, want)
		}
	})
}

// TestScopeIndexAgrees holds the index to looking at every scope.
func TestScopeIndexAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string, pool ...string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 2, rapid.ID[string]).Draw(t, what)
		}
		var faults seshat.Faults
		var scopes []*Scope
		for range rapid.IntRange(0, 90).Draw(t, "scopes") {
			s := compileScope(place{faults: &faults}, &seshat.Scope{
				Environments: draw("environments", "prod", "lab"), Services: draw("services", "a", "b", "c"),
				URLs: draw("urls", "^https://a/", "^https?://a/x", "^https://a/xy/", "/x", "^https://b", "^https://(a|b)/x/"),
			})
			scopes = append(scopes, &s)
		}
		index := NewScopeIndex(scopes)
		var scratch Bits
		for range 3 {
			environment, service := rapid.SampledFrom([]string{"", "prod"}).Draw(t, "environment"), rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "service")
			url := rapid.SampledFrom([]string{"https://a/", "http://a/x", "https://a/xy/1", "https://b/x/", "https://c/"}).Draw(t, "url")
			var want, got []int
			for i, s := range scopes {
				if s.Check(environment, service, url) == InScope {
					want = append(want, i)
				}
			}
			got, scratch = index.Find(environment, service, url, nil, scratch)
			if !slices.Equal(got, want) {
				t.Fatalf("%s %s %s: %v, want %v", environment, service, url, got, want)
			}
		}
	})
}

func FuzzCompile(f *testing.F) {
	f.Add("*/a{var1}*b", "^https?://(a|b)/[c-e]*", "sess(", "$.a[?@.b]")
	f.Add("GET {a}{b}", "(?i)^x", `\Q`, "$..*")
	f.Fuzz(func(t *testing.T, endpoint, url, expr, path string) {
		resources := []seshat.Resource{
			{Kind: seshat.KindFlow, Metadata: seshat.Metadata{Name: "f"}, Spec: &seshat.FlowSpec{Type: "ai", Endpoints: []string{endpoint}}},
			{Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "r"}, Spec: &seshat.SessionRuleSpec{
				Scope: seshat.Scope{URLs: []string{url}},
				Identifiers: []seshat.Identifier{{
					Extract:         &seshat.Extract{Location: "body", JSONPath: path},
					Transformations: []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: expr}}, {JWTClaim: expr + "x"}},
				}},
			}},
		}
		rs, faults := Compile(resources)
		for _, fault := range faults {
			if fault.File == "" || fault.Field == "" || fault.Message == "" {
				t.Fatalf("a fault that does not say what and where: %+v", fault)
			}
		}
		if rs == nil {
			return
		}
		for _, text := range []string{url, endpoint, "https://a/"} { // the prefixes agree with the expression on anything
			p := &rs.Rules()[0].Scope.urls[0]
			if got, want := p.match(text), p.re.MatchString(text); got != want {
				t.Fatalf("%q on %q: %v, want %v", url, text, got, want)
			}
		}
		rs.Flows()[0].Endpoints[0].MatchName("GET " + url)
	})
}

func TestMatcher(t *testing.T) {
	yes, no := true, false
	p := func(s string) *string { return &s }
	f := func(m seshat.Match, fold bool, s string, want bool) {
		t.Helper()
		var faults seshat.Faults
		c := compileMatch(place{faults: &faults}, &m, fold)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if got := c.Match(s); got != want {
			t.Errorf("%s on %q: %v", c, s, got)
		}
	}
	f(seshat.Match{Equals: p("Abc")}, false, "abc", false)
	f(seshat.Match{Equals: p("Abc")}, true, "aBC", true)
	f(seshat.Match{NotEquals: p("a")}, true, "A", false)
	f(seshat.Match{Contains: p("ÜB")}, false, "GÜB", true)
	f(seshat.Match{Contains: p("eS")}, true, "SESSION", true)
	f(seshat.Match{NotContains: p("x")}, false, "abc", true)
	f(seshat.Match{StartsWith: p("se")}, true, "SESS", true)
	f(seshat.Match{EndsWith: p(".sid")}, false, "a.sid", true)
	f(seshat.Match{EndsWith: p(".sid")}, false, "sid", false)
	f(seshat.Match{Matches: p("^s.$")}, true, "SX", true)
	f(seshat.Match{NotMatches: p("^s")}, false, "S", true)
	f(seshat.Match{In: []string{"a", "b"}}, false, "b", true)
	f(seshat.Match{In: []string{"a", "b"}}, false, "B", false)
	f(seshat.Match{Exists: &yes}, false, "", true)
	f(seshat.Match{Exists: &no}, false, "a", false)
	f(seshat.Match{NotExists: &yes}, false, "a", false)
}

func TestAppendURL(t *testing.T) {
	f := func(scheme, host, path, want string) {
		t.Helper()
		x := seshat.Exchange{Service: "shop", Request: seshat.Request{Scheme: scheme, Host: host, Path: path}}
		if got := string(AppendURL(nil, &x)); got != want {
			t.Errorf("%q %q %q: %s, want %s", scheme, host, path, got, want)
		}
	}
	f("https", "Shop.example", "/Api/", "https://shop.example/Api/")
	f("https", "shop.example:443", "/api/", "https://shop.example/api/")
	f("HTTPS", "shop.example:443", "/api/", "https://shop.example/api/")
	f("", "shop.example:443", "/", "https://shop.example/")
	f("http", "shop.example:80", "/", "http://shop.example/")
	f("http", "shop.example:443", "/", "http://shop.example:443/")
	f("https", "shop.example:80", "/", "https://shop.example:80/")
	f("https", "shop.example:8443", "/", "https://shop.example:8443/")
	f("wss", "shop.example:443", "/", "wss://shop.example/")
	f("https", "[2001:db8::443]:443", "/", "https://[2001:db8::443]/")
	f("https", "[2001:db8::443]", "/", "https://[2001:db8::443]/")
	f("https", "shop.example:", "x", "https://shop.example/x")
	f("", "", "", "https://shop/")
}
