package terminal

// maxRows is how many rows a table has before it is written and the next one begins: the widths of columns need all
// rows in memory, and a listing without limit may have millions.
const maxRows = 5000

// Rows is a table that is written row by row. A long one comes out as several tables below each other.
type Rows struct {
	screen  *Screen
	columns []Column
	rows    [][]Cell
}

// Rows returns an empty table with the given columns. A table without rows writes nothing.
func (s *Screen) Rows(columns []Column) *Rows { return &Rows{screen: s, columns: columns} }

// Add adds a row.
func (r *Rows) Add(row []Cell) error {
	r.rows = append(r.rows, row)
	if len(r.rows) < maxRows {
		return nil
	}
	return r.Flush()
}

// Flush writes the rows that were added since the last table.
func (r *Rows) Flush() error {
	if len(r.rows) == 0 {
		return nil
	}
	err := r.screen.Table(r.columns, r.rows)
	r.rows = r.rows[:0]
	return err
}
