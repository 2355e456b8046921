package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/store"
)

// aggregation writes the statement of an [store.AggregateQuery], as tables that are made one after the other:
//
//	k    rows added up by the numbers that the dimensions are looked up by
//	v    groups by the values of the dimensions, with their counts and what can be made of parts
//	i0 … the numbers that stand for the values of each dimension, where what follows needs them
//	p    percentiles of the groups
//	u0 … the counts of different values, one table for each
type aggregation struct {
	*subset
	q  *store.AggregateQuery
	by []dimension
	// numbered are the dimensions, those of the measures behind those of the query, that have a table of numbers.
	numbered map[int]bool
}

func newAggregation(x *subset, q *store.AggregateQuery) *aggregation {
	a := &aggregation{subset: x, q: q, numbered: map[int]bool{}}
	for i := range q.By {
		a.by = append(a.by, x.dimension(&q.By[i]))
	}
	return a
}

// statement writes all of it.
func (a *aggregation) statement() {
	parts := a.writeParts()
	a.writeGroups(parts)
	a.writePercentiles()
	for i := range a.q.Measures {
		if isUnique(&a.q.Measures[i]) {
			a.writeUnique(i)
		}
	}
	a.write(" SELECT v.n, (SELECT count(*) FROM v), (SELECT coalesce(sum(n), 0)::BIGINT FROM v), ")
	many := slices.ContainsFunc(a.by, func(d dimension) bool { return d.many })
	switch {
	case !many: // every row is in one group
		a.write("(SELECT coalesce(sum(n), 0)::BIGINT FROM v)")
	case parts:
		a.write("(SELECT coalesce(sum(n), 0)::BIGINT FROM k)")
	default:
		a.write("(SELECT count(*)")
		a.from()
		a.write(")")
	}
	for i := range a.by {
		a.write(fmt.Sprintf(", v.d%d::VARCHAR", i))
	}
	for i := range a.q.Measures {
		a.write(", " + a.number(i) + "::DOUBLE")
	}
	a.write(" FROM v")
	if a.hasPercentiles() {
		a.joinGroups("p")
	}
	for i := range a.q.Measures {
		if isUnique(&a.q.Measures[i]) {
			a.joinGroups(fmt.Sprintf("u%d", i))
		}
	}
	a.order()
}

// joinGroups joins a table that has the dimensions too.
func (a *aggregation) joinGroups(table string) {
	a.write(" LEFT JOIN " + table + " ON true")
	for i := range a.by {
		a.write(fmt.Sprintf(" AND %s.d%d IS NOT DISTINCT FROM v.d%d", table, i, i))
	}
}

// number is a measure of a group.
func (a *aggregation) number(i int) string {
	switch m := &a.q.Measures[i]; {
	case isUnique(m):
		return fmt.Sprintf("coalesce(u%d.m, 0)", i)
	case m.Kind == store.MeasurePercentile:
		return fmt.Sprintf("p.m%d", i)
	default:
		return fmt.Sprintf("v.m%d", i)
	}
}

// writeParts makes the table k, where it is worth it: where a dimension is looked up, or dear to work out.
func (a *aggregation) writeParts() bool {
	worth := false
	for i := range a.by {
		d := &a.by[i]
		worth = worth || d.lookup != "" || len(d.keys) > 1
		if d.mixed { // there are nearly as many parts as rows
			return false
		}
	}
	if a.dataset == store.DatasetSessions || !worth {
		return false
	}
	a.table("k")
	a.write("SELECT ")
	columns := 0
	for i := range a.by {
		for n, key := range a.by[i].keys {
			a.write(fmt.Sprintf("%s AS k%d_%d, ", key, i, n))
			columns++
		}
	}
	a.write("count(*) AS n")
	for i := range a.q.Measures {
		a.write(partial(&a.q.Measures[i], a.dataset, i))
	}
	a.from()
	a.groupBy(columns)
	a.write(")")
	return true
}

// groupBy groups by the first columns.
func (a *aggregation) groupBy(columns int) {
	for i := range columns {
		if i == 0 {
			a.write(" GROUP BY 1")
		} else {
			a.write(fmt.Sprintf(", %d", i+1))
		}
	}
}

// writeGroups makes the table v.
func (a *aggregation) writeGroups(parts bool) {
	a.table("v")
	a.write("SELECT ")
	for i := range a.by {
		value := a.by[i].rowExpr(fmt.Sprintf("l%d", i))
		if parts {
			value = a.by[i].expr(fmt.Sprintf("e.k%d_", i), fmt.Sprintf("l%d", i))
		}
		a.write(fmt.Sprintf("%s AS d%d, ", value, i))
	}
	if parts {
		a.write("sum(e.n)::BIGINT AS n")
	} else {
		a.write("count(*) AS n")
	}
	for i := range a.q.Measures {
		if sql := whole(&a.q.Measures[i], a.dataset, i, parts); sql != "" {
			a.write(fmt.Sprintf(", %s AS m%d", sql, i))
		}
	}
	if parts {
		a.write(" FROM k e")
	} else {
		a.from()
	}
	for i := range a.by {
		key := a.by[i].keys[0]
		if parts {
			key = fmt.Sprintf("e.k%d_0", i)
		}
		a.join(&a.by[i], fmt.Sprintf("l%d", i), key)
	}
	a.groupBy(len(a.by))
	a.write(")")
}

// numbers makes the table i with a place; see [subset.writeNumbers].
func (a *aggregation) numbers(d *dimension, place int) {
	if d.lookup == "" || a.numbered[place] {
		return
	}
	a.numbered[place] = true
	a.writeNumbers(d, fmt.Sprintf("b%d", place), numbersTable(place))
}

func numbersTable(place int) string { return fmt.Sprintf("i%d", place) }

// plain reports whether rows are grouped by the values themselves.
func (d *dimension) plain() bool { return d.mixed || d.lookup == "" && len(d.keys) == 1 }

// group are the expressions over a row e that stand for the value of a dimension, with its table of numbers.
func (d *dimension) group(table string) []string {
	switch {
	case d.plain():
		return []string{d.rowExpr(table)}
	case d.always:
		return []string{"coalesce(" + table + ".id, -1)"}
	case d.lookup != "":
		return []string{table + ".id"}
	default:
		return slices.Clone(d.keys)
	}
}

// joinNumbers joins the table of numbers to rows e.
func (a *aggregation) joinNumbers(d *dimension, place int) {
	if d.lookup != "" {
		a.write(fmt.Sprintf(" LEFT JOIN i%d ON i%d.k = %s", place, place, d.keys[0]))
	}
}

// grouped writes columns that stand for the values of all dimensions, g0_0 and so on, and returns how many there are.
func (a *aggregation) grouped() (columns int) {
	for i := range a.by {
		for n, sql := range a.by[i].group(numbersTable(i)) {
			a.write(fmt.Sprintf("%s AS g%d_%d, ", sql, i, n))
			columns++
		}
	}
	return columns
}

// valued ends a table whose groups are in a subquery g: it gives them the values of their dimensions.
func (a *aggregation) valued(begin func()) {
	a.write("SELECT ")
	for i := range a.by {
		d := &a.by[i]
		value := d.expr(fmt.Sprintf("g.g%d_", i), fmt.Sprintf("n%d", i))
		if d.plain() {
			value = fmt.Sprintf("g.g%d_0", i)
		}
		a.write(fmt.Sprintf("%s AS d%d, ", value, i))
	}
	a.write("g.* FROM (")
	begin()
	a.write(") g")
	for i := range a.by {
		if d := &a.by[i]; d.lookup != "" && !d.plain() {
			a.write(fmt.Sprintf(" LEFT JOIN (SELECT DISTINCT id, v FROM i%d) n%d ON n%d.id = g.g%d_0", i, i, i, i))
		}
	}
	a.write(")")
}

func (a *aggregation) hasPercentiles() bool {
	return slices.ContainsFunc(a.q.Measures, func(m store.Measure) bool { return m.Kind == store.MeasurePercentile })
}

// writePercentiles makes the table p.
func (a *aggregation) writePercentiles() {
	if !a.hasPercentiles() {
		return
	}
	for i := range a.by {
		a.numbers(&a.by[i], i)
	}
	a.table("p")
	a.valued(func() {
		a.write("SELECT ")
		columns := a.grouped()
		var list []string
		for i := range a.q.Measures {
			if m := &a.q.Measures[i]; m.Kind == store.MeasurePercentile {
				list = append(list, fmt.Sprintf("quantile_disc(%s, %s) AS m%d", measured(m.Field, a.dataset), share(m.Percentile), i))
			}
		}
		a.write(strings.Join(list, ", "))
		a.from()
		for i := range a.by {
			a.joinNumbers(&a.by[i], i)
		}
		a.groupBy(columns)
	})
}

// writeUnique makes the table u with the place of a measure.
func (a *aggregation) writeUnique(place int) {
	m := &a.q.Measures[place]
	of := a.dimension(&m.Of)
	table := fmt.Sprintf("u%d", place)
	if len(a.by) == 0 { // the different keys are few, and found at once
		a.table(table)
		a.write("SELECT " + uniqueSQL(m, of.expr("e.k", "l")) + " AS m FROM (SELECT DISTINCT ")
		for i, key := range of.keys {
			if i > 0 {
				a.write(", ")
			}
			a.write(fmt.Sprintf("%s AS k%d", key, i))
		}
		a.from()
		a.write(") e")
		a.join(&of, "l", "e.k0")
		a.write(")")
		return
	}
	for i := range a.by {
		a.numbers(&a.by[i], i)
	}
	ofPlace := len(a.by) + place
	a.numbers(&of, ofPlace)
	a.table(table)
	a.valued(func() { a.countUnique(m, &of, ofPlace) })
}

// countUnique writes how many different values there are in each group. Rows are made different first and counted then,
// which is several times as fast as to count different ones in each group.
func (a *aggregation) countUnique(m *store.Measure, of *dimension, place int) {
	value := "o0"
	if of.lookup == "" && !of.plain() {
		value = of.expr("o", "") // NULL where it is absent
	}
	columns := of.group(numbersTable(place))
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = fmt.Sprintf("o%d", i)
		columns[i] += " AS " + names[i]
	}
	distinct, count := "DISTINCT ", "count("
	if m.Kind == store.MeasureApproxUnique {
		distinct, count = "", "approx_count_distinct("
	}
	a.write("SELECT * EXCLUDE (" + strings.Join(names, ", ") + "), " + count + value + ") AS m FROM (SELECT " + distinct)
	a.grouped()
	a.write(strings.Join(columns, ", "))
	a.from()
	for i := range a.by {
		a.joinNumbers(&a.by[i], i)
	}
	a.joinNumbers(of, place)
	a.write(") GROUP BY ALL")
}

// order writes the order and the limit.
func (a *aggregation) order() {
	a.write(" ORDER BY ")
	down := ""
	if a.q.Order.Descending {
		down = " DESC"
	}
	switch o := a.q.Order; {
	case o.Dimension && len(a.by) > 0:
		a.write(fmt.Sprintf("v.d%d%s NULLS LAST, ", o.By, down))
	case !o.Dimension && len(a.q.Measures) > 0:
		a.write(a.number(o.By) + down + " NULLS LAST, ")
	}
	for i := range a.by {
		a.write(fmt.Sprintf("v.d%d NULLS LAST, ", i))
	}
	limit := a.q.Limit
	if limit == 0 {
		limit = store.MaxGroups
	}
	a.write("1 LIMIT ?", limit)
}
