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
	parts := make([]part, len(by))
	if x.dataset != store.DatasetSessions && len(by) > 0 {
		parts = x.parts(by, q.Filter == nil && q.Session.IsZero())
	}
	for i := range by {
		d, p := &by[i], &parts[i]
		x.table(fmt.Sprintf("f%d", i))
		if p.table == "" {
			x.write("SELECT " + d.rowExpr("l") + " AS d, count(*) AS n")
			x.from()
			x.join(d, "l", d.keys[0])
		} else {
			x.write("SELECT " + p.expr(d, "l") + " AS d, sum(e.n)::BIGINT AS n FROM " + p.table + " e")
			x.join(d, "l", p.keys[0])
			x.write(" WHERE " + p.condition)
		}
		x.write(" GROUP BY 1)")
	}
	x.write(" SELECT -1, NULL, (SELECT ")
	if len(parts) > 0 && parts[0].table != "" {
		x.write("coalesce(sum(e.n), 0)::BIGINT FROM " + parts[0].table + " e WHERE " + parts[0].condition)
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

// part is where rows are added up by the keys of a dimension.
type part struct {
	table     string
	keys      []string // columns of it
	condition string   // which of its rows
}

// expr is the value of a dimension of a row e of it.
func (p *part) expr(d *dimension, lookup string) string {
	out := strings.ReplaceAll(d.value, "{l}", lookup)
	for i, key := range p.keys {
		out = strings.ReplaceAll(out, fmt.Sprintf("{%d}", i), key)
	}
	return out
}

// parts adds up exchanges by the keys of dimensions; several dimensions have the same, such as the number of the endpoint.
// Each different choice of keys is added up by itself, which DuckDB does fastest: but for those of a filter, which might
// be dear to look through several times. Then it is done in one look.
func (x *subset) parts(by []dimension, apart bool) []part {
	parts := make([]part, len(by))
	var names, exprs, sets []string
	for i := range by {
		p := &parts[i]
		if by[i].mixed { // there are nearly as many parts as rows
			continue
		}
		for _, key := range by[i].keys {
			at := slices.Index(exprs, key)
			if at < 0 {
				at = len(exprs)
				names, exprs = append(names, fmt.Sprintf("c%d", at)), append(exprs, key)
			}
			p.keys = append(p.keys, "e."+names[at])
		}
		if set := "(" + strings.ReplaceAll(strings.Join(p.keys, ", "), "e.", "") + ")"; !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	if len(sets) == 0 {
		return parts
	}
	var columns []string
	for i := range names {
		columns = append(columns, exprs[i]+" AS "+names[i])
	}
	if apart {
		for i := range sets {
			x.table(fmt.Sprintf("k%d", i))
			list := strings.Trim(sets[i], "()")
			x.write("SELECT " + list + ", count(*) AS n FROM (SELECT " + strings.Join(columns, ", "))
			x.from()
			x.write(") GROUP BY " + list + ")")
		}
	} else {
		all := strings.Join(names, ", ")
		x.table("k")
		x.write("SELECT " + all + ", grouping(" + all + ") AS s, count(*) AS n FROM (SELECT " + strings.Join(columns, ", "))
		x.from()
		x.write(") GROUP BY GROUPING SETS (" + strings.Join(sets, ", ") + "))")
	}
	for i := range parts {
		p := &parts[i]
		if by[i].mixed {
			continue
		}
		set := "(" + strings.ReplaceAll(strings.Join(p.keys, ", "), "e.", "") + ")"
		if apart {
			p.table, p.condition = fmt.Sprintf("k%d", slices.Index(sets, set)), "true"
			continue
		}
		mask := 1<<len(names) - 1 // grouping says which columns are not in the set, the first one as the highest bit
		for c, name := range names {
			if slices.Contains(p.keys, "e."+name) {
				mask &^= 1 << (len(names) - 1 - c)
			}
		}
		p.table, p.condition = "k", fmt.Sprintf("e.s = %d", mask)
	}
	return parts
}
