package terminal

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Column is one column of a table.
type Column struct {
	Title string
	Right bool // numbers
	// Least is how narrow the column may become when the table does not fit; 0 keeps it whole.
	Least int
}

// Cell is one cell of a table. Its text is escaped by the table.
type Cell struct {
	Text  string
	Style Style
}

// gap is what is between two columns.
const gap = 2

// Table writes a table. On a terminal its columns are cut so that every row is one line, the widest first; in a
// file or a pipe they are whole.
func (s *Screen) Table(columns []Column, rows [][]Cell) error {
	texts := make([][]string, len(rows))
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = width(c.Title)
	}
	for i, row := range rows {
		texts[i] = make([]string, len(row))
		for j, cell := range row {
			texts[i][j] = Escape(cell.Text)
			widths[j] = max(widths[j], width(texts[i][j]))
		}
	}
	if s.width > 0 {
		fit(columns, widths, s.width)
	}
	t := table.NewWriter()
	t.SetOutputMirror(nil)
	t.SetStyle(plainStyle())
	t.SuppressTrailingSpaces()
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		header[i] = s.Paint(StyleBold, text.Snip(c.Title, widths[i], "…"))
		configs[i] = table.ColumnConfig{Number: i + 1, AlignHeader: text.AlignLeft}
		if c.Right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for i, row := range rows {
		out := make(table.Row, len(row))
		for j := range row {
			out[j] = s.Paint(row[j].Style, text.Snip(texts[i][j], widths[j], "…"))
		}
		t.AppendRow(out)
	}
	_, err := s.Write([]byte(t.Render() + "\n"))
	return err
}

// fit narrows columns until the table is at most room wide, one step at a time the one that is widest now.
func fit(columns []Column, widths []int, room int) {
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > room; total-- {
		widest := -1
		for i := range widths {
			if columns[i].Least > 0 && widths[i] > columns[i].Least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return // it does not fit, and the terminal wraps it
		}
		widths[widest]--
	}
}

// plainStyle is columns and nothing else: it can be read, copied, and cut by other tools.
func plainStyle() table.Style {
	return table.Style{
		Name:    "seshat",
		Box:     table.BoxStyle{PaddingRight: "  ", UnfinishedRow: " ~"},
		Format:  table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault},
		Options: table.OptionsNoBordersAndSeparators,
	}
}

// width is how many columns s takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// Cut is s in at most width columns, with "…" in place of what is left out; 0 does not cut.
func Cut(s string, width int) string { return text.Snip(s, width, "…") }
