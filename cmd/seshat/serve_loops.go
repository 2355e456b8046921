package main

import (
	"context"
	"net"
	"reflect"
	"sync"
	"time"

	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/gateway"
	"github.com/seshat-project/seshat/internal/http1"
	"github.com/seshat-project/seshat/internal/listener"
)

// loops serve connections by one configuration: its trusted proxies, timeouts, bounds and fields. A reload that changes
// those starts others for the connections that come; the connections that are there end with the request under way, as
// when a server ends, so that no request is lost and none is judged by a configuration that was replaced long ago.
type loops struct {
	http1 *gateway.Server
	http2 *gateway.HTTP2

	ended context.Context // done when others have taken their place
	end   context.CancelFunc
	close func()         // once
	conns sync.WaitGroup // that are served

	mu    sync.Mutex
	until map[context.Context]context.Context // what connections get, by what the listener gave
}

// newLoops returns loops by a configuration. They have to be closed.
func (s *service) newLoops(c *config.Config) (*loops, error) {
	field, err := clientaddr.ParseSource(c.TrustedField)
	if err != nil {
		return nil, err
	}
	clients, err := clientaddr.New(clientaddr.Config{
		Trusted: config.Prefixes(c.TrustedProxies), Source: field, SendForwarded: c.ForwardedFields == "forwarded" || c.ForwardedFields == "both",
		NoXForwarded: c.ForwardedFields == "forwarded",
	})
	if err != nil {
		return nil, err
	}
	l := &loops{until: map[context.Context]context.Context{}}
	l.http2, err = gateway.NewHTTP2(gateway.HTTP2Config{
		Guard: gateway.Guarded(s.node.Inline), Routing: &s.gateway.routing, Clients: clients, Via: c.Via,
		HideClient: c.ForwardedFields == "none", MaxBody: int64(*c.Input.MaxBodyBytes), MaxHeaderBytes: int(*c.Input.MaxHeaderBytes),
		BodyTimeout: time.Duration(*c.Timeouts.Body), IdleTimeout: time.Duration(*c.Timeouts.KeepAlive), Log: s.logger("gateway"),
	})
	if err != nil {
		return nil, err
	}
	l.http1, err = gateway.New(gateway.Config{
		Guard: gateway.Guarded(s.node.Inline), Routing: &s.gateway.routing, Clients: clients, HideClient: c.ForwardedFields == "none",
		Limits:  http1.Limits{HeadBytes: int(*c.Input.MaxHeaderBytes), Fields: c.Input.MaxHeaderFields},
		MaxBody: int64(*c.Input.MaxBodyBytes),
		Timeouts: gateway.Timeouts{
			Header: time.Duration(*c.Timeouts.Header), Body: time.Duration(*c.Timeouts.Body),
			KeepAlive: time.Duration(*c.Timeouts.KeepAlive), Tunnel: time.Duration(*c.Timeouts.Tunnel),
		},
		Via: c.Via, Logger: s.logger("gateway"), Handover: l.http2.ServeConn,
	})
	if err != nil {
		return nil, err
	}
	l.ended, l.end = context.WithCancel(context.Background())
	l.close = sync.OnceFunc(func() {
		l.end()
		l.http1.Close()
	})
	return l, nil
}

// sameLoops reports whether two configurations want the same of the loops.
func sameLoops(a, b *config.Config) bool {
	of := func(c *config.Config) []any {
		input := c.Input
		input.MaxConnections, input.MaxConnectionsPerIP = 0, 0 // those are the listeners'
		return []any{c.TrustedProxies, c.TrustedField, c.ForwardedFields, c.Via, c.Timeouts, input}
	}
	return reflect.DeepEqual(of(a), of(b))
}

// context is done when the listener drains or the loops have ended. It is the same for all connections of a listener: the
// loop for HTTP/2 keeps a server for each.
func (l *loops) context(listening context.Context) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, known := l.until[listening]
	if !known {
		var stop context.CancelFunc
		until, stop = context.WithCancel(listening)
		context.AfterFunc(l.ended, stop)
		l.until[listening] = until
	}
	return until
}

// use lets loops serve the connections that come from now on, and ends those before when their connections have ended.
func (g *gatewayParts) use(next *loops) {
	g.mu.Lock()
	before := g.loops
	g.loops = next
	if before != nil {
		g.leaving[before] = struct{}{}
	}
	g.mu.Unlock()
	if before == nil {
		return
	}
	before.end()
	go func() {
		before.conns.Wait()
		before.close()
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.leaving, before)
		g.left.add(before)
	}()
}

// enter returns the loops in force, which stay until the connection calls leave.
func (g *gatewayParts) enter() (l *loops, leave func()) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	g.loops.conns.Add(1)
	return g.loops, g.loops.conns.Done
}

// close closes what is still served.
func (g *gatewayParts) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.loops != nil {
		g.loops.close()
	}
	for l := range g.leaving {
		l.close()
	}
}

// connections hands connections to the loop that speaks their protocol.
type connections struct{ *gatewayParts }

// ServeHTTP1 implements [listener.Handler].
func (c connections) ServeHTTP1(ctx context.Context, conn net.Conn, info listener.Info) {
	l, leave := c.enter()
	defer leave()
	l.http1.ServeConn(l.context(ctx), conn, connInfo(&info))
}

// ServeHTTP2 implements [listener.Handler].
func (c connections) ServeHTTP2(ctx context.Context, conn net.Conn, info listener.Info) {
	l, leave := c.enter()
	defer leave()
	l.http2.ServeConn(l.context(ctx), conn, connInfo(&info))
}

func connInfo(info *listener.Info) gateway.ConnInfo {
	return gateway.ConnInfo{Peer: info.Peer.Addr().Unmap(), TLS: info.TLS != nil, JA4: info.JA4}
}

// loopStats are what loops have counted.
type loopStats struct {
	http1 gateway.Stats
	http2 gateway.HTTP2Stats
}

// stats are the counts since the start, whatever was reloaded.
func (g *gatewayParts) stats() loopStats {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := loopStats{http1: gateway.Stats{Refused: map[string]int64{}}}
	out.sum(&g.left.http1, &g.left.http2)
	for l := range g.leaving {
		out.add(l)
	}
	out.add(g.loops)
	return out
}

func (s *loopStats) add(l *loops) {
	one, two := l.http1.Stats(), l.http2.Stats()
	s.sum(&one, &two)
}

func (s *loopStats) sum(one *gateway.Stats, two *gateway.HTTP2Stats) {
	for class, n := range one.Responses {
		s.http1.Responses[class] += n
	}
	if s.http1.Refused == nil {
		s.http1.Refused = map[string]int64{}
	}
	for reason, n := range one.Refused {
		s.http1.Refused[reason] += n
	}
	s.http1.Tunnels += one.Tunnels
	s.http1.BytesIn += one.BytesIn
	s.http1.BytesOut += one.BytesOut
	s.http1.Aborted += one.Aborted
	s.http1.SlowHeads += one.SlowHeads
	s.http1.CutHeads += one.CutHeads
	s.http1.CutBodies += one.CutBodies
	s.http1.CutResponses += one.CutResponses
	s.http1.Unrecorded += one.Unrecorded
	s.http1.Panics += one.Panics
	s.http2.Requests += two.Requests
	s.http2.Refused += two.Refused
	s.http2.Unrouted += two.Unrouted
	s.http2.Failed += two.Failed
	s.http2.Aborted += two.Aborted
}
