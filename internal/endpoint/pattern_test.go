package endpoint

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
)

func TestPatternMatch(t *testing.T) {
	f := func(pattern, method, host, path string, want bool) {
		t.Helper()
		p, err := ParsePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(method, host, Template(path), path); got != want {
			t.Errorf("%q matches %s %s%s: %v, want %v", pattern, method, host, path, got, want)
		}
	}
	f("POST */login", "POST", "shop.example", "/login", true)
	f("POST */login", "POST", "shop.example", "/api/v1/login", true)
	f("POST */login", "GET", "shop.example", "/login", false)
	f("post */login", "POST", "shop.example", "/login", true)
	f("POST */login", "POST", "shop.example", "/login/", false)
	f("POST */login", "POST", "shop.example", "/xlogin", false)
	f("GET */orders/{var1}", "GET", "api.shop.example", "/orders/42", true)
	f("GET */orders/{id}", "GET", "api.shop.example", "/orders/42", true)
	f("GET */orders/{id}", "GET", "api.shop.example", "/orders/export", false)
	f("GET */orders/{var1}", "GET", "api.shop.example", "/orders/42/items", false)
	f("GET */orders/{o}/items/{i}", "GET", "h", "/v1/orders/42/items/7", true)
	f("GET */orders/42", "GET", "h", "/orders/42", true)
	f("GET */orders/42", "GET", "h", "/orders/43", false)
	f("GET api.shop.example/orders/*", "GET", "API.shop.example", "/orders/42/items", true)
	f("GET api.shop.example/orders/*", "GET", "api.shop.example:8443", "/orders/42", true)
	f("GET api.shop.example:8443/*", "GET", "api.shop.example:8443", "/", true)
	f("GET api.shop.example:8443/*", "GET", "api.shop.example", "/", false)
	f("GET [::1]/*", "GET", "[::1]", "/", true)
	f("GET [::1]/*", "GET", "[::1]:80", "/", true)
	f("GET api.shop.example/orders/*", "GET", "api.shop.example", "/orders", false)
	f("/orders/{var1}", "DELETE", "h", "/orders/42", true)
	f("/login", "POST", "shop.example", "/login", true)
	f("/login", "POST", "shop.example", "/v1/login", false)
	f("* *", "GET", "h", "/", true)
	f("*", "GET", "", "", true)
	f("GET *.shop.example/*", "GET", "api.shop.example", "/x", true)
	f("GET *.shop.example/*", "GET", "shop.example", "/x", false)
	f("GET */a*b*c", "GET", "h", "/aXbXbXc", true)
	f("GET */a*b*c", "GET", "h", "/aXbXbX", false)
	f("GET */Orders", "GET", "h", "/orders", false) // paths have a case
	f("GET */{var1}.json", "GET", "h", "/x/42.json", true)
	f("GET */a*", "GET", "h", "/a b", false) // no space
}

func TestParsePatternErrors(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		p, err := ParsePattern(pattern)
		if err == nil || !strings.Contains(err.Error(), want) || seshat.KindOfError(err) != seshat.ErrorInvalid {
			t.Errorf("ParsePattern(%q) = %v, %v, want an error with %q", pattern, p, err, want)
		}
	}
	f("", "empty")
	f("  ", "empty")
	f("GET /a b", "3 words")
	f("GET", "no path")
	f("GET api.shop.example", "no path")
	f("/login POST", "not a method")
	f("GET */{var1", "braces")
	f("GET */var1}", "braces")
	f("GET */{a/b}", "braces")
	f("GET */{{a}}", "braces")
	f("GET /"+strings.Repeat("x", maxPattern), "bytes")
}

// FuzzPattern checks that a pattern survives printing and parsing, and compares Match with a regular expression.
func FuzzPattern(f *testing.F) {
	f.Add("GET */orders/{var1}", "GET", "api.shop.example:80", "/orders/42")
	f.Add("*", "", "", "")
	f.Add("/a*b*{x}*c", "PUT", "H", "/aab{var1}cc")
	f.Add("get h*/*{x}*", "GET", "hh/", "{}")
	f.Fuzz(func(t *testing.T, pattern, method, host, path string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if err != nil || *again != *p {
			t.Fatalf("%q prints as %q, which reads as %+v, %v", pattern, p, again, err)
		}
		if strings.ContainsAny(host, "{}/*: \n") || strings.ContainsAny(path, " \n") || len(path)+len(pattern) > 500 || !isASCII(pattern+host+path) {
			return
		}
		target := host + path
		if p.text[0] == '/' {
			target = path
		}
		expression := regexp.QuoteMeta(p.text)
		expression = strings.ReplaceAll(expression, `\*`, `[^ ]*`)
		expression = regexp.MustCompile(`\\\{[^{}]*\\\}`).ReplaceAllString(expression, `\{[^}]*\}`)
		want := false
		if p.method == "" || strings.EqualFold(p.method, method) && len(p.method) == len(method) {
			matched := regexp.MustCompile(`(?i)^` + expression + `$`).MatchString(target)
			want = matched && (strings.ToLower(p.text) == p.text && strings.ToLower(target) == target || p.Match(method, host, path, path))
			if want != matched {
				return // a matter of case
			}
		}
		if got := p.Match(method, host, path, path); got != want {
			t.Fatalf("%q matches %s %s%s: %v, want %v", pattern, method, host, path, got, want)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' || r < ' ' }) < 0
}
