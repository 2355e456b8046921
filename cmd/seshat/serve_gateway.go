package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/gateway"
	"github.com/seshat-project/seshat/internal/listener"
)

// gatewayParts are what a gateway consists of: what it listens with, the loops that serve connections, and the routes and
// upstreams in force. A reload replaces all but the first.
type gatewayParts struct {
	routing   gateway.Routing
	listeners []*listener.Server
	upstreams atomic.Pointer[upstreams]

	mu      sync.RWMutex
	loops   *loops
	leaving map[*loops]struct{} // those before, while they have connections
	left    loopStats           // of those that have ended
}

// startGateway listens and serves.
func (s *service) startGateway(ctx context.Context) error {
	c := s.config
	if len(c.Listeners) == 0 {
		return nil
	}
	g := &gatewayParts{leaving: map[*loops]struct{}{}}
	s.gateway = g
	first, err := s.newRouting(c)
	if err != nil {
		return err
	}
	g.route(first)
	s.onStop(func(context.Context) error { g.upstreams.Load().close(); return nil })
	serving, err := s.newLoops(c)
	if err != nil {
		return err
	}
	g.use(serving)
	s.onStop(func(context.Context) error { g.close(); return nil })
	for i := range c.Listeners {
		if err := s.listenOn(ctx, &c.Listeners[i], fmt.Sprintf("listeners[%d].address", i)); err != nil {
			return err
		}
	}
	return nil
}

// listenOn serves one address.
func (s *service) listenOn(ctx context.Context, l *config.Listener, field string) error {
	o := listener.Config{
		MaxConnections: s.config.Input.MaxConnections, MaxConnectionsPerIP: s.config.Input.MaxConnectionsPerIP,
		PerIPExempt: config.Prefixes(s.config.TrustedProxies), Log: s.logger("listener"),
		// Who has just connected and says nothing is as idle as between two requests.
		FirstByteTimeout: min(time.Duration(*s.config.Timeouts.KeepAlive), listener.DefaultFirstByteTimeout),
	}
	if l.TLS != nil {
		certificates, err := s.loadCertificates(ctx, l.Address, l.TLS)
		if err != nil {
			return err
		}
		o.Certificates, o.MinVersion = certificates, minVersion(l.TLS)
	}
	if l.ProxyProtocol != nil {
		o.ProxyFrom = config.Prefixes(l.ProxyProtocol.Trusted)
	}
	server, err := listener.New(o, connections{s.gateway})
	if err != nil {
		return err
	}
	socket, err := listen(ctx, field, l.Address)
	if err != nil {
		return err
	}
	s.gateway.listeners = append(s.gateway.listeners, server)
	s.gateways = append(s.gateways, servedGateway{address: shown(socket.Addr()), tls: l.TLS != nil})
	s.serve("gateway on "+l.Address, func() error {
		if err := server.Serve(socket); !errors.Is(err, listener.ErrClosed) {
			return err
		}
		return nil
	}, server.Drain)
	return nil
}

// loadCertificates reads certificates, now and whenever they change.
func (s *service) loadCertificates(ctx context.Context, of string, t *config.TLS) (*listener.Certificates, error) {
	certificates, err := listener.LoadCertificates(certificateFiles(t))
	if err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.onStop(func(context.Context) error { stop(); return nil })
	log := s.logger("listener")
	go certificates.Watch(watching, listener.DefaultCertificatePoll, func(err error) {
		if err != nil {
			log.Error("a certificate cannot be read again; the one before stays", "address", of, "error", err)
			return
		}
		log.Info("certificates were replaced", "address", of)
	})
	s.certificates = append(s.certificates, certificates)
	return certificates, nil
}

func certificateFiles(t *config.TLS) []listener.CertificateFile {
	files := make([]listener.CertificateFile, len(t.Certificates))
	for i, c := range t.Certificates {
		files[i] = listener.CertificateFile(c)
	}
	return files
}

// minVersion is the least version of TLS that is spoken; 0 for that of the listener.
func minVersion(t *config.TLS) uint16 {
	if t.MinVersion == "1.3" {
		return tls.VersionTLS13
	}
	return 0
}

// shown is an address that a browser can be sent to.
func shown(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	if at.Addr().IsUnspecified() {
		return fmt.Sprintf("localhost:%d", at.Port())
	}
	return at.String()
}

// newRouting makes the routes and upstreams of a configuration, which are not in force yet.
func (s *service) newRouting(c *config.Config) (*upstreams, error) {
	next, err := s.openUpstreams(c)
	if err != nil {
		return nil, err
	}
	routes := make([]gateway.Route, len(c.Routes))
	for i := range c.Routes {
		r := &c.Routes[i]
		routes[i] = gateway.Route{
			Hosts: r.Hosts, Paths: r.Paths, StripPrefix: r.StripPrefix, Environment: r.Environment, Service: r.Service,
			Target: next.targets[r.Upstream],
		}
		if routes[i].Environment == "" {
			routes[i].Environment = c.Environment
		}
		if routes[i].Service == "" {
			routes[i].Service = c.Service
		}
	}
	if next.router, err = gateway.NewRouter(routes); err != nil {
		next.close()
		return nil, err
	}
	return next, nil
}

// route puts routes and upstreams in force. Those before serve the requests under way, and are closed then.
func (g *gatewayParts) route(next *upstreams) {
	g.routing.Use(next.router)
	if before := g.upstreams.Swap(next); before != nil {
		before.close()
	}
}

// upstreams are the pools of a configuration with the checks of their health, and the routes to them.
type upstreams struct {
	router  *gateway.Router
	pools   []*gateway.Pool
	targets map[string]*gateway.Target
	checks  []*gateway.Health
	stop    context.CancelFunc
}

func (u *upstreams) close() {
	u.stop()
	for _, p := range u.pools {
		p.Close()
	}
}

func (s *service) openUpstreams(c *config.Config) (*upstreams, error) {
	checking, stop := context.WithCancel(context.Background())
	out := &upstreams{targets: map[string]*gateway.Target{}, stop: stop}
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		pool, err := openPool(u)
		if err != nil {
			out.close()
			return nil, fmt.Errorf("upstreams[%d]: %w", i, err)
		}
		out.pools = append(out.pools, pool)
		out.targets[u.Name] = &gateway.Target{Pool: pool, HTTP2: u.HTTP2}
		if h := u.HealthCheck; h != nil {
			log := s.logger("health")
			checker, err := gateway.NewHealth(pool, gateway.HealthConfig{
				Path: h.Path, Interval: time.Duration(*h.Interval), Timeout: time.Duration(*h.Timeout),
				HealthyAfter: h.HealthyAfter, UnhealthyAfter: h.UnhealthyAfter, HTTP2: u.HTTP2,
			}, func(server string, well bool, reason string) {
				if well {
					log.Info("a server is well again", "upstream", u.Name, "server", server)
					return
				}
				log.Warn("a server is not well and gets no requests", "upstream", u.Name, "server", server, "reason", reason)
			})
			if err != nil {
				out.close()
				return nil, fmt.Errorf("upstreams[%d].healthCheck: %w", i, err)
			}
			out.checks = append(out.checks, checker)
			go checker.Run(checking)
		}
	}
	return out, nil
}

func openPool(u *config.Upstream) (*gateway.Pool, error) {
	o := gateway.PoolConfig{
		Name: u.Name, MaxConnections: u.MaxConnections, Retries: *u.Retries, RetryStatuses: *u.Retries > 0,
		Connect: time.Duration(*u.Timeouts.Connect), Response: time.Duration(*u.Timeouts.Response), Idle: time.Duration(*u.Timeouts.Idle),
	}
	if u.Balance == "round-robin" {
		o.Balance = gateway.RoundRobin
	}
	if *u.Retries == 0 {
		o.Retries = -1 // 0 is the default
	}
	for _, server := range u.Servers {
		at, err := url.Parse(server)
		if err != nil {
			return nil, err
		}
		sc := gateway.ServerConfig{Address: at.Host}
		if at.Port() == "" {
			sc.Address = net.JoinHostPort(at.Hostname(), map[string]string{"http": "80", "https": "443"}[at.Scheme])
		}
		if at.Scheme == "https" {
			if sc.TLS, err = upstreamTLS(u.TLS, at.Hostname()); err != nil {
				return nil, err
			}
		}
		o.Servers = append(o.Servers, sc)
	}
	return gateway.NewPool(o)
}

// upstreamTLS is how a server is verified.
func upstreamTLS(t *config.UpstreamTLS, host string) (*tls.Config, error) {
	out := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t == nil {
		return out, nil
	}
	if t.ServerName != "" {
		out.ServerName = t.ServerName
	}
	out.InsecureSkipVerify = t.InsecureSkipVerify //nolint:gosec // the operator says so
	var err error
	out.RootCAs, err = authorities("tls.ca", t.CA)
	return out, err
}

// authorities are those in a PEM file; nil, which is the system's, when there is no name of one.
func authorities(field, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // as said
	}
	data, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + field, Err: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + field, Err: fmt.Errorf("%s holds no certificate in PEM", file)}
	}
	return pool, nil
}
