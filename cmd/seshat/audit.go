package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/terminal"
)

const auditHelp = `Audit lists who did what, newest first: every change, every sign-in and failed one, whoever saw client session IDs in clear,
every export and download. It holds no secrets.

--since and --until take a length of time before now (90m, 24h, 7d), a time, a date, or "all". Without --since all of the log
is looked at.`

func (a *app) auditCommand() *cobra.Command {
	var q client.AuditQuery
	var r timeRange
	var format string
	cmd := &cobra.Command{
		Use: "audit", Short: "Show who did what", Long: auditHelp,
		Example: `  seshat audit
  seshat audit --by ann@shop.example --since 7d
  seshat audit --action user. --limit 0 --format ndjson`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, "table", "json", "ndjson"); err != nil {
				return err
			}
			if err := checkLimit(q.Limit); err != nil {
				return err
			}
			if r.since == "" {
				r.since = "all"
			}
			var err error
			if q.Since, q.Until, err = r.bounds(a.now()); err != nil {
				return err
			}
			return a.showAudit(cmd.Context(), &q, format)
		},
	}
	r.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&q.By, "by", "", "`who` did it")
	flags.StringVar(&q.Action, "action", "", "`what` was done; with a dot at its end all that begin so, as in user.")
	flags.StringVar(&q.Subject, "subject", "", "`what` it was done to")
	flags.StringVar(&q.Outcome, "outcome", "", "what `became` of it: done, refused, failed, or begun where that is not known")
	flags.IntVar(&q.Limit, "limit", 50, "how many at most; 0 is no limit")
	formatFlag(cmd, &format, "table", "json", "ndjson")
	completeFlag(cmd, "outcome", "done", "refused", "failed", "begun")
	return cmd
}

// auditPage is how many events are asked for at once.
const auditPage = 1000

func (a *app) showAudit(ctx context.Context, q *client.AuditQuery, format string) error {
	var events []wire.AuditEvent
	err := a.withAccounts(ctx, func(c *client.Client) error {
		most := q.Limit
		for {
			if q.Limit = auditPage; most > 0 {
				q.Limit = min(most-len(events), auditPage)
			}
			page, err := c.Audit(ctx, q)
			if err != nil {
				return err
			}
			events = append(events, page.Items...)
			if q.Cursor = page.NextCursor; q.Cursor == "" || most > 0 && len(events) >= most {
				return nil
			}
		}
	})
	switch {
	case err != nil:
		return err
	case format == "json":
		if events == nil {
			events = []wire.AuditEvent{}
		}
		return a.writeJSON(events)
	case format == "ndjson":
		out := json.NewEncoder(a.stdout)
		out.SetEscapeHTML(false)
		for i := range events {
			if err := out.Encode(&events[i]); err != nil {
				return err
			}
		}
		return nil
	case len(events) == 0:
		a.note("Nothing of that kind was done.")
		return nil
	}
	rows := a.screen().Rows([]terminal.Column{
		{Title: "TIME"}, {Title: "BY", Least: 8}, {Title: "MEANS"}, {Title: "ADDRESS"}, {Title: "ACTION"}, {Title: "SUBJECT", Least: 12}, {Title: "OUTCOME"}, {Title: "DETAIL", Least: 12},
	})
	for i := range events {
		e := &events[i]
		means := e.Means
		if e.Token != "" {
			means = "token " + e.Token
		}
		err := rows.Add([]terminal.Cell{
			{Text: terminal.Time(e.Time)}, {Text: e.By}, {Text: means}, {Text: e.Address}, {Text: e.Action}, {Text: e.Subject}, {Text: e.Outcome}, {Text: e.Detail},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}
