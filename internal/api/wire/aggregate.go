package wire

import (
	"fmt"
	"math"
	"time"

	"github.com/seshat-project/seshat/internal/store"
)

// GroupValue is a value of a dimension.
type GroupValue struct {
	Value  string `json:"value" doc:"The text, number, address or time (the beginning of the stretch); empty when absent."`
	Absent bool   `json:"absent,omitempty" doc:"They have no value."`
	Filter string `json:"filter,omitempty" doc:"The filter that selects them; absent where the filter language cannot say it. It has no regard to case."`
}

// FacetValue is a value with how many there are.
type FacetValue struct {
	GroupValue
	Count int64 `json:"count"`
}

// GroupedBy is a dimension that rows are grouped by.
type GroupedBy struct {
	Name  string `json:"name" doc:"As it is asked for."`
	Field string `json:"field"`
	Type  string `json:"type" enum:"text,enum,number,bytes,duration,time,IP,endpoint"`
	Many  bool   `json:"many,omitempty" doc:"One may have several values, and is counted under each."`
}

// Measured is a measure.
type Measured struct {
	Name        string `json:"name" doc:"As it is asked for."`
	Unit        string `json:"unit,omitempty" enum:"ms,bytes" doc:"Absent of plain numbers."`
	Approximate bool   `json:"approximate,omitempty" doc:"The number is a tenth or so more or less."`
}

// Group is those that have the same values.
type Group struct {
	Values  []GroupValue `json:"values" nullable:"false" doc:"Of the dimensions, in their order."`
	Count   int64        `json:"count"`
	Numbers []*float64   `json:"numbers" nullable:"false" doc:"The measures, in their order; null where there is nothing to measure."`
}

// Aggregates are numbers about groups of exchanges or sessions.
type Aggregates struct {
	Dataset  string      `json:"dataset" enum:"exchanges,sessions"`
	Since    time.Time   `json:"since,omitzero"`
	Until    time.Time   `json:"until,omitzero"`
	By       []GroupedBy `json:"by" nullable:"false"`
	Measures []Measured  `json:"measures" nullable:"false"`
	Groups   []Group     `json:"groups" nullable:"false"`
	Found    int64       `json:"found" doc:"How many groups there are."`
	Total    int64       `json:"total" doc:"How many exchanges or sessions are counted, each once."`
	Other    int64       `json:"other" doc:"What the counts of the groups that are not listed add up to."`
}

// Facet is the most frequent values of a field.
type Facet struct {
	GroupedBy
	Values []FacetValue `json:"values" nullable:"false" doc:"The most frequent first."`
	Found  int64        `json:"found" doc:"How many different ones there are, absence included."`
	Other  int64        `json:"other" doc:"What the counts of those that are not listed add up to."`
}

// Facets are the most frequent values of several fields.
type Facets struct {
	Dataset string    `json:"dataset" enum:"exchanges,sessions"`
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Facets  []Facet   `json:"facets" nullable:"false"`
	Total   int64     `json:"total" doc:"How many exchanges or sessions are counted, each once."`
}

// Histogram is counts over time.
type Histogram struct {
	Dataset string    `json:"dataset" enum:"exchanges,sessions"`
	Since   time.Time `json:"since,omitzero" doc:"What is counted: as it was asked for, or as it is stored."`
	Until   time.Time `json:"until,omitzero" doc:"Not included."`
	Width   string    `json:"width" doc:"Of a bucket, such as 5m or 1d." example:"5m"`
	WidthMS int64     `json:"width_ms" doc:"The same in milliseconds."`
	Series  []string  `json:"series" nullable:"false" doc:"What counts are split by: the first digit of the status of exchanges, the state of sessions."`
	Buckets []Bucket  `json:"buckets" nullable:"false" doc:"One after the other without a gap. The first and the last may reach beyond since and until; what is there is not counted."`
	Total   int64     `json:"total" doc:"How many exchanges or sessions are counted, each once."`
}

// Bucket is a stretch of time.
type Bucket struct {
	Time   time.Time `json:"time" doc:"Where it begins."`
	Counts []int64   `json:"counts" nullable:"false" doc:"Of the series, in their order."`
	Total  int64     `json:"total"`
}

func newGroupedBy(d *store.Dimension) GroupedBy {
	return GroupedBy{Name: d.String(), Field: d.Field.Name, Type: d.Field.Type.String(), Many: d.Field.Many}
}

// NewAggregates is the answer to q as it goes over the wire.
func NewAggregates(q *store.AggregateQuery, a *store.Aggregates) *Aggregates {
	out := &Aggregates{
		Dataset: string(q.Dataset), Since: q.Since, Until: q.Until, By: make([]GroupedBy, len(q.By)), Measures: make([]Measured, len(q.Measures)),
		Groups: make([]Group, len(a.Groups)), Found: a.Found, Total: a.Rows, Other: a.Other,
	}
	for i := range q.By {
		out.By[i] = newGroupedBy(&q.By[i])
	}
	for i := range q.Measures {
		m := &q.Measures[i]
		out.Measures[i] = Measured{Name: m.String(), Unit: m.Unit(), Approximate: m.Kind == store.MeasureApproxUnique}
	}
	fields := store.FieldsOf(q.Dataset)
	for i := range a.Groups {
		from, to := &a.Groups[i], &out.Groups[i]
		to.Count = from.Count
		to.Values = make([]GroupValue, len(from.Values))
		for n, v := range from.Values {
			to.Values[n] = GroupValue{Value: v.Text, Absent: v.Absent, Filter: q.By[n].Filter(fields, v)}
		}
		to.Numbers = make([]*float64, len(from.Numbers))
		for n := range from.Numbers {
			if !math.IsNaN(from.Numbers[n]) {
				to.Numbers[n] = &from.Numbers[n]
			}
		}
	}
	return out
}

// StoreAggregates is what a was made of.
func (a *Aggregates) StoreAggregates() *store.Aggregates {
	out := &store.Aggregates{Found: a.Found, Rows: a.Total, Other: a.Other}
	for i := range a.Groups {
		g := store.Group{Count: a.Groups[i].Count}
		for _, v := range a.Groups[i].Values {
			g.Values = append(g.Values, store.Value{Text: v.Value, Absent: v.Absent})
		}
		for _, n := range a.Groups[i].Numbers {
			if n == nil {
				g.Numbers = append(g.Numbers, store.Absent())
			} else {
				g.Numbers = append(g.Numbers, *n)
			}
		}
		out.Groups = append(out.Groups, g)
	}
	return out
}

// NewFacets is the answer to q as it goes over the wire.
func NewFacets(q *store.FacetQuery, f *store.Facets) *Facets {
	out := &Facets{Dataset: string(q.Dataset), Since: q.Since, Until: q.Until, Facets: make([]Facet, len(f.Facets)), Total: f.Rows}
	fields := store.FieldsOf(q.Dataset)
	for i := range f.Facets {
		from, to := &f.Facets[i], &out.Facets[i]
		to.GroupedBy, to.Found, to.Other = newGroupedBy(&q.By[i]), from.Found, from.Other
		to.Values = make([]FacetValue, len(from.Values))
		for n, v := range from.Values {
			to.Values[n] = FacetValue{GroupValue: GroupValue{Value: v.Text, Absent: v.Absent, Filter: q.By[i].Filter(fields, v.Value)}, Count: v.Count}
		}
	}
	return out
}

// StoreFacets is what f was made of.
func (f *Facets) StoreFacets() *store.Facets {
	out := &store.Facets{Rows: f.Total, Facets: make([]store.Facet, len(f.Facets))}
	for i := range f.Facets {
		to := &out.Facets[i]
		to.Found, to.Other = f.Facets[i].Found, f.Facets[i].Other
		for _, v := range f.Facets[i].Values {
			to.Values = append(to.Values, store.Counted{Value: store.Value{Text: v.Value, Absent: v.Absent}, Count: v.Count})
		}
	}
	return out
}

// NewHistogram is h as it goes over the wire.
func NewHistogram(d store.Dataset, h *store.Histogram) *Histogram {
	out := &Histogram{
		Dataset: string(d), Since: h.Since, Until: h.Until, Width: store.WidthText(h.Width), WidthMS: h.Width.Milliseconds(), Series: h.Series,
		Buckets: make([]Bucket, h.Buckets), Total: h.Rows,
	}
	for i := range out.Buckets {
		out.Buckets[i] = Bucket{Time: h.Time(i), Counts: h.Counts[i]}
		for _, n := range h.Counts[i] {
			out.Buckets[i].Total += n
		}
	}
	return out
}

// StoreHistogram is what h was made of.
func (h *Histogram) StoreHistogram() (*store.Histogram, error) {
	out := &store.Histogram{Series: h.Series, Rows: h.Total, Axis: store.Axis{
		Since: h.Since, Until: h.Until, Start: h.Since, Width: time.Duration(h.WidthMS) * time.Millisecond, Buckets: len(h.Buckets),
	}}
	for i := range h.Buckets {
		if i == 0 {
			out.Start = h.Buckets[i].Time
		}
		if len(h.Buckets[i].Counts) != len(h.Series) {
			return nil, fmt.Errorf("a bucket has %d counts; %d are in the series", len(h.Buckets[i].Counts), len(h.Series))
		}
		out.Counts = append(out.Counts, h.Buckets[i].Counts)
	}
	return out, nil
}
