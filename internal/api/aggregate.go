package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// SubsetInput is what is counted.
type SubsetInput struct {
	Filter  string `query:"filter" maxLength:"8192" doc:"An expression of the filter language." example:"user:alice status:>=400"`
	Since   string `query:"since" maxLength:"64" doc:"From when: a time (RFC 3339), or a length of time before now. Everything when it is absent." example:"24h"`
	Until   string `query:"until" maxLength:"64" doc:"Until when, not included: as since."`
	Now     string `query:"now" maxLength:"64" doc:"The time by which active and idle sessions are told apart, and from which lengths of time count back (RFC 3339); now when it is absent."`
	Session string `query:"session" maxLength:"36" doc:"The whole ID of the only session that is counted."`
}

// subset reads it.
func (in *SubsetInput) subset(d store.Dataset, now time.Time) (store.Subset, error) {
	q := store.Subset{Dataset: d, Query: store.Query{Now: now}}
	var err error
	if in.Now != "" {
		if q.Now, err = time.Parse(time.RFC3339Nano, in.Now); err != nil {
			return q, usage("now", "it is not a time", "such as 2026-01-02T15:04:05Z")
		}
		q.Now = q.Now.UTC()
	}
	if q.Since, err = parseTime("since", in.Since, q.Now); err != nil {
		return q, err
	}
	if q.Until, err = parseTime("until", in.Until, q.Now); err != nil {
		return q, err
	}
	if in.Session != "" {
		if q.Session, err = parseSession(in.Session); err != nil {
			return q, err
		}
	}
	q.Filter, err = filter.Parse(in.Filter, store.FieldsOf(d), q.Now)
	return q, err
}

type aggregateInput struct {
	SubsetInput
	By      []string `query:"by,explode" maxItems:"3" doc:"What to group by: a field (docs/filter.md), attr.NAME, status_class, or a field of time with a width, such as time:5m. Several make groups of each combination." example:"endpoint"`
	Measure []string `query:"measure,explode" maxItems:"8" doc:"What to say of each group: count (when none is given), unique:FIELD, approx_unique:FIELD, and min, max, avg, sum or a percentile such as p95 or p99.9 of a field of numbers, such as p95:duration." example:"p95:duration"`
	Order   string   `query:"order" maxLength:"512" doc:"One of the measures or of what is grouped by, with - before it for the greatest first. The first measure when it is absent, the greatest first; or time." example:"-p95:duration"`
	Limit   int      `query:"limit" minimum:"1" maximum:"10000" default:"50" doc:"How many groups at most."`
}

type facetsInput struct {
	SubsetInput
	Field []string `query:"field,explode" maxItems:"16" doc:"The fields whose values are counted, written as by of aggregates; a usual choice when it is absent." example:"method"`
	Limit int      `query:"limit" minimum:"1" maximum:"100" default:"10" doc:"How many values of each at most."`
}

type histogramInput struct {
	SubsetInput
	Buckets int `query:"buckets" minimum:"1" maximum:"500" default:"60" doc:"How many buckets at most. Their width is the smallest usual one that needs no more, such as 5m, 1h or 1d."`
}

// defaultFacets are the fields whose values are counted when none are named: what people look at first.
func defaultFacets(d store.Dataset) []string {
	if d == store.DatasetSessions {
		return []string{"state", "user", "role", "service", "flow", "identified_by", "environment", "ended_by"}
	}
	return []string{"method", "status", "service", "endpoint", "user", "flow", "identifier", "verdict"}
}

func (s *server) registerAggregates() {
	for _, d := range []store.Dataset{store.DatasetExchanges, store.DatasetSessions} {
		tag, name := tagExchanges, string(d)
		if d == store.DatasetSessions {
			tag = tagSessions
		}
		operation := func(path, id, summary, more string) huma.Operation {
			op := s.operation("GET", "/api/v1/"+path+"/"+name, id+"-"+name, tag, summary)
			op.Description += " " + more
			return op
		}
		register(s, operation("aggregates", "aggregate", "Group "+name+", and say numbers of each group",
			"What has several values of a field, such as several flows, is in the group of each; what has none is in a group of its own, which is marked absent. Text counts with its case."),
			func(ctx context.Context, in *aggregateInput) (*output[*wire.Aggregates], error) {
				return s.aggregate(ctx, d, in)
			})
		register(s, operation("facets", "count-values-of", "Count the values of fields of "+name, "Of several fields at once, the most frequent values first."),
			func(ctx context.Context, in *facetsInput) (*output[*wire.Facets], error) { return s.facets(ctx, d, in) })
		more := "Split by the first digit of the status. Without since and until, over all that is stored."
		if d == store.DatasetSessions {
			more = "Split by state. A session counts in every bucket that it touches, as since and until mean it of lists: choosing a bucket finds as many sessions as it counts."
		}
		register(s, operation("histograms", "histogram-of", "Count "+name+" over time", more),
			func(ctx context.Context, in *histogramInput) (*output[*wire.Histogram], error) {
				return s.histogram(ctx, d, in)
			})
	}
}

func (s *server) aggregate(ctx context.Context, d store.Dataset, in *aggregateInput) (*output[*wire.Aggregates], error) {
	subset, err := in.subset(d, s.Now())
	if err != nil {
		return nil, err
	}
	q := store.AggregateQuery{Subset: subset, Limit: in.Limit}
	if q.By, err = dimensions("by", in.By, d); err != nil {
		return nil, err
	}
	if len(in.Measure) == 0 {
		in.Measure = []string{"count"}
	}
	for _, text := range in.Measure {
		m, err := store.ParseMeasure("measure", text, store.FieldsOf(d))
		if err != nil {
			return nil, err
		}
		q.Measures = append(q.Measures, m)
	}
	if q.Order, err = store.ParseOrder("order", in.Order, &q); err != nil {
		return nil, err
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	a, err := reader.Aggregate(ctx, q)
	if err != nil {
		return nil, err
	}
	return &output[*wire.Aggregates]{wire.NewAggregates(&q, a)}, nil
}

// dimensions reads fields to group by. An empty text is none.
func dimensions(op string, texts []string, d store.Dataset) ([]store.Dimension, error) {
	var out []store.Dimension
	for _, text := range texts {
		if text == "" {
			continue
		}
		one, err := store.ParseDimension(op, text, store.FieldsOf(d))
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *server) facets(ctx context.Context, d store.Dataset, in *facetsInput) (*output[*wire.Facets], error) {
	subset, err := in.subset(d, s.Now())
	if err != nil {
		return nil, err
	}
	q := store.FacetQuery{Subset: subset, Limit: in.Limit}
	if in.Field == nil {
		in.Field = defaultFacets(d)
	}
	if q.By, err = dimensions("field", in.Field, d); err != nil {
		return nil, err
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	f, err := reader.Facets(ctx, q)
	if err != nil {
		return nil, err
	}
	return &output[*wire.Facets]{wire.NewFacets(&q, f)}, nil
}

func (s *server) histogram(ctx context.Context, d store.Dataset, in *histogramInput) (*output[*wire.Histogram], error) {
	subset, err := in.subset(d, s.Now())
	if err != nil {
		return nil, err
	}
	q := store.HistogramQuery{Subset: subset, Buckets: in.Buckets}
	if _, err := seshat.ParseDuration(in.Since); err == nil && in.Until == "" {
		q.Until = q.Now // the last hour lasts until now, whatever was seen in it
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	h, err := reader.Histogram(ctx, q)
	if err != nil {
		return nil, err
	}
	return &output[*wire.Histogram]{wire.NewHistogram(d, h)}, nil
}
