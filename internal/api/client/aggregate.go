package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/store"
)

// Count asks for numbers about exchanges or sessions, in the words of the API: see docs/api.md.
type Count struct {
	Filter       string
	Since, Until string   // times, or lengths of time before now
	Session      string   // the ID of the only session that is counted
	By           []string // of aggregates
	Measures     []string // of aggregates
	Order        string   // of aggregates
	Fields       []string // of facets
	Limit        int      // of aggregates and facets; 0 is what the API takes by itself
	Buckets      int      // of histograms; 0 is what the API takes by itself
}

func (q *Count) query() url.Values {
	out := url.Values{}
	for name, v := range map[string]string{"filter": q.Filter, "since": q.Since, "until": q.Until, "session": q.Session, "order": q.Order} {
		if v != "" {
			out.Set(name, v)
		}
	}
	for name, list := range map[string][]string{"by": q.By, "measure": q.Measures, "field": q.Fields} {
		if len(list) > 0 {
			out[name] = list
		}
	}
	for name, n := range map[string]int{"limit": q.Limit, "buckets": q.Buckets} {
		if n > 0 {
			out.Set(name, strconv.Itoa(n))
		}
	}
	return out
}

// Aggregates returns groups with numbers.
func (c *Client) Aggregates(ctx context.Context, d store.Dataset, q *Count) (*wire.Aggregates, error) {
	return counted[wire.Aggregates](ctx, c, "/aggregates/", d, q.query())
}

// FacetsOf returns the most frequent values of fields.
func (c *Client) FacetsOf(ctx context.Context, d store.Dataset, q *Count) (*wire.Facets, error) {
	return counted[wire.Facets](ctx, c, "/facets/", d, q.query())
}

// HistogramOf returns counts over time.
func (c *Client) HistogramOf(ctx context.Context, d store.Dataset, q *Count) (*wire.Histogram, error) {
	return counted[wire.Histogram](ctx, c, "/histograms/", d, q.query())
}

func counted[T any](ctx context.Context, c *Client, path string, d store.Dataset, query url.Values) (*T, error) {
	var out T
	err := c.json(ctx, request{method: http.MethodGet, path: path + segment(string(d)), query: query}, nil, &out)
	return &out, err
}

// subsetParameters are a subset as the API takes it. What counts as revoked is a matter of the instance.
func subsetParameters(q *store.Subset) url.Values {
	plain := q.Query
	plain.Limit, plain.OldestFirst = 0, false
	out := parameters(&plain)
	if !q.Session.IsZero() {
		out.Set("session", q.Session.String())
	}
	return out
}

// Aggregate implements [store.Reader].
func (c *Client) Aggregate(ctx context.Context, q store.AggregateQuery) (*store.Aggregates, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	query := subsetParameters(&q.Subset)
	for i := range q.By {
		query.Add("by", q.By[i].String())
	}
	for i := range q.Measures {
		query.Add("measure", q.Measures[i].String())
	}
	order := ""
	switch o := q.Order; {
	case o.Dimension && len(q.By) > 0:
		order = q.By[o.By].String()
	case !o.Dimension && len(q.Measures) > 0:
		order = q.Measures[o.By].String()
	}
	if order != "" {
		if q.Order.Descending {
			order = "-" + order
		}
		query.Set("order", order)
	}
	if q.Limit == 0 {
		q.Limit = store.MaxGroups
	}
	query.Set("limit", strconv.Itoa(q.Limit))
	out, err := counted[wire.Aggregates](ctx, c, "/aggregates/", q.Dataset, query)
	if err != nil {
		return nil, err
	}
	return out.StoreAggregates(), nil
}

// Facets implements [store.Reader].
func (c *Client) Facets(ctx context.Context, q store.FacetQuery) (*store.Facets, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if len(q.By) == 0 { // the API would take some by itself
		all, err := c.Aggregate(ctx, store.AggregateQuery{Subset: q.Subset})
		if err != nil {
			return nil, err
		}
		return &store.Facets{Rows: all.Rows}, nil
	}
	query := subsetParameters(&q.Subset)
	for i := range q.By {
		query.Add("field", q.By[i].String())
	}
	if q.Limit == 0 {
		q.Limit = store.MaxFacetValues
	}
	query.Set("limit", strconv.Itoa(q.Limit))
	out, err := counted[wire.Facets](ctx, c, "/facets/", q.Dataset, query)
	if err != nil {
		return nil, err
	}
	return out.StoreFacets(), nil
}

// Histogram implements [store.Reader].
func (c *Client) Histogram(ctx context.Context, q store.HistogramQuery) (*store.Histogram, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	query := subsetParameters(&q.Subset)
	query.Set("buckets", strconv.Itoa(q.Buckets))
	out, err := counted[wire.Histogram](ctx, c, "/histograms/", q.Dataset, query)
	if err != nil {
		return nil, err
	}
	return out.StoreHistogram()
}
