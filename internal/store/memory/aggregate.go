package memory

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// Aggregate implements [store.Store].
func (s *Store) Aggregate(ctx context.Context, q store.AggregateQuery) (*store.Aggregates, error) {
	if err := cmp.Or(q.Check(), ctx.Err()); err != nil {
		return nil, err
	}
	rows := s.rows(&q.Subset)
	out := &store.Aggregates{Rows: int64(len(rows))}
	for _, g := range groupRows(rows, q.By) {
		group := store.Group{Values: g.values, Count: int64(len(g.rows))}
		for i := range q.Measures {
			group.Numbers = append(group.Numbers, measure(g.rows, &q.Measures[i]))
		}
		out.Groups = append(out.Groups, group)
	}
	slices.SortFunc(out.Groups, func(a, b store.Group) int { return compareGroups(&q, &a, &b) })
	out.Found = int64(len(out.Groups))
	limit := q.Limit
	if limit == 0 {
		limit = store.MaxGroups
	}
	for len(out.Groups) > limit {
		out.Other += out.Groups[len(out.Groups)-1].Count
		out.Groups = out.Groups[:len(out.Groups)-1]
	}
	return out, nil
}

type group struct {
	values []store.Value
	rows   []row
}

// groupRows are the groups of rows, in no order. Without a dimension there is one, whether it has rows or not.
func groupRows(rows []row, by []store.Dimension) []*group {
	if len(by) == 0 {
		return []*group{{rows: rows}}
	}
	var list []*group
	groups := make(map[[store.MaxDimensions]store.Value]*group)
	for _, r := range rows {
		keys := [][store.MaxDimensions]store.Value{{}}
		for i := range by {
			var longer [][store.MaxDimensions]store.Value
			for _, key := range keys {
				for _, v := range valuesOf(r, &by[i]) {
					key[i] = v
					longer = append(longer, key)
				}
			}
			keys = longer
		}
		for _, key := range keys {
			g := groups[key]
			if g == nil {
				g = &group{values: slices.Clone(key[:len(by)])}
				groups[key] = g
				list = append(list, g)
			}
			g.rows = append(g.rows, r)
		}
	}
	return list
}

func compareGroups(q *store.AggregateQuery, a, b *store.Group) int {
	order, values := 0, func(i int) int { return compareValues(&q.By[i], a.Values[i], b.Values[i]) }
	switch o := q.Order; {
	case o.Dimension && len(q.By) > 0:
		order = values(o.By)
		if o.Descending && a.Values[o.By].Absent == b.Values[o.By].Absent {
			order = -order
		}
	case !o.Dimension && len(q.Measures) > 0:
		x, y := a.Numbers[o.By], b.Numbers[o.By]
		order = cmp.Compare(truth(math.IsNaN(x)), truth(math.IsNaN(y)))
		if order == 0 {
			if order = cmp.Compare(x, y); o.Descending {
				order = -order
			}
		}
	}
	for i := 0; order == 0 && i < len(q.By); i++ {
		order = values(i)
	}
	return order
}

func measure(rows []row, m *store.Measure) float64 {
	switch m.Kind {
	case store.MeasureCount:
		return float64(len(rows))
	case store.MeasureUnique, store.MeasureApproxUnique:
		seen := make(map[store.Value]bool)
		for _, r := range rows {
			for _, v := range valuesOf(r, &m.Of) {
				if !v.Absent {
					seen[v] = true
				}
			}
		}
		return float64(len(seen))
	case store.MeasureMin, store.MeasureMax, store.MeasureAvg, store.MeasureSum, store.MeasurePercentile:
	}
	scale := 1.0
	if m.Field.Type == filter.TypeDuration {
		scale = 1e-3 // milliseconds; whole numbers add up exactly
	}
	return scale * measureNumbers(rows, m)
}

// measureNumbers is a measure of a field of numbers.
func measureNumbers(rows []row, m *store.Measure) float64 {
	var numbers []float64
	sum := 0.0
	for _, r := range rows {
		if n, found := number(r, m.Field); found {
			numbers = append(numbers, n)
			sum += n
		}
	}
	if len(numbers) == 0 {
		return store.Absent()
	}
	slices.Sort(numbers)
	n := float64(len(numbers))
	switch m.Kind {
	case store.MeasureMin:
		return numbers[0]
	case store.MeasureMax:
		return numbers[len(numbers)-1]
	case store.MeasureAvg:
		return sum / n
	case store.MeasurePercentile: // the nearest rank
		return numbers[rank(len(numbers), m.Percentile)]
	default:
		return sum
	}
}

// rank is the place of a percentile among n sorted numbers: the first that so many of them do not exceed.
func rank(n int, percentile float64) int {
	share := int(math.Round(percentile * 1000)) // of 100,000
	return max((n*share+99_999)/100_000, 1) - 1
}
