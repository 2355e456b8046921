package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// HealthConfig says how the servers of a pool are asked whether they are well. Zero values are replaced by the defaults.
type HealthConfig struct {
	// Path is asked for with GET, such as /healthz. Any status of 2xx or 3xx is well.
	Path string
	// Host is the Host of the request; the server's address when it is empty.
	Host     string
	Interval time.Duration // from one answer to the next question, give or take a tenth
	Timeout  time.Duration // of one check, connecting included
	// HealthyAfter and UnhealthyAfter are how many checks in a row it takes to change sides.
	HealthyAfter, UnhealthyAfter int
	// HTTP2 has the servers asked by HTTP/2.
	HTTP2 bool
}

const (
	defaultHealthInterval = 5 * time.Second
	defaultHealthTimeout  = 2 * time.Second
	defaultHealthyAfter   = 2
	defaultUnhealthyAfter = 3
	// mostHealthBody is read of an answer so that its connection can be used again.
	mostHealthBody = 64 << 10
	// healthJitter spreads the checks of many gateways: an interval is up to a tenth shorter or longer.
	healthJitter = 0.1
)

func (c *HealthConfig) fill() error {
	if u, err := url.ParseRequestURI(c.Path); err != nil || u.Host != "" || c.Path[0] != '/' {
		return fmt.Errorf("%q is not the path of a health check, such as /healthz", c.Path)
	}
	if c.Interval < 0 || c.Timeout < 0 || c.HealthyAfter < 0 || c.UnhealthyAfter < 0 {
		return errors.New("a time or a count of a health check is negative")
	}
	duration(&c.Interval, defaultHealthInterval)
	duration(&c.Timeout, defaultHealthTimeout)
	number(&c.HealthyAfter, defaultHealthyAfter)
	number(&c.UnhealthyAfter, defaultUnhealthyAfter)
	return nil
}

// Health asks the servers of a pool whether they are well, and tells the pool.
type Health struct {
	config   HealthConfig
	pool     *Pool
	checks   []healthCheck
	changed  func(server string, well bool, reason string)
	transfer *transport
}

// healthCheck is what is known of one server.
type healthCheck struct {
	backend *Backend
	passed  atomic.Int64
	failed  atomic.Int64
	last    atomic.Pointer[string] // why the last check failed; nil when it passed, or before the first
	row     int                    // checks in a row that said the other thing
}

// HealthStats is what is known of one server.
type HealthStats struct {
	Server  string
	Healthy bool
	Passed  int64 // checks
	Failed  int64
	Last    string // why the last check failed; empty when it passed
}

// NewHealth returns checks of the servers of pool. Changed is called when a server changes sides; it may be nil.
func NewHealth(pool *Pool, config HealthConfig, changed func(server string, well bool, reason string)) (*Health, error) {
	if err := config.fill(); err != nil {
		return nil, fmt.Errorf("the upstream %q: %w", pool.Name(), err)
	}
	if changed == nil {
		changed = func(string, bool, string) {}
	}
	h := &Health{
		config: config, pool: pool, changed: changed, checks: make([]healthCheck, len(pool.Servers())),
		transfer: newTransport(pool, config.HTTP2),
	}
	for i, b := range pool.Servers() {
		h.checks[i].backend = b
	}
	return h, nil
}

// Run checks until ctx ends. The first check of each server is made at once.
func (h *Health) Run(ctx context.Context) {
	defer h.transfer.close()
	var all sync.WaitGroup
	for i := range h.checks {
		all.Go(func() { h.run(ctx, &h.checks[i]) })
	}
	all.Wait()
}

func (h *Health) run(ctx context.Context, c *healthCheck) {
	for {
		err := h.ask(ctx, c.backend)
		if ctx.Err() != nil {
			return
		}
		h.note(c, err)
		spread := 1 + healthJitter*(2*rand.Float64()-1) //nolint:gosec // when it is asked is no secret
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(float64(h.config.Interval) * spread)):
		}
	}
}

// note counts a check, and tells the pool when there were enough.
func (h *Health) note(c *healthCheck, err error) {
	reason := ""
	if err == nil {
		c.passed.Add(1)
		c.last.Store(nil)
	} else {
		c.failed.Add(1)
		reason = err.Error()
		c.last.Store(&reason)
	}
	well := err == nil
	if well == c.backend.Healthy() {
		c.row = 0
		return
	}
	need := h.config.UnhealthyAfter
	if well {
		need = h.config.HealthyAfter
	}
	if c.row++; c.row < need {
		return
	}
	c.row = 0
	c.backend.SetHealthy(well)
	h.changed(c.backend.Address, well, reason)
}

// ask makes one check.
func (h *Health) ask(ctx context.Context, b *Backend) error {
	ctx, cancel := context.WithTimeout(ctx, h.config.Timeout)
	defer cancel()
	to := &h.transfer.backends[b.Place()]
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.scheme+"://"+b.Address+h.config.Path, nil)
	if err != nil {
		return err
	}
	request.Host = h.config.Host
	request.Header.Set("User-Agent", "seshat-health")
	response, err := to.usual.RoundTrip(request)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("no answer within %s", h.config.Timeout)
		}
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, mostHealthBody) // what matters is known
	if response.StatusCode < http.StatusOK || response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("it answers %d", response.StatusCode)
	}
	return nil
}

// Stats returns what is known of each server.
func (h *Health) Stats() []HealthStats {
	out := make([]HealthStats, len(h.checks))
	for i := range h.checks {
		c := &h.checks[i]
		out[i] = HealthStats{Server: c.backend.Address, Healthy: c.backend.Healthy(), Passed: c.passed.Load(), Failed: c.failed.Load()}
		if reason := c.last.Load(); reason != nil {
			out[i].Last = *reason
		}
	}
	return out
}
