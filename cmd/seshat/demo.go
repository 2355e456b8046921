package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/demo"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

const demoHelp = `Demo starts a small shop, clients who use it and some who abuse it, and Seshat between them as a gateway.
Everything stays on this machine and ends with Ctrl-C.

The clients are visitors, shoppers who sign in and out, a family with one browser, an app whose tokens are
refreshed, and a service with an API key; and a thief with somebody's cookie, a guesser of passwords, somebody who
reads the orders of others, and somebody who makes up a session for every request. They come from networks that
exist in documentation only. With a browser at the address of the shop you are one of them.

Without --data, what is kept is in a temporary directory and removed at the end.`

type demoOptions struct {
	listen, api string
	pace        time.Duration
	length      time.Duration
	seed        uint64
}

func (a *app) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it: a shop with its clients, and the gateway between them",
		Long:  demoHelp,
		Example: `  seshat demo
  seshat demo --pace 100ms --for 1m
  seshat demo --listen 127.0.0.1:8000 --data ./demo-data`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to serve the shop on, through Seshat")
	flags.StringVar(&o.api, "api", config.DefaultAPI, "`address` to serve the API on")
	flags.DurationVar(&o.pace, "pace", 400*time.Millisecond, "how long a client thinks between two requests, on average")
	flags.DurationVar(&o.length, "for", 0, "how long it goes on; 0 is until Ctrl-C")
	flags.Uint64Var(&o.seed, "seed", 1, "the clients of one `number` do the same")
	return cmd
}

func (a *app) demo(ctx context.Context, o *demoOptions) (err error) {
	c, err := o.config()
	if err != nil {
		return err
	}
	kept := a.dataNamed
	if !kept {
		folder, err := os.MkdirTemp("", "seshat-demo-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		a.data, a.dataNamed = folder, true
	}
	shop, err := demo.NewShop(a.now)
	if err != nil {
		return err
	}
	origin, err := serveShop(ctx, shop)
	if err != nil {
		return err
	}
	defer closing(origin, &err)
	c.Upstreams[0].Servers = []string{"http://" + origin.address}
	s, err := a.start(ctx, c)
	if err != nil {
		return blamed(err, blameDemo)
	}
	playing, stop := context.WithCancel(ctx)
	if o.length > 0 {
		playing, stop = context.WithTimeout(ctx, o.length)
	}
	defer stop()
	if err := s.declare(playing, shop.Resources()); err != nil {
		return errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	link, err := s.accounts.NewLink(playing, account.LinkOwner, "", "seshat demo")
	if err != nil {
		return errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	a.noteDemo(s, link.Code)
	var all sync.WaitGroup
	all.Go(func() {
		clients := demo.Clients{Base: "http://" + s.gateways[0].address, Pace: o.pace, Seed: o.seed}
		clients.Run(playing)
	})
	all.Go(func() { a.tellStory(playing, s.store) })
	counts := s.node.Inline.Stats
	err = s.wait(playing, func() (*config.Config, error) { return c, nil })
	stop()
	all.Wait()
	n := counts()
	refused := n.Limited + n.Blocked
	end := "All of it is removed; --data DIR would keep it."
	if kept {
		end = "They are kept in " + a.data + "."
	}
	a.note("")
	a.note("%s, %d of them refused. %s", terminal.Plural(n.Allowed+n.Tagged+refused, "request", "requests"), refused, end)
	return err
}

// config is the configuration of the gateway, as a file in front of the shop would say it.
func (o *demoOptions) config() (*config.Config, error) {
	if o.pace <= 0 {
		return nil, usageError("--pace", "it must be more than nothing", "as in 400ms")
	}
	if o.length < 0 {
		return nil, usageError("--for", "it must not be less than nothing", "as in 1m, or 0 until Ctrl-C")
	}
	c := config.Default("http://127.0.0.1:1") // until it is known where the shop is
	c.Listeners = []config.Listener{{Address: o.listen}}
	c.API.Address = o.api
	c.Service = demo.Host // by whatever name a browser asks for it
	grace := seshat.Duration(demoGrace)
	c.ShutdownGrace = &grace
	// The clients say which networks they come from, as proxies in front would.
	if err := c.Trust("127.0.0.0/8", "::1/128"); err != nil {
		return nil, err
	}
	faults := c.Validate()
	for i := range faults {
		faults[i].File = blameDemo(faults[i].Field)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// blameDemo is the flag that set a field.
func blameDemo(field string) string {
	switch {
	case strings.HasPrefix(field, "listeners"):
		return "--listen"
	case strings.HasPrefix(field, "api"):
		return "--api"
	default:
		return ""
	}
}

// demoGrace is what requests under way have at the end: a browser may follow a stream of events, and nobody waits for it.
const demoGrace = 2 * time.Second

// noteDemo says where to look.
func (a *app) noteDemo(s *service, code string) {
	a.note("A shop with its clients, and Seshat between them.")
	a.note("")
	a.note("  Serving on http://%s, for the shop: have a look at it.", s.gateways[0].address)
	a.note("  The API is at %s, with /docs and /metrics.", s.api)
	a.note("  The console is open to whoever has this link, until the demo ends:")
	a.note("    %s%s%s", s.api, signInPath, code)
	a.note("")
	a.note("In another terminal:")
	a.note("")
	for _, command := range []string{"sessions", "sessions user:alice", "explore 'verdict:limit'", "status"} {
		a.note("  %s", a.typed(command))
	}
	a.note("")
	a.note("Ctrl-C ends it all. What happens meanwhile:")
}

// declare applies the resources of the demo.
func (s *service) declare(ctx context.Context, data []byte) error {
	parsed, faults := resource.Parse("demo.yaml", data)
	if len(faults) > 0 {
		return faults
	}
	_, err := s.node.Registry.Apply(ctx, parsed, resource.ApplyOptions{Author: resource.Author{By: "seshat demo", At: s.app.now()}})
	return registryError("apply the resources of the demo", err)
}

// chapter is something worth looking at, once it has happened.
type chapter struct {
	filter string
	text   string
	// commands show it, or do something about it; they take the session's ID.
	commands []string
	told     bool
}

// storyEvery is how often what has happened is looked at.
const storyEvery = 2 * time.Second

// tellStory says what happened as soon as it did, with the commands that show it.
func (a *app) tellStory(ctx context.Context, s store.Store) {
	story := []chapter{
		{filter: "flow:logout", text: "Somebody signed in, and out again. Who, and what in between?", commands: []string{"session"}},
		{filter: "flow:token-refresh", text: "The app's token was refreshed, and its session goes on.", commands: []string{"session"}},
		{filter: "user:erin status:403", text: "erin reads the orders of others.", commands: []string{"session"}},
		{filter: "verdict:limit", text: "Somebody makes up sessions, and shares the limit of their address.", commands: []string{"session"}},
		{filter: "tag:*sign-in*", text: "Somebody guesses passwords; a limit that only tags would have stopped it.", commands: []string{"session"}},
		{
			filter: "ip:" + demo.ThiefAddress + " user:* state:active", text: "A cookie was stolen: the session is used from another network. See it, and end it:",
			commands: []string{"session", "revoke"},
		},
	}
	ticker := time.NewTicker(storyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for i := range story {
			c := &story[i]
			if c.told {
				continue
			}
			if id, found := a.newest(ctx, s, c.filter); found {
				c.told = true
				a.note("")
				a.note("%s", c.text)
				for _, command := range c.commands {
					a.note("  %s", a.typed(command+" "+id.String()))
				}
			}
		}
	}
}

// newest is the newest session that a filter finds.
func (a *app) newest(ctx context.Context, s store.Store, text string) (id seshat.SessionID, found bool) {
	expr, err := filter.Parse(text, filter.Sessions(), a.now())
	if err != nil {
		return id, false
	}
	err = s.Sessions(ctx, store.Query{Filter: expr, Now: a.now(), Limit: 1}, func(session *seshat.Session) bool {
		id, found = session.ID, true
		return false
	})
	return id, found && err == nil
}

// servedShop is the origin, on a port of its own.
type servedShop struct {
	*http.Server
	address string
}

func serveShop(ctx context.Context, shop http.Handler) (*servedShop, error) {
	socket, err := listen(ctx, "the demo's shop", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &servedShop{&http.Server{Handler: shop, ReadHeaderTimeout: apiHeaderTimeout}, socket.Addr().String()}
	go func() { _ = s.Serve(socket) }() // until it is closed
	return s, nil
}
