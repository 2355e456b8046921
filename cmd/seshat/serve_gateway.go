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
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/gateway"
	"github.com/seshat-project/seshat/internal/http1"
	"github.com/seshat-project/seshat/internal/listener"
)

// gatewayParts are what a gateway consists of: what it listens with, the loops for HTTP/1.1 and HTTP/2, and the routes and
// upstreams in force, which a reload replaces.
type gatewayParts struct {
	routing   gateway.Routing
	http1     *gateway.Server
	http2     *gateway.HTTP2
	listeners []*listener.Server
	upstreams atomic.Pointer[upstreams]
}

// startGateway listens and serves.
func (s *service) startGateway(ctx context.Context) error {
	c := s.config
	if len(c.Listeners) == 0 {
		return nil
	}
	g := &gatewayParts{}
	s.gateway = g
	if err := s.route(c); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { g.upstreams.Load().close(); return nil })
	field, err := clientaddr.ParseSource(c.TrustedField)
	if err != nil {
		return err
	}
	clients, err := clientaddr.New(clientaddr.Config{
		Trusted: config.Prefixes(c.TrustedProxies), Source: field, SendForwarded: c.ForwardedFields == "forwarded" || c.ForwardedFields == "both",
		NoXForwarded: c.ForwardedFields == "forwarded",
	})
	if err != nil {
		return err
	}
	g.http2, err = gateway.NewHTTP2(gateway.HTTP2Config{
		Guard: gateway.Guarded(s.node.Inline), Routing: &g.routing, Clients: clients, Via: c.Via,
		HideClient: c.ForwardedFields == "none", MaxBody: int64(*c.Input.MaxBodyBytes), MaxHeaderBytes: int(*c.Input.MaxHeaderBytes),
		BodyTimeout: time.Duration(*c.Timeouts.Body), IdleTimeout: time.Duration(*c.Timeouts.KeepAlive), Log: s.logger("gateway"),
	})
	if err != nil {
		return err
	}
	g.http1, err = gateway.New(gateway.Config{
		Guard: gateway.Guarded(s.node.Inline), Routing: &g.routing, Clients: clients, HideClient: c.ForwardedFields == "none",
		Limits:  http1.Limits{HeadBytes: int(*c.Input.MaxHeaderBytes), Fields: c.Input.MaxHeaderFields},
		MaxBody: int64(*c.Input.MaxBodyBytes),
		Timeouts: gateway.Timeouts{
			Header: time.Duration(*c.Timeouts.Header), Body: time.Duration(*c.Timeouts.Body),
			KeepAlive: time.Duration(*c.Timeouts.KeepAlive), Tunnel: time.Duration(*c.Timeouts.Tunnel),
		},
		Via: c.Via, Logger: s.logger("gateway"), Handover: g.http2.ServeConn,
	})
	if err != nil {
		return err
	}
	s.onStop(func(context.Context) error { g.http1.Close(); return nil })
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
	}
	if l.TLS != nil {
		files := make([]listener.CertificateFile, len(l.TLS.Certificates))
		for i, c := range l.TLS.Certificates {
			files[i] = listener.CertificateFile(c)
		}
		certificates, err := listener.LoadCertificates(files)
		if err != nil {
			return err
		}
		o.Certificates = certificates
		if l.TLS.MinVersion == "1.3" {
			o.MinVersion = tls.VersionTLS13
		}
		watching, stop := context.WithCancel(context.WithoutCancel(ctx))
		s.onStop(func(context.Context) error { stop(); return nil })
		log := s.logger("listener")
		go certificates.Watch(watching, listener.DefaultCertificatePoll, func(err error) {
			if err != nil {
				log.Error("a certificate cannot be read again; the one before stays", "address", l.Address, "error", err)
				return
			}
			log.Info("certificates were replaced", "address", l.Address)
		})
		s.certificates = append(s.certificates, certificates)
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

// connections hands connections to the loop that speaks their protocol.
type connections struct{ *gatewayParts }

// ServeHTTP1 implements [listener.Handler].
func (c connections) ServeHTTP1(ctx context.Context, conn net.Conn, info listener.Info) {
	c.http1.ServeConn(ctx, conn, connInfo(&info))
}

// ServeHTTP2 implements [listener.Handler].
func (c connections) ServeHTTP2(ctx context.Context, conn net.Conn, info listener.Info) {
	c.http2.ServeConn(ctx, conn, connInfo(&info))
}

func connInfo(info *listener.Info) gateway.ConnInfo {
	return gateway.ConnInfo{Peer: info.Peer.Addr().Unmap(), TLS: info.TLS != nil, JA4: info.JA4}
}

// route puts the routes and upstreams of a configuration in force. Those before serve the requests under way, and are
// closed then.
func (s *service) route(c *config.Config) error {
	next, err := s.openUpstreams(c)
	if err != nil {
		return err
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
	router, err := gateway.NewRouter(routes)
	if err != nil {
		next.close()
		return err
	}
	s.gateway.routing.Use(router)
	if before := s.gateway.upstreams.Swap(next); before != nil {
		before.close()
	}
	return nil
}

// upstreams are the pools of a configuration with the checks of their health.
type upstreams struct {
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
	if t.CA != "" {
		data, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read tls.ca", Err: err}
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(data) {
			return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read tls.ca", Err: fmt.Errorf("%s holds no certificate in PEM", t.CA)}
		}
	}
	return out, nil
}

// reload puts a configuration in force that was read again: its routes and upstreams. A bad one changes nothing.
func (s *service) reload(load func() (*config.Config, error)) {
	c, err := load()
	if err == nil && s.gateway != nil {
		err = s.route(c)
	}
	for _, certificates := range s.certificates {
		if _, errReload := certificates.Reload(); errReload != nil {
			s.app.complain("certificates: " + errReload.Error())
		}
	}
	if err != nil {
		s.app.printError(err)
		s.app.complain("the configuration before stays in force")
		return
	}
	s.app.note("The configuration was read again: routes and upstreams are in force.")
}
