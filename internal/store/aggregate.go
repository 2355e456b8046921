package store

import (
	"math"

	"github.com/seshat-project/seshat/internal/filter"
)

// Bounds of what is added up. They bound how much one query makes an engine keep and send.
const (
	// MaxDimensions is how many dimensions rows can be grouped by. With every one more, groups multiply and say less.
	MaxDimensions = 3
	// MaxMeasures is how many measures each group has.
	MaxMeasures = 8
	// MaxGroups is how many groups are returned: more than anybody reads, and what a spreadsheet still takes.
	MaxGroups = 10_000
	// MaxFacets is how many dimensions a [FacetQuery] has.
	MaxFacets = 16
	// MaxFacetValues is how many values of each are returned.
	MaxFacetValues = 100
	// MaxBuckets is how many buckets a histogram has: as many as a wide screen shows.
	MaxBuckets = 500
)

// Subset is the exchanges or sessions that are added up.
type Subset struct {
	Dataset Dataset
	// Query says which: its Filter, Since, Until, Now and Session. The rest of it means nothing here.
	Query
	// Revoked selects sessions that count as revoked, whatever the store knows of their state and their end: see the
	// package revoked. Nil selects none.
	Revoked filter.Expr
}

// AggregateQuery asks for groups of rows with numbers about each.
type AggregateQuery struct {
	Subset
	// By are the dimensions, at most [MaxDimensions]. Without any, everything is one group.
	By []Dimension
	// Measures are the numbers, at most [MaxMeasures].
	Measures []Measure
	// Order is the order of groups. Those that are equal by it are in the order of their values.
	Order Order
	// Limit is how many groups are returned, at most [MaxGroups], which 0 stands for.
	Limit int
}

// Order says what groups are ordered by: a measure or a dimension, by its place. What is absent comes last.
type Order struct {
	Dimension  bool // By counts dimensions, and measures otherwise
	By         int
	Descending bool
}

// Aggregates is the answer to an [AggregateQuery].
type Aggregates struct {
	Groups []Group
	// Found is how many groups there are, of which Limit were returned.
	Found int64
	// Rows is how many rows the query matches, each counted once.
	Rows int64
	// Other is what the counts of the groups that were left out add up to.
	Other int64
}

// Group is the rows that have the same values of all dimensions. A row that has several values of a dimension is in
// several groups, once in each.
type Group struct {
	Values []Value // of the dimensions, in their order
	Count  int64   // rows
	// Numbers are the measures, in their order; NaN where there is nothing to measure.
	Numbers []float64
}

// Absent is the number of a measure that has nothing to measure: the smallest of no durations.
func Absent() float64 { return math.NaN() }

// Value is a value of a dimension.
type Value struct {
	// Text is the value as filters have it: a number in decimal, an address in its usual form, the beginning of a
	// stretch of time as RFC 3339 in UTC.
	Text string
	// Absent says that rows have no value.
	Absent bool
}
