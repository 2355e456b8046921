package identify_test

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
)

// TestFlowEndpoints also checks that a flow's pattern finds every exchange that the filter finds with it.
func TestFlowEndpoints(t *testing.T) {
	f := func(pattern, method, host, path string, want bool) {
		t.Helper()
		e := engine(t, noBuiltIn(), declare("f", &seshat.FlowSpec{Type: "ai", Endpoints: []string{"GET never.example/", pattern}}))
		x := &seshat.Exchange{Service: "shop", Request: seshat.Request{Method: method, Host: host, Path: path}}
		w := e.NewWorker()
		var out seshat.Identity
		for range 2 {
			w.Identify(x, &out)
			if got := len(out.Flows) == 1; got != want {
				t.Errorf("%q on %s %s%s: %v", pattern, method, host, path, got)
			}
		}
		if n := testing.AllocsPerRun(10, func() { w.Identify(x, &out) }); n != 0 {
			t.Errorf("%q on %s %s%s: %v allocations", pattern, method, host, path, n)
		}
		p, err := endpoint.ParsePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if p.Match(method, host, endpoint.Template(path)) && !want {
			t.Errorf("%q is a pattern of the endpoint %s %s%s", pattern, method, host, endpoint.Template(path))
		}
	}
	f("POST */login", "POST", "a.example", "/v1/login", true)
	f("POST */login", "GET", "a.example", "/v1/login", false)
	f("POST */login", "POST", "a.example", "/v1/login/x", false)
	f("/login", "PUT", "A.example", "/login", true)
	f("/login", "PUT", "A.example", "/login;jsessionid=1234", true)
	f("/login", "PUT", "A.example", "//login", true)
	f("* A.example/*/items", "GET", "a.EXAMPLE", "/carts/1/items", true)
	f("GET a.example/carts/{var1}/items", "GET", "a.example", "/carts/17/items", true)
	f("GET a.example/carts/{var1}/items", "GET", "a.example", "/carts/17/18/items", false)
	f("GET */{var1}/x/{var2}", "GET", "h", "/y/5/x/6", true)
	f("GET */orders/{var1}.json", "GET", "a", "/orders/42.json", true)
	f("GET */orders/42", "GET", "a", "/orders/42", true)
	f("GET */orders/42", "GET", "a", "/orders/43", false)
	f("GET shop/x", "GET", "", "/x", true) // a host that is not known counts as the service
	f("GET *", "GET", "a", "", true)
	f("GET *{rest}", "GET", "a", strings.Repeat("/a", 1000), true)
}
