// Package node puts together what a process needs that acts on live traffic: the rules and the denylist, which it
// follows while they change, the state that decisions are made on, the journal that exchanges go to, and, in the process
// that records, the way from the journal to the store.
//
//	n, err := node.Start(ctx, node.Options{…})
//	passage := n.Inline.Begin(&exchange)   // by whatever source there is
//	…
//	err = n.Close(ctx)                     // flushes the journal, and commits
package node

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/denylist"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/natskv"
	"github.com/seshat-project/seshat/internal/natsserver"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/recent"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
)

// Options say what a node is.
type Options struct {
	// KeyFile holds the digest key. It is made when there is none, except where other nodes exist, which must all have
	// the same.
	KeyFile string
	// NodeFile keeps the number of this node from start to start; empty for a node that never comes back.
	NodeFile string
	// Server is the embedded NATS server; nil when Remote is set.
	Server *natsserver.Options
	// Remote are NATS servers elsewhere.
	Remote *Remote
	// Replicas is on how many servers of a cluster the journal and the resources are kept; 1 when it is 0.
	Replicas int
	// JournalBytes bounds the journal.
	JournalBytes int64
	// Store is where the node records; nil for a node that leaves that to another one.
	Store store.Store
	// Publisher and Inline are completed here: their zero values will do.
	Publisher pipeline.PublisherConfig
	Inline    pipeline.InlineConfig
	// Room is asked before each entry of the journal; see [natsjournal.Options]. When it is nil, it is whether there is
	// room on the disk of the embedded server.
	Room func() error

	// Recent bounds what is kept in memory of the last exchanges, for drafts of rules to be tried on; its zero value keeps
	// none.
	Recent recent.Bounds

	// Events is told which sessions began and ended, where the node records; see [pipeline.RecorderConfig].
	Events func([]seshat.Event)
	// Committed is told what was stored, where the node records; see [pipeline.Committed].
	Committed pipeline.Committed

	// AutoEvery is how often hosts are looked for whose Authorization field should identify their sessions; 10 s when it
	// is 0.
	AutoEvery time.Duration

	Logger *slog.Logger // nil drops everything
	Now    func() time.Time
}

// Remote are NATS servers elsewhere.
type Remote struct {
	URL string
	natsserver.DialOptions
}

// The names of what is kept in NATS.
const (
	ResourceBucket = "resources"
	DenylistBucket = "denylist"
	// AccountsBucket has who may use the console and the API, and AuditBucket what they did. Only the newest entry of a key
	// is kept there: what somebody's password was before is nobody's concern.
	AccountsBucket = "accounts"
	AuditBucket    = "audit"
	fleetBucket    = "fleet"
	journalStream  = "exchanges"
	noticesStream  = "links"
	sharesSubject  = "seshat.shares"
)

const (
	// noticesAge is for how long a gateway that starts learns of sessions: longer than most go on without being seen.
	noticesAge = 24 * time.Hour
	// noticesBytes is some two million links.
	noticesBytes = 256 << 20
	// shareEvery is how often limits that several gateways share are told to the others.
	shareEvery = 100 * time.Millisecond
	// learnFirst is how long a start waits to have learnt of the sessions that go on. What comes later is learnt while
	// traffic flows.
	learnFirst = 3 * time.Second
)

// Node is what Start has put together.
type Node struct {
	Inline    *pipeline.Inline
	Publisher *pipeline.Publisher
	Enforcer  *enforce.Enforcer
	Registry  *resource.Registry
	Denylist  *denylist.Keeper
	Recorder  *pipeline.Recorder // nil when the node does not record
	Digester  *protect.Digester
	Committed pipeline.Committed // as in [Options]; for what is stored past the recorder
	Server    *natsserver.Server // nil when the servers are elsewhere
	Recent    *recent.Ring

	options  Options
	logger   *slog.Logger
	digester *protect.Digester
	keys     map[string]*keySource
	rules    atomic.Pointer[rule.Ruleset]
	failing  atomic.Pointer[error] // of the last change of resources
	failed   atomic.Pointer[error] // of the recorder

	telling sync.Mutex                     // while the journal is told of revocations
	revoked map[seshat.SessionID]time.Time // that it was told of, and since when

	conn             *natsserver.Conn
	journal, notices journal.Log
	closers          []func() error // in the order of opening
	running          sync.WaitGroup
	stop             context.CancelFunc
	stopPublishing   context.CancelFunc
	published        chan struct{}
}

// Start puts a node together and returns when rules and denylist are in force. It runs until Close, whatever becomes of
// ctx, which only bounds the start.
func Start(ctx context.Context, o Options) (n *Node, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	n = &Node{Committed: o.Committed, options: o, logger: o.Logger, keys: map[string]*keySource{}, published: make(chan struct{})}
	n.Recent = recent.NewRing(o.Recent, maphash.MakeSeed())
	if n.logger == nil {
		n.logger = slog.New(slog.DiscardHandler)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	defer func() {
		if err != nil {
			stop()
			n.running.Wait()
			err = errors.Join(err, n.closeAll())
			n = nil
		}
	}()
	if o.Server != nil {
		server, err := natsserver.Start(*o.Server)
		if err != nil {
			return n, err
		}
		n.Server = server
		n.onClose(func() error { server.Close(); return nil })
		if n.options.Room == nil {
			n.options.Room = server.Room
		}
	}
	fleet, err := n.openKV(ctx, fleetBucket)
	if err != nil {
		return n, err
	}
	if err := n.loadKey(ctx, fleet); err != nil {
		return n, err
	}
	if err := n.claimRecording(ctx, fleet); err != nil {
		return n, err
	}
	if err := n.openState(ctx); err != nil {
		return n, err
	}
	if err := n.openJournal(ctx); err != nil {
		return n, err
	}
	n.Enforcer = enforce.New(enforce.Config{
		NewSessionID: pipeline.NewSessionID(n.digester), Secret: n.digester.HashLabelled("limits"),
	})
	if err := n.startPublishing(running); err != nil {
		return n, err
	}
	if err := n.followRules(running); err != nil {
		return n, err
	}
	if err := n.followDenylist(running); err != nil {
		return n, err
	}
	if err := n.followNotices(running); err != nil {
		return n, err
	}
	if n.hasPeers() {
		if err := n.shareLimits(running); err != nil {
			return n, err
		}
	}
	if n.Recorder != nil {
		n.running.Go(func() {
			if err := n.Recorder.Run(running); err != nil {
				n.logger.Error("nothing is recorded any more", "error", err)
				n.failed.Store(&err)
			}
		})
		n.running.Go(func() { n.autoIdentify(running) })
	}
	return n, nil
}

func (n *Node) onClose(f func() error) { n.closers = append(n.closers, f) }

// hasPeers reports whether other processes may act on the same sessions.
func (n *Node) hasPeers() bool {
	o := &n.options
	return o.Remote != nil || o.Server != nil && (o.Server.Cluster != nil || o.Server.Listen != "")
}

// Rules are the rules in force.
func (n *Node) Rules() *rule.Ruleset { return n.rules.Load() }

// ResourcesError is why the newest resources are not in force; nil when they are.
func (n *Node) ResourcesError() error {
	if err := n.failing.Load(); err != nil {
		return *err
	}
	return nil
}

// RecorderError is why nothing is recorded any more; nil while it is.
func (n *Node) RecorderError() error {
	if err := n.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// openState opens the resources and the denylist.
func (n *Node) openState(ctx context.Context) error {
	resources, err := n.openKV(ctx, ResourceBucket)
	if err != nil {
		return err
	}
	n.Registry = resource.NewRegistry(resources, Compile)
	denials, err := n.openKV(ctx, DenylistBucket)
	if err != nil {
		return err
	}
	n.Denylist = denylist.NewKeeper(denials, n.options.Now)
	return nil
}

// OpenBucket opens a further bucket, which is closed with the node. It keeps history entries of a key; 0 is as many as there
// can be. What uses it must have ended before Close.
func (n *Node) OpenBucket(ctx context.Context, name string, history uint8) (kv.Store, error) {
	s, err := n.openBucket(ctx, natskv.Options{Bucket: name, History: history})
	if err != nil {
		return nil, err // a nil *natskv.Store would not be a nil kv.Store
	}
	return s, nil
}

// openKV opens a bucket over a connection of its own.
func (n *Node) openKV(ctx context.Context, bucket string) (*natskv.Store, error) {
	return n.openBucket(ctx, natskv.Options{Bucket: bucket})
}

func (n *Node) openBucket(ctx context.Context, o natskv.Options) (*natskv.Store, error) {
	var s *natskv.Store
	o.Replicas = n.options.Replicas
	err := n.forming(ctx, func(ctx context.Context) error {
		if n.Server == nil {
			var err error
			s, err = natskv.OpenURL(ctx, n.options.Remote.URL, o, n.options.Remote.DialOptions)
			return err
		}
		conn, err := n.Server.Connect()
		if err != nil {
			return err
		}
		if s, err = natskv.OpenConn(ctx, conn, o); err != nil {
			conn.Close()
			return err
		}
		// That there is a bucket does not say that one of its servers answers already.
		if _, err := s.Get(ctx, keyEntry); err != nil && !errors.Is(err, kv.ErrNotFound) {
			return errors.Join(err, s.Close())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", o.Bucket, err)
	}
	n.onClose(s.Close)
	return s, nil
}

const (
	// formingFor is how long a start waits for the other servers of a cluster: they are started together, and elect
	// leaders within some ten seconds of each other.
	formingFor = time.Minute
	// formingTry is how long one attempt may take: servers do not answer at all what comes before there is a leader.
	formingTry = 3 * time.Second
)

// forming calls f, and in a cluster, which may have no leader yet, again until it succeeds.
func (n *Node) forming(ctx context.Context, f func(context.Context) error) error {
	if n.options.Server == nil || n.options.Server.Cluster == nil {
		return f(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, formingFor)
	defer cancel()
	for {
		try, stop := context.WithTimeout(ctx, formingTry)
		err := f(try)
		stop()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return &seshat.Error{
				Kind: seshat.ErrorUnavailable, Op: "join the cluster", Err: err,
				Hint: "more than half of its servers have to run and reach each other: see cluster.routes",
			}
		}
		n.logger.Info("the cluster is not ready", "error", err)
		pause := time.NewTimer(formingTry / 10) // an attempt may fail at once
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
	}
}

// ErrStuck is returned by Close when the store did not return: it must not be closed either, and the process should end.
var ErrStuck = errors.New("the store does not answer")

// lastCommit is what a transaction that has begun may take when the time of Close is over. Some milliseconds are usual.
const lastCommit = 2 * time.Second

// Close ends a node: what is under way is flushed to the journal, and from there to the store where the node records.
// Sources must have ended their passages. It gives up when ctx ends: then the journal has what was not stored.
func (n *Node) Close(ctx context.Context) error {
	var errs []error
	if err := n.Publisher.Flush(ctx); err != nil {
		errs = append(errs, fmt.Errorf("flush the journal: %w", err))
	}
	n.stopPublishing()
	<-n.published
	if n.Recorder != nil {
		if err := n.drain(ctx); err != nil {
			errs = append(errs, fmt.Errorf("store what is in the journal: %w", err))
		}
	}
	n.stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.running.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		timer := time.NewTimer(lastCommit)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
			errs = append(errs, ErrStuck)
		}
	}
	return errors.Join(append(errs, n.closeAll())...)
}

func (n *Node) closeAll() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// dirOf is the folder of the key, for messages.
func (n *Node) dirOf() string { return filepath.Dir(n.options.KeyFile) }

// connect returns the connection of the journal and of the counts of limits.
func (n *Node) connect() (*natsserver.Conn, error) {
	if n.conn != nil {
		return n.conn, nil
	}
	var err error
	if n.Server != nil {
		n.conn, err = n.Server.Connect()
	} else {
		n.conn, err = natsserver.Dial(n.options.Remote.URL, n.options.Remote.DialOptions)
	}
	if err != nil {
		return nil, err
	}
	conn := n.conn
	n.onClose(func() error { conn.Close(); return nil })
	return conn, nil
}

// drain waits until everything that is in the journal is stored.
func (n *Node) drain(ctx context.Context) error {
	if err := n.RecorderError(); err != nil {
		return err
	}
	last, err := n.journal.Last(ctx)
	if err != nil {
		return err
	}
	return n.Recorder.Wait(ctx, last)
}
