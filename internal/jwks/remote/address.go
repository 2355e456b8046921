package remote

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// checkAddress checks that keys may be had from an address: whoever can change them on the way can sign tokens. Plain
// HTTP is for this host only.
func checkAddress(u *url.URL) error {
	switch {
	case u.Host == "" || u.Opaque != "":
		return errors.New("the address names no host")
	case u.User != nil:
		return errors.New("the address holds a password or user, which does not belong in one")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("keys are fetched by https, not %q", u.Scheme)
	case !isLoopback(u.Hostname()):
		return errors.New("keys are fetched by https; http is for this host only")
	default:
		return nil
	}
}

func isLoopback(host string) bool {
	if host == "localhost" { // RFC 6761, section 6.3: always this host
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// maxRedirects is how often an address may lead to another: for a host that moved, and one for its path.
const maxRedirects = 3

// checkRedirect is what an http.Client asks before it follows a redirect. The first request is via[0].
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if err := checkAddress(request.URL); err != nil {
		return fmt.Errorf("redirected: %w", err)
	}
	if via[0].URL.Scheme == "https" && request.URL.Scheme != "https" {
		return errors.New("redirected from https to http")
	}
	return nil
}
