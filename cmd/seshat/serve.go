package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/extproc"
	"github.com/seshat-project/seshat/internal/forwardauth"
	"github.com/seshat-project/seshat/internal/ingest/tail"
	"github.com/seshat-project/seshat/internal/instance"
	"github.com/seshat-project/seshat/internal/listener"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/natsserver"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/telemetry"
	"github.com/seshat-project/seshat/internal/view"
)

// service is an instance that runs.
//
//	claim the data directory
//	store      opened, where this process records
//	node       resources, denylist, limits, journal, recorder: what every source needs
//	sources    gateway listeners, external processing, forward-auth, access logs: each ends its exchanges through node
//	API        and metrics and health beside it; then others are told where it is
//
// It ends in the opposite order: first nobody is let in, then what is under way ends, then the journal is stored.
type service struct {
	app      *app
	config   *config.Config // of the start
	current  *config.Config // as it was read last; of the goroutine that waits
	claim    *instance.Claim
	store    store.Store
	node     *node.Node
	accounts *account.Keeper
	audit    *audit.Log
	views    *view.Keeper
	previews *previewPeers
	tracer   *telemetry.Tracer
	events   *telemetry.Events
	feed     *live.Feed // of what is committed
	started  time.Time

	gateways     []servedGateway
	gateway      *gatewayParts
	certificates []*listener.Certificates

	extProcServer      *extproc.Server
	forwardAuthHandler *forwardauth.Handler
	followers          []*tail.Follower

	extProc, forwardAuth, api string // addresses, for people

	ending  atomic.Bool
	stuck   bool // the store did not return
	sources []*source
	failed  chan error
	hangups <-chan os.Signal
	closers []func(context.Context) error // in the order of opening
}

// source is a way in for exchanges.
type source struct {
	name  string
	drain func(context.Context) error
	done  sync.WaitGroup
}

type servedGateway struct {
	address string
	tls     bool
}

// claimWait is how long a start waits for an instance that is about to end.
const claimWait = 5 * time.Second

// start starts an instance. It returns when everything is served.
func (a *app) start(ctx context.Context, c *config.Config) (s *service, err error) {
	s = &service{app: a, config: c, current: c, started: a.now(), feed: live.NewFeed(a.now), failed: make(chan error, 1)}
	if a.log == "json" {
		a.told = slog.New(slog.NewJSONHandler(a.stderr, nil))
	}
	// From the start: a signal that nobody waits for would end the process.
	hung, ignore := hangups()
	s.hangups = hung
	s.onStop(func(context.Context) error { ignore(); return nil })
	defer func() {
		if err != nil {
			ending, stop := context.WithTimeout(context.WithoutCancel(ctx), s.grace())
			defer stop()
			err = errors.Join(err, s.stop(ending))
			s = nil
		}
	}()
	for _, step := range []func(context.Context) error{
		s.claimData, s.openStore, s.startTracing, s.startEvents, s.startNode, s.declareFirst, s.startGateway, s.startExtProc,
		s.startForwardAuth, s.followLogs, s.startAccounts, s.startViews, s.startPreviews,
		s.startAPI,
	} {
		if err := step(ctx); err != nil {
			return s, err
		}
		if err := context.Cause(ctx); err != nil {
			return s, err
		}
	}
	notifyReady()
	return s, nil
}

func (s *service) onStop(f func(context.Context) error) { s.closers = append(s.closers, f) }

// serve runs a source until it is drained. What makes it fail ends the instance.
func (s *service) serve(name string, run func() error, drain func(context.Context) error) {
	src := &source{name: name, drain: drain}
	s.sources = append(s.sources, src)
	src.done.Go(func() {
		if err := run(); err != nil {
			select {
			case s.failed <- fmt.Errorf("%s: %w", name, err):
			default: // another one has ended the instance already
			}
		}
	})
}

// wait waits until the instance is to end, and ends it. On SIGHUP it reads the configuration again by load.
func (s *service) wait(ctx context.Context, load func() (*config.Config, error)) error {
	var err error
	for waiting := true; waiting; {
		select {
		case <-ctx.Done():
			s.app.note("Ending: requests under way have %s.", s.current.ShutdownGrace)
			waiting = false
		case err = <-s.failed:
			waiting = false
		case <-s.hangups:
			notifyReloading()
			s.reload(ctx, load)
			notifyReady()
		}
	}
	s.ending.Store(true)
	notifyStopping()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace()+storeGrace)
	defer cancel()
	return errors.Join(err, s.stop(ending))
}

// storeGrace is what storing the journal may take when requests have used up their time. What it does not get done
// waits in the journal for the next start.
const storeGrace = 5 * time.Second

// stop ends the instance in the opposite order of its start.
func (s *service) stop(ctx context.Context) error {
	draining, cancel := context.WithTimeout(ctx, s.grace())
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, len(s.sources))
	for i, src := range s.sources {
		all.Go(func() {
			if err := src.drain(draining); err != nil {
				errs[i] = fmt.Errorf("%s: %w", src.name, err)
			}
			src.done.Wait()
		})
	}
	all.Wait()
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i](ctx))
	}
	return errors.Join(errs...)
}

func (s *service) claimData(ctx context.Context) error {
	if err := os.MkdirAll(s.app.data, 0o700); err != nil {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "make the data directory", Err: err, Hint: "choose one that you can write to with --data",
		}
	}
	claim, err := instance.Acquire(ctx, s.app.data, claimWait)
	if err != nil {
		return err
	}
	s.claim = claim
	s.onStop(func(context.Context) error { return claim.Release() })
	return nil
}

// openStore opens the store, unless another process records.
func (s *service) openStore(ctx context.Context) error {
	if s.config.Role == config.RoleGateway {
		return nil
	}
	opened, err := s.app.openStore(ctx, duckdb.Options{
		LockWait: lockWait, Memory: duckdb.RecordMemory, ReadMemory: duckdb.DefaultMemory, Logger: s.logger("store"),
	})
	if err != nil {
		return err
	}
	s.store = opened
	s.onStop(func(context.Context) error {
		if s.stuck {
			return nil // it would wait for what does not return
		}
		return closeWithin(closeGrace, opened)
	})
	return nil
}

// closeGrace is what closing the store may take: it moves what was written ahead into the tables.
const closeGrace = 20 * time.Second

// closeWithin closes the store, but for no longer than that: an instance that is told to end has to.
func closeWithin(grace time.Duration, opened io.Closer) error {
	closed := make(chan error, 1)
	go func() { closed <- opened.Close() }()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-closed:
		return err
	case <-timer.C:
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "close the store", Err: fmt.Errorf("it takes longer than %s", grace),
			Hint: "nothing is lost: the next start recovers what was stored",
		}
	}
}

// startTracing sends spans where the configuration says so.
func (s *service) startTracing(ctx context.Context) error {
	t := s.config.Tracing
	if t == nil {
		return nil
	}
	fields, err := readFields(t.HeadersFile)
	if err != nil {
		return err
	}
	tracer, err := telemetry.NewTracer(ctx, telemetry.TraceOptions{
		Endpoint: t.Endpoint, SampleRatio: *t.SampleRatio, Fields: fields, Version: version(), Failed: s.tracesFailed(),
	})
	if err != nil {
		return err
	}
	s.tracer = tracer
	s.onStop(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, tracesGrace)
		defer cancel()
		if err := tracer.Close(ctx); err != nil {
			s.logger("traces").Warn("not all spans were sent", "error", err)
		}
		return nil
	})
	return nil
}

const (
	// tracesGrace is what sending the last spans may take: who waits for the end waits for it too.
	tracesGrace = 3 * time.Second
	// tracesEvery is how often it is said that spans are not sent.
	tracesEvery = time.Minute
)

// tracesFailed says that spans are not sent, now and then.
func (s *service) tracesFailed() func(error) {
	var mu sync.Mutex
	var last time.Time
	log := s.logger("traces")
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := s.app.now(); now.Sub(last) >= tracesEvery {
			last = now
			log.Warn("spans are dropped: the receiver does not take them", "error", err)
		}
	}
}

// eventsGrace is what writing the last events may take.
const eventsGrace = 2 * time.Second

// startEvents writes the starts and ends of sessions where the configuration says so.
func (s *service) startEvents(context.Context) error {
	if s.config.Events == nil {
		return nil
	}
	log := s.logger("events")
	events, err := telemetry.OpenEvents(s.config.Events.File, s.app.stdout, func(err error) {
		log.Error("events are not written", "error", err)
	})
	if err != nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "events.file", Err: err, Hint: "name a file that can be written to"}
	}
	s.events = events
	s.onStop(func(context.Context) error { return events.Close(eventsGrace) })
	return nil
}

// readFields reads lines of "Name: value".
func readFields(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read tracing.headersFile", Err: err}
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found {
			if name == "" {
				continue
			}
			return nil, &seshat.Error{
				Kind: seshat.ErrorInvalid, Op: "read tracing.headersFile", Err: errors.New("a line has no name"), Hint: `write each as "Name: value"`,
			}
		}
		out[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return out, nil
}

// startNode starts what every source needs.
func (s *service) startNode(ctx context.Context) error {
	c := s.config
	o := node.Options{
		KeyFile: s.app.path(keyFile), NodeFile: s.app.path("node"), JournalBytes: int64(*c.Journal.MaxBytes), Store: s.store,
		Publisher: pipeline.PublisherConfig{
			MaxDelay: time.Duration(*c.Journal.BatchDelay), MaxQueueBytes: int(*c.Journal.MaxQueueBytes), FailClosed: c.Journal.FailClosed,
		},
		Inline: pipeline.InlineConfig{
			FailClosed: c.Journal.FailClosed, Environment: c.Environment,
			Fields: pipeline.SessionFields{
				Session: c.SessionFields.Session, User: c.SessionFields.User, Verdict: c.SessionFields.Verdict,
			},
		},
		Recent: recentBounds(c), Logger: s.logger("node"), Now: s.app.now,
	}
	if s.tracer != nil {
		o.Inline.Trace = s.tracer.Trace
	}
	if s.events != nil {
		o.Events = s.events.Tell
	}
	o.Committed = s.feed.Publish
	if err := s.chooseNATS(&o); err != nil {
		return err
	}
	if o.Server != nil { // a command that found no instance may have its files open for a moment
		lock, err := s.app.lockResources(ctx)
		if err != nil {
			return err
		}
		s.onStop(func(context.Context) error { return lock.Unlock() })
	}
	n, err := node.Start(ctx, o)
	if err != nil {
		return err
	}
	s.node = n
	s.onStop(func(ctx context.Context) error {
		err := n.Close(ctx)
		s.stuck = errors.Is(err, node.ErrStuck)
		return err
	})
	return nil
}

// chooseNATS says whether the journal is in this process, in a cluster of such processes, or elsewhere.
func (s *service) chooseNATS(o *node.Options) error {
	c := s.config
	if c.NATS != nil {
		o.Remote = &node.Remote{URL: c.NATS.URL, DialOptions: natsserver.DialOptions{
			Credentials: c.NATS.CredentialsFile, Logger: s.logger("nats"),
		}}
		if c.NATS.TokenFile != "" {
			token, err := readSecret("nats.tokenFile", c.NATS.TokenFile)
			if err != nil {
				return err
			}
			o.Remote.Token = token
		}
		o.Replicas = c.NATS.Replicas
		return nil
	}
	o.Server = &natsserver.Options{
		Dir: s.app.path(resourcesDir), SyncInterval: time.Duration(*c.Journal.SyncInterval), SyncAlways: *c.Journal.SyncInterval == 0,
		Logger: s.logger("nats"),
	}
	if n := c.NATSListen; n != nil {
		token, err := readSecret("natsListen.tokenFile", n.TokenFile)
		if err != nil {
			return err
		}
		o.Server.Listen, o.Server.Token = n.Address, token
	}
	if k := c.Cluster; k != nil {
		token, err := readSecret("cluster.tokenFile", k.TokenFile)
		if err != nil {
			return err
		}
		o.Server.Name = k.Node
		o.Server.Cluster = &natsserver.Cluster{Name: k.Name, Listen: k.Listen, Routes: k.Routes, User: "seshat", Password: token}
		o.Replicas = k.Replicas
	}
	return nil
}

// shortestSecret is what nobody guesses, in characters.
const shortestSecret = 16

// readSecret reads a secret from a file: never from the command line or the configuration.
func readSecret(field, file string) (string, error) {
	data, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return "", &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + field, Err: err}
	}
	secret := strings.TrimSpace(string(data))
	if len(secret) < shortestSecret {
		return "", &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "read " + field, Err: fmt.Errorf("%s holds fewer than %d characters", file, shortestSecret),
			Hint: "make one with: head -c 32 /dev/urandom | base64",
		}
	}
	return secret, nil
}

// declareFirst applies the files that the configuration names, before anybody is let in.
func (s *service) declareFirst(ctx context.Context) error { return s.applyResources(ctx, s.config) }

// applyResources applies the files that a configuration names.
func (s *service) applyResources(ctx context.Context, c *config.Config) error {
	if len(c.Resources) == 0 {
		return nil
	}
	parsed, err := s.app.readResources(c.Resources)
	if err != nil {
		return err
	}
	_, err = s.node.Registry.Apply(ctx, parsed, resource.ApplyOptions{Author: resource.Author{By: "seshat.yaml", At: s.app.now()}})
	return registryError("apply the resources of the configuration", err)
}

// listen opens a socket.
func listen(ctx context.Context, field, address string) (net.Listener, error) {
	var open net.ListenConfig
	l, err := open.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: field, Err: err, Hint: "is something else serving there? choose another address",
		}
	}
	return l, nil
}
