// Package caddymodule is Seshat as a module of Caddy 2: the HTTP handler http.handlers.seshat, and the directive seshat of
// the Caddyfile.
//
//	{
//		order seshat before reverse_proxy   # the default
//	}
//	shop.example {
//		seshat {
//			data /var/lib/caddy/seshat
//			resources /etc/caddy/shop-rules.yaml
//		}
//		reverse_proxy 127.0.0.1:3000
//	}
//
// Handlers with the same data directory share one node, also from one configuration to the next: a reload keeps sessions,
// limits and the journal going.
package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/seshat-project/seshat/middleware"
)

// init registers the module, which is how Caddy finds it.
func init() { //nolint:gochecknoinits // Caddy knows no other way
	caddy.RegisterModule(Handler{})
	httpcaddyfile.RegisterHandlerDirective("seshat", parseDirective)
	// Before everything that answers, and after what rewrites requests: what is judged is what is served.
	httpcaddyfile.RegisterDirectiveOrder("seshat", httpcaddyfile.Before, "basic_auth")
}

// Handler is an HTTP handler of Caddy: it works out the session of each request, refuses what limits and the denylist
// refuse, and records the rest with its response.
type Handler struct {
	// Data is the data directory; "seshat" within Caddy's own when it is empty.
	Data string `json:"data,omitempty"`
	// Environment and Service label what is recorded. An empty service is the host of each request.
	Environment string `json:"environment,omitempty"`
	Service     string `json:"service,omitempty"`
	// Resources are files of session rules, limits and so on, applied at the start.
	Resources []string `json:"resources,omitempty"`
	// The names of request header fields that tell the origin of the session. Clients' own are removed.
	SessionField string `json:"session_field,omitempty"`
	UserField    string `json:"user_field,omitempty"`
	VerdictField string `json:"verdict_field,omitempty"`
	// FailClosed refuses requests while they cannot be recorded.
	FailClosed bool `json:"fail_closed,omitempty"`
	// NATS is the address of a fleet's NATS servers, which then keep and record everything.
	NATS            string `json:"nats,omitempty"`
	NATSCredentials string `json:"nats_credentials,omitempty"`
	NATSTokenFile   string `json:"nats_token_file,omitempty"`

	node *node
}

// nodes are the middlewares by their data directory. Caddy starts a new configuration before it ends the old one: with
// the same data directory both use the same middleware.
var nodes = caddy.NewUsagePool() //nolint:gochecknoglobals // what outlives a configuration lives here

// node is a middleware in the pool.
type node struct {
	*middleware.Middleware
	config string // what it was made of
}

// closeWait is how long storing what was recorded may take when the last handler is gone.
const closeWait = 30 * time.Second

// Destruct implements [caddy.Destructor].
func (n *node) Destruct() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	return n.Close(ctx)
}

// CaddyModule implements [caddy.Module].
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.seshat", New: func() caddy.Module { return new(Handler) }}
}

// Provision implements [caddy.Provisioner].
func (h *Handler) Provision(ctx caddy.Context) error {
	if h.Data == "" {
		h.Data = filepath.Join(caddy.AppDataDir(), "seshat")
	}
	data, err := filepath.Abs(h.Data)
	if err != nil {
		return fmt.Errorf("seshat: find the data directory: %w", err)
	}
	h.Data = data
	if err := h.Validate(); err != nil { // before anything is opened
		return err
	}
	config, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("seshat: %w", err)
	}
	logger := ctx.Slogger()
	loaded, _, err := nodes.LoadOrNew(h.Data, func() (caddy.Destructor, error) {
		m, err := middleware.New(ctx, h.config(logger))
		if err != nil {
			return nil, err
		}
		return &node{Middleware: m, config: string(config)}, nil
	})
	if err != nil {
		return fmt.Errorf("seshat: %w", err)
	}
	h.node = loaded.(*node)
	if h.node.config != string(config) {
		return fmt.Errorf("seshat: %s is in use with other settings: handlers with one data directory have the same ones, "+
			"and restart Caddy to change them", h.Data)
	}
	return nil
}

func (h *Handler) config(logger *slog.Logger) middleware.Config {
	return middleware.Config{
		Data: h.Data, Environment: h.Environment, Service: h.Service, Resources: h.Resources,
		SessionField: h.SessionField, UserField: h.UserField, VerdictField: h.VerdictField, FailClosed: h.FailClosed,
		NATS: h.NATS, NATSCredentials: h.NATSCredentials, NATSTokenFile: h.NATSTokenFile, Logger: logger,
	}
}

// Validate implements [caddy.Validator].
func (h *Handler) Validate() error {
	if h.NATS == "" && (h.NATSCredentials != "" || h.NATSTokenFile != "") {
		return errors.New("seshat: credentials for NATS, and no address of it: set nats")
	}
	return nil
}

// Cleanup implements [caddy.CleanerUpper]. What was recorded is stored when the last handler is gone.
func (h *Handler) Cleanup() error {
	if h.node == nil {
		return nil
	}
	h.node = nil
	_, err := nodes.Delete(h.Data)
	return err
}

// The variables that tell the rest of the configuration of the session: {http.vars.seshat_session} and
// {http.vars.seshat_user}.
const (
	sessionVariable = "seshat_session"
	userVariable    = "seshat_user"
)

// ServeHTTP implements [caddyhttp.MiddlewareHandler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	// Caddy has worked out who the client is, by its own trusted_proxies.
	if text, ok := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string); ok {
		if ip, err := netip.ParseAddr(text); err == nil {
			r = r.WithContext(middleware.WithClientIP(r.Context(), ip))
		}
	}
	return h.node.Serve(w, r, func(w http.ResponseWriter, r *http.Request) error {
		if s, ok := middleware.SessionFrom(r.Context()); ok {
			caddyhttp.SetVar(r.Context(), sessionVariable, s.ID.String())
			caddyhttp.SetVar(r.Context(), userVariable, s.User)
		}
		return next.ServeHTTP(w, r)
	}, statusOf)
}

// statusOf is the status that Caddy answers an error of a handler with.
func statusOf(err error) int {
	var e caddyhttp.HandlerError
	if errors.As(err, &e) && e.StatusCode > 0 {
		return e.StatusCode
	}
	return http.StatusInternalServerError
}

// Interfaces that Caddy looks for.
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
