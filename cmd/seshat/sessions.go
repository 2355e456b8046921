package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

const sessionsHelp = `Sessions lists sessions, newest first.

FILTER is an expression of the filter language, such as 'user:alice status:>=400'; all arguments together make it up. A
field that exchanges have holds when some exchange of the session passes it. The fields are, with an example each:

%s
` + timeHelp + ` A session is in the range when some time between its first and its last exchange is.

--format json writes one JSON object a line. Its client_session_ids are masked. Lists have at most 64 elements each.
--sort takes last_seen, first_seen, exchanges, errors, duration, confidence or user; the greatest comes first, of users
the first in the alphabet. --reverse turns the order round.

`

type sessionsOptions struct {
	timeRange
	groupOptions
	format  string
	sort    string
	reverse bool
	limit   int
}

func (a *app) sessionsCommand() *cobra.Command {
	var o sessionsOptions
	cmd := &cobra.Command{
		Use:         "sessions [FILTER]",
		Annotations: map[string]string{takesFilter: "all arguments"},
		Short:       "List sessions",
		Long:        fmt.Sprintf(sessionsHelp, fieldsHelp(filter.Sessions())) + groupsHelpOf(store.DatasetSessions),
		Example: `  seshat sessions
  seshat sessions 'user:alice status:>=400' --since 24h
  seshat sessions 'state:(active,idle) -identified_by:ip*' --sort exchanges --limit 10
  seshat sessions --since all --limit 0 --format json | jq -r .session_id
  seshat sessions --by user --measure sum:exchanges --measure unique:ip --measure p95:duration`,
		ValidArgsFunction: completeFilter(filter.Sessions()),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.sessions(cmd.Context(), args, &o)
		},
	}
	o.timeRange.flags(cmd)
	o.groupOptions.flags(cmd, store.DatasetSessions)
	formatFlag(cmd, &o.format, "table", "json", "csv")
	cmd.Flags().StringVar(&o.sort, "sort", "last_seen", "`field` to sort by")
	completeFlag(cmd, "sort", wire.SessionOrders()...)
	cmd.Flags().BoolVar(&o.reverse, "reverse", false, "turn the order round")
	cmd.Flags().IntVar(&o.limit, "limit", 50, "how many sessions or groups at most; 0 is no limit")
	return cmd
}

func (a *app) sessions(ctx context.Context, args []string, o *sessionsOptions) (err error) {
	if o.format == "ndjson" { // what explore calls the same thing
		o.format = "json"
	}
	expr, err := a.parseFilter(args, filter.Sessions())
	if err != nil {
		return err
	}
	if err := checkFormat(o.format, "table", "json", "csv"); err != nil {
		return err
	}
	if err := checkWord("--sort", o.sort, wire.SessionOrders()...); err != nil {
		return err
	}
	if err := checkLimit(o.limit); err != nil {
		return err
	}
	if _, _, err := o.bounds(a.now()); err != nil {
		return err
	}
	if o.asked() {
		q, err := o.query(store.DatasetSessions, o.limit)
		if err != nil {
			return err
		}
		q.Filter = expr
		return a.groups(ctx, &q, &o.timeRange, o.format)
	}
	s, err := a.openForReading(ctx)
	if err != nil {
		return err
	}
	defer a.closeRead(s)
	q, err := a.query(ctx, s, &o.timeRange)
	if err != nil {
		return err
	}
	q.Filter = expr
	write, flush := a.sessionWriter(o.format)
	shown, more, err := listSessions(ctx, s, q, o, write)
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	switch {
	case shown == 0:
		a.note("No session matches.")
	case more:
		a.note("There are more; --limit 0 shows all.")
	}
	return nil
}

// listSessions calls write for the sessions that are to be shown, in order.
func listSessions(ctx context.Context, s store.Reader, q store.Query, o *sessionsOptions, write func(*seshat.Session) error) (shown int, more bool, err error) {
	keep := func(session *seshat.Session) bool {
		if o.limit > 0 && shown == o.limit {
			more = true
			return false
		}
		shown++
		err = write(session)
		return err == nil
	}
	if o.sort == "last_seen" {
		q.OldestFirst = o.reverse
		if o.limit > 0 {
			q.Limit = o.limit + 1 // one more tells whether there are more
		}
		err2 := s.Sessions(ctx, q, keep)
		return shown, more, cmp.Or(err, err2)
	}
	var top []*seshat.Session
	order := func(x, y *seshat.Session) int {
		c := wire.CompareSessions(o.sort, x, y)
		if o.reverse {
			c = -c
		}
		return c
	}
	err = s.Sessions(ctx, q, func(session *seshat.Session) bool {
		kept := *session
		top = append(top, &kept)
		// Only as many as are shown are needed, so that millions of sessions do not have to fit into memory.
		if o.limit > 0 && len(top) >= 4*(o.limit+1) {
			slices.SortFunc(top, order)
			top = top[:o.limit+1]
		}
		return true
	})
	slices.SortFunc(top, order)
	for _, session := range top {
		if err != nil || !keep(session) {
			break
		}
	}
	return shown, more, err
}

// sessionWriter returns what writes one session in the format, and what finishes the output.
func (a *app) sessionWriter(format string) (write func(*seshat.Session) error, flush func() error) {
	switch format {
	case "json":
		out := json.NewEncoder(a.stdout)
		out.SetEscapeHTML(false)
		return func(s *seshat.Session) error { return out.Encode(completeSession(s)) }, func() error { return nil }
	case "csv":
		out := csv.NewWriter(a.stdout)
		first := true
		write = func(s *seshat.Session) error {
			if first {
				first = false
				if err := out.Write(sessionFields); err != nil {
					return err
				}
			}
			return out.Write(sessionRecord(s))
		}
		return write, func() error {
			if first { // no rows: a header all the same
				_ = out.Write(sessionFields) // Error has it
			}
			out.Flush()
			return out.Error()
		}
	default:
		screen := a.screen()
		rows := screen.Rows(sessionColumns())
		return func(s *seshat.Session) error { return rows.Add(sessionCells(s, screen.IsTerminal())) }, rows.Flush
	}
}

// completeSession is s as JSON has it: with empty lists in place of none, so that readers find lists, and with fractions
// that are rounded.
func completeSession(s *seshat.Session) *seshat.Session {
	out := *s
	for _, list := range []*[]string{&out.Roles, &out.Services, &out.Endpoints, &out.IPs, &out.UserAgents, &out.ClientSessionIDs} {
		if *list == nil {
			*list = []string{}
		}
	}
	out.Confidence = terminal.Fraction(s.Confidence)
	out.Flows = make([]seshat.FlowShare, len(s.Flows))
	for i, flow := range s.Flows {
		flow.Share = terminal.Fraction(flow.Share)
		out.Flows[i] = flow
	}
	return &out
}

// sessionFields are the fields of a session in CSV, in the order and under the names of the JSON.
var sessionFields = []string{
	"session_id", "previous_session_id", "state", "user", "roles", "identified_by", "confidence", "environment",
	"services", "first_seen", "last_seen", "ended_by", "ended_at", "expires_at", "exchanges", "errors", "refused", "endpoints",
	"ips", "user_agents", "client_session_ids", "flows",
}

// listSeparator is between the elements of a list in one field of CSV.
const listSeparator = "; "

func sessionRecord(s *seshat.Session) []string {
	list := func(values []string) string { return strings.Join(values, listSeparator) }
	previous, endedAt, expiresAt := "", "", ""
	if !s.Previous.IsZero() {
		previous = s.Previous.String()
	}
	if s.EndedAt != nil {
		endedAt = rfc3339(*s.EndedAt)
	}
	if s.ExpiresAt != nil {
		expiresAt = rfc3339(*s.ExpiresAt)
	}
	flows := make([]string, len(s.Flows))
	for i, f := range s.Flows {
		flows[i] = f.Name + "=" + strconv.FormatInt(f.Exchanges, 10)
	}
	return []string{
		s.ID.String(), previous, string(s.State), s.User, list(s.Roles), s.IdentifiedBy,
		strconv.FormatFloat(terminal.Fraction(s.Confidence), 'g', -1, 64), s.Environment, list(s.Services), rfc3339(s.FirstSeen),
		rfc3339(s.LastSeen), string(s.EndedBy), endedAt, expiresAt, strconv.FormatInt(s.Exchanges, 10),
		strconv.FormatInt(s.Errors, 10), strconv.FormatInt(s.Refused, 10), list(s.Endpoints), list(s.IPs), list(s.UserAgents), list(s.ClientSessionIDs),
		list(flows),
	}
}

func sessionColumns() []terminal.Column {
	return []terminal.Column{
		{Title: "SESSION"},
		{Title: "USER", Least: 8},
		{Title: "STATE"},
		{Title: "IDENTIFIED BY", Least: 8},
		{Title: "LAST SEEN"},
		{Title: "LASTED", Right: true},
		{Title: "EXCHANGES", Right: true},
		{Title: "ERRORS", Right: true},
		{Title: "FROM", Least: 9},
		{Title: "SERVICES", Least: 8},
	}
}

func sessionCells(s *seshat.Session, short bool) []terminal.Cell {
	errors := terminal.Cell{Text: terminal.Count(s.Errors)}
	if s.Errors > 0 {
		errors.Style = terminal.StyleYellow
	}
	user := terminal.Cell{Text: s.User}
	if s.User == "" {
		user = terminal.Cell{Text: "-", Style: terminal.StyleFaint}
	}
	return []terminal.Cell{
		{Text: shownID(s.ID, short), Style: terminal.StyleCyan},
		user,
		{Text: string(s.State), Style: terminal.StateStyle(s.State)},
		{Text: s.IdentifiedBy},
		{Text: terminal.Time(s.LastSeen)},
		{Text: terminal.Span(s.LastSeen.Sub(s.FirstSeen))},
		{Text: terminal.Count(s.Exchanges)},
		errors,
		{Text: firstOf(s.IPs)},
		{Text: firstOf(s.Services)},
	}
}

// shortID is how much of a session ID is shown on a terminal: enough to be unique among millions.
const shortID = 13

// shownID is a session ID in a table: on a terminal its beginning, which every command takes for the whole.
func shownID(id seshat.SessionID, short bool) string {
	text := id.String()
	if short {
		text = text[:shortID]
	}
	return text
}

// firstOf is the first of a list, and how many more there are.
func firstOf(values []string) string {
	switch len(values) {
	case 0:
		return "-"
	case 1:
		return values[0]
	default:
		return values[0] + " +" + strconv.Itoa(len(values)-1)
	}
}
