package gateway

import (
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// router makes a router of "hosts paths name" lines, with commas in lists and "-" for none; name becomes the service.
func router(t testing.TB, lines ...string) *Router {
	t.Helper()
	var routes []Route
	list := func(s string) []string {
		if s == "-" {
			return nil
		}
		return strings.Split(s, ",")
	}
	for _, line := range lines {
		words := strings.Fields(line)
		routes = append(routes, Route{Hosts: list(words[0]), Paths: list(words[1]), Service: words[2], Target: &Target{}})
	}
	r, err := NewRouter(routes)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRoutes(t *testing.T) {
	r := router(t,
		"api.shop.example - api", "api.shop.example /orders,/carts/ orders", "api.shop.example /orders/archive archive",
		"*.shop.example - any", "*.eu.shop.example /orders eu", "deep.example /only deep", "[::1] - six")
	f := func(host, path, want string) {
		t.Helper()
		m, miss := r.Match(host, path)
		got := map[Miss]string{NoHost: "no host", NoPath: "no path", Ambiguous: "ambiguous"}[miss]
		if miss == Found {
			got = m.Service
		}
		if got != want {
			t.Errorf("%s %s: %s, want %s", host, path, got, want)
		}
	}
	f("api.shop.example", "/", "api")
	f("API.Shop.Example.:8443", "/x", "api")
	f("api.shop.example", "/orders", "orders")
	f("api.shop.example", "/orders/42", "orders")
	f("api.shop.example", "/orders/", "orders")
	f("api.shop.example", "/orders-old", "api")
	f("api.shop.example", "/carts", "orders")
	f("api.shop.example", "/orders/archive/2024", "archive")
	f("api.shop.example", "*", "api")
	f("www.shop.example", "/orders", "any")
	f("a.b.shop.example", "/", "any")
	f("shop.example", "/", "no host")
	f("x.eu.shop.example", "/orders/1", "eu")
	f("x.eu.shop.example", "/", "any")
	f("deep.example", "/only", "deep")
	f("deep.example", "/other", "no path")
	f("[::1]:80", "/", "six")
	f("", "/", "no host")
	// Paths that an origin may see as others.
	f("api.shop.example", "/x/../orders", "ambiguous")
	f("api.shop.example", "/x/%2e%2E/orders", "ambiguous")
	f("api.shop.example", "/%6frders/1", "ambiguous")
	f("api.shop.example", "//orders", "ambiguous")
	f("api.shop.example", "/x\\..\\orders", "ambiguous")
	f("api.shop.example", "/x/..;a=b/orders", "ambiguous")
	f("api.shop.example", "/orders/../x", "ambiguous")
	f("api.shop.example", "/orders;v=1/2", "ambiguous")
	f("api.shop.example", "/x/../y", "api")
	f("api.shop.example", "/files/a%2Fb", "api")
	f("api.shop.example", "/orders/a%20b", "orders")
	f("api.shop.example", "/orders/./1", "orders")
	f("deep.example", "/%6fnly", "ambiguous")
	f("api.shop.example", "/"+strings.Repeat("a/", 4000), "api")
}

func TestRouteFaults(t *testing.T) {
	f := func(route Route, want string) {
		t.Helper()
		other := Route{Hosts: []string{"taken.example"}, Target: &Target{}}
		if _, err := NewRouter([]Route{other, route}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", route, err, want)
		}
	}
	target := &Target{}
	f(Route{}, "routes[1]: it leads nowhere")
	f(Route{Hosts: []string{"taken.example"}, Target: target}, "another route is for host taken.example")
	f(Route{Hosts: []string{"a b"}, Target: target}, "routes[1].hosts")
	f(Route{Hosts: []string{"*."}, Target: target}, "routes[1].hosts")
	f(Route{Hosts: []string{"a..b"}, Target: target}, "routes[1].hosts")
	f(Route{Paths: []string{"orders"}, Target: target}, "routes[1].paths")
	f(Route{Paths: []string{"/a/../b"}, Target: target}, "routes[1].paths")
	f(Route{Paths: []string{"/a?b"}, Target: target}, "routes[1].paths")
	f(Route{Prefix: "v2", Target: target}, "routes[1].prefix")
}

func TestOriginPath(t *testing.T) {
	f := func(prefix string, strip bool, replacement, path, want string) {
		t.Helper()
		r, err := NewRouter([]Route{{Paths: []string{prefix}, StripPrefix: strip, Prefix: replacement, Target: &Target{}}})
		if err != nil {
			t.Fatal(err)
		}
		m, miss := r.Match("h", path)
		if miss != Found {
			t.Fatalf("%s does not match %s", path, prefix)
		}
		if got := m.OriginPath(path); got != want {
			t.Errorf("%s at %s, %v, %q: %s, want %s", path, prefix, strip, replacement, got, want)
		}
	}
	f("/api", false, "", "/api/a%20b//c", "/api/a%20b//c")
	f("/api", true, "", "/api/x", "/x")
	f("/api", true, "", "/api", "/")
	f("/api/", true, "", "/api/", "/")
	f("/", true, "", "/x", "/x")
	f("/api", true, "/v2", "/api/x", "/v2/x")
	f("/api", true, "/v2", "/api", "/v2")
	f("/api", true, "/v2/", "/api/x", "/v2/x")
	f("/api", false, "/base", "/api/x", "/base/api/x")
	f("/", true, "/v2", "*", "*")
}

func TestMissStatus(t *testing.T) {
	f := func(m Miss, tls bool, want int) {
		t.Helper()
		if got := m.Status(tls); got != want {
			t.Errorf("%d, TLS %v: %d, want %d", m, tls, got, want)
		}
	}
	f(NoHost, true, http.StatusMisdirectedRequest)
	f(NoHost, false, http.StatusNotFound)
	f(NoPath, true, http.StatusNotFound)
	f(Ambiguous, true, http.StatusBadRequest)
}

// TestRoutesByTheirDefinition compares with what a loop over all prefixes finds.
func TestRoutesByTheirDefinition(t *testing.T) {
	prefixes := []string{"/", "/a", "/a/b", "/a/b/c", "/ab", "/b/"}
	r := func(t *rapid.T, chosen []string) *Router {
		var routes []Route
		for _, p := range chosen {
			routes = append(routes, Route{Paths: []string{p}, Service: p, Target: &Target{}})
		}
		out, err := NewRouter(routes)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfNDistinct(rapid.SampledFrom(prefixes), 1, len(prefixes), rapid.ID[string]).Draw(t, "prefixes")
		path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "ab", "x"}), 0, 5).Draw(t, "path"), "/")
		want, longest := "", -1
		for _, p := range chosen {
			bare := strings.TrimRight(p, "/")
			if (path == bare || strings.HasPrefix(path, bare+"/")) && len(bare) > longest {
				want, longest = p, len(bare)
			}
		}
		m, miss := r(t, chosen).Match("h", path)
		if (miss == Found) != (longest >= 0) || miss == Found && m.Service != want {
			t.Fatalf("%s of %q: %v %v, want %q", path, chosen, m.Route, miss, want)
		}
	})
}

// FuzzNormalPath checks that making a path normal twice changes nothing more, and that what needs nothing stays.
func FuzzNormalPath(f *testing.F) {
	f.Add("/a/../b;c/%2e%2e/x\\y//")
	f.Add("/orders/42")
	f.Fuzz(func(t *testing.T, path string) {
		if path == "" || path[0] != '/' {
			return
		}
		normal := normalPath(path)
		if normal[0] != '/' || strings.Contains(normal, "/../") || strings.Contains(normal, "//") {
			t.Fatalf("%q becomes %q", path, normal)
		}
		if !needsNormal(path) && strings.TrimRight(path, "/") != strings.TrimRight(normal, "/") {
			t.Fatalf("%q needs nothing, and becomes %q", path, normal)
		}
	})
}
