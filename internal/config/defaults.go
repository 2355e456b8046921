package config

import (
	"time"

	"github.com/seshat-project/seshat"
)

// The defaults. Those that bound something say what for.
const (
	DefaultListen = ":8080"
	DefaultAPI    = "127.0.0.1:9180"

	// defaultHeader is also what a slow client may hold a connection with before it has asked for anything.
	defaultHeader    = 10 * time.Second
	defaultBody      = 60 * time.Second
	defaultKeepAlive = 75 * time.Second
	defaultTunnel    = 10 * time.Minute

	defaultConnect  = 5 * time.Second
	defaultResponse = 60 * time.Second
	defaultIdle     = 60 * time.Second

	defaultCheckEvery = 5 * time.Second
	defaultCheckWait  = 2 * time.Second
	defaultHealthy    = 2
	defaultUnhealthy  = 3

	// defaultHeaderBytes is more than NGINX takes by default (8 KiB a field, 32 KiB in all), since tokens grow.
	defaultHeaderBytes  = 64 << 10
	defaultHeaderFields = 128
	// defaultConnections is what two gigabytes serve, at some 16 KiB a connection, with room to spare.
	defaultConnections         = 65536
	defaultUpstreamConnections = 1024

	// defaultJournalBytes holds some hours of a busy gateway while the store does not take anything.
	defaultJournalBytes = 4 << 30
	// defaultQueueBytes is some minute of 3,000 exchanges a second.
	defaultQueueBytes   = 64 << 20
	defaultSyncInterval = time.Second
	defaultBatchDelay   = 50 * time.Millisecond
	defaultGrace        = 30 * time.Second
)

// Default is the configuration of seshat run without a file, in front of one server.
func Default(upstream string) *Config {
	c := &Config{Routes: []Route{{Upstream: "default"}}, Upstreams: []Upstream{{Name: "default", Servers: []string{upstream}}}}
	c.fill()
	return c
}

// Validate returns what is wrong with a configuration that was changed after it was read.
func (c *Config) Validate() seshat.Faults { return c.validate() }

func (c *Config) fill() {
	if c.Role == "" {
		c.Role = RoleAll
	}
	if c.Listen != "" {
		c.Listeners = append(c.Listeners, Listener{Address: c.Listen})
		c.Listen = ""
	}
	if len(c.Listeners) == 0 && len(c.Upstreams) > 0 && c.Role != RoleRecorder {
		c.Listeners = []Listener{{Address: DefaultListen}}
	}
	if c.TrustedField == "" {
		c.TrustedField = "x-forwarded-for"
	}
	if c.ForwardedFields == "" {
		c.ForwardedFields = "x-forwarded"
	}
	c.API.fill()
	if len(c.Upstreams) == 1 && len(c.Routes) == 0 {
		c.Routes = []Route{{Upstream: c.Upstreams[0].Name}}
	}
	for i := range c.Upstreams {
		c.Upstreams[i].fill()
	}
	duration(&c.Timeouts.Header, defaultHeader)
	duration(&c.Timeouts.Body, defaultBody)
	duration(&c.Timeouts.KeepAlive, defaultKeepAlive)
	duration(&c.Timeouts.Tunnel, defaultTunnel)
	size(&c.Input.MaxHeaderBytes, defaultHeaderBytes)
	size(&c.Input.MaxBodyBytes, 0)
	number(&c.Input.MaxHeaderFields, defaultHeaderFields)
	number(&c.Input.MaxConnections, defaultConnections)
	duration(&c.Journal.SyncInterval, defaultSyncInterval)
	duration(&c.Journal.BatchDelay, defaultBatchDelay)
	size(&c.Journal.MaxBytes, defaultJournalBytes)
	size(&c.Journal.MaxQueueBytes, defaultQueueBytes)
	c.Recent.fill()
	duration(&c.ShutdownGrace, defaultGrace)
	if c.ForwardAuth != nil && c.ForwardAuth.Observe == "" {
		c.ForwardAuth.Observe = "auth"
	}
	if c.NATS != nil {
		number(&c.NATS.Replicas, 1)
	}
	if c.Cluster != nil {
		number(&c.Cluster.Replicas, c.Cluster.defaultReplicas())
	}
	if t := c.Tracing; t != nil && t.SampleRatio == nil {
		all := 1.0
		t.SampleRatio = &all
	}
}

// defaultReplicas outlive the loss of a server where there are three; two outlive no more than one does.
func (k *Cluster) defaultReplicas() int {
	others := 0
	for _, route := range k.Routes {
		if route != k.Listen {
			others++
		}
	}
	if others >= 2 {
		return 3
	}
	return 1
}

func (u *Upstream) fill() {
	if u.Balance == "" {
		u.Balance = "least-busy"
	}
	if u.Retries == nil {
		once := 1
		u.Retries = &once
	}
	number(&u.MaxConnections, defaultUpstreamConnections)
	duration(&u.Timeouts.Connect, defaultConnect)
	duration(&u.Timeouts.Response, defaultResponse)
	duration(&u.Timeouts.Idle, defaultIdle)
	if h := u.HealthCheck; h != nil {
		duration(&h.Interval, defaultCheckEvery)
		duration(&h.Timeout, defaultCheckWait)
		number(&h.HealthyAfter, defaultHealthy)
		number(&h.UnhealthyAfter, defaultUnhealthy)
	}
}

func duration(to **seshat.Duration, value time.Duration) {
	if *to == nil {
		d := seshat.Duration(value)
		*to = &d
	}
}

func size(to **Size, value Size) {
	if *to == nil {
		*to = &value
	}
}

func number(to *int, value int) {
	if *to == 0 {
		*to = value
	}
}
