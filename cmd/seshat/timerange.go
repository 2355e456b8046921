package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

// defaultRange is how far back a command looks when --since is not given.
const defaultRange = 24 * time.Hour

const timeHelp = `--since and --until take a length of time before now (90m, 24h, 7d), a time (2026-01-02T15:04:05Z), a date or minute in
UTC (2026-01-02, 2026-01-02T15:04; as --until with the whole of that day or minute), or "all". Without --since the 24
hours before now (or before --until) are shown; when they hold nothing, the last 24 hours of what is stored are shown
instead, with a note on standard error.`

// timeRange is the flags --since and --until.
type timeRange struct{ since, until string }

func (r *timeRange) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.since, "since", "", "`time` or length of time before now from which to look, or all (default 24h)")
	cmd.Flags().StringVar(&r.until, "until", "", "`time` or length of time before now up to which to look, or all (default all)")
	words := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"all", "15m", "1h", "24h", "7d", "30d"}, cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc("since", words) // fails only for a flag that is not there
	_ = cmd.RegisterFlagCompletionFunc("until", words)
}

// bounds are the times that the flags stand for; zero does not bound.
func (r *timeRange) bounds(now time.Time) (since, until time.Time, err error) {
	if until, err = parseBound("--until", r.until, now, true); err != nil {
		return since, until, err
	}
	if r.since == "" {
		from := now
		if !until.IsZero() {
			from = until
		}
		return from.Add(-defaultRange), until, nil
	}
	if since, err = parseBound("--since", r.since, now, false); err != nil {
		return since, until, err
	}
	if !until.IsZero() && !since.Before(until) {
		return since, until, usageError("", "--since "+r.since+" is not before --until "+r.until, "")
	}
	return since, until, nil
}

// parseBound reads one flag. The end of a range includes the whole of the day or minute that it names.
func parseBound(flag, text string, now time.Time, end bool) (time.Time, error) {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "", "all":
		return time.Time{}, nil
	case "now":
		return now, nil
	}
	if d, err := seshat.ParseDuration(strings.TrimPrefix(text, "now-")); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	for _, form := range []struct {
		layout string
		unit   time.Duration
	}{
		{time.RFC3339Nano, 0},
		{"2006-01-02", 24 * time.Hour},
		{"2006-01-02T15:04", time.Minute},
		{"2006-01-02 15:04", time.Minute},
		{"2006-01-02T15:04:05", time.Second},
		{"2006-01-02 15:04:05", time.Second},
		{"2006-01-02 15:04:05Z", time.Second}, // as the tables show it
	} {
		t, err := time.Parse(form.layout, text)
		if err != nil {
			continue
		}
		if end {
			t = t.Add(form.unit)
		}
		return t.UTC(), nil
	}
	return time.Time{}, usageError(flag, `"`+text+`" is no time`,
		"for example 24h, 7d, 2026-01-02, 2026-01-02T15:04:05Z or all")
}

// query is the range as part of a query. When --since is not given and the default range lies behind everything that
// is stored, it is moved to the newest data, and that is noted.
func (a *app) query(ctx context.Context, s store.Reader, r *timeRange) (store.Query, error) {
	now := a.now()
	q := store.Query{Now: now}
	var err error
	if q.Since, q.Until, err = r.bounds(now); err != nil {
		return q, err
	}
	if r.since != "" || r.until != "" {
		return q, nil
	}
	span, err := s.Span(ctx)
	if err != nil {
		return q, err
	}
	if span.Exchanges == 0 {
		a.note("Nothing is stored. Import something with: seshat import FILE")
		return q, nil
	}
	if span.Last.Before(q.Since) {
		q.Since = span.Last.Add(-defaultRange)
		a.note("Nothing in the last 24 hours; showing the last 24 hours of what is stored, from %s to %s (--since all shows everything).",
			terminal.Time(q.Since), terminal.Time(span.Last))
	}
	return q, nil
}
