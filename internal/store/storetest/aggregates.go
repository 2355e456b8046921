package storetest

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// Aggregate makes a query of its written form.
func Aggregate(t testing.TB, d store.Dataset, by, measures, order string) store.AggregateQuery {
	t.Helper()
	q := store.AggregateQuery{Subset: store.Subset{Dataset: d, Query: store.Query{Now: now}}, By: Dimensions(t, d, by)}
	var err error
	for _, text := range strings.Fields(measures) {
		m, errMeasure := store.ParseMeasure("measure", text, store.FieldsOf(d))
		q.Measures = append(q.Measures, m)
		if errMeasure != nil {
			err = errMeasure
		}
	}
	if err == nil {
		q.Order, err = store.ParseOrder("order", order, &q)
	}
	if err != nil {
		t.Fatalf("aggregate %s by %q with %q in the order %q: %v", d, by, measures, order, err)
	}
	return q
}

// Dimensions makes dimensions of their written forms.
func Dimensions(t testing.TB, d store.Dataset, texts string) []store.Dimension {
	t.Helper()
	var by []store.Dimension
	for _, text := range strings.Fields(texts) {
		one, err := store.ParseDimension("by", text, store.FieldsOf(d))
		if err != nil {
			t.Fatalf("dimension %q of %s: %v", text, d, err)
		}
		by = append(by, one)
	}
	return by
}

// dimensionsOf are all that a dataset has, and some in several ways.
func dimensionsOf(d store.Dataset) []string {
	var list []string
	for _, f := range store.FieldsOf(d).All() {
		switch {
		case !f.Groups:
		case f.Family:
			list = append(list, f.Name+".cart", f.Name+".user", f.Name+".nobody", "attr.seshat.session.00000000-0000-0000-0000-000000000000.0.id")
		case f.Type == filter.TypeTime:
			list = append(list, f.Name+":5m", f.Name+":1d")
		default:
			list = append(list, f.Name)
		}
	}
	return append(list, store.StatusClassName)
}

func measuresOf(d store.Dataset) []string {
	list := []string{"count"}
	for _, f := range store.FieldsOf(d).All() {
		if f.Measures {
			for _, name := range []string{"min", "max", "avg", "sum", "p50", "p95", "p99.9"} {
				list = append(list, name+":"+f.Name)
			}
		}
	}
	for _, name := range dimensionsOf(d) {
		list = append(list, "unique:"+name)
	}
	return list
}

func subsets(d store.Dataset) []string {
	if d == store.DatasetSessions {
		return []string{"", "state:active", "user:*", "status:>=500", "-flow:checkout", "exchanges:>10", "user:nobody", "addresses:>4", "user_agents:>1 -users:>2 user:*", "networks:4 OR errors:>8"}
	}
	return []string{"", "status:>=400", "user:*", "-user:alice", "service:shop method:GET", "identifier:*", "user:nobody"}
}

// numbers are compared but for what rounding makes of sums.
func numbers() cmp.Options {
	return cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-9, 1e-9)}
}

func aggregates(t testing.TB, s store.Reader, q store.AggregateQuery) *store.Aggregates {
	t.Helper()
	got, err := s.Aggregate(context.Background(), q)
	if err != nil {
		t.Fatalf("Aggregate: %v", err)
	}
	return got
}

// testAggregates asks both for random numbers over random traffic.
func testAggregates(t *testing.T, open Open) {
	for seed := range uint64(2) {
		s, twin := open(t, now), memory.New(func() time.Time { return now })
		traffic := NewTraffic(seed+200, 12)
		batch := traffic.Batch(250)
		Commit(t, s, Split(batch, seed)...)
		Commit(t, twin, batch)
		for _, d := range []store.Dataset{store.DatasetExchanges, store.DatasetSessions} {
			for _, by := range dimensionsOf(d) {
				q := Aggregate(t, d, by, "count unique:"+by, "")
				if diff := cmp.Diff(aggregates(t, twin, q), aggregates(t, s, q), numbers()); diff != "" {
					t.Errorf("%s by %s: -want +got\n%s", d, by, diff)
				}
			}
			for _, name := range dimensionsOf(d) {
				got := aggregates(t, s, Aggregate(t, d, "", "approx_unique:"+name+" unique:"+name, "")).Groups[0].Numbers
				if math.Abs(got[0]-got[1]) > max(2, got[1]*2/5) {
					t.Errorf("%s have about %v different values of %s; it is %v", d, got[0], name, got[1])
				}
			}
			for _, m := range measuresOf(d) {
				q := Aggregate(t, d, "", m, "")
				if diff := cmp.Diff(aggregates(t, twin, q), aggregates(t, s, q), numbers()); diff != "" {
					t.Errorf("%s of %s: -want +got\n%s", m, d, diff)
				}
			}
		}
		rapid.Check(t, func(rt *rapid.T) {
			d := rapid.SampledFrom([]store.Dataset{store.DatasetExchanges, store.DatasetSessions}).Draw(rt, "dataset")
			by := rapid.SliceOfNDistinct(rapid.SampledFrom(dimensionsOf(d)), 0, store.MaxDimensions, rapid.ID).Draw(rt, "by")
			measures := rapid.SliceOfNDistinct(rapid.SampledFrom(measuresOf(d)), 1, 4, rapid.ID).Draw(rt, "measures")
			order := rapid.SampledFrom([]string{"", "-"}).Draw(rt, "descending") + rapid.SampledFrom(append(by, measures...)).Draw(rt, "order")
			q := Aggregate(t, d, strings.Join(by, " "), strings.Join(measures, " "), order)
			q.Limit = rapid.SampledFrom([]int{0, 1, 3, 20}).Draw(rt, "limit")
			q.Query = randomQuery(t, rt, d, traffic)
			if diff := cmp.Diff(aggregates(t, twin, q), aggregates(t, s, q), numbers()); diff != "" {
				rt.Fatalf("-want +got\n%s", diff)
			}
		})
	}
}

func randomQuery(t testing.TB, rt *rapid.T, d store.Dataset, traffic *Traffic) store.Query {
	q := store.Query{Now: now}
	q.Filter = parse(t, rapid.SampledFrom(subsets(d)).Draw(rt, "filter"), store.FieldsOf(d), now)
	at := rapid.SampledFrom([]time.Time{{}, Start.Add(-time.Hour), Start.Add(10 * time.Minute), Start.Add(time.Hour), Start.Add(1000 * time.Hour)})
	q.Since, q.Until = at.Draw(rt, "since"), at.Draw(rt, "until")
	if rapid.IntRange(0, 4).Draw(rt, "one") == 0 {
		q.Session = rapid.SampledFrom(traffic.sessions).Draw(rt, "session")
	}
	return q
}

// testFacets asks both for the values of several dimensions, and for what the filter of each value finds.
func testFacets(t *testing.T, open Open) {
	s, twin := open(t, now), memory.New(func() time.Time { return now })
	traffic := NewTraffic(300, 12)
	batch := traffic.Batch(250)
	Commit(t, s, Split(batch, 3)...)
	Commit(t, twin, batch)
	facets := func(r store.Reader, q store.FacetQuery) *store.Facets {
		got, err := r.Facets(context.Background(), q)
		if err != nil {
			t.Fatalf("Facets: %v", err)
		}
		return got
	}
	for _, d := range []store.Dataset{store.DatasetExchanges, store.DatasetSessions} {
		for _, text := range dimensionsOf(d) {
			by := Dimensions(t, d, text)
			q := store.FacetQuery{Subset: store.Subset{Dataset: d, Query: store.Query{Now: now}}, By: by}
			for _, v := range facets(twin, q).Facets[0].Values {
				written := by[0].Filter(store.FieldsOf(d), v.Value)
				if written == "" {
					continue // a text that no filter can say
				}
				narrowed := Aggregate(t, d, "", "count", "")
				narrowed.Filter = parse(t, written, store.FieldsOf(d), now)
				if n := aggregates(t, s, narrowed).Rows; n < v.Count {
					t.Errorf("%s: %d have %s %q; %s finds %d", d, v.Count, text, v.Text, written, n)
				}
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.SampledFrom([]store.Dataset{store.DatasetExchanges, store.DatasetSessions}).Draw(rt, "dataset")
		by := rapid.SliceOfN(rapid.SampledFrom(dimensionsOf(d)), 0, 8).Draw(rt, "by")
		q := store.FacetQuery{Subset: store.Subset{Dataset: d, Query: randomQuery(t, rt, d, traffic)}, By: Dimensions(t, d, strings.Join(by, " "))}
		q.Limit = rapid.SampledFrom([]int{0, 1, 3}).Draw(rt, "limit")
		if diff := cmp.Diff(facets(twin, q), facets(s, q), numbers()); diff != "" {
			rt.Fatalf("-want +got\n%s", diff)
		}
	})
}

// testHistogram asks both for counts over time.
func testHistogram(t *testing.T, open Open) {
	s, twin := open(t, now), memory.New(func() time.Time { return now })
	histogram := func(r store.Reader, q store.HistogramQuery) *store.Histogram {
		got, err := r.Histogram(context.Background(), q)
		if err != nil {
			t.Fatalf("Histogram: %v", err)
		}
		return got
	}
	empty := store.HistogramQuery{Subset: store.Subset{Dataset: store.DatasetExchanges, Query: store.Query{Now: now}}, Buckets: 10}
	if h := histogram(s, empty); h.Buckets != 0 || h.Rows != 0 {
		t.Errorf("of nothing: %+v", h)
	}
	traffic := NewTraffic(400, 12)
	batch := traffic.Batch(250)
	Commit(t, s, Split(batch, 4)...)
	Commit(t, twin, batch)
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.SampledFrom([]store.Dataset{store.DatasetExchanges, store.DatasetSessions}).Draw(rt, "dataset")
		q := store.HistogramQuery{Subset: store.Subset{Dataset: d, Query: randomQuery(t, rt, d, traffic)}}
		q.Buckets = rapid.IntRange(1, 70).Draw(rt, "buckets")
		want, got := histogram(twin, q), histogram(s, q)
		if diff := cmp.Diff(want, got, numbers()); diff != "" {
			rt.Fatalf("-want +got\n%s", diff)
		}
		if got.Buckets > q.Buckets {
			rt.Fatalf("%d stretches; %d were wanted", got.Buckets, q.Buckets)
		}
		if got.Buckets == 0 {
			return
		}
		// Choosing a stretch finds as many as its bar says.
		i := rapid.IntRange(0, got.Buckets-1).Draw(rt, "stretch")
		narrowed := store.AggregateQuery{Subset: q.Subset}
		narrowed.Since, narrowed.Until = got.Time(i), got.Time(i+1)
		if narrowed.Since.Before(got.Since) {
			narrowed.Since = got.Since
		}
		if narrowed.Until.After(got.Until) {
			narrowed.Until = got.Until
		}
		sum := int64(0)
		for _, n := range got.Counts[i] {
			sum += n
		}
		if n := aggregates(t, s, narrowed).Rows; n != sum {
			rt.Fatalf("the bar of %v is %d; %d are found", got.Time(i), sum, n)
		}
	})
}

// Revoked compares what two stores make of sessions that count as revoked. It is not asked through an API, which looks at
// its own denylist.
func Revoked(t *testing.T, open Open) {
	s, twin := open(t, now), memory.New(func() time.Time { return now })
	batch := NewTraffic(500, 12).Batch(250)
	Commit(t, s, batch)
	Commit(t, twin, batch)
	for _, text := range []string{"user:alice", "-ended_by:logout state:(active,idle)", "user:nobody"} {
		for _, by := range []string{"state", "ended_by", "state ended_by", "user"} {
			q := Aggregate(t, store.DatasetSessions, by, "count unique:state", "")
			q.Revoked = parse(t, text, filter.Sessions(), now)
			if diff := cmp.Diff(aggregates(t, twin, q), aggregates(t, s, q), numbers()); diff != "" {
				t.Errorf("by %s where %s are revoked: -want +got\n%s", by, text, diff)
			}
		}
		h := store.HistogramQuery{Subset: store.Subset{Dataset: store.DatasetSessions, Query: store.Query{Now: now}}, Buckets: 20}
		h.Revoked = parse(t, text, filter.Sessions(), now)
		want, errWant := twin.Histogram(context.Background(), h)
		got, errGot := s.Histogram(context.Background(), h)
		if diff := cmp.Diff(want, got); diff != "" || errWant != nil || errGot != nil {
			t.Errorf("over time where %s are revoked: %v, %v, -want +got\n%s", text, errWant, errGot, diff)
		}
	}
}
