package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/terminal"
)

const (
	// followLast is how many stored exchanges come first when nobody says how many.
	followLast = 10
	// mostFollowLast is how many the instance sends.
	mostFollowLast = 500
	// firstReconnect and lastReconnect are the pauses before an instance is asked again that has gone.
	firstReconnect = 250 * time.Millisecond
	lastReconnect  = 5 * time.Second
	// followShown is of how many exchanges it is remembered that they were shown: as many as can come again after a
	// connection broke while the first ones were sent.
	followShown = 2 * mostFollowLast
)

// follower shows exchanges as they are stored.
type follower struct {
	app     *app
	options client.TailOptions
	write   func(*seshat.Assigned) error
	shown   []string // keys, the oldest first
	seen    map[string]struct{}
	broken  bool
}

// follow shows what is stored from now on, until ctx is done. It waits for an instance that was started before, and is started
// again.
func (a *app) follow(ctx context.Context, expr filter.Expr, columns []exchangeColumn, o *exploreOptions) error {
	switch {
	case o.since != "" || o.until != "":
		return usageError("--follow", "it shows what comes", "leave --since and --until out; --limit says how many of the newest come first")
	case o.oldest:
		return usageError("--follow", "what comes is shown as it comes", "leave --oldest-first out")
	case o.limitSet && o.limit > mostFollowLast:
		return usageError("--limit", fmt.Sprintf("with --follow at most %d exchanges come first", mostFollowLast), "")
	}
	f := &follower{app: a, options: client.TailOptions{Last: followLast}, write: a.lineWriter(o.format, columns), seen: map[string]struct{}{}}
	if expr != nil {
		f.options.Filter = expr.String()
	}
	if o.limitSet {
		f.options.Last = o.limit
	}
	return f.run(ctx)
}

// run follows the instance, and again when it or the connection has gone.
func (f *follower) run(ctx context.Context) error {
	pause := firstReconnect
	for first := true; ; first = false {
		c, err := f.app.running(ctx, lockWait)
		if err == nil && c == nil && first {
			return &seshat.Error{
				Kind: seshat.ErrorNotFound, Op: "follow " + f.app.data, Err: errors.New("no instance is running"),
				Hint: "start one with: seshat run --upstream URL",
			}
		}
		if c != nil {
			err = c.Tail(ctx, f.options, func(event *wire.StreamEvent) (bool, error) {
				pause = firstReconnect
				return true, f.take(event)
			})
			f.app.closeRead(c)
		}
		switch {
		case ctx.Err() != nil:
			return nil // that is how one ends it
		case err != nil && (first || seshat.KindOfError(err) != seshat.ErrorUnavailable):
			return err
		}
		if !f.broken {
			f.broken = true
			f.app.note("The instance does not answer any more; waiting for it.")
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		pause = min(2*pause, lastReconnect)
	}
}

// take takes one event.
func (f *follower) take(event *wire.StreamEvent) error {
	if event.ID != "" {
		f.options.After = event.ID
	}
	switch event.Event {
	case wire.EventReady:
		if f.broken {
			f.broken = false
			f.app.note("It answers again.")
		}
	case wire.EventExchange:
		var x wire.Exchange
		if err := json.Unmarshal(event.Data, &x); err != nil {
			return fmt.Errorf("read the answer of the instance: %w", err)
		}
		return f.show(&x)
	case wire.EventDropped:
		var d wire.Dropped
		if err := json.Unmarshal(event.Data, &d); err != nil {
			return fmt.Errorf("read the answer of the instance: %w", err)
		}
		f.app.note("%s", droppedText(&d))
	}
	return nil
}

func (f *follower) show(x *wire.Exchange) error {
	if _, seen := f.seen[x.Key]; seen {
		return nil
	}
	f.seen[x.Key] = struct{}{}
	if f.shown = append(f.shown, x.Key); len(f.shown) > followShown {
		for _, key := range f.shown[:len(f.shown)-followShown] {
			delete(f.seen, key)
		}
		f.shown = slices.Delete(f.shown, 0, len(f.shown)-followShown)
	}
	one, err := x.Assigned()
	if err != nil {
		return err
	}
	return f.write(one)
}

// droppedText says what was left out.
func droppedText(d *wire.Dropped) string {
	exchanges := terminal.Plural(d.Count, "exchange was", "exchanges were")
	switch d.Reason {
	case wire.DroppedRestarted:
		return "The instance was started again; what it stored at its end is not shown."
	case wire.DroppedGone:
		return exchanges + " stored meanwhile and cannot be looked at any more here."
	default:
		return exchanges + " left out: more came than could be shown."
	}
}

// lineWriter returns what writes one exchange at once.
func (a *app) lineWriter(format string, columns []exchangeColumn) func(*seshat.Assigned) error {
	if format == "ndjson" {
		out := bufio.NewWriter(a.stdout)
		return func(x *seshat.Assigned) error {
			if err := writeObject(out, columns, x); err != nil {
				return err
			}
			return out.Flush()
		}
	}
	screen := a.screen()
	lines := screen.Lines(titlesOf(columns))
	return func(x *seshat.Assigned) error { return lines.Add(cellsOf(columns, x, screen.IsTerminal())) }
}
