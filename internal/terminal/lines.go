package terminal

import "strings"

// Lines is a table whose rows are written as they come: widths follow what was seen so far, up to a bound, so that columns are
// below each other without knowing what comes.
type Lines struct {
	screen  *Screen
	columns []Column
	widths  []int
	titled  bool
}

// widestLine is how wide a column becomes for the rows that follow; a longer value stands out to the right in its own row.
const widestLine = 40

// Lines returns an empty table with the given columns.
func (s *Screen) Lines(columns []Column) *Lines {
	l := &Lines{screen: s, columns: columns, widths: make([]int, len(columns))}
	for i, c := range columns {
		l.widths[i] = max(width(c.Title), c.Least)
	}
	return l
}

// Add writes a row, and the titles before the first one.
func (l *Lines) Add(row []Cell) error {
	texts := make([]string, len(row))
	for i := range row {
		texts[i] = Escape(row[i].Text)
		l.widths[i] = max(l.widths[i], min(width(texts[i]), widestLine))
	}
	widths := append([]int(nil), l.widths...)
	if l.screen.width > 0 {
		fit(l.columns, widths, l.screen.width)
	}
	if !l.titled {
		l.titled = true
		titles := make([]string, len(l.columns))
		styles := make([]Style, len(l.columns))
		for i := range l.columns {
			titles[i], styles[i] = l.columns[i].Title, StyleBold
		}
		if err := l.write(titles, styles, widths, false); err != nil {
			return err
		}
	}
	styles := make([]Style, len(row))
	for i := range row {
		styles[i] = row[i].Style
	}
	return l.write(texts, styles, widths, true)
}

func (l *Lines) write(texts []string, styles []Style, widths []int, align bool) error {
	var line strings.Builder
	for i, text := range texts {
		if l.screen.width > 0 {
			text = Cut(text, widths[i])
		}
		room := strings.Repeat(" ", max(widths[i]-width(text), 0))
		text = l.screen.Paint(styles[i], text)
		switch {
		case l.columns[i].Right && align:
			text = room + text
		case i < len(texts)-1:
			text += room
		}
		if i > 0 {
			line.WriteString(strings.Repeat(" ", gap))
		}
		line.WriteString(text)
	}
	_, err := l.screen.Write([]byte(strings.TrimRight(line.String(), " ") + "\n"))
	return err
}
