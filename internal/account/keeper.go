package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

// The prefixes of keys.
const (
	userPrefix    = "user/"
	tokenPrefix   = "token/"
	sessionPrefix = "session/"
	linkPrefix    = "link/"
)

// The defaults of the console's sessions, after OWASP's session management cheat sheet: what guards traffic of users is of
// high value, and who is on call works a shift.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultAbsolute = 12 * time.Hour
)

// Options say how accounts are kept.
type Options struct {
	// Audit is where sign-ins are written before they count. It is needed.
	Audit *audit.Log
	// Idle and Absolute are after how long without use, and after how long at all, a console session ends.
	Idle, Absolute time.Duration
	// Cost is that of passwords; DefaultCost when it is zero.
	Cost   Cost
	Now    func() time.Time
	Logger *slog.Logger
}

// Keeper keeps accounts in a key-value store. Its methods may be called at the same time.
type Keeper struct {
	options  Options
	store    kv.Store
	logger   *slog.Logger
	now      func() time.Time
	hasher   *hasher
	attempts *attempts

	users      *mirror.Mirror[*userRecord]
	tokens     *mirror.Mirror[*tokenRecord]
	sessions   *mirror.Mirror[*sessionRecord]
	links      *mirror.Mirror[*linkRecord]
	uses       uses
	owned      owned
	ownerLinks ownerLinks

	changing sync.Mutex // changes of users, which must leave an administrator
	first    sync.Mutex // links are used up one by one
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// Open reads the accounts that are in store, and follows them until Close.
func Open(ctx context.Context, store kv.Store, o Options) (k *Keeper, err error) {
	if o.Audit == nil {
		return nil, errors.New("account: Audit is needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Absolute <= 0 {
		o.Absolute = DefaultAbsolute
	}
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost()
	}
	k = &Keeper{
		options: o, store: store, logger: o.Logger, now: o.Now, hasher: newHasher(o.Cost), attempts: newAttempts(),
		uses: newUses(), owned: newOwned(), ownerLinks: ownerLinks{codes: map[string]bool{}}, stop: func() {},
	}
	defer func() {
		if err != nil {
			k.Close()
			err = storeError("open the accounts", err)
			k = nil
		}
	}()
	if k.users, err = mirror.Open(ctx, store, userPrefix, codec[userRecord](userPrefix), nil); err != nil {
		return k, err
	}
	if k.tokens, err = mirror.Open(ctx, store, tokenPrefix, codec[tokenRecord](tokenPrefix), nil); err != nil {
		return k, err
	}
	if k.sessions, err = mirror.Open(ctx, store, sessionPrefix, codec[sessionRecord](sessionPrefix), nil); err != nil {
		return k, err
	}
	if k.links, err = mirror.Open(ctx, store, linkPrefix, codec[linkRecord](linkPrefix), nil); err != nil {
		return k, err
	}
	for _, faults := range []error{k.users.Faults(), k.tokens.Faults(), k.sessions.Faults(), k.links.Faults()} {
		if faults != nil {
			k.logger.Warn("accounts cannot be read whole", "error", faults)
		}
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop = stop
	k.running.Go(func() { k.keep(running) })
	return k, nil
}

func codec[T any, P interface {
	*T
	record
}](prefix string) mirror.Codec[P] {
	return mirror.Codec[P]{
		Encode: func(r P) ([]byte, error) { return json.Marshal(r) },
		Decode: decodeRecord[T, P](prefix),
	}
}

const (
	// useEvery is how often the last use of a session or token is written down, at most.
	useEvery = time.Minute
	// flushEvery is how often it is looked what there is to write.
	flushEvery = 15 * time.Second
	// sweepFlushes is after how many of those what has ended is removed.
	sweepFlushes = 40
	sweepEvery   = sweepFlushes * flushEvery
	// keepTime bounds one round of both.
	keepTime = time.Minute
)

// keep writes last uses down and removes what has ended, until ctx is done.
func (k *Keeper) keep(ctx context.Context) {
	round := func(f func(context.Context)) {
		ctx, cancel := context.WithTimeout(ctx, keepTime)
		defer cancel()
		f(ctx)
	}
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		if n%sweepFlushes == 0 {
			round(k.sweep)
		}
		select {
		case <-ticker.C:
			round(func(ctx context.Context) { k.flushUses(ctx, useEvery) })
		case <-ctx.Done():
			return
		}
	}
}

// closeTime is what writing the last uses at the end may take.
const closeTime = time.Second

// Close writes down what is not yet, and ends following. The store stays open.
func (k *Keeper) Close() {
	k.stop()
	k.running.Wait()
	if k.links != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		k.flushUses(ctx, 0)
		cancel()
		k.links.Close()
	}
	if k.sessions != nil {
		k.sessions.Close()
	}
	if k.tokens != nil {
		k.tokens.Close()
	}
	if k.users != nil {
		k.users.Close()
	}
}

// sound is an error when changes of others are not seen any more: then nobody is let in, since they may have been
// disabled elsewhere.
func (k *Keeper) sound() error {
	for _, err := range []error{k.users.Err(), k.tokens.Err(), k.sessions.Err()} {
		if err != nil {
			return &seshat.Error{
				Kind: seshat.ErrorUnavailable, Op: "look at the accounts", Err: err, Hint: "start the instance again",
			}
		}
	}
	return nil
}

// storeError gives the errors of the store their kind.
func storeError(op string, err error) error {
	var known *seshat.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, kv.ErrNotFound), errors.Is(err, kv.ErrBadKey):
		return notFound(op)
	case errors.Is(err, kv.ErrConflict):
		return &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("it has changed meanwhile"), Hint: "look at what changed, and try again"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, kv.ErrClosed):
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: errors.New("the store of the accounts did not answer in time")}
	default:
		return fmt.Errorf("%s: %w", op, err)
	}
}

func notFound(op string) error {
	return &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such thing")}
}
