package duckdb

import (
	"context"
	"database/sql"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// Histogram implements [store.Store].
func (s *Store) Histogram(ctx context.Context, q store.HistogramQuery) (*store.Histogram, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	out, err := s.histogram(ctx, &q)
	return out, s.operational("count "+string(q.Dataset)+" over time", err)
}

func (s *Store) histogram(ctx context.Context, q *store.HistogramQuery) (*store.Histogram, error) {
	span, err := s.spanOf(ctx, q)
	if err != nil {
		return nil, err
	}
	h := store.NewHistogram(q.Dataset, q.Axis(span))
	if h.Buckets == 0 {
		return h, nil
	}
	q.Since, q.Until = h.Since, h.Until
	if q.Dataset == store.DatasetSessions {
		return h, s.sessionHistogram(ctx, q, h)
	}
	x, err := s.subset(ctx, &q.Subset, nil)
	if err != nil {
		return h, err
	}
	first := store.BucketNumber(h.Start, h.Width)
	status := dimension{Dimension: store.Dimension{Class: true}}
	x.write(" SELECT " + bucketSQL("e.time", h.Width.Microseconds()) + ", " + classSQL + ", count(*)")
	x.from()
	x.write(" GROUP BY 1, 2")
	return h, s.query(ctx, func(rows *sql.Rows) error {
		var bucket, count int64
		var class sql.NullString
		if err := rows.Scan(&bucket, &class, &count); err != nil {
			return err
		}
		series, err := status.decode(class.String, class.Valid)
		if series.Absent {
			series.Text = store.NoStatus
		}
		h.Counts[bucket-first][h.Place(series.Text)] += count
		h.Rows += count
		return err
	}, x.sql.String(), x.args...)
}

// spanOf is the time that bounds a histogram which is not bounded by its query.
func (s *Store) spanOf(ctx context.Context, q *store.HistogramQuery) (store.Span, error) {
	if q.Session.IsZero() {
		return s.Span(ctx)
	}
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return store.Span{}, err
	}
	m, err := s.members(ctx, q.Session, merges)
	span := store.Span{First: m.first, Last: m.last}
	if !m.last.IsZero() {
		span.Exchanges = 1 // or more
	}
	return span, err
}

// sessionHistogram counts where sessions begin and where they no longer are; what lies between follows.
func (s *Store) sessionHistogram(ctx context.Context, q *store.HistogramQuery, h *store.Histogram) error {
	state := store.Dimension{Field: filter.Sessions().Lookup("state")}
	x, err := s.subset(ctx, &q.Subset, []store.Dimension{state})
	if err != nil {
		return err
	}
	width := h.Width.Microseconds()
	x.write(" SELECT b, state, sum(n)::BIGINT, count(*) FILTER (WHERE n > 0) FROM (SELECT "+
		bucketSQL("greatest(first_seen, ?::TIMESTAMP)", width)+" AS b, state, 1 AS n FROM x UNION ALL SELECT "+
		bucketSQL("last_seen", width)+" + 1, state, -1 FROM x) GROUP BY 1, 2", h.Since)
	first := store.BucketNumber(h.Start, h.Width)
	err = s.query(ctx, func(rows *sql.Rows) error {
		var bucket, change, began int64
		var state string
		if err := rows.Scan(&bucket, &state, &change, &began); err != nil {
			return err
		}
		h.Rows += began
		if at := bucket - first; at < int64(h.Buckets) { // the others go on behind the last stretch
			h.Counts[at][h.Place(state)] += change
		}
		return nil
	}, x.sql.String(), x.args...)
	for i := 1; i < h.Buckets; i++ {
		for place := range h.Series {
			h.Counts[i][place] += h.Counts[i-1][place]
		}
	}
	return err
}
