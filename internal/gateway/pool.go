package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Balance is how a server of a pool is chosen.
type Balance uint8

// The ways. LeastBusy takes the one with fewer requests in flight of two that are drawn by lot, which is nearly as good as
// looking at all of them and does not send everybody to the server that has just come back (Mitzenmacher 2001).
const (
	LeastBusy Balance = iota
	RoundRobin
)

// ServerConfig is a server of a pool.
type ServerConfig struct {
	Address string      // host:port
	TLS     *tls.Config // nil is a plain connection
}

// PoolConfig is how a group of servers that answer alike is used. Zero values are replaced by the defaults.
type PoolConfig struct {
	Name    string
	Servers []ServerConfig
	Balance Balance
	// MaxConnections bounds the requests in flight to one server, and so the connections to it.
	MaxConnections int
	// MaxWaiting bounds the requests that wait because every server has that many; more are refused with 503 at once.
	MaxWaiting int
	// MaxIdle bounds the connections to one server that are kept while there is nothing to do.
	MaxIdle int
	// Connect bounds connecting, TLS included; Response the wait for the head of a response; Idle how long a connection is
	// kept without a request; Age how long at all, so that changes of addresses come into effect; Wait how long a request
	// waits for its turn.
	Connect, Response, Idle, Age, Wait time.Duration
	// Retries is how often a request that may be repeated is sent again after a failure. Connections that turn out to have
	// been closed while they were idle do not count. Negative is never.
	Retries int
	// RetryStatuses has safe requests sent to another server when one answers 502, 503 or 504.
	RetryStatuses bool
	// EjectAfter failures in a row, a server gets no requests for Eject, and twice as long each time again, up to
	// MaxEject. The only server of a pool is never ejected.
	EjectAfter      int
	Eject, MaxEject time.Duration
	// Dial connects in place of a net.Dialer. TLS comes on top.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	defaultMaxConnections = 1024
	defaultMaxWaiting     = 1024
	defaultMaxIdle        = 256
	defaultConnect        = 5 * time.Second
	defaultResponse       = 60 * time.Second
	defaultIdle           = 60 * time.Second
	defaultAge            = 10 * time.Minute
	defaultWait           = 5 * time.Second
	defaultRetries        = 1
	defaultEjectAfter     = 5
	defaultEject          = time.Second
	defaultMaxEject       = time.Minute
)

func (c *PoolConfig) fill() {
	number(&c.MaxConnections, defaultMaxConnections)
	number(&c.MaxWaiting, defaultMaxWaiting)
	number(&c.MaxIdle, defaultMaxIdle)
	number(&c.Retries, defaultRetries)
	number(&c.EjectAfter, defaultEjectAfter)
	duration(&c.Connect, defaultConnect)
	duration(&c.Response, defaultResponse)
	duration(&c.Idle, defaultIdle)
	duration(&c.Age, defaultAge)
	duration(&c.Wait, defaultWait)
	duration(&c.Eject, defaultEject)
	duration(&c.MaxEject, defaultMaxEject)
	if c.Dial == nil {
		c.Dial = (&net.Dialer{KeepAlive: -1}).DialContext // connections are short-lived, or checked before they are used
	}
}

func number(to *int, value int) {
	if *to == 0 {
		*to = value
	}
}

func duration(to *time.Duration, value time.Duration) {
	if *to == 0 {
		*to = value
	}
}

// Pool is a group of servers with the connections to them. It is safe for concurrent use.
type Pool struct {
	config  PoolConfig
	servers []*Backend
	next    atomic.Uint32 // for RoundRobin
	sweeper *sweeper
	buffers *buffers
	closed  atomic.Bool
	// The ways to the servers for clients that do not speak HTTP/1.1.
	transports transports

	waiting atomic.Int64
	mutex   sync.Mutex
	turns   []chan struct{} // of those that wait, the first first

	retries, refused, timeouts atomic.Int64
	latency                    Histogram
}

// NewPool returns a pool. It has to be closed.
func NewPool(config PoolConfig) (*Pool, error) {
	config.fill()
	if len(config.Servers) == 0 {
		return nil, fmt.Errorf("the upstream %q has no servers", config.Name)
	}
	p := &Pool{config: config, buffers: &buffers{}}
	for i := range config.Servers {
		if _, _, err := net.SplitHostPort(config.Servers[i].Address); err != nil {
			return nil, fmt.Errorf("the upstream %q: %w", config.Name, err)
		}
		b := &Backend{ServerConfig: config.Servers[i], pool: p, place: i}
		b.well.Store(true)
		p.servers = append(p.servers, b)
	}
	p.sweeper = newSweeper(min(config.Response, config.Idle, config.Wait), p.dropIdle)
	p.sweeper.start()
	return p, nil
}

// Name is the name of the pool.
func (p *Pool) Name() string { return p.config.Name }

// Servers are the servers of the pool, in the order of its configuration.
func (p *Pool) Servers() []*Backend { return p.servers }

// Close closes the connections that are idle, and those in use as soon as they are not.
func (p *Pool) Close() {
	if p.closed.Swap(true) {
		return
	}
	for _, b := range p.servers {
		b.closeIdle(func(*upstream) bool { return true })
	}
	p.transports.close()
	p.sweeper.close()
}

// dropIdle closes the connections that were idle for too long.
func (p *Pool) dropIdle() {
	now := p.sweeper.now.Load()
	for _, b := range p.servers {
		b.closeIdle(func(u *upstream) bool {
			return now-u.idleSince > int64(p.config.Idle) || now-u.born > int64(p.config.Age)
		})
	}
}

// Why no server could be had.
var (
	ErrNoServer   = errors.New("no server is well")
	ErrBusy       = errors.New("every server is busy, and too many requests wait already")
	ErrWaited     = errors.New("every server stayed busy for too long")
	ErrPoolClosed = errors.New("the upstream is being closed")
)

// Acquire chooses a server for a request. It is not avoid, if another can be had. If all are busy, it waits. The
// server has to be given back with [Backend.Release].
func (p *Pool) Acquire(ctx context.Context, avoid *Backend) (*Backend, error) {
	if p.waiting.Load() == 0 {
		b, err := p.choose(avoid)
		if b != nil || !errors.Is(err, ErrBusy) {
			return b, err
		}
	}
	return p.acquireLater(ctx, avoid)
}

// acquireLater waits for a turn: whoever gives a server back wakes the first who waits.
func (p *Pool) acquireLater(ctx context.Context, avoid *Backend) (*Backend, error) {
	if p.waiting.Add(1) > int64(p.config.MaxWaiting) {
		p.waiting.Add(-1)
		p.refused.Add(1)
		return nil, ErrBusy
	}
	defer p.waiting.Add(-1)
	timer := time.NewTimer(p.config.Wait)
	defer timer.Stop()
	for {
		turn := make(chan struct{}, 1)
		p.mutex.Lock()
		p.turns = append(p.turns, turn)
		p.mutex.Unlock()
		// Whoever gave a server back before the turn was registered did not see it.
		b, err := p.choose(avoid)
		if b != nil || !errors.Is(err, ErrBusy) {
			p.forget(turn)
			return b, err
		}
		select {
		case <-turn:
		case <-timer.C:
			p.forget(turn)
			p.timeouts.Add(1)
			return nil, ErrWaited
		case <-ctx.Done():
			p.forget(turn)
			return nil, ctx.Err()
		}
	}
}

// forget takes a turn back. One that was given already goes to the next.
func (p *Pool) forget(turn chan struct{}) {
	p.mutex.Lock()
	for i, t := range p.turns {
		if t == turn {
			p.turns = append(p.turns[:i], p.turns[i+1:]...)
			p.mutex.Unlock()
			return
		}
	}
	p.mutex.Unlock()
	p.wake()
}

func (p *Pool) wake() {
	if p.waiting.Load() == 0 {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.turns) > 0 {
		p.turns[0] <- struct{}{}
		p.turns = append(p.turns[:0], p.turns[1:]...)
	}
}
