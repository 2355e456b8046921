package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

const exploreHelp = `Explore lists exchanges with the columns that you choose, newest first.

FILTER is an expression of the filter language; all arguments together make it up. Its fields are, with an example each:

%s
--columns help lists the columns. attr.NAME is the attribute NAME: a context parameter, or a client session ID (masked)
under seshat.session.<rule_id>.<identifier_index>.id.

user and role are what an exchange itself names, in a token or at sign-in; most exchanges of a user's session name
nobody. For all of them find the session with seshat sessions user:NAME, then look with seshat explore session_id:ID, or
seshat session ID.

` + timeHelp + `

--format ndjson writes one JSON object a line with the columns as members: lists as arrays, numbers as numbers, what is
absent as null. In csv the elements of a list are separated by "; ".

`

type exploreOptions struct {
	timeRange
	groupOptions
	columns string
	format  string
	oldest  bool
	follow  bool
	limit   int
	// limitSet says that somebody chose the limit.
	limitSet bool
}

func (a *app) exploreCommand() *cobra.Command {
	var o exploreOptions
	cmd := &cobra.Command{
		Use:         "explore [FILTER]",
		Annotations: map[string]string{takesFilter: "all arguments"},
		Short:       "List exchanges with chosen columns",
		Long:        fmt.Sprintf(exploreHelp, fieldsHelp(filter.Exchanges())) + groupsHelpOf(store.DatasetExchanges),
		Example: `  seshat explore 'status:>=500' --since 1h
  seshat explore 'endpoint:"POST /login"' --columns time,id,session_id,user,status
  seshat explore --columns id,session_id --format csv --since all --limit 0
  seshat explore 'session_id:3f1c*' --columns time,path,client_session_ids,flows --oldest-first
  seshat explore --by endpoint --by status --measure count --measure unique:user --measure p95:duration
  seshat explore --follow 'status:>=500'`,
		ValidArgsFunction: completeFilter(filter.Exchanges()),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.limitSet = cmd.Flags().Changed("limit")
			return a.explore(cmd.Context(), args, &o)
		},
	}
	o.timeRange.flags(cmd)
	o.groupOptions.flags(cmd, store.DatasetExchanges)
	formatFlag(cmd, &o.format, "table", "ndjson", "csv")
	cmd.Flags().StringVar(&o.columns, "columns", defaultColumns, "`columns`, separated by commas; help lists them")
	_ = cmd.RegisterFlagCompletionFunc("columns", completeColumns) // fails only for a flag that is not there
	cmd.Flags().BoolVar(&o.oldest, "oldest-first", false, "oldest exchanges first")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "show what is stored from now on, until interrupted; --limit is how many of the newest come first")
	cmd.Flags().IntVar(&o.limit, "limit", 100, "how many exchanges or groups at most; 0 is no limit")
	return cmd
}

func (a *app) explore(ctx context.Context, args []string, o *exploreOptions) (err error) {
	if o.columns == "help" {
		return a.listColumns()
	}
	if o.format == "json" { // what sessions calls the same thing
		o.format = "ndjson"
	}
	if err := checkFormat(o.format, "table", "ndjson", "csv"); err != nil {
		return err
	}
	columns, err := parseColumns(o.columns)
	if err != nil {
		return err
	}
	expr, err := a.parseFilter(args, filter.Exchanges())
	if err != nil {
		return err
	}
	if err := checkLimit(o.limit); err != nil {
		return err
	}
	if _, _, err := o.bounds(a.now()); err != nil {
		return err
	}
	if o.asked() {
		if o.follow {
			return usageError("--follow", "groups are not followed", "leave out --by and --measure")
		}
		q, err := o.query(store.DatasetExchanges, o.limit)
		if err != nil {
			return err
		}
		q.Filter = expr
		return a.groups(ctx, &q, &o.timeRange, o.format)
	}
	if o.follow {
		if err := checkFormat(o.format, "table", "ndjson"); err != nil {
			return err
		}
		return a.follow(ctx, expr, columns, o)
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
	q.Filter, q.OldestFirst, q.Light = expr, o.oldest, true
	if o.limit > 0 {
		q.Limit = o.limit + 1 // one more tells whether there are more
	}
	for i := range columns {
		q.Light = q.Light && !columns[i].details
	}
	write, flush := a.exchangeWriter(o.format, columns)
	shown, more := 0, false
	var failed error
	err = s.Exchanges(ctx, q, func(x *seshat.Assigned) bool {
		if more = o.limit > 0 && shown == o.limit; more {
			return false
		}
		shown++
		failed = write(x)
		return failed == nil
	})
	if err := cmp.Or(failed, err, flush()); err != nil {
		return err
	}
	switch {
	case shown == 0:
		a.note("No exchange matches.")
	case more:
		a.note("There are more; --limit 0 shows all.")
	}
	return nil
}

func (a *app) listColumns() error {
	rows := [][]terminal.Cell{}
	for _, c := range exchangeColumns() {
		rows = append(rows, []terminal.Cell{{Text: c.name}, {Text: c.doc}})
	}
	rows = append(rows, []terminal.Cell{{Text: attributePrefix + "NAME"}, {Text: "the attribute NAME: a context parameter or a client session ID"}})
	return a.screen().Table([]terminal.Column{{Title: "COLUMN"}, {Title: "MEANING"}}, rows)
}

// exchangeWriter returns what writes one exchange in the format, and what finishes the output.
func (a *app) exchangeWriter(format string, columns []exchangeColumn) (write func(*seshat.Assigned) error, flush func() error) {
	switch format {
	case "ndjson":
		out := bufio.NewWriter(a.stdout)
		return func(x *seshat.Assigned) error { return writeObject(out, columns, x) }, out.Flush
	case "csv":
		return csvExchanges(a.stdout, columns)
	default:
		screen := a.screen()
		rows := screen.Rows(titlesOf(columns))
		return func(x *seshat.Assigned) error { return rows.Add(cellsOf(columns, x, screen.IsTerminal())) }, rows.Flush
	}
}

func titlesOf(columns []exchangeColumn) []terminal.Column {
	titles := make([]terminal.Column, len(columns))
	for i := range columns {
		titles[i] = terminal.Column{Title: strings.ToUpper(columns[i].name), Right: columns[i].right, Least: columns[i].least}
		if strings.HasPrefix(columns[i].name, attributePrefix) {
			titles[i].Title = columns[i].name // its case counts
		}
	}
	return titles
}

// cellsOf is an exchange as a row.
func cellsOf(columns []exchangeColumn, x *seshat.Assigned, short bool) []terminal.Cell {
	row := make([]terminal.Cell, len(columns))
	for i := range columns {
		row[i] = columns[i].show(x, short)
	}
	return row
}

func (c *exchangeColumn) show(x *seshat.Assigned, short bool) terminal.Cell {
	if c.cell != nil {
		return c.cell(x, short)
	}
	text := plainText(c.value(x))
	if text == "" {
		return terminal.Cell{Text: "-", Style: terminal.StyleFaint}
	}
	return terminal.Cell{Text: text}
}

// writeObject writes an exchange as one line of JSON, with its members in the order of the columns.
func writeObject(out *bufio.Writer, columns []exchangeColumn, x *seshat.Assigned) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	for i := range columns {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		line.WriteByte(separator)
		value := columns[i].value(x)
		if list, ok := value.([]string); ok && list == nil {
			value = []string{}
		}
		if err := encoder.Encode(columns[i].name); err != nil {
			return err
		}
		line.Truncate(line.Len() - 1) // the encoder ends every value with a line end
		line.WriteByte(':')
		if err := encoder.Encode(value); err != nil {
			return err
		}
		line.Truncate(line.Len() - 1)
	}
	line.WriteString("}\n")
	_, err := out.Write(line.Bytes())
	return err
}

func csvExchanges(w io.Writer, columns []exchangeColumn) (write func(*seshat.Assigned) error, flush func() error) {
	out := csv.NewWriter(w)
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].name
	}
	err := out.Write(names)
	record := make([]string, len(columns))
	write = func(x *seshat.Assigned) error {
		for i := range columns {
			record[i] = plainText(columns[i].value(x))
		}
		return cmp.Or(err, out.Write(record))
	}
	return write, func() error {
		out.Flush()
		return cmp.Or(err, out.Error())
	}
}

// plainText is a column's value as one text.
func plainText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case []string:
		return strings.Join(value, listSeparator)
	default:
		return ""
	}
}
