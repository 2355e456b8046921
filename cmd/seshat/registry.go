package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"time"

	"github.com/gofrs/flock"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/natskv"
	"github.com/seshat-project/seshat/internal/natsserver"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// lockPoll is how often a lock that another process has is tried again.
const lockPoll = 20 * time.Millisecond

// registry is the resources of the data directory: those of the running instance, where there is one. Without one they
// are open for moments only, since one process at a time can have them.
type registry struct {
	api.Registry
	close func() error
}

// Close implements [io.Closer].
func (r *registry) Close() error { return r.close() }

// openRegistry opens the resources, which have a lock of their own so that rules can be looked at and changed while
// an import runs.
func (a *app) openRegistry(ctx context.Context) (*registry, error) {
	var r *registry
	err := a.elsewhere(ctx, func(c *client.Client) error {
		r = &registry{Registry: c.Registry(), close: c.Close}
		return nil
	}, func() error {
		s, err := a.openState(ctx)
		if err != nil {
			return err
		}
		resources, err := s.bucket(ctx, node.ResourceBucket)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		r = &registry{Registry: resource.NewRegistry(resources, compile), close: s.Close}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// elsewhere calls remote with the running instance, or local when there is none.
func (a *app) elsewhere(ctx context.Context, remote func(*client.Client) error, local func() error) error {
	c, err := a.running(ctx, lockWait)
	switch {
	case err != nil:
		return err
	case c != nil:
		return remote(c)
	}
	err = local()
	if seshat.KindOfError(err) != seshat.ErrorUnavailable {
		return err
	}
	// An instance may have been faster. Its lock is the one that was waited for.
	if c, errFind := a.running(ctx, lockWait); errFind == nil && c != nil {
		return remote(c)
	}
	return err
}

// state is the embedded NATS server of the data directory, which has the resources and the denylist.
type state struct {
	server *natsserver.Server
	lock   *flock.Flock
	open   []io.Closer
	op     string
}

// openState starts the server. One process at a time can.
func (a *app) openState(ctx context.Context) (*state, error) {
	lock, err := a.lockResources(ctx)
	if err != nil {
		return nil, err
	}
	s := &state{lock: lock, op: "open the resources in " + a.data}
	s.server, err = natsserver.Start(natsserver.Options{
		Dir: a.path(resourcesDir), SyncAlways: true,
		Logger: a.loggerFrom(slog.LevelWarn), // below that it tells of a server, which is nobody's concern
	})
	if err != nil {
		return nil, errors.Join(&seshat.Error{Kind: seshat.ErrorUnavailable, Op: s.op, Err: err}, lock.Unlock())
	}
	return s, nil
}

// bucket opens a bucket, which is closed with the server.
func (s *state) bucket(ctx context.Context, name string) (kv.Store, error) {
	return s.bucketOf(ctx, name, 0)
}

// bucketOf opens a bucket that keeps history entries of a key; 0 is as many as there can be.
func (s *state) bucketOf(ctx context.Context, name string, history uint8) (kv.Store, error) {
	conn, err := s.server.Connect()
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: s.op, Err: err}
	}
	bucket, err := natskv.OpenConn(ctx, conn, natskv.Options{Bucket: name, History: history})
	if err != nil {
		conn.Close()
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: s.op, Err: err}
	}
	s.open = append(s.open, bucket)
	return bucket, nil
}

// Close implements [io.Closer].
func (s *state) Close() error {
	var errs []error
	for _, bucket := range s.open {
		errs = append(errs, bucket.Close())
	}
	s.server.Close()
	return errors.Join(append(errs, s.lock.Unlock())...)
}

// lockResources makes the folder of the embedded NATS server and locks it. A running instance holds the lock for as long
// as it has the server.
func (a *app) lockResources(ctx context.Context) (*flock.Flock, error) {
	op := "open the resources in " + a.data
	if err := os.MkdirAll(a.path(resourcesDir), 0o700); err != nil {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: err, Hint: "choose a directory that you can write to with --data",
		}
	}
	lock := flock.New(a.path(resourcesDir + ".lock"))
	waiting, stop := context.WithTimeout(ctx, lockWait)
	defer stop()
	switch locked, err := lock.TryLockContext(waiting, lockPoll); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded), err == nil && !locked:
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: errors.New("another process is using them"), Hint: "try again when it is done",
		}
	case err != nil:
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err}
	}
	return lock, nil
}

// withRegistryThatIs runs f with the resources where there are any: whoever only looks, or takes away, makes no directory.
func (a *app) withRegistryThatIs(ctx context.Context, f func(*registry) error) error {
	if !a.hasResources() {
		// An instance whose NATS servers are elsewhere makes no folder for one.
		if c, err := a.running(ctx, lockWait); err != nil {
			return err
		} else if c != nil {
			return a.withRegistry(ctx, f)
		}
		return &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: "open the resources in " + a.data, Err: errors.New("nothing was applied or imported yet"),
			Hint: "apply some with: seshat apply -f FILE, or see seshat presets; --data names another directory",
		}
	}
	return a.withRegistry(ctx, f)
}

// hasResources reports whether the data directory was ever used: also an import looks at the resources.
func (a *app) hasResources() bool {
	_, err := os.Stat(a.path(resourcesDir))
	return !errors.Is(err, fs.ErrNotExist)
}

// withRegistry runs f with the resources.
func (a *app) withRegistry(ctx context.Context, f func(*registry) error) (err error) {
	r, err := a.openRegistry(ctx)
	if err != nil {
		return err
	}
	defer closing(r, &err)
	return f(r)
}

// compile finds the faults of resources that only show when they are put together.
func compile(resources []seshat.Resource) seshat.Faults {
	_, faults := rule.Compile(resources)
	return faults
}

// ruleset is what the resources of the data directory declare.
func (a *app) ruleset(ctx context.Context) (rs *rule.Ruleset, err error) {
	var resources []seshat.Resource
	err = a.withRegistry(ctx, func(r *registry) error {
		all, err := r.List(ctx, "")
		for i := range all {
			resources = append(resources, *all[i].Resource)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	rs, faults := rule.Compile(resources)
	if len(faults) > 0 {
		return nil, faults
	}
	return rs, nil
}

// rulesetOf is what the resources in files declare.
func (a *app) rulesetOf(files []string) (rs *rule.Ruleset, err error) {
	parsed, err := a.readResources(files)
	if err != nil {
		return nil, err
	}
	faults := resource.Validate(parsed, func(resources []seshat.Resource) (faults seshat.Faults) {
		rs, faults = rule.Compile(resources)
		return faults
	})
	if len(faults) > 0 {
		return nil, faults
	}
	return rs, nil
}

// author is who makes a change.
func (a *app) author() resource.Author {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return resource.Author{By: name, At: a.now()}
}

// registryError gives the errors of a registry their kind.
func registryError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kv.ErrNotFound):
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such resource"), Hint: "seshat get lists them"}
	case errors.Is(err, kv.ErrConflict):
		return &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: err, Hint: "look at what changed, and try again"}
	case errors.Is(err, context.DeadlineExceeded):
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: errors.New("the store of resources did not answer in time"),
			Hint: "is the disk of the data directory full?",
		}
	default:
		return err
	}
}
