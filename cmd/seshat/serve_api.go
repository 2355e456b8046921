package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/instance"
)

// The bounds of the server of the API. Answers may take longer: a live tail does not end by itself.
const (
	apiHeaderTimeout = 10 * time.Second
	apiIdleTimeout   = 2 * time.Minute
	apiHeaderBytes   = 64 << 10
)

// startAPI serves the API, with metrics and health beside it, and tells other commands where it is.
func (s *service) startAPI(ctx context.Context) error {
	socket, err := listen(ctx, "api.address", s.config.API.Address)
	if err != nil {
		return err
	}
	token := instance.NewToken()
	handler, err := s.apiHandler(token)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("GET /metrics", s.metrics().Handler())
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: apiHeaderTimeout, IdleTimeout: apiIdleTimeout, MaxHeaderBytes: apiHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.logger("api").Handler(), slog.LevelDebug),
	}
	s.api = socket.Addr().String()
	s.serve("API", func() error {
		if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, func(context.Context) error { return nil }) // it is of use until the end
	last := s.sources[len(s.sources)-1]
	last.drain = func(context.Context) error { return nil }
	s.sources = s.sources[:len(s.sources)-1]
	s.onStop(func(ctx context.Context) error {
		ending, stop := context.WithTimeout(ctx, apiGrace)
		defer stop()
		err := server.Shutdown(ending)
		if err != nil { // somebody follows a tail
			err = server.Close()
		}
		last.done.Wait()
		return err
	})
	return s.claim.Announce(instance.Info{Address: s.api, Token: token, Started: s.started, Version: version()})
}

// apiGrace is what answers of the API may take when the instance ends.
const apiGrace = 2 * time.Second

func (s *service) apiHandler(token string) (http.Handler, error) {
	o := s.app.apiOptions(s.node, s.store, token)
	o.Status = func(context.Context) wire.Status { return s.status() }
	o.Version, o.Logger = version(), s.logger("api")
	return api.New(o)
}
