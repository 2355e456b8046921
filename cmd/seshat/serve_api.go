package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console"
	"github.com/seshat-project/seshat/internal/console/web"
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
	encryption, err := s.apiTLS(ctx)
	if err != nil {
		return err
	}
	socket, err := listen(ctx, "api.address", s.config.API.Address)
	if err != nil {
		return err
	}
	switch {
	case s.config.API.URL != "":
		s.api = strings.TrimSuffix(s.config.API.URL, "/")
	case encryption != nil:
		s.api = "https://" + shown(socket.Addr())
	default:
		s.api = "http://" + shown(socket.Addr())
	}
	token := instance.NewToken()
	mux, err := s.apiPaths(ctx, token)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	var outside http.Handler = mux
	if s.config.API.TLSAtProxy {
		outside = behindProxy(mux)
	}
	s.serveAPI("API", socket, outside, encryption)
	commands := socket.Addr().String()
	if encryption != nil || !s.config.API.Loopback() {
		// Commands of this machine need no certificate, and no name that one is for.
		local, err := listen(ctx, "the API for commands", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.serveAPI("API for commands", local, mux, nil)
		commands = local.Addr().String()
	}
	return s.claim.Announce(instance.Info{Address: commands, Token: token, Console: s.api, Started: s.started, Version: version()})
}

// apiPaths are the API, the console, and what is beside them.
func (s *service) apiPaths(ctx context.Context, token string) (*http.ServeMux, error) {
	handler, err := s.apiHandler(ctx, token)
	if err != nil {
		return nil, err
	}
	pages, err := s.console(handler)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, path := range []string{"/api/", "/docs", "/openapi.json", "/openapi.yaml"} {
		mux.Handle(path, handler)
	}
	mux.Handle("/", pages)
	mux.Handle("GET /metrics", s.guardMetrics(handler, s.metrics().Handler()))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return mux, nil
}

// apiTLS is how the API is encrypted; nil when it is not.
func (s *service) apiTLS(ctx context.Context) (*tls.Config, error) {
	t := s.config.API.TLS
	if t == nil {
		return nil, nil //nolint:nilnil // which means: not
	}
	certificates, err := s.loadCertificates(ctx, "api.tls", t)
	if err != nil {
		return nil, err
	}
	return certificates.TLSConfig(minVersion(t)), nil
}

// serveAPI serves on a socket until the instance ends: it is of use until then.
func (s *service) serveAPI(name string, socket net.Listener, handler http.Handler, encryption *tls.Config) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: apiHeaderTimeout, IdleTimeout: apiIdleTimeout, MaxHeaderBytes: apiHeaderBytes,
		TLSConfig: encryption, ErrorLog: slog.NewLogLogger(s.logger("api").Handler(), slog.LevelDebug),
	}
	s.serve(name, func() error {
		var err error
		if encryption != nil {
			err = server.ServeTLS(socket, "", "") // by the configuration
		} else {
			err = server.Serve(socket)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, func(context.Context) error { return nil })
	last := s.sources[len(s.sources)-1]
	s.sources = s.sources[:len(s.sources)-1] // it is not drained with those
	s.onStop(func(ctx context.Context) error {
		s.feed.Close() // who follows is told
		ending, stop := context.WithTimeout(ctx, apiGrace)
		defer stop()
		err := server.Shutdown(ending)
		if err != nil { // somebody does not read
			err = server.Close()
		}
		last.done.Wait()
		return err
	})
}

// apiGrace is what answers of the API may take when the instance ends.
const apiGrace = 2 * time.Second

// guardMetrics lets those read metrics who may read the status, where others than the users of this machine reach them.
func (s *service) guardMetrics(handler, metrics http.Handler) http.Handler {
	if s.config.API.Loopback() {
		return metrics
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := client.Within(handler, client.From(r)).Me(r.Context())
		if err != nil || !slices.Contains(me.Permissions, string(api.StatusRead)) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="seshat"`)
			http.Error(w, "Metrics need an API token with the permission "+string(api.StatusRead)+".", http.StatusUnauthorized)
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

// console is the web console on top of the API.
func (s *service) console(handler http.Handler) (http.Handler, error) {
	return console.New(console.Options{
		Options: web.Options{API: handler, Version: version(), Logger: s.logger("console"), Now: s.app.now},
		Guard:   api.NewGuard(s.config.API.Names()).Check,
	})
}

func (s *service) apiHandler(ctx context.Context, token string) (http.Handler, error) {
	o := s.app.apiOptions(s.node, s.store, token)
	o.Status = func(context.Context) wire.Status { return s.status() }
	o.Authenticator, o.Accounts, o.Audit = api.NewAuthenticator(token, s.accounts), s.accounts, s.audit
	o.Views, o.Preview, o.PreviewSource = s.views, s.previews.preview, s.previews.source
	o.Version, o.Logger, o.Hosts = version(), s.logger("api"), s.config.API.Names()
	if s.store != nil {
		o.Feed = s.feed
	}
	o.NoPasswords = !*s.config.API.SignIn.Password
	if provider, err := s.newExternal(ctx); err != nil {
		return nil, err
	} else if provider != nil {
		o.External = provider
	}
	return api.New(o)
}
