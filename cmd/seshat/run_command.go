package main

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/config"
)

const runHelp = `Run serves traffic as a gateway, works out the session of every exchange while it goes on, applies limits, the denylist and
the validation of tokens, and keeps every exchange durably.

In front of one server, seshat run --upstream http://127.0.0.1:3000 is all. A file says more: several upstreams by host and
path, TLS, environments, Envoy's external processing, forward-auth, access logs that are followed, a NATS cluster; see
docs/configuration.md. Flags count more than the file. What is recognised, limited and denied is declared as resources, and
changes while it runs: seshat apply, seshat revoke.

Other commands find the running instance by the data directory. The API, /metrics, /healthz and /readyz are served at
127.0.0.1:9180 (--api).

SIGHUP reads the file, its certificates and resources again; what is wrong is said, and then what was in force stays. SIGTERM
and Ctrl-C end it: requests under way have the shutdownGrace (30s), and what is in the journal is stored. A second one ends
it at once; nothing that was acknowledged is lost.`

type runOptions struct {
	file     string
	upstream string
	listen   string
	api      string
	nats     string
	check    bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve traffic, and act on its sessions",
		Long:  runHelp,
		Example: `  seshat run --upstream http://127.0.0.1:3000
  seshat run -c seshat.yaml
  seshat run -c seshat.yaml --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(cmd.Context(), &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "config", "c", "", "`file` of the configuration")
	flags.StringVar(&o.upstream, "upstream", "", "`URL` of the server that requests are sent to")
	flags.StringVar(&o.listen, "listen", "", "`address` to serve traffic on (default "+config.DefaultListen+")")
	flags.StringVar(&o.api, "api", "", "`address` to serve the API on (default "+config.DefaultAPI+")")
	flags.StringVar(&o.nats, "nats", "", "`URL` of NATS servers to keep the journal and the resources on, in place of the embedded one")
	flags.BoolVar(&o.check, "check", false, "only say what is wrong with the configuration")
	return cmd
}

// load is the configuration that file and flags make up.
func (o *runOptions) load() (*config.Config, error) {
	var c *config.Config
	switch {
	case o.file != "":
		var err error
		if c, err = config.Load(o.file); err != nil {
			return nil, err
		}
		if o.upstream != "" {
			only := config.Default(o.upstream)
			c.Routes, c.Upstreams = only.Routes, only.Upstreams
			if len(c.Listeners) == 0 {
				c.Listeners = only.Listeners
			}
		}
	case o.upstream != "":
		c = config.Default(o.upstream)
	default:
		return nil, &seshat.Error{
			Kind: seshat.ErrorUsage, Op: "run", Err: errors.New("there is nothing to serve"),
			Hint: "name a server with --upstream http://HOST:PORT, or a configuration with -c FILE",
		}
	}
	if o.listen != "" {
		c.Listeners = []config.Listener{{Address: o.listen}}
	}
	if o.api != "" {
		c.API.Address = o.api
	}
	if o.nats != "" {
		c.NATS = &config.NATS{URL: o.nats, Replicas: 1}
	}
	if faults := c.Validate(); len(faults) > 0 {
		for i := range faults {
			faults[i].File = o.blame(faults[i].Field)
		}
		return nil, faults
	}
	return c, nil
}

// blame is what a fault is in: the flag that set the field, else the file.
func (o *runOptions) blame(field string) string {
	switch {
	case o.upstream != "" && strings.HasPrefix(field, "upstreams"):
		return "--upstream"
	case o.listen != "" && strings.HasPrefix(field, "listeners"):
		return "--listen"
	case o.api != "" && strings.HasPrefix(field, "api"):
		return "--api"
	case o.nats != "" && strings.HasPrefix(field, "nats"):
		return "--nats"
	default:
		return o.file
	}
}

// blamed says the flag in place of the field that it set, in an error that names the field as its operation.
func blamed(err error, blame func(field string) string) error {
	var e *seshat.Error
	if errors.As(err, &e) {
		if flag := blame(e.Op); strings.HasPrefix(flag, "--") {
			e.Op = flag
		}
	}
	return err
}

func (a *app) run(ctx context.Context, o *runOptions) error {
	c, err := o.load()
	if err != nil {
		return err
	}
	if o.check {
		if err := checkFiles(c); err != nil {
			return err
		}
		a.note("The configuration is good.")
		return nil
	}
	s, err := a.start(ctx, c)
	if err != nil {
		return blamed(err, o.blame)
	}
	a.announce(s, c)
	if err := s.noteFirst(ctx); err != nil {
		a.printError(err) // there is another way to make one
	}
	return s.wait(ctx, func() (*config.Config, error) { return o.load() })
}

// announce says where to look.
func (a *app) announce(s *service, c *config.Config) {
	for _, g := range s.gateways {
		scheme := "http"
		if g.tls {
			scheme = "https"
		}
		a.note("Serving on %s://%s, for %s.", scheme, g.address, strings.Join(servers(c), ", "))
	}
	if s.extProc != "" {
		a.note("Envoy's external processing and access logs are taken on %s.", s.extProc)
	}
	if s.forwardAuth != "" {
		a.note("Forward-auth is served on http://%s.", s.forwardAuth)
	}
	a.note("The API is at %s, with /docs, /metrics, /healthz and /readyz; a browser finds the console there.", s.api)
	a.note("See who is there with: %s", a.typed("sessions"))
}

func servers(c *config.Config) (out []string) {
	for i := range c.Upstreams {
		for _, server := range c.Upstreams[i].Servers {
			if u, err := url.Parse(server); err == nil {
				out = append(out, u.Scheme+"://"+u.Host)
			}
		}
	}
	return out
}
