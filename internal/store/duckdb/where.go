package duckdb

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// condition is a piece of SQL that is true or false, never NULL, and the parameters in it, in order. Nothing of a
// filter is ever part of the text.
type condition struct {
	sql  strings.Builder
	args []any
}

func (c *condition) write(sql string, args ...any) {
	c.sql.WriteString(sql)
	c.args = append(c.args, args...)
}

// expr writes an expression; term writes one of its terms.
func (c *condition) expr(e filter.Expr, term func(*filter.Term), text func(*filter.Text)) {
	switch e := e.(type) {
	case nil:
		c.write("true")
	case *filter.And:
		c.list(e.Exprs, " AND ", term, text)
	case *filter.Or:
		c.list(e.Exprs, " OR ", term, text)
	case *filter.Not:
		c.write("NOT ")
		c.list([]filter.Expr{e.Expr}, "", term, text)
	case *filter.Term:
		term(e)
	case *filter.Text:
		text(e)
	default:
		c.write("false")
	}
}

func (c *condition) list(exprs []filter.Expr, between string, term func(*filter.Term), text func(*filter.Text)) {
	c.write("(")
	for i, e := range exprs {
		if i > 0 {
			c.write(between)
		}
		c.expr(e, term, text)
	}
	c.write(")")
}

// anyOf writes that one of n alternatives holds.
func (c *condition) anyOf(n int, alternative func(i int)) {
	c.write("(")
	for i := range n {
		if i > 0 {
			c.write(" OR ")
		}
		alternative(i)
	}
	if n == 0 {
		c.write("false")
	}
	c.write(")")
}

// column says how a field is compared in SQL.
type column struct {
	sql string // an expression that is never NULL
	// absent is the value that stands for none, as SQL; empty when there always is a value.
	absent string
	// unit is how many nanoseconds a duration column counts in.
	fold bool
}

// tests writes that the column passes one of tests.
func (c *condition) tests(f *filter.Field, col column, tests []filter.Test) {
	col.fold = f.Fold
	c.write("(")
	if col.absent != "" {
		c.write(col.sql + " <> " + col.absent + " AND ")
	}
	c.anyOf(len(tests), func(i int) { c.test(f, col, &tests[i]) })
	c.write(")")
}

func (c *condition) test(f *filter.Field, col column, t *filter.Test) {
	switch t.Op {
	case filter.OpExists:
		c.write("true")
	case filter.OpMatch:
		c.pattern(col, t.Value.Pattern)
	case filter.OpEqual:
		if f.Type == filter.TypeText || f.Type == filter.TypeEnum {
			c.write(col.folded()+" = ?", t.Value.Text)
			return
		}
		c.write(col.sql+" = ?", operand(f.Type, &t.Value))
	case filter.OpLess:
		c.write(col.sql+" < ?", operand(f.Type, &t.Value))
	case filter.OpLessEqual:
		c.write(col.sql+" <= ?", operand(f.Type, &t.Value))
	case filter.OpGreater:
		c.write(col.sql+" > ?", operand(f.Type, &t.Value))
	case filter.OpGreaterEqual:
		c.write(col.sql+" >= ?", operand(f.Type, &t.Value))
	case filter.OpRange:
		c.write("("+col.sql+" >= ? AND "+col.sql+" <= ?)", operand(f.Type, &t.Value), operand(f.Type, &t.High))
	default:
		c.write("false")
	}
}

// operand is a value as a parameter: durations in microseconds with their fraction, as a column is compared with it.
func operand(t filter.Type, v *filter.Value) any {
	switch t {
	case filter.TypeDuration:
		return float64(v.Duration) / float64(time.Microsecond)
	case filter.TypeTime:
		return store.Time(v.Time)
	default:
		return v.Number
	}
}

func (col column) folded() string {
	if col.fold {
		return "lower(" + col.sql + ")"
	}
	return col.sql
}

// likeEscape is the escape character of LIKE patterns.
const likeEscape = '\\'

// pattern writes that the column matches p. The common shapes have functions that are faster than LIKE.
func (c *condition) pattern(col column, p filter.Pattern) {
	value := col.folded()
	if len(p) == 2 && p[0] == "" && p[1] == "" {
		c.write("true")
		return
	}
	switch first, last := p[0], p[len(p)-1]; {
	case len(p) == 1:
		c.write(value+" = ?", first)
	case len(p) == 2 && last == "":
		c.write("starts_with("+value+", ?)", first)
	case len(p) == 2 && first == "":
		c.write("ends_with("+value+", ?)", last)
	case len(p) == 3 && first == "" && last == "":
		c.write("contains("+value+", ?)", p[1])
	default:
		c.write(value+` LIKE ? ESCAPE '\'`, p.Like(likeEscape))
	}
}

// text writes that one of the columns contains a word.
func (c *condition) textIn(col column, p filter.Pattern) {
	col.fold = true
	c.pattern(col, p)
}
