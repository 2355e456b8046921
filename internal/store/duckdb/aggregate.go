package duckdb

import (
	"context"
	"database/sql"

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
		group, all, err := a.scan(rows, out)
		out.Groups = append(out.Groups, group)
		listed += group.Count
		out.Other = all - listed
		return err
	}, x.sql.String(), x.args...)
	return out, err
}

// scan reads a group, and what every row says of all of them.
func (a *aggregation) scan(rows *sql.Rows, out *store.Aggregates) (group store.Group, all int64, err error) {
	texts, numbers := make([]sql.NullString, len(a.by)), make([]sql.NullFloat64, len(a.q.Measures))
	to := []any{&group.Count, &out.Found, &all, &out.Rows}
	for i := range texts {
		to = append(to, &texts[i])
	}
	for i := range numbers {
		to = append(to, &numbers[i])
	}
	if err := rows.Scan(to...); err != nil {
		return group, 0, err
	}
	for i := range texts {
		v, err := a.by[i].decode(texts[i].String, texts[i].Valid)
		if err != nil {
			return group, 0, err
		}
		group.Values = append(group.Values, v)
	}
	for i := range numbers {
		n := store.Absent()
		if numbers[i].Valid {
			n = numbers[i].Float64 * scale(&a.q.Measures[i])
		}
		group.Numbers = append(group.Numbers, n)
	}
	return group, all, nil
}
