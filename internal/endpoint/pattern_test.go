package endpoint

import (
	"reflect"
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
		if got := p.Match(method, host, path); got != want {
			t.Errorf("%q matches %s %s%s: %v, want %v", pattern, method, host, path, got, want)
		}
		if got := p.MatchName(method + " " + host + path); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, method+" "+host+path, got, want)
		}
	}
	f("POST */login", "POST", "shop.example", "/login", true)
	f("POST */login", "POST", "shop.example", "/api/v1/login", true)
	f("POST */login", "GET", "shop.example", "/login", false)
	f("post */login", "POST", "shop.example", "/login", true)
	f("POST */login", "POST", "shop.example", "/login/", false)
	f("POST */login", "POST", "shop.example", "/xlogin", false)
	f("POST /login", "POST", "shop.example", "/login", true)
	f("POST /login", "POST", "shop.example", "/v1/login", false)
	f("POST /login", "POST", "", "/login", true)
	f("POST /", "POST", "shop.example", "/", true)
	f("/login", "PUT", "shop.example", "/login", true)
	f("GET */orders/{var1}", "GET", "api.shop.example", "/orders/{var1}", true)
	f("GET */orders/{var1}", "GET", "api.shop.example", "/orders/{var2}", false)
	f("GET */orders/{var1}", "GET", "api.shop.example", "/orders/export", false)
	f("GET */orders/{var1}", "GET", "api.shop.example", "/orders/{var1}/items", false)
	f("GET */orders/{var1}/items/{var2}", "GET", "h", "/v1/orders/{var1}/items/{var2}", true)
	f("GET */orders/*/items", "GET", "h", "/v1/orders/{var1}/items", true)
	f("GET */{rest}", "GET", "h", "/a/b/{rest}", true)
	f("GET */orders/42", "GET", "h", "/orders/42", true)
	f("GET */orders/42", "GET", "h", "/orders/43", false)
	f("GET API.shop.example/orders/*", "GET", "api.Shop.example", "/orders/42/items", true)
	f("GET api.shop.example/orders/*", "GET", "api.shop.example:8443", "/orders/42", false) // the port is part of the host
	f("GET api.shop.example:8443/*", "GET", "api.shop.example:8443", "/", true)
	f("GET api.shop.example*/x", "GET", "api.shop.example:8443", "/x", true)
	f("GET [::1]/*", "GET", "[::1]", "/", true)
	f("GET api.shop.example/orders/*", "GET", "api.shop.example", "/orders", false)
	f("* *", "GET", "h", "/", true)
	f("*", "GET", "", "", true)
	f(" GET  h/x ", "GET", "h", "/x", true)
	f("P* /x", "PATCH", "h", "/x", true)
	f("P*T /x", "put", "h", "/x", true)
	f("P*T /x", "PATCH", "h", "/x", false)
	f("*U* /x", "PUT", "h", "/x", true)
	f("GET *.shop.example/*", "GET", "api.shop.example", "/x", true)
	f("GET *.shop.example/*", "GET", "API.SHOP.EXAMPLE", "/x", true)
	f("GET *.Shop.example/*", "GET", "api.shop.example", "/x", false) // behind "*" it might be a path
	f("GET *.shop.example/*", "GET", "shop.example", "/x", false)
	f("GET *a*b*c", "GET", "xa", "/yb/c", true)
	f("GET */a*b*c", "GET", "h", "/aXbXbXc", true)
	f("GET */a*b*c", "GET", "h", "/aXbXbX", false)
	f("GET */ab*bc", "GET", "h", "/abc", false)
	f("GET h*h", "GET", "h", "", false)
	f("GET h*", "GET", "h", "", true)
	f("GET ho*st/x", "GET", "host", "/x", true)
	f("GET */Orders", "GET", "h", "/orders", false) // paths have a case
	f("GET h**/x", "GET", "h", "/a/x", true)
}

func TestParsePatternErrors(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		p, err := ParsePattern(pattern)
		if err == nil || !strings.Contains(err.Error(), want) || seshat.KindOfError(err) != seshat.ErrorInvalid {
			t.Errorf("ParsePattern(%q) = %v, %v, want an error with %q", pattern, p, err, want)
		}
	}
	f("", "needs a path")
	f("  ", "needs a path")
	f("GET /a b", "no space")
	f("GET /a\tb", "no space")
	f("GET", "needs a path")
	f("GET api.shop.example", "needs a path")
	f("/login POST", "not a method")
	f("GET */{var1", "a variable {var1")
	f("GET */var1}", "a variable }")
	f("GET */{id}", "a variable {id}")
	f("GET */{id}", "variables are {var1}")
	f("GET */{var}", "a variable {var}")
	f("GET */{var100}", "a variable {var100}")
	f("GET */{{var1}}", "a variable {{var1}")
	f("GET /"+strings.Repeat("x", maxPattern), "bytes")
}

func TestPatternString(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		if p, err := ParsePattern(pattern); err != nil || p.String() != want {
			t.Errorf("ParsePattern(%q) = %q, %v, want %q", pattern, p, err, want)
		}
	}
	f("post  Shop.example/Login", "POST shop.example/Login")
	f("* */login", "*/login")
	f("*", "*")
	f("get **/x", "GET */x")
	f("p*t h*/x", "P*T h*/x")
}

// FuzzPattern checks that a pattern survives printing and parsing, and compares Match with a regular expression.
func FuzzPattern(f *testing.F) {
	f.Add("GET */orders/{var1}", "GET", "api.shop.example:80", "/orders/{var1}")
	f.Add("*", "", "", "")
	f.Add("/a*b*{var1}*c", "PUT", "H", "/aab{var1}cc")
	f.Add("get h*/*{rest}*", "GET", "hh", "/{rest}")
	f.Add("*T *a*B/", "put", "A", "aB/")
	f.Fuzz(func(t *testing.T, pattern, method, host, path string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%q prints as %q, which reads as %+v, %v", pattern, p, again, err)
		}
		if again, err = NewPattern(p.Parts()); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%q has parts %q, which make %+v, %v", pattern, p.Parts(), again, err)
		}
		if len(path)+len(pattern) > 500 || !isASCII(pattern+method+host+path) {
			return
		}
		want := p.method == nil || expression(p.method).MatchString(strings.ToLower(method))
		if p.anyHost {
			want = want && expression(p.target).MatchString(path)
		} else {
			want = want && expression(p.target).MatchString(strings.ToLower(host)+path)
		}
		if got := p.Match(method, host, path); got != want {
			t.Fatalf("%q matches %s %s%s: %v, want %v", pattern, method, host, path, got, want)
		}
	})
}

// expression is parts as a regular expression.
func expression(parts []string) *regexp.Regexp {
	quoted := make([]string, len(parts))
	for i, part := range parts {
		quoted[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(quoted, ".*") + `\z`)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' || r < ' ' }) < 0
}
