package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/seshat-project/seshat/internal/store"
)

// Facets implements [store.Store].
func (s *Store) Facets(ctx context.Context, q store.FacetQuery) (*store.Facets, error) {
	if err := cmp.Or(q.Check(), ctx.Err()); err != nil {
		return nil, err
	}
	rows := s.rows(&q.Subset)
	out := &store.Facets{Rows: int64(len(rows))}
	limit := q.Limit
	if limit == 0 {
		limit = store.MaxFacetValues
	}
	for i := range q.By {
		d := &q.By[i]
		groups := groupRows(rows, q.By[i:i+1])
		slices.SortFunc(groups, func(a, b *group) int {
			return cmp.Or(cmp.Compare(len(b.rows), len(a.rows)), compareValues(d, a.values[0], b.values[0]))
		})
		facet := store.Facet{Found: int64(len(groups))}
		for n, g := range groups {
			if n < limit {
				facet.Values = append(facet.Values, store.Counted{Value: g.values[0], Count: int64(len(g.rows))})
			} else {
				facet.Other += int64(len(g.rows))
			}
		}
		out.Facets = append(out.Facets, facet)
	}
	return out, nil
}

// Histogram implements [store.Store].
func (s *Store) Histogram(ctx context.Context, q store.HistogramQuery) (*store.Histogram, error) {
	if err := cmp.Or(q.Check(), ctx.Err()); err != nil {
		return nil, err
	}
	h := store.NewHistogram(q.Dataset, q.Axis(s.spanOf(store.Query{Session: q.Session})))
	if h.Buckets == 0 {
		return h, nil
	}
	q.Since, q.Until = h.Since, h.Until
	for _, r := range s.rows(&q.Subset) {
		h.Rows++
		if r.session != nil {
			place := h.Place(string(r.session.State))
			for i := h.Stretch(later(r.session.FirstSeen, h.Since)); i <= h.Stretch(r.session.LastSeen); i++ {
				h.Counts[i][place]++
			}
			continue
		}
		class := store.StatusClass(r.exchanges[0].Status)
		h.Counts[h.Stretch(r.exchanges[0].Time)][h.Place(cmp.Or(class, store.NoStatus))]++
	}
	return h, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// spanOf is the extent of some exchanges.
func (s *Store) spanOf(q store.Query) store.Span {
	list := s.selectExchanges(q)
	if len(list) == 0 {
		return store.Span{}
	}
	return store.Span{First: list[len(list)-1].Time, Last: list[0].Time, Exchanges: int64(len(list))}
}
