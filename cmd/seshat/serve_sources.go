package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/accesslogservice"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/extproc"
	"github.com/seshat-project/seshat/internal/forwardauth"
	"github.com/seshat-project/seshat/internal/ingest/accesslog"
	"github.com/seshat-project/seshat/internal/ingest/tail"
)

// startExtProc serves Envoy's external processing and takes its access logs.
func (s *service) startExtProc(ctx context.Context) error {
	e := s.config.ExtProc
	if e == nil {
		return nil
	}
	socket, err := listen(ctx, "extProc.address", e.Address)
	if err != nil {
		return err
	}
	s.extProcServer = extproc.New(extproc.Options{
		Inline: s.node.Inline, Environment: s.config.Environment, Service: s.config.Service, JA4Header: e.JA4Header,
		AccessLog: accesslogservice.New(accesslogservice.Options{
			Observer: s.node.Inline, Environment: s.config.Environment, Service: s.config.Service, JA4Header: e.JA4Header,
		}),
		Log: s.logger("external processing"), Now: s.app.now,
	})
	s.extProc = shown(socket.Addr())
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.serve("external processing", func() error { return s.extProcServer.Serve(serving, socket) },
		func(context.Context) error { stop(); return nil })
	return nil
}

// startForwardAuth answers proxies that ask before they forward.
func (s *service) startForwardAuth(ctx context.Context) error {
	f := s.config.ForwardAuth
	if f == nil {
		return nil
	}
	socket, err := listen(ctx, "forwardAuth.address", f.Address)
	if err != nil {
		return err
	}
	o := forwardauth.Config{
		Inline: s.node.Inline, Digester: s.node.Digester, Trusted: config.Prefixes(f.Trusted), Join: f.Observe == "log",
		Logger: s.logger("forward-auth"), Now: s.app.now,
	}
	if len(s.config.TrustedProxies) > 0 {
		if o.Proxies, err = clientaddr.New(clientaddr.Config{Trusted: config.Prefixes(s.config.TrustedProxies)}); err != nil {
			return errors.Join(err, socket.Close())
		}
	}
	handler, err := forwardauth.New(o)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	s.forwardAuthHandler, s.forwardAuth = handler, shown(socket.Addr())
	server := handler.Server()
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		handler.Run(running)
	}()
	// What waits for its line is recorded when nobody asks any more, and before the journal is flushed.
	s.onStop(func(context.Context) error {
		stop()
		<-ended
		return nil
	})
	s.serve("forward-auth", func() error {
		if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, server.Shutdown)
	return nil
}

// logPositions is where it is kept how far access logs were read.
const logPositions = "logs"

// followLogs follows access logs while they are written.
func (s *service) followLogs(ctx context.Context) error {
	if len(s.config.Logs) == 0 {
		return nil
	}
	folder := s.app.path(logPositions)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "make the folder of the positions in logs", Err: err}
	}
	for i := range s.config.Logs {
		l := &s.config.Logs[i]
		path, err := filepath.Abs(l.Path)
		if err != nil {
			return err
		}
		o := tail.Config{
			Path: path, Environment: l.Environment, Service: l.Service, Position: filepath.Join(folder, tail.PositionName(path)),
			Sink: observed{s}, Logger: s.logger("logs"),
		}
		if l.Format != "" {
			format, err := accesslog.ParseFormat(l.Format)
			if err != nil {
				return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "logs: format of " + l.Path, Err: err}
			}
			o.Format = format
		}
		follower, err := tail.Open(o)
		if err != nil {
			return err
		}
		s.followers = append(s.followers, follower)
		following, stop := context.WithCancel(context.WithoutCancel(ctx))
		s.serve("access log "+l.Path, func() error { return follower.Run(following) }, func(context.Context) error { stop(); return nil })
	}
	return nil
}

// observed is where lines of access logs go: to the half that forward-auth has, where there is one, and to the journal.
type observed struct{ *service }

// Observe implements [tail.Sink].
func (o observed) Observe(ctx context.Context, x *seshat.Exchange) error {
	if o.forwardAuthHandler != nil {
		return o.forwardAuthHandler.Observe(ctx, x)
	}
	return o.node.Inline.Observe(ctx, x)
}

// Flush implements [tail.Sink].
func (o observed) Flush(ctx context.Context) error { return o.node.Publisher.Flush(ctx) }
