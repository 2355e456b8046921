package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/terminal"
)

// resourceName is what an instance calls the nth resource of a draft in faults.
func resourceName(n int) string { return fmt.Sprintf("resources[%d]", n) }

// cutName divides KIND/NAME.
func cutName(name string) (kind, one string, found bool) {
	kind, one, found = strings.Cut(name, "/")
	return kind, one, found && kind != "" && one != ""
}

// writePreview writes what a draft would do, for a person at a terminal.
func (a *app) writePreview(p *wire.Preview) error {
	w := &previewWriter{app: a}
	w.line("%s", p.Verdict.Text)
	w.line("")
	w.line("%s", sourceText(p))
	for _, warning := range p.Warnings {
		sign := map[string]string{preview.GradeBad: "✗", preview.GradeWarning: "!", preview.GradeNote: "·"}[warning.Grade]
		text := warning.Text
		if warning.Index != nil {
			text = fmt.Sprintf("%s, identifier %d: %s", warning.Resource, *warning.Index, text)
		}
		if len(warning.Examples) > 0 {
			text += " (" + strings.Join(warning.Examples, ", ") + ")"
		}
		w.line("%s %s", sign, text)
	}
	w.rules(p)
	w.sessions(p)
	w.others(p)
	w.examples("Found", p.Found)
	w.examples("Not found", p.NotFound)
	if w.err == nil {
		_, w.err = fmt.Fprint(a.stdout, terminal.EscapeLines(w.String()))
	}
	return w.err
}

// previewWriter puts text and tables together.
type previewWriter struct {
	app *app
	strings.Builder
	err error
}

func (w *previewWriter) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// table writes rows under a title.
func (w *previewWriter) table(title string, columns []terminal.Column, rows [][]string) {
	if len(rows) == 0 || w.err != nil {
		return
	}
	w.line("")
	w.line("%s", title)
	if _, w.err = fmt.Fprint(w.app.stdout, terminal.EscapeLines(w.String())); w.err != nil {
		return
	}
	w.Reset()
	table := w.app.screen().Rows(columns)
	for _, row := range rows {
		cells := make([]terminal.Cell, len(row))
		for i := range row {
			cells[i].Text = row[i]
		}
		if w.err = table.Add(cells); w.err != nil {
			return
		}
	}
	w.err = table.Flush()
}

func sourceText(p *wire.Preview) string {
	text := fmt.Sprintf("Tried on %d exchanges", p.Exchanges)
	if p.Source.From == wire.PreviewGiven {
		text += " of the recording"
	} else {
		text += " that the instance saw last"
	}
	if p.Exchanges > 0 {
		text += ", from " + terminal.Time(p.First) + " to " + terminal.Time(p.Last)
	}
	if p.Source.Share < 1 && p.Source.Share > 0 {
		text += fmt.Sprintf(", those of one client in %.0f", 1/p.Source.Share)
	}
	if p.Source.Nodes > 1 {
		text += fmt.Sprintf(", by one of %d processes", p.Source.Nodes)
	}
	if p.Source.Skipped > 0 {
		text += fmt.Sprintf("; %d records could not be read", p.Source.Skipped)
	}
	return text + "."
}

func (w *previewWriter) rules(p *wire.Preview) {
	var rows [][]string
	for _, r := range p.Rules {
		name := r.Name
		if r.Draft {
			name += " *"
		}
		rows = append(rows, []string{
			strconv.Itoa(r.Priority), name, "", strconv.Itoa(r.InScope), strconv.Itoa(r.Found), strconv.Itoa(r.FoundSuccessful) + "/" + strconv.Itoa(r.Successful),
			strconv.Itoa(r.Decides), "", "",
		})
		for _, id := range r.Identifiers {
			missed := ""
			if len(id.Missed) > 0 {
				m := id.Missed[0]
				missed = fmt.Sprintf("%s in %d", m.Reason, m.Count)
				if m.Detail != "" {
					missed += " (" + m.Detail + ")"
				}
			}
			values := ""
			if r.Draft {
				values = strconv.Itoa(id.Values)
			}
			rows = append(rows, []string{
				"", "  " + strconv.Itoa(id.Index), id.Where, "", strconv.Itoa(id.Found), strconv.Itoa(id.FoundSuccessful), strconv.Itoa(id.Decides), values, missed,
			})
		}
	}
	w.table("Session rules (* of the draft)", []terminal.Column{
		{Title: "PRIORITY", Right: true},
		{Title: "RULE"},
		{Title: "WHERE"},
		{Title: "IN SCOPE", Right: true},
		{Title: "FOUND", Right: true},
		{Title: "OF 2XX", Right: true},
		{Title: "DECIDES", Right: true},
		{Title: "VALUES", Right: true},
		{Title: "MISSED"},
	}, rows)
}

func (w *previewWriter) sessions(p *wire.Preview) {
	var rows [][]string
	add := func(what string, before, after int) {
		rows = append(rows, []string{what, strconv.Itoa(before), strconv.Itoa(after)})
	}
	b, c := &p.Before, &p.After
	add("sessions", b.Sessions, c.Sessions)
	add("users", b.Users, c.Users)
	add("exchanges identified", b.Identified, c.Identified)
	add("exchanges of a session, median", b.Median, c.Median)
	add("exchanges of a session, most", b.Largest, c.Largest)
	add("sessions of one exchange", b.OneExchange, c.OneExchange)
	add("sessions with several users", b.SeveralUsers, c.SeveralUsers)
	for _, by := range p.IdentifiedBy {
		add("by "+by.Name+" ("+by.Origin+")", by.Before, by.After)
	}
	w.table("Sessions", []terminal.Column{{Title: ""}, {Title: "NOW", Right: true}, {Title: "WITH DRAFT", Right: true}}, rows)
	w.line("%d exchanges change their source, %d sessions are split, %d are joined, %d stay as they are.", p.Moves.Regrouped, p.Moves.Split, p.Moves.Joined, p.Moves.Same)
	rows = nil
	for _, s := range p.Sessions {
		rows = append(rows, []string{
			s.Name, s.User, strconv.Itoa(s.Exchanges), strconv.Itoa(s.Addresses), strconv.Itoa(s.Was), strings.Join(s.Masked, " "), strings.Join(s.Endpoints, ", "),
		})
	}
	w.table("Some of the sessions", []terminal.Column{
		{Title: "SESSION"},
		{Title: "USER"},
		{Title: "EXCHANGES", Right: true},
		{Title: "ADDRESSES", Right: true},
		{Title: "WAS", Right: true},
		{Title: "CLIENT SESSION IDS"},
		{Title: "ENDPOINTS"},
	}, rows)
}

func counted(values []preview.CountedValue) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf("%s (%d)", v.Value, v.Count)
	}
	return strings.Join(out, ", ")
}

func (w *previewWriter) others(p *wire.Preview) {
	var rows [][]string
	for _, one := range p.Parameters {
		rows = append(rows, []string{"contextparameter " + one.Name, strconv.Itoa(one.InScope), strconv.Itoa(one.Found), counted(one.Values)})
	}
	for _, one := range p.Flows {
		rows = append(rows, []string{"flow " + one.Name, strconv.Itoa(one.InScope), strconv.Itoa(one.Matched), counted(one.Endpoints)})
	}
	for _, one := range p.Masks {
		rows = append(rows, []string{"maskrule " + one.Name, strconv.Itoa(one.InScope), strconv.Itoa(one.Removed), counted(one.Places)})
	}
	w.table("Other resources", []terminal.Column{
		{Title: "RESOURCE"}, {Title: "IN SCOPE", Right: true}, {Title: "FOUND", Right: true}, {Title: "WHAT"},
	}, rows)
	for _, l := range p.Limits {
		rows = nil
		for _, hit := range l.Hit {
			rows = append(rows, []string{hit.Session, hit.User, hit.Address, strconv.Itoa(hit.Exchanges), strconv.Itoa(hit.Limited)})
		}
		w.line("")
		w.line("limit %s: %d of %d requests, in %d sessions of %d users", l.Name, l.Limited, l.Counted, l.Sessions, l.Users)
		w.table("Sessions that it would have hit most", []terminal.Column{
			{Title: "SESSION"}, {Title: "USER"}, {Title: "ADDRESS"}, {Title: "EXCHANGES", Right: true}, {Title: "LIMITED", Right: true},
		}, rows)
	}
}

func (w *previewWriter) examples(title string, list []preview.ExchangeExample) {
	if len(list) == 0 {
		return
	}
	w.line("")
	w.line("%s", title)
	for i := range list {
		x := &list[i]
		w.line("  %s %s %s%s %d %s", terminal.Time(x.Time), x.Method, x.Host, x.Path, x.Status, x.Masked)
		for _, text := range x.Explains {
			w.line("    %s", text)
		}
	}
}
