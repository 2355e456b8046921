package gateway

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/seshat-project/seshat"
)

// Route sends the requests for some hosts and paths to a target.
type Route struct {
	// Hosts are exact names such as "api.shop.example", or "*.shop.example" for every name below one, however deep. None
	// is every host. Ports do not matter, and neither does case.
	Hosts []string
	// Paths are prefixes of whole segments: "/orders" is for /orders and /orders/42, not for /orders-old. None is every path.
	Paths []string
	// StripPrefix takes the prefix that matched from the path that the origin sees; Prefix is put in its place, or, without
	// StripPrefix, in front of the path.
	StripPrefix bool
	Prefix      string
	// Environment and Service label the exchanges. An empty service is the host of the request.
	Environment string
	Service     string
	// Target is where the requests go.
	Target *Target
}

// Router finds the route of a request. It is immutable and safe for concurrent use.
type Router struct {
	exact  map[string]*pathTable // by host
	suffix map[string]*pathTable // by what follows "*."
	any    *pathTable            // every host; nil when no route is for that
	routes []Route
}

// Match is the route that a request takes.
type Match struct {
	*Route
	prefix string // the path prefix that matched, without a slash at its end
}

// Miss says why a request has no route.
type Miss uint8

// The reasons.
const (
	Found Miss = iota
	NoHost
	NoPath
	// Ambiguous is a path that would take another route once an origin has decoded it and removed its dot segments. Such a
	// path is there to get around what the routes say.
	Ambiguous
)

// Status is what is answered. tls says that the connection is encrypted: then a client that reused a connection for a name
// that is not served here may try again on one of its own (RFC 9110, section 15.5.20).
func (m Miss) Status(tls bool) int {
	switch {
	case m == NoHost && tls:
		return http.StatusMisdirectedRequest
	case m == Ambiguous:
		return http.StatusBadRequest
	default:
		return http.StatusNotFound
	}
}

// NewRouter compiles routes. The error is a [seshat.Faults] that names every route that is wrong.
func NewRouter(routes []Route) (*Router, error) {
	r := &Router{exact: map[string]*pathTable{}, suffix: map[string]*pathTable{}, routes: routes}
	var faults seshat.Faults
	fault := func(i int, field, message string, args ...any) {
		faults = append(faults, seshat.Fault{Field: fmt.Sprintf("routes[%d]%s", i, field), Message: fmt.Sprintf(message, args...)})
	}
	for i := range routes {
		route := &routes[i]
		if route.Target == nil {
			fault(i, "", "it leads nowhere")
		}
		if route.Prefix != "" && (route.Prefix[0] != '/' || !pathOK(route.Prefix)) {
			fault(i, ".prefix", "%q is not the beginning of a path, such as /v2", route.Prefix)
		}
		hosts, paths := route.Hosts, route.Paths
		if len(hosts) == 0 {
			hosts = []string{"*"}
		}
		if len(paths) == 0 {
			paths = []string{"/"}
		}
		for _, host := range hosts {
			table, ok := r.table(host)
			if !ok {
				fault(i, ".hosts", "%q is neither a host such as api.shop.example nor *.shop.example", host)
				continue
			}
			for _, path := range paths {
				if path == "" || path[0] != '/' || !pathOK(path) {
					fault(i, ".paths", "%q is not the beginning of a path, such as /orders", path)
					continue
				}
				if !table.add(path, route) {
					fault(i, "", "another route is for host %s and path %s too", host, path)
				}
			}
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return r, nil
}

// table returns the table of paths of a host, or of a wildcard.
func (r *Router) table(host string) (*pathTable, bool) {
	if host == "*" {
		if r.any == nil {
			r.any = newPathTable()
		}
		return r.any, true
	}
	tables, name := r.exact, canonicalHost(host)
	if len(name) > 2 && name[:2] == "*." {
		tables, name = r.suffix, name[2:]
	}
	if name == "" || !hostNameOK(name) {
		return nil, false
	}
	t := tables[name]
	if t == nil {
		t = newPathTable()
		tables[name] = t
	}
	return t, true
}

// Match finds the route for a host, with or without port, and a path as it was sent, without query. Of the routes that match,
// an exact host counts more than a wildcard, a longer wildcard more than a shorter one, and then the longest path.
func (r *Router) Match(host, path string) (Match, Miss) {
	m, miss := r.match(host, path)
	if miss == NoHost || !needsNormal(path) {
		return m, miss
	}
	if other, _ := r.match(host, normalPath(path)); other.Route != m.Route {
		return Match{}, Ambiguous
	}
	return m, miss
}

func (r *Router) match(host, path string) (Match, Miss) {
	host = canonicalHost(host)
	miss := NoHost
	if t := r.exact[host]; t != nil {
		miss = NoPath
		if m, ok := t.match(path); ok {
			return m, Found
		}
	}
	for rest, more := cutLabel(host); more && len(r.suffix) > 0; rest, more = cutLabel(rest) {
		if t := r.suffix[rest]; t != nil {
			miss = NoPath
			if m, ok := t.match(path); ok {
				return m, Found
			}
		}
	}
	if r.any != nil {
		miss = NoPath
		if m, ok := r.any.match(path); ok {
			return m, Found
		}
	}
	return Match{}, miss
}

// Routes returns the routes that the router was made of. They must not be changed.
func (r *Router) Routes() []Route { return r.routes }

// OriginPath returns the path that the origin sees for a path that matched.
func (m Match) OriginPath(path string) string {
	if path == "*" || !m.StripPrefix && m.Prefix == "" {
		return path // OPTIONS * is about the server, not about a path
	}
	if m.StripPrefix {
		path = path[len(m.prefix):]
	}
	switch prefix := m.Prefix; {
	case prefix == "" && path == "":
		return "/"
	case prefix == "":
		return path
	case prefix[len(prefix)-1] == '/' && path != "" && path[0] == '/':
		return prefix + path[1:]
	default:
		return prefix + path
	}
}

// Routing holds the router in force. The zero value has none; it is safe for concurrent use.
type Routing struct {
	current atomic.Pointer[Router]
}

// Current returns the router in force. A request asks once and keeps to it.
func (r *Routing) Current() *Router { return r.current.Load() }

// Use puts a router in force and returns the one before it.
func (r *Routing) Use(router *Router) (before *Router) { return r.current.Swap(router) }
