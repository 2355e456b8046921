package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/demo"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
)

const demoHelp = `Demo starts a small shop, clients who use it and some who abuse it, and Seshat between them as a gateway. Everything stays on
this machine and ends with Ctrl-C.

The clients: visitors, shoppers who sign in and out, a family with one browser, an app whose tokens are refreshed, a service with an
API key; and a thief with somebody's cookie, a guesser of passwords, somebody who reads the orders of others, and somebody who
makes up a session for every request. They come from networks that exist in documentation only.

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
  seshat demo --for 1m --pace 100ms`,
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
	if o.pace <= 0 || o.length < 0 {
		return usageError("--pace", "it must be more than nothing, and --for not less", "as in 400ms")
	}
	if !a.dataNamed {
		folder, err := os.MkdirTemp("", "seshat-demo-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		a.data, a.dataNamed = filepath.Join(folder, "data"), true
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
	c := config.Default("http://" + origin.address)
	c.Listeners = []config.Listener{{Address: o.listen}}
	c.API.Address = o.api
	// The clients say which networks they come from, as proxies in front would.
	if err := c.Trust("127.0.0.0/8", "::1/128"); err != nil {
		return err
	}
	if faults := c.Validate(); len(faults) > 0 {
		return faults
	}
	s, err := a.start(ctx, c)
	if err != nil {
		return err
	}
	playing, stop := context.WithCancel(ctx)
	if o.length > 0 {
		playing, stop = context.WithTimeout(ctx, o.length)
	}
	defer stop()
	if err := s.declare(playing, shop.Resources()); err != nil {
		return errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	a.noteDemo(s)
	var all sync.WaitGroup
	all.Go(func() {
		clients := demo.Clients{Base: "http://" + s.gateways[0].address, Pace: o.pace, Seed: o.seed}
		clients.Run(playing)
	})
	all.Go(func() { a.tellStory(playing, s.store) })
	err = s.wait(playing, func() (*config.Config, error) { return c, nil })
	stop()
	all.Wait()
	return err
}

// noteDemo says where to look.
func (a *app) noteDemo(s *service) {
	a.note("A shop with its clients, and Seshat between them.")
	a.note("")
	a.note("  Serving on http://%s, for the shop: look around, you are one of its sessions.", s.gateways[0].address)
	a.note("  The API is at http://%s, with /docs and /metrics.", s.api)
	a.note("")
	a.note("In another terminal:")
	for _, command := range []string{"sessions", "sessions user:alice", "explore 'verdict:limit'", "status"} {
		a.note("  seshat %s --data %s", command, a.data)
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
		{filter: "flow:logout", text: "Somebody signed in and out again. Who, and what in between?", commands: []string{"session"}},
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
				a.note("  %s", c.text)
				for _, command := range c.commands {
					a.note("    seshat %s %s --data %s", command, id, a.data)
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
