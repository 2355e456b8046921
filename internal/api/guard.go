package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// Guard refuses what a web page of somebody else might make a browser send.
type Guard struct {
	hosts  map[string]bool
	origin *http.CrossOriginProtection
}

// NewGuard returns a guard of what is reached under these names, without port, besides those of the loopback interface.
func NewGuard(hosts []string) *Guard {
	return &Guard{hosts: hostSet(hosts), origin: http.NewCrossOriginProtection()}
}

// hostSet is the names that requests may be sent to, in lower case.
func hostSet(hosts []string) map[string]bool {
	out := map[string]bool{"localhost": true}
	for _, host := range hosts {
		out[strings.ToLower(strings.Trim(host, "[]"))] = true
	}
	return out
}

// Check returns why a request is refused, or nil. A page that has the name of its own server lead to this machine (DNS
// rebinding) sends that name as Host; any other page is of another origin. Links from other pages may be followed.
func (g *Guard) Check(r *http.Request) *wire.Problem {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if ip, err := netip.ParseAddr(host); !g.hosts[host] && (err != nil || !ip.IsLoopback()) {
		return &wire.Problem{
			Status: http.StatusMisdirectedRequest, Title: http.StatusText(http.StatusMisdirectedRequest), Kind: "invalid",
			Detail: "The request was sent to a host that is not this one.",
			Hint:   "use 127.0.0.1 or localhost, or name the host in the configuration",
		}
	}
	refused := &wire.Problem{
		Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
		Detail: "The request comes from a page of another origin.",
	}
	if err := g.origin.Check(r); err != nil {
		return refused
	}
	// Pages of other origins have nothing to read here either, although browsers would not let them.
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Method != http.MethodGet {
			return refused
		}
	}
	return nil
}

// protect sets the fields that every answer has.
func protect(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
}
