package middleware

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/instance"
	"github.com/seshat-project/seshat/internal/natsserver"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
)

// Config says where a middleware keeps what it sees, and how it behaves. Only Data must be set.
type Config struct {
	// Data is the data directory: what is recorded, and what is declared. It is made when it is missing. One process has
	// it at a time; "seshat --data" commands find that process.
	Data string
	// Environment and Service label what is recorded. An empty service is the host of each request.
	Environment, Service string
	// TrustedProxies are addresses ("10.0.0.7") and networks ("10.0.0.0/8") of proxies in front of this program, whose
	// X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed. None: whoever connects is the client.
	TrustedProxies []string
	// Resources are files of session rules, limits and so on (docs/resources.md) that are applied at the start, as by
	// "seshat apply -f".
	Resources []string
	// SessionField, UserField and VerdictField are names of request header fields that tell the next handler of the
	// session, beside [SessionFrom]: for what is behind it, such as a reverse proxy. Those that have a name are removed from what
	// clients send.
	SessionField, UserField, VerdictField string
	// FailClosed refuses requests while they cannot be recorded. By default they are served, and what was not recorded is
	// counted.
	FailClosed bool
	// NATS is the address of a fleet's NATS servers ("nats://…"). This program then acts on the fleet's sessions, with its
	// rules and its denylist, and leaves recording to it. Data must hold a copy of the fleet's digest.key.
	NATS string
	// NATSCredentials is the file with the credentials for NATS, and NATSTokenFile one with a token.
	NATSCredentials, NATSTokenFile string
	// API is the address on the loopback interface where commands find this process; a free port when it is empty.
	API string
	// Logger is told what goes wrong; nil is told nothing. It is told no secret.
	Logger *slog.Logger
}

// Middleware wraps handlers. It is safe for concurrent use.
type Middleware struct {
	handlers *handlers
	process  *process
	closing  sync.Once
	closed   error
}

// The names within a data directory, and how long another process with it is waited for.
const (
	keyFile      = "digest.key"
	nodeFile     = "node"
	resourcesDir = "resources"
	claimWait    = 5 * time.Second
)

// New opens the data directory and returns when rules, limits and denylist are in force. ctx bounds the start only. Errors
// name what is wrong with the configuration, and what to do.
func New(ctx context.Context, config Config) (*Middleware, error) {
	if config.Data == "" {
		return nil, &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "start the middleware", Err: errors.New("Config.Data is empty"),
			Hint: "name a directory, such as /var/lib/myservice/seshat",
		}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	addresses, err := resolver(config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	p := &process{config: &config, started: time.Now()}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.close(context.WithoutCancel(ctx)))
	}
	return &Middleware{
		handlers: newHandlers(p.node.Inline, addresses, config.Service, time.Now),
		process:  p,
	}, nil
}

// resolver tells clients from proxies.
func resolver(trusted []string) (*clientaddr.Resolver, error) {
	var config clientaddr.Config
	for _, text := range trusted {
		prefix, err := clientaddr.ParsePrefix(text)
		if err != nil {
			return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read Config.TrustedProxies", Err: err}
		}
		config.Trusted = append(config.Trusted, prefix)
	}
	return clientaddr.New(config)
}

// Handler returns next behind the middleware. All handlers of a middleware share its sessions and limits.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	f := plain(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = m.handlers.handle(w, r, f, nil) })
}

// Serve is Handler for servers whose handlers return errors that something else answers, as Caddy's do. It returns next's
// error; status says what the client will get for it.
func (m *Middleware) Serve(
	w http.ResponseWriter, r *http.Request, next func(http.ResponseWriter, *http.Request) error, status func(error) int,
) error {
	return m.handlers.handle(w, r, next, status)
}

// Close stores what was recorded and gives the data directory back. The server must have ended before (its Shutdown has
// returned): what comes later is served, and not recorded. It gives up when ctx ends: what is not stored then is stored at
// the next start. Closing again does nothing.
func (m *Middleware) Close(ctx context.Context) error {
	m.closing.Do(func() { m.closed = m.process.close(ctx) })
	return m.closed
}

// process is what a middleware stands on: the same as an instance of "seshat run", without its sources.
type process struct {
	config  *Config
	started time.Time
	claim   *instance.Claim
	store   store.Store
	node    *node.Node
	closers []func(context.Context) error // in the order of opening
}

func (p *process) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{p.claimData, p.openStore, p.startNode, p.applyResources, p.serveAPI} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) onClose(f func(context.Context) error) { p.closers = append(p.closers, f) }

func (p *process) close(ctx context.Context) error {
	var errs []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		errs = append(errs, p.closers[i](ctx))
	}
	p.closers = nil
	return errors.Join(errs...)
}

func (p *process) path(name string) string { return filepath.Join(p.config.Data, name) }

func (p *process) claimData(ctx context.Context) error {
	if err := os.MkdirAll(p.config.Data, 0o700); err != nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "make the data directory", Err: err}
	}
	claim, err := instance.Acquire(ctx, p.config.Data, claimWait)
	if err != nil {
		return err
	}
	p.claim = claim
	p.onClose(func(context.Context) error { return claim.Release() })
	return nil
}

func (p *process) openStore(ctx context.Context) error {
	if p.config.NATS != "" {
		return nil // the fleet records
	}
	s, err := duckdb.Open(ctx, p.config.Data, duckdb.Options{
		LockWait: claimWait, Memory: duckdb.ImportMemory, Logger: p.config.Logger,
	})
	if err != nil {
		return err
	}
	p.store = s
	p.onClose(func(context.Context) error { return s.Close() })
	return nil
}

func (p *process) startNode(ctx context.Context) error {
	c := p.config
	o := node.Options{
		KeyFile: p.path(keyFile), NodeFile: p.path(nodeFile), Store: p.store,
		Publisher: pipeline.PublisherConfig{FailClosed: c.FailClosed},
		Inline: pipeline.InlineConfig{
			FailClosed: c.FailClosed, Environment: c.Environment,
			Fields: pipeline.SessionFields{Session: c.SessionField, User: c.UserField, Verdict: c.VerdictField},
		},
		Logger: c.Logger,
	}
	if c.NATS == "" {
		o.Server = &natsserver.Options{Dir: p.path(resourcesDir), Logger: c.Logger}
	} else {
		o.Remote = &node.Remote{URL: c.NATS, DialOptions: natsserver.DialOptions{Credentials: c.NATSCredentials, Logger: c.Logger}}
		if c.NATSTokenFile != "" {
			token, err := os.ReadFile(c.NATSTokenFile)
			if err != nil {
				return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read Config.NATSTokenFile", Err: err}
			}
			o.Remote.Token = strings.TrimSpace(string(token))
		}
	}
	n, err := node.Start(ctx, o)
	if err != nil {
		return err
	}
	p.node = n
	p.onClose(n.Close)
	return nil
}

// applyResources applies the files that the configuration names.
func (p *process) applyResources(ctx context.Context) error {
	var all []resource.Parsed
	for _, file := range p.config.Resources {
		text, err := os.ReadFile(file) //nolint:gosec // the operator names it
		if err != nil {
			return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read Config.Resources", Err: err}
		}
		parsed, faults := resource.Parse(file, text)
		if len(faults) > 0 {
			return faults
		}
		all = append(all, parsed...)
	}
	if len(all) == 0 {
		return nil
	}
	author := resource.Author{By: "middleware", At: time.Now()}
	if _, err := p.node.Registry.Apply(ctx, all, resource.ApplyOptions{Author: author}); err != nil {
		return fmt.Errorf("apply Config.Resources: %w", err)
	}
	return nil
}
