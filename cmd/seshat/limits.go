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
	"github.com/seshat-project/seshat/internal/terminal"
)

const limitsHelp = `Limits lists the limits and the validations of tokens of a running instance with what they did: how often each tagged,
limited and blocked requests, in all gateways, since the instance was started and in the last minutes.

They are changed as resources: see seshat apply. What an instance did before it was started is in what is stored: see
seshat explore verdict.by:Limit/NAME.`

func (a *app) limitsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "limits",
		Short:   "List limits and validations of tokens with what they did",
		Long:    limitsHelp,
		Example: "  seshat limits\n  seshat limits --format json | jq '.items[] | select(.limited > 0)'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.limits(cmd.Context(), format)
		},
	}
	formatFlag(cmd, &format, "table", "json")
	return cmd
}

func (a *app) limits(ctx context.Context, format string) error {
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	c, err := a.running(ctx, lockWait)
	if err != nil {
		return err
	}
	if c == nil {
		return &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: "limits of " + a.data, Err: errors.New("no instance is running"),
			Hint: "start one with: seshat run --upstream URL; or look at the resources: seshat get limit",
		}
	}
	defer a.closeRead(c)
	limits, err := c.Limits(ctx)
	if err != nil {
		return err
	}
	if format == "json" {
		return a.writeJSON(limits)
	}
	if len(limits.Items) == 0 {
		a.note("There is no limit and no validation of tokens. Add one with: seshat apply -f FILE")
		return nil
	}
	columns := []terminal.Column{
		{Title: "NAME"},
		{Title: "ACTION"},
		{Title: "QUOTA"},
		{Title: "KEY", Least: leastText},
		{Title: "TAGGED", Right: true},
		{Title: "LIMITED", Right: true},
		{Title: "BLOCKED", Right: true},
		{Title: "LAST 5 MIN", Right: true},
		{Title: "LAST ACTED"},
	}
	var rows [][]terminal.Cell
	for i := range limits.Items {
		rows = append(rows, limitRow(&limits.Items[i]))
	}
	return a.screen().Table(columns, rows)
}

func limitRow(l *wire.Limit) []terminal.Cell {
	action, quota := l.Action, "-"
	switch {
	case !l.Enabled:
		action = "disabled"
	case l.TagOnly:
		action = "tag only"
	}
	if l.Count > 0 {
		quota = fmt.Sprintf("%d in %s", l.Count, seshat.Duration(l.WindowMS*float64(time.Millisecond)))
	}
	last := terminal.Cell{Text: "-", Style: terminal.StyleFaint}
	if !l.LastActed.IsZero() {
		last = terminal.Cell{Text: terminal.Time(l.LastActed)}
	}
	return []terminal.Cell{
		{Text: l.By},
		{Text: action},
		{Text: quota},
		orDash(strings.Join(l.Key, ", ")), countCell(l.Tagged), countCell(l.Limited),
		countCell(l.Blocked), countCell(lately(l.Minutes)), last,
	}
}

// latelyMinutes is what the command calls the last minutes.
const latelyMinutes = 5

// lately is how often something acted in the last minutes.
func lately(m *wire.ActedMinutes) int64 {
	var n int64
	if m == nil {
		return 0
	}
	for _, column := range [][]int64{m.Tagged, m.Limited, m.Blocked} {
		for _, count := range column[max(len(column)-latelyMinutes, 0):] {
			n += count
		}
	}
	return n
}

func countCell(n int64) terminal.Cell {
	if n == 0 {
		return terminal.Cell{Text: "0", Style: terminal.StyleFaint}
	}
	return terminal.Cell{Text: terminal.Count(n)}
}

func orDash(text string) terminal.Cell {
	if text == "" {
		return terminal.Cell{Text: "-", Style: terminal.StyleFaint}
	}
	return terminal.Cell{Text: text}
}
