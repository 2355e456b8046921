package clientaddr

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// Source is the field that the trusted proxies write.
type Source uint8

// The fields. With X-Forwarded-For go X-Forwarded-Proto and X-Forwarded-Host.
const (
	XForwardedFor Source = iota // the default: what most proxies write
	Forwarded                   // RFC 7239
	XRealIP                     // a single address, which the proxy replaces
)

var sourceNames = [...]string{"x-forwarded-for", "forwarded", "x-real-ip"}

func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "unknown"
}

// ParseSource reads the name of a field, whatever its case.
func ParseSource(name string) (Source, error) {
	for i, known := range sourceNames {
		if httpfield.EqualFold(name, known) {
			return Source(i), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", name, strings.Join(sourceNames[:], ", "))
}

// Config is what is trusted.
type Config struct {
	// Trusted are the addresses of proxies whose fields are believed. None: the peer is the client, always.
	Trusted []netip.Prefix
	Source  Source
	// SendForwarded has the origin told in Forwarded (RFC 7239) too, and NoXForwarded has it not told in X-Forwarded-*.
	SendForwarded bool
	NoXForwarded  bool
	// SendRealIP has the origin told in X-Real-IP too.
	SendRealIP bool
}

// Resolver tells clients from proxies. It is immutable and safe for concurrent use.
type Resolver struct {
	trusted       []netip.Prefix
	source        Source
	sendForwarded bool
	sendX         bool
	sendRealIP    bool
}

// New returns a resolver, or an error when a prefix is not valid.
func New(config Config) (*Resolver, error) {
	r := &Resolver{
		source: config.Source, sendForwarded: config.SendForwarded, sendX: !config.NoXForwarded, sendRealIP: config.SendRealIP,
	}
	if int(config.Source) >= len(sourceNames) {
		return nil, fmt.Errorf("unknown field of trusted proxies: %d", config.Source)
	}
	for _, p := range config.Trusted {
		if !p.IsValid() {
			return nil, fmt.Errorf("not a network of trusted proxies: %s", p)
		}
		r.trusted = append(r.trusted, unmapPrefix(p))
	}
	return r, nil
}

// ParsePrefix reads an address or a network in CIDR notation.
func ParsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%q is not a network, such as 10.0.0.0/8", text)
		}
		if p != p.Masked() {
			return netip.Prefix{}, fmt.Errorf("%q is an address within a network: the network is %s", text, p.Masked())
		}
		return unmapPrefix(p), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network, such as 10.0.0.0/8", text)
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// unmapPrefix turns a network of IPv4-mapped addresses into that of the IPv4 addresses: addresses are compared unmapped.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	const mappedBits = 96
	if p.Addr().Is4In6() && p.Bits() >= mappedBits {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits).Masked()
	}
	return p.Masked()
}

// Trusts reports whether a is the address of a trusted proxy.
func (r *Resolver) Trusts(a netip.Addr) bool {
	if len(r.trusted) == 0 {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range r.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Client is who sent a request, and what for.
type Client struct {
	IP netip.Addr
	// Scheme is what the client spoke, "http" or "https".
	Scheme string
	// Host is what the client asked for: the Host of the request unless a trusted proxy says that it replaced another.
	Host string
	// Proxies are the trusted proxies that the request came through, the nearest to the client first; the last one is
	// the peer. Empty when the peer is the client. Reused from request to request.
	Proxies []netip.Addr
}

// Connection is what is known of a request without reading its fields.
type Connection struct {
	Peer netip.Addr
	TLS  bool
	Host string // of the request
}

// Resolve works out who sent a request and writes it to c, whose memory is used again. The strings of c may alias header.
func (r *Resolver) Resolve(conn Connection, header []seshat.Field, c *Client) {
	peer := conn.Peer.Unmap().WithZone("")
	*c = Client{IP: peer, Scheme: scheme(conn.TLS), Host: conn.Host, Proxies: c.Proxies[:0]}
	if !r.Trusts(peer) {
		return
	}
	switch r.source {
	case Forwarded:
		r.byForwarded(header, c)
	case XRealIP:
		r.byRealIP(header, c)
		r.byXForwardedProtoHost(header, c, noPosition)
	default:
		r.byXForwardedProtoHost(header, c, r.byXForwardedFor(header, c))
	}
	slices.Reverse(c.Proxies)
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// step takes the address that the proxy c.IP says it was talked to by. It reports whether that is a trusted proxy again.
func (r *Resolver) step(c *Client, from netip.Addr) bool {
	c.Proxies = append(c.Proxies, c.IP) // turned round in the end
	c.IP = from
	return r.Trusts(from)
}
