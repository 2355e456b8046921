package listener

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Defaults of [Config].
const (
	// DefaultHandshakeTimeout is enough for three round trips around the world and a slow phone.
	DefaultHandshakeTimeout = 10 * time.Second
	// DefaultHeaderTimeout is for a PROXY header, which is sent with the first packet by a host that is near.
	DefaultHeaderTimeout = 5 * time.Second
	// DefaultFirstByteTimeout is how long a new plain connection may say nothing. Browsers open connections ahead of use.
	DefaultFirstByteTimeout = 30 * time.Second
	// DefaultMaxConnections keeps connections below what a process may open by default on servers (the hard limit on
	// files is 524,288 with systemd; each proxied connection needs two), at some 10 KiB each.
	DefaultMaxConnections = 100_000
	// keepAlive finds dead peers; shorter than the 350 s after which the load balancers of clouds forget a connection.
	keepAlive = 60 * time.Second
)

// Config is how a listener behaves. The zero value accepts plain HTTP/1.1 and HTTP/2 connections.
type Config struct {
	// Certificates has TLS spoken; nil is plain.
	Certificates *Certificates
	// MinVersion is tls.VersionTLS12 (when it is 0) or tls.VersionTLS13.
	MinVersion uint16
	// NoSessionTickets has every connection do a full handshake.
	NoSessionTickets bool
	// NoHTTP2 has HTTP/1.1 spoken only: it is not offered by ALPN, and not recognised on plain connections.
	NoHTTP2 bool

	// ProxyFrom are the sources that every connection must come from and begin with a PROXY header. Not set: none is
	// expected.
	ProxyFrom []netip.Prefix

	// MaxConnections bounds the connections at a time; more are closed as soon as they are accepted. 0 is
	// DefaultMaxConnections.
	MaxConnections int
	// MaxConnectionsPerIP bounds those of one IPv4 address or IPv6 /64 network; 0 does not. PerIPExempt are addresses
	// that many clients come from, such as trusted proxies.
	MaxConnectionsPerIP int
	PerIPExempt         []netip.Prefix

	HandshakeTimeout time.Duration // 0 is DefaultHandshakeTimeout
	HeaderTimeout    time.Duration // 0 is DefaultHeaderTimeout
	FirstByteTimeout time.Duration // 0 is DefaultFirstByteTimeout

	// Log takes what an operator should know; nil is slog.Default().
	Log *slog.Logger
}

// withDefaults checks c and fills in what is not set.
func (c Config) withDefaults() (Config, error) {
	var faults []error
	switch c.MinVersion {
	case 0:
		c.MinVersion = tls.VersionTLS12
	case tls.VersionTLS12, tls.VersionTLS13:
	default:
		faults = append(faults, fmt.Errorf("the lowest TLS version is 1.2 or 1.3, not %s", tls.VersionName(c.MinVersion)))
	}
	if c.MaxConnections < 0 || c.MaxConnectionsPerIP < 0 {
		faults = append(faults, errors.New("a limit of connections is negative"))
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = DefaultMaxConnections
	}
	for _, d := range []struct {
		value *time.Duration
		whole time.Duration
		name  string
	}{
		{&c.HandshakeTimeout, DefaultHandshakeTimeout, "handshake"},
		{&c.HeaderTimeout, DefaultHeaderTimeout, "PROXY header"},
		{&c.FirstByteTimeout, DefaultFirstByteTimeout, "first byte"},
	} {
		if *d.value < 0 {
			faults = append(faults, fmt.Errorf("the %s timeout is negative", d.name))
		}
		if *d.value == 0 {
			*d.value = d.whole
		}
	}
	for _, list := range [][]netip.Prefix{c.ProxyFrom, c.PerIPExempt} {
		for _, p := range list {
			if !p.IsValid() {
				faults = append(faults, fmt.Errorf("not a network: %s", p))
			}
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, errors.Join(faults...)
}

// Listen opens a TCP socket, such as ":8080" or "127.0.0.1:0".
func Listen(ctx context.Context, address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive / 4, Count: 4}}
	socket, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return socket, nil
}

// contains reports whether one of the networks has a.
func contains(networks []netip.Prefix, a netip.Addr) bool {
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
