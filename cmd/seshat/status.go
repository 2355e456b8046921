package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/instance"
	"github.com/seshat-project/seshat/internal/terminal"
)

const statusHelp = `Status says whether an instance runs on the data directory, and how it is: what is wrong, what has passed and was
refused, what the journal holds and did not take, how far the store is behind.

Exit codes: 0 when an instance runs and is well; 1 when none runs, or something is wrong with it.`

func (a *app) statusCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Say whether an instance runs, and how it is",
		Long:    statusHelp,
		Example: "  seshat status\n  seshat status --format json | jq .recorder.lag_seconds",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.status(cmd.Context(), format)
		},
	}
	formatFlag(cmd, &format, "text", "json")
	return cmd
}

func (a *app) status(ctx context.Context, format string) error {
	if err := checkFormat(format, "text", "json"); err != nil {
		return err
	}
	info, err := instance.Find(ctx, a.data, lockWait)
	if err != nil {
		return err
	}
	if info == nil {
		return &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: "status of " + a.data, Err: errors.New("no instance is running"),
			Hint: "start one with: seshat run --upstream URL",
		}
	}
	c, err := a.running(ctx, lockWait)
	if err != nil {
		return err
	}
	if c == nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "status of " + a.data, Err: errors.New("the instance has just ended")}
	}
	defer func() { _ = c.Close() }()
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if status.PID == 0 {
		status.PID = info.PID
	}
	if status.Started.IsZero() {
		status.Started = info.Started
	}
	if format == "json" {
		err = a.writeJSON(status)
	} else {
		err = a.printStatus(status, info.Address)
	}
	if err == nil && status.State != wire.StateOK {
		return errReported
	}
	return err
}

func (a *app) printStatus(s *wire.Status, address string) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("state", "%s", s.State)
	line("process", "%d, %s, running for %s", s.PID, s.Version, terminal.Span(a.now().Sub(s.Started).Truncate(time.Second)))
	line("API", "http://%s", address)
	if g := s.Gateway; g != nil {
		where := ""
		if len(g.Addresses) > 0 {
			where = " on " + strings.Join(g.Addresses, ", ")
		}
		line("traffic", "%s%s, %s refused", terminal.Plural(g.Exchanges, "exchange", "exchanges"), where, terminal.Count(g.Refused))
	}
	if j := s.Journal; j != nil {
		line("journal", "%s, %s in it, %s waiting, %s dropped", j.Kind, terminal.Plural(j.Batches, "batch", "batches"),
			terminal.Count(j.Queued), terminal.Plural(j.Dropped, "exchange", "exchanges"))
	}
	if r := s.Recorder; r != nil {
		line("recorder", "%s behind, %.1f s, %s stored", terminal.Plural(r.Pending, "batch", "batches"), r.LagSeconds,
			terminal.Plural(r.Stored, "exchange", "exchanges"))
	}
	stored := terminal.Plural(s.Store.Exchanges, "exchange", "exchanges")
	if s.Store.Exchanges > 0 {
		stored += fmt.Sprintf(" from %s to %s", terminal.Time(s.Store.First), terminal.Time(s.Store.Last))
	}
	if s.Store.Bytes > 0 {
		stored += ", " + terminal.Size(s.Store.Bytes)
	}
	if s.Store.RetentionSeconds > 0 {
		stored += ", kept for " + seshat.Duration(s.Store.RetentionSeconds*float64(time.Second)).String()
	}
	if s.Store.FreeBytes > 0 {
		stored += ", " + terminal.Size(s.Store.FreeBytes) + " of the disk free"
	}
	line("store", "%s", stored)
	for _, check := range s.Checks {
		if check.State != wire.StateOK {
			line(check.State, "%s: %s", check.Name, check.Detail)
		}
	}
	_, err := fmt.Fprint(a.stdout, terminal.EscapeLines(b.String()))
	return err
}
