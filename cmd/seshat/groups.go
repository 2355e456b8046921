package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

const groupsHelp = `--by groups them in place of listing them: by a field, attr.NAME, status_class, or a field of time with the width of the
stretches that it is cut into, such as %s; three times at most, for each combination. What has several values is in the
group of each; what has none is in a group of its own. --measure says what to show of each group: count, unique:FIELD,
approx_unique:FIELD (faster over millions, wrong by a tenth or so), and min, max, avg, sum or a percentile such as p95 or
p99.9 of %s.
--order takes one of these, with - before it for the greatest first.`

// groupOptions are the flags that ask for groups in place of a list.
type groupOptions struct {
	by, measures []string
	order        string
}

func (o *groupOptions) asked() bool { return len(o.by)+len(o.measures) > 0 }

func (o *groupOptions) flags(cmd *cobra.Command, d store.Dataset) {
	flags := cmd.Flags()
	flags.StringArrayVar(&o.by, "by", nil, "`field` to group by; may be repeated")
	flags.StringArrayVar(&o.measures, "measure", nil, "`measure` of each group, such as count, unique:user or p95:duration; may be repeated")
	flags.StringVar(&o.order, "order", "", "measure or `field` to order groups by, with - before it for the greatest first")
	fields := groupFields(d)
	completeFlag(cmd, "by", fields...)
	measures := []string{"count"}
	for _, f := range store.FieldsOf(d).All() {
		if f.Measures {
			for _, name := range []string{"avg", "min", "max", "sum", "p50", "p95", "p99"} {
				measures = append(measures, name+":"+f.Name)
			}
		}
	}
	for _, name := range fields {
		measures = append(measures, "unique:"+name)
	}
	completeFlag(cmd, "measure", measures...)
}

// groupFields are what can be grouped by, as far as it can be named without a name or a width.
func groupFields(d store.Dataset) []string {
	out := []string{store.StatusClassName}
	for _, f := range store.FieldsOf(d).All() {
		if f.Groups && !f.Family && f.Type != filter.TypeTime {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

// groupsHelpOf is the part of a command's help about groups.
func groupsHelpOf(d store.Dataset) string {
	var measured []string
	stretch := "time:5m"
	for _, f := range store.FieldsOf(d).All() {
		if f.Measures {
			measured = append(measured, f.Name)
		}
	}
	if d == store.DatasetSessions {
		stretch = "last_seen:1h"
	}
	return fmt.Sprintf(groupsHelp, stretch, strings.Join(measured, ", "))
}

// query reads the flags.
func (o *groupOptions) query(d store.Dataset, limit int) (store.AggregateQuery, error) {
	q := store.AggregateQuery{Subset: store.Subset{Dataset: d}, Limit: limit}
	if limit > store.MaxGroups {
		return q, usageError("--limit", "there are at most "+strconv.Itoa(store.MaxGroups)+" groups", "")
	}
	for _, text := range o.by {
		one, err := store.ParseDimension("--by", text, store.FieldsOf(d))
		if err != nil {
			return q, err
		}
		q.By = append(q.By, one)
	}
	measures := o.measures
	if len(measures) == 0 {
		measures = []string{"count"}
	}
	for _, text := range measures {
		one, err := store.ParseMeasure("--measure", text, store.FieldsOf(d))
		if err != nil {
			return q, err
		}
		q.Measures = append(q.Measures, one)
	}
	switch {
	case len(q.By) > store.MaxDimensions:
		return q, usageError("--by", "there are too many", strconv.Itoa(store.MaxDimensions)+" at most")
	case len(q.Measures) > store.MaxMeasures:
		return q, usageError("--measure", "there are too many", strconv.Itoa(store.MaxMeasures)+" at most")
	}
	var err error
	q.Order, err = store.ParseOrder("--order", o.order, &q)
	return q, err
}

// groups shows groups of what a filter selects.
func (a *app) groups(ctx context.Context, q *store.AggregateQuery, r *timeRange, format string) error {
	s, err := a.openForReading(ctx)
	if err != nil {
		return err
	}
	defer a.closeRead(s)
	expr := q.Filter
	if q.Query, err = a.query(ctx, s, r); err != nil {
		return err
	}
	q.Filter = expr
	found, err := s.Aggregate(ctx, *q)
	if err != nil {
		return err
	}
	switch format {
	case "csv":
		err = a.groupsAsCSV(q, found)
	case "table":
		err = a.groupsAsTable(q, found)
	default:
		err = a.groupsAsJSON(q, found)
	}
	if err != nil {
		return err
	}
	one, many := "exchange", "exchanges"
	if q.Dataset == store.DatasetSessions {
		one, many = "session", "sessions"
	}
	switch shown := int64(len(found.Groups)); {
	case found.Rows == 0:
		a.note("No %s matches.", one)
	case found.Found > shown:
		a.note("%s of %s are shown; the others have %s (--limit).",
			terminal.Plural(shown, "group", "groups"), terminal.Count(found.Found), terminal.Plural(found.Other, one, many))
	}
	return nil
}

func groupNames(q *store.AggregateQuery) []string {
	var names []string
	for i := range q.By {
		names = append(names, q.By[i].String())
	}
	for i := range q.Measures {
		names = append(names, q.Measures[i].String())
	}
	return names
}

func (a *app) groupsAsTable(q *store.AggregateQuery, found *store.Aggregates) error {
	var columns []terminal.Column
	for i, name := range groupNames(q) {
		column := terminal.Column{Title: strings.ToUpper(name), Right: i >= len(q.By)}
		if i < len(q.By) {
			column.Least = leastText
			if q.By[i].Field.Family {
				column.Title = name // its case counts
			}
		}
		columns = append(columns, column)
	}
	rows := make([][]terminal.Cell, len(found.Groups))
	for n := range found.Groups {
		g := &found.Groups[n]
		for _, v := range g.Values {
			cell := terminal.Cell{Text: v.Text}
			if v.Absent {
				cell = terminal.Cell{Text: "-", Style: terminal.StyleFaint}
			}
			rows[n] = append(rows[n], cell)
		}
		for i, number := range g.Numbers {
			rows[n] = append(rows[n], numberCell(&q.Measures[i], number))
		}
	}
	return a.screen().Table(columns, rows)
}

func numberCell(m *store.Measure, n float64) terminal.Cell {
	switch {
	case math.IsNaN(n):
		return terminal.Cell{Text: "-", Style: terminal.StyleFaint}
	case m.Unit() == "ms":
		return terminal.Cell{Text: terminal.Span(time.Duration(n * float64(time.Millisecond)))}
	case n == math.Trunc(n) && math.Abs(n) < 1<<53:
		return terminal.Cell{Text: terminal.Count(int64(n))}
	default:
		return terminal.Cell{Text: strconv.FormatFloat(n, 'f', 3, 64)}
	}
}

// plainNumber is a number for machines: with no more digits than a millionth, because what is added up is rounded.
func plainNumber(n float64) string {
	if math.IsNaN(n) {
		return ""
	}
	return strconv.FormatFloat(math.Round(n*1e6)/1e6, 'f', -1, 64)
}

func (a *app) groupsAsCSV(q *store.AggregateQuery, found *store.Aggregates) error {
	out := csv.NewWriter(a.stdout)
	err := out.Write(groupNames(q))
	for i := range found.Groups {
		var record []string
		for _, v := range found.Groups[i].Values {
			record = append(record, v.Text)
		}
		for _, n := range found.Groups[i].Numbers {
			record = append(record, plainNumber(n))
		}
		err = cmp.Or(err, out.Write(record))
	}
	out.Flush()
	return cmp.Or(err, out.Error())
}

// groupsAsJSON writes each group as one line of JSON, with its members in the order in which they were asked for.
func (a *app) groupsAsJSON(q *store.AggregateQuery, found *store.Aggregates) error {
	out := bufio.NewWriter(a.stdout)
	names := groupNames(q)
	for i := range found.Groups {
		g := &found.Groups[i]
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		for at, name := range names {
			separator := byte(',')
			if at == 0 {
				separator = '{'
			}
			line.WriteByte(separator)
			if err := encoder.Encode(name); err != nil {
				return err
			}
			line.Truncate(line.Len() - 1) // the encoder ends every value with a line end
			line.WriteByte(':')
			if at >= len(q.By) {
				line.WriteString(cmp.Or(plainNumber(g.Numbers[at-len(q.By)]), "null"))
				continue
			}
			switch v := g.Values[at]; {
			case v.Absent:
				line.WriteString("null")
			case q.By[at].Field.Type == filter.TypeNumber && !q.By[at].Class:
				line.WriteString(v.Text)
			default:
				if err := encoder.Encode(v.Text); err != nil {
					return err
				}
				line.Truncate(line.Len() - 1)
			}
		}
		line.WriteString("}\n")
		if _, err := out.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return out.Flush()
}
