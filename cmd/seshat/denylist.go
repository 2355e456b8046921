package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/terminal"
)

const denylistHelp = `Denylist shows what is refused: the entries that seshat revoke makes, and those that were added under a name of their
own. An entry is about one session, client session ID (by its keyed digest), user, or everything that was issued before a
time. Entries that have ended are gone.`

func (a *app) denylistCommand() *cobra.Command {
	var format string
	list := func(cmd *cobra.Command, _ []string) error { return a.listDenials(cmd.Context(), format) }
	cmd := &cobra.Command{
		Use:   "denylist",
		Short: "Show and change what is refused",
		Long:  denylistHelp,
		Example: `  seshat denylist
  seshat denylist --format json
  seshat denylist remove guests`,
		Args: cobra.NoArgs,
		RunE: list,
	}
	formatFlag(cmd, &format, "table", "json")
	sub := &cobra.Command{
		Use: "list", Short: "List the entries", Long: `List lists the entries, the newest first.`, Example: `  seshat denylist list --format json`,
		Args: cobra.NoArgs, RunE: list,
	}
	formatFlag(sub, &format, "table", "json")
	cmd.AddCommand(sub, a.denylistAddCommand(), a.denylistRemoveCommand())
	return cmd
}

func (a *app) denylistAddCommand() *cobra.Command {
	var o revokeOptions
	cmd := &cobra.Command{
		Use:   "add NAME [SESSION] | --user NAME | --client-session-id - | --issued-before TIME",
		Short: "Add an entry under a name of your own",
		Long: `Add puts one entry on the denylist, under a name that you choose (a lower-case DNS label), in place of one of that name.
What it takes is what seshat revoke takes, of one thing.`,
		Example: `  seshat denylist add guests --user guest --for 1h
  seshat denylist add leak-2026-03 --issued-before 2026-03-01T00:00:00Z --issuer https://id.shop.example`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.revocation(cmd.Context(), args[1:], &o)
			if err != nil {
				return err
			}
			things := len(r.SessionIDs) + len(r.ClientSessionIDs)
			if r.User != "" || !r.IssuedBefore.IsZero() {
				things++
			}
			if things != 1 {
				return usageError("", "an entry is about one thing", "one session, client session ID, user or time")
			}
			denials, err := a.deny(cmd.Context(), r, args[0])
			if err != nil {
				return err
			}
			return a.printDenied(cmd.Context(), denials)
		},
	}
	o.subjects(cmd)
	return cmd
}

func (a *app) denylistRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME...",
		Short:   "Take entries off the list",
		Long:    `Remove takes entries off the denylist: what they refused passes again, in every gateway, within a second.`,
		Example: `  seshat denylist remove guests`,
		Args:    cobra.MinimumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var out []string
			if a.checkGlobals() == nil {
				ctx, stop := context.WithTimeout(cmd.Context(), completeWait)
				defer stop()
				denials, _ := a.denials(ctx) // without an answer nothing is offered
				for i := range denials {
					out = append(out, denials[i].Name)
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := a.removeDenial(cmd.Context(), name); err != nil {
					return err
				}
				if _, err := fmt.Fprintf(a.stdout, "%s removed\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) listDenials(ctx context.Context, format string) error {
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	denials, err := a.denials(ctx)
	if err != nil {
		return err
	}
	if format == "json" {
		if denials == nil {
			denials = []seshat.Denial{}
		}
		return a.writeJSON(denials)
	}
	if len(denials) == 0 {
		a.note("Nothing is denied. Revoke something with: seshat revoke SESSION")
		return nil
	}
	rows := a.screen().Rows([]terminal.Column{
		{Title: "NAME", Least: 12},
		{Title: "DENIES", Least: 12},
		{Title: "STATUS", Right: true},
		{Title: "SINCE"},
		{Title: "UNTIL"},
		{Title: "BY", Least: 4},
		{Title: "REASON", Least: 10},
	})
	for i := range denials {
		d := &denials[i]
		end := "for good"
		if !d.Until.IsZero() {
			end = terminal.Time(d.Until)
		}
		err := rows.Add([]terminal.Cell{
			{Text: d.Name}, {Text: denies(d)}, {Text: strconv.Itoa(d.Status)}, {Text: terminal.Time(d.At)}, {Text: end}, {Text: d.By}, {Text: d.Reason},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}

// denies is what an entry is about.
func denies(d *seshat.Denial) string {
	switch {
	case !d.Session.IsZero():
		return "session " + d.Session.String()
	case !d.ClientSessionID.IsZero():
		return "client session ID, digest " + d.ClientSessionID.String()
	}
	var parts []string
	if d.User != "" {
		parts = append(parts, "user "+d.User)
	}
	if !d.IssuedBefore.IsZero() {
		parts = append(parts, "issued before "+terminal.Time(d.IssuedBefore))
	}
	if d.Issuer != "" {
		parts = append(parts, "by "+d.Issuer)
	}
	return strings.Join(parts, ", ")
}
