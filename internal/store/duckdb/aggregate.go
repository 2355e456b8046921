package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat/internal/store"
)

// Aggregate implements [store.Store].
func (s *Store) Aggregate(ctx context.Context, q store.AggregateQuery) (*store.Aggregates, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	out, err := s.aggregate(ctx, &q)
	return out, s.operational("aggregate "+string(q.Dataset), err)
}

func (s *Store) aggregate(ctx context.Context, q *store.AggregateQuery) (*store.Aggregates, error) {
	by, fields := wanted(q)
	x, err := s.subset(ctx, &q.Subset, by, fields...)
	if err != nil {
		return nil, err
	}
	a := newAggregation(x, q)
	a.statement()
	out := &store.Aggregates{}
	listed := int64(0)
	err = s.query(ctx, func(rows *sql.Rows) error {
		texts, numbers := make([]sql.NullString, len(a.by)), make([]sql.NullFloat64, len(q.Measures))
		var group store.Group
		var all int64
		to := []any{&group.Count, &out.Found, &all, &out.Rows}
		for i := range texts {
			to = append(to, &texts[i])
		}
		for i := range numbers {
			to = append(to, &numbers[i])
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		for i := range texts {
			v, err := a.by[i].decode(texts[i].String, texts[i].Valid)
			if err != nil {
				return err
			}
			group.Values = append(group.Values, v)
		}
		for i := range numbers {
			n := store.Absent()
			if numbers[i].Valid {
				n = numbers[i].Float64 * scale(&q.Measures[i])
			}
			group.Numbers = append(group.Numbers, n)
		}
		out.Groups = append(out.Groups, group)
		listed += group.Count
		out.Other = all - listed
		return nil
	}, x.sql.String(), x.args...)
	return out, err
}

// aggregation writes the statement of an [store.AggregateQuery].
type aggregation struct {
	*subset
	q  *store.AggregateQuery
	by []dimension
	// parts says that rows are first added up by what their dimensions are looked up by: that is many times fewer rows
	// to look up.
	parts bool
	many  bool // some row may be in several groups
}

func newAggregation(x *subset, q *store.AggregateQuery) *aggregation {
	a := &aggregation{subset: x, q: q}
	lookups := 0
	for i := range q.By {
		d := x.dimension(&q.By[i])
		if d.lookup != "" {
			lookups++
		}
		a.many = a.many || d.many
		a.by = append(a.by, d)
	}
	a.parts = q.Dataset != store.DatasetSessions && lookups > 0
	for i := range q.Measures {
		_, ok := partial(&q.Measures[i], q.Dataset, i)
		a.parts = a.parts && ok
	}
	return a
}

// statement writes all of it: the parts k, the groups v, and what v lacks.
func (a *aggregation) statement() {
	if a.parts {
		a.writeParts()
	}
	joined := a.writeGroups()
	a.write(" SELECT v.n, (SELECT count(*) FROM v), (SELECT coalesce(sum(n), 0)::BIGINT FROM v), ")
	switch {
	case !a.many:
		a.write("(SELECT coalesce(sum(n), 0)::BIGINT FROM v)")
	case a.parts:
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
		a.write(", " + a.number(i, joined) + "::DOUBLE")
	}
	a.write(" FROM v")
	for i := range a.q.Measures {
		if joined[i] {
			a.write(fmt.Sprintf(" LEFT JOIN u%d ON true", i))
			for d := range a.by {
				a.write(fmt.Sprintf(" AND u%d.d%d IS NOT DISTINCT FROM v.d%d", i, d, d))
			}
		}
	}
	a.order(joined)
}

// number is a measure of a group.
func (a *aggregation) number(i int, joined []bool) string {
	if joined[i] {
		return fmt.Sprintf("coalesce(u%d.m, 0)", i)
	}
	return fmt.Sprintf("v.m%d", i)
}

// writeParts makes the table k.
func (a *aggregation) writeParts() {
	var columns []string
	add := func(sql string) {
		for _, c := range columns {
			if c == sql {
				return
			}
		}
		columns = append(columns, sql)
	}
	for i := range a.by {
		d := &a.by[i]
		if d.lookup == "" {
			add(fmt.Sprintf("%s AS k%d", d.value, i))
			continue
		}
		for _, name := range append([]string{d.on}, d.columns...) {
			add("e." + name)
		}
	}
	a.table("k")
	a.write("SELECT " + strings.Join(columns, ", ") + ", count(*) AS n")
	for i := range a.q.Measures {
		sql, _ := partial(&a.q.Measures[i], a.dataset, i)
		a.write(sql)
	}
	a.from()
	a.write(" GROUP BY ")
	for i := range columns {
		if i > 0 {
			a.write(", ")
		}
		a.write(fmt.Sprint(i + 1))
	}
	a.write(")")
}

// values writes the values of the dimensions as columns, and joins the tables that they are looked up in.
func (a *aggregation) values() {
	for i := range a.by {
		value := a.by[i].expr(fmt.Sprintf("l%d", i))
		if a.parts && a.by[i].lookup == "" {
			value = fmt.Sprintf("e.k%d", i)
		}
		a.write(fmt.Sprintf("%s AS d%d, ", value, i))
	}
}

func (a *aggregation) joins() {
	for i := range a.by {
		a.join(&a.by[i], fmt.Sprintf("l%d", i))
	}
}

// groups ends a subquery whose first columns are the dimensions.
func (a *aggregation) groups() {
	for i := range a.by {
		if i == 0 {
			a.write(" GROUP BY 1")
		} else {
			a.write(fmt.Sprintf(", %d", i+1))
		}
	}
	a.write(")")
}

// writeGroups makes the table v, and tables of those measures that need one of their own: to count the values of a
// dimension that a row has several of, a row is looked at several times. It returns which these are.
func (a *aggregation) writeGroups() (joined []bool) {
	joined = make([]bool, len(a.q.Measures))
	of := make([]dimension, len(a.q.Measures))
	for i := range a.q.Measures {
		if m := &a.q.Measures[i]; isUnique(m) {
			of[i] = a.dimension(&m.Of)
			joined[i] = of[i].many
		}
	}
	a.table("v")
	a.write("SELECT ")
	a.values()
	if a.parts {
		a.write("sum(e.n)::BIGINT AS n")
	} else {
		a.write("count(*) AS n")
	}
	for i := range a.q.Measures {
		switch m := &a.q.Measures[i]; {
		case joined[i]:
		case isUnique(m):
			a.write(fmt.Sprintf(", %s AS m%d", uniqueSQL(m, of[i].expr(fmt.Sprintf("o%d", i))), i))
		default:
			a.write(fmt.Sprintf(", %s AS m%d", whole(m, a.dataset, i, a.parts), i))
		}
	}
	if a.parts {
		a.write(" FROM k e")
	} else {
		a.from()
	}
	a.joins()
	for i := range of {
		if !joined[i] {
			a.join(&of[i], fmt.Sprintf("o%d", i))
		}
	}
	a.groups()
	for i := range of {
		if !joined[i] {
			continue
		}
		a.table(fmt.Sprintf("u%d", i))
		a.write("SELECT ")
		a.values()
		a.write(uniqueSQL(&a.q.Measures[i], of[i].expr(fmt.Sprintf("o%d", i))) + " AS m")
		a.from()
		a.joins()
		a.join(&of[i], fmt.Sprintf("o%d", i))
		a.groups()
	}
	return joined
}

// order writes the order and the limit.
func (a *aggregation) order(joined []bool) {
	a.write(" ORDER BY ")
	down := ""
	if a.q.Order.Descending {
		down = " DESC"
	}
	switch o := a.q.Order; {
	case o.Dimension && len(a.by) > 0:
		a.write(fmt.Sprintf("v.d%d%s NULLS LAST, ", o.By, down))
	case !o.Dimension && len(a.q.Measures) > 0:
		a.write(a.number(o.By, joined) + down + " NULLS LAST, ")
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
