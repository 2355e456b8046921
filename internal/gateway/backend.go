package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Backend is a server of a pool.
type Backend struct {
	ServerConfig
	pool  *Pool
	place int

	flight atomic.Int64
	well   atomic.Bool // by active checks

	failures  atomic.Int32 // in a row
	ejections atomic.Int32 // in a row
	until     atomic.Int64 // ejected until then, in nanoseconds of the Unix epoch

	mutex sync.Mutex
	idle  []*upstream // the one that was used last is the last

	requests, failed, dialed, reused atomic.Int64
}

// Pool is the pool of the server.
func (b *Backend) Pool() *Pool { return b.pool }

// Place is the index of the server within its pool.
func (b *Backend) Place() int { return b.place }

// SetHealthy says whether the server is well. One that is not gets no requests until it is again.
func (b *Backend) SetHealthy(well bool) {
	if b.well.Swap(well) == well {
		return
	}
	if well {
		b.forgive()
	} else {
		b.closeIdle(func(*upstream) bool { return true })
	}
}

// Healthy is what SetHealthy said last.
func (b *Backend) Healthy() bool { return b.well.Load() }

// InFlight is how many requests are on their way.
func (b *Backend) InFlight() int { return int(b.flight.Load()) }

func (b *Backend) enter() bool {
	if b.flight.Add(1) <= int64(b.pool.config.MaxConnections) {
		return true
	}
	b.flight.Add(-1)
	return false
}

// Outcome is what a request came to, as far as its server is to blame.
type Outcome uint8

// The outcomes. NoOutcome is of requests that say nothing about the server: the client went away.
const (
	NoOutcome Outcome = iota
	Succeeded
	Failed
)

// Release gives a server back that Acquire returned.
func (b *Backend) Release(o Outcome) {
	b.requests.Add(1)
	switch o {
	case Succeeded:
		if b.failures.Load() != 0 || b.ejections.Load() != 0 {
			b.forgive()
		}
	case Failed:
		b.failed.Add(1)
		b.blame()
	case NoOutcome:
	}
	b.flight.Add(-1)
	b.pool.wake()
}

func (b *Backend) forgive() {
	b.failures.Store(0)
	b.ejections.Store(0)
	b.until.Store(0)
}

// blame counts a failure, and ejects after some.
func (b *Backend) blame() {
	if int(b.failures.Add(1)) < b.pool.config.EjectAfter {
		return
	}
	b.failures.Store(0)
	n := b.ejections.Add(1)
	const mostDoublings = 20 // no shift beyond what a duration holds
	d := b.pool.config.Eject << min(n-1, mostDoublings)
	b.until.Store(b.pool.sweeper.now.Load() + int64(min(d, b.pool.config.MaxEject)))
}

func (b *Backend) ejected(now int64) bool { return now < b.until.Load() }

// Ejected reports whether the server gets no requests because of failures.
func (b *Backend) Ejected() bool { return b.ejected(b.pool.sweeper.now.Load()) }

func (b *Backend) usable(now int64) bool { return b.well.Load() && !b.ejected(now) }

// upstream is a connection to a server.
type upstream struct {
	*link
	backend   *Backend
	born      int64 // nanoseconds of the Unix epoch, as of the sweeper
	idleSince int64
	reused    bool
}

// quiet is for how long an idle connection is believed to be open without a look: servers close after seconds.
const quiet = 10 * time.Millisecond

// connection returns an idle connection, or a new one.
func (b *Backend) connection(ctx context.Context, fresh bool) (*upstream, error) {
	for !fresh {
		u := b.takeIdle()
		if u == nil {
			break
		}
		if now := b.pool.sweeper.now.Load(); now-u.idleSince > int64(quiet+b.pool.sweeper.tick) && closedByPeer(u.conn) {
			u.close()
			continue
		}
		u.reused = true
		b.reused.Add(1)
		return u, nil
	}
	return b.dial(ctx)
}

func (b *Backend) takeIdle() *upstream {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	n := len(b.idle)
	if n == 0 {
		return nil
	}
	u := b.idle[n-1]
	b.idle[n-1] = nil
	b.idle = b.idle[:n-1]
	return u
}

func (b *Backend) dial(ctx context.Context) (*upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, b.pool.config.Connect)
	defer cancel()
	b.dialed.Add(1)
	conn, err := b.pool.config.Dial(ctx, "tcp", b.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", b.Address, err)
	}
	if b.TLS != nil {
		secured := tls.Client(conn, b.TLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("connect to %s: %w", b.Address, err)
		}
		conn = secured
	}
	return &upstream{
		link: newLink(conn, b.pool.sweeper, b.pool.buffers, mediumBuffer), backend: b, born: b.pool.sweeper.now.Load(),
	}, nil
}

// keep takes back a connection that can be used again.
func (b *Backend) keep(u *upstream) {
	u.release()
	u.idleSince = b.pool.sweeper.now.Load()
	b.mutex.Lock()
	if len(b.idle) < b.pool.config.MaxIdle && !b.pool.closed.Load() && b.well.Load() {
		b.idle = append(b.idle, u)
		u = nil
	}
	b.mutex.Unlock()
	if u != nil {
		u.close()
	}
}

// closeIdle closes the idle connections that over says are to go.
func (b *Backend) closeIdle(over func(u *upstream) bool) {
	var closing []*upstream
	b.mutex.Lock()
	kept := b.idle[:0]
	for _, u := range b.idle {
		if over(u) {
			closing = append(closing, u)
		} else {
			kept = append(kept, u)
		}
	}
	clear(b.idle[len(kept):])
	b.idle = kept
	b.mutex.Unlock()
	for _, u := range closing {
		u.close()
	}
}
