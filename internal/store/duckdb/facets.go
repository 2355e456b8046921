package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/store"
)

// Facets implements [store.Store].
func (s *Store) Facets(ctx context.Context, q store.FacetQuery) (*store.Facets, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	out, err := s.facets(ctx, &q)
	return out, s.operational("count the values of "+string(q.Dataset), err)
}

func (s *Store) facets(ctx context.Context, q *store.FacetQuery) (*store.Facets, error) {
	x, err := s.subset(ctx, &q.Subset, q.By)
	if err != nil {
		return nil, err
	}
	out := &store.Facets{Facets: make([]store.Facet, len(q.By))}
	by := x.facets(q)
	err = s.query(ctx, func(rows *sql.Rows) error {
		var i int
		var text sql.NullString
		var count, found, all int64
		if err := rows.Scan(&i, &text, &count, &found, &all); err != nil {
			return err
		}
		if i < 0 {
			out.Rows = count
			return nil
		}
		v, err := by[i].decode(text.String, text.Valid)
		f := &out.Facets[i]
		f.Values = append(f.Values, store.Counted{Value: v, Count: count})
		f.Found = found
		f.Other = all
		return err
	}, x.sql.String(), x.args...)
	for i := range out.Facets { // Other is all of them so far
		for _, v := range out.Facets[i].Values {
			out.Facets[i].Other -= v.Count
		}
	}
	return out, err
}

// facets writes the statement: a row for each value, with the number of its dimension, and one for all rows.
func (x *subset) facets(q *store.FacetQuery) []dimension {
	by := make([]dimension, len(q.By))
	for i := range q.By {
		by[i] = x.dimension(&q.By[i])
	}
	conditions, count := make([]string, len(by)), "count(*)"
	parts := x.dataset != store.DatasetSessions && len(by) > 0
	if parts {
		conditions, count = x.sets(by), "sum(e.n)::BIGINT"
	}
	for i := range by {
		value := by[i].expr("l")
		if parts && by[i].lookup == "" {
			value = fmt.Sprintf("e.k%d", i)
		}
		x.table(fmt.Sprintf("f%d", i))
		x.write("SELECT " + value + " AS d, " + count + " AS n")
		if parts {
			x.write(" FROM k e")
		} else {
			x.from()
		}
		x.join(&by[i], "l")
		if parts {
			x.write(" WHERE " + conditions[i])
		}
		x.write(" GROUP BY 1)")
	}
	x.write(" SELECT -1, NULL, (SELECT ")
	if parts {
		x.write("coalesce(sum(e.n), 0)::BIGINT FROM k e WHERE " + conditions[0])
	} else {
		x.write("count(*)")
		x.from()
	}
	x.write("), 0::BIGINT, 0::BIGINT")
	limit := q.Limit
	if limit == 0 {
		limit = store.MaxFacetValues
	}
	for i := range by {
		x.write(fmt.Sprintf(" UNION ALL (SELECT %d, d::VARCHAR, n, (SELECT count(*) FROM f%d), (SELECT sum(n)::BIGINT FROM f%d)"+
			" FROM f%d ORDER BY n DESC, d NULLS LAST LIMIT ?)", i, i, i, i), limit)
	}
	return by
}

// sets makes the table k: how many exchanges there are of each value of what the dimensions are looked up by, of all of
// them in one look at the exchanges. It returns the conditions that select the rows of each dimension.
func (x *subset) sets(by []dimension) []string {
	var names, exprs []string
	column := func(name, expr string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		names, exprs = append(names, name), append(exprs, expr)
		return len(names) - 1
	}
	sets := make([][]int, len(by))
	for i := range by {
		d := &by[i]
		if d.lookup == "" {
			sets[i] = []int{column(fmt.Sprintf("k%d", i), d.value)}
			continue
		}
		for _, name := range append([]string{d.on}, d.columns...) {
			sets[i] = append(sets[i], column(name, "e."+name))
		}
	}
	var selected, grouping []string
	for i := range names {
		selected = append(selected, exprs[i]+" AS "+names[i])
	}
	conditions := make([]string, len(by))
	for i, set := range sets {
		mask := 1<<len(names) - 1 // grouping says which columns are not in the set, the first one as the highest bit
		var in []string
		for _, c := range set {
			mask &^= 1 << (len(names) - 1 - c)
			in = append(in, names[c])
		}
		conditions[i] = fmt.Sprintf("e.s = %d", mask)
		if group := "(" + strings.Join(in, ", ") + ")"; !slices.Contains(grouping, group) {
			grouping = append(grouping, group)
		}
	}
	all := strings.Join(names, ", ")
	x.table("k")
	x.write("SELECT " + all + ", grouping(" + all + ") AS s, count(*) AS n FROM (SELECT " + strings.Join(selected, ", "))
	x.from()
	x.write(") GROUP BY GROUPING SETS (" + strings.Join(grouping, ", ") + "))")
	return conditions
}
