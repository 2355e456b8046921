package store

import "strconv"

// FacetQuery asks for the most frequent values of several dimensions.
type FacetQuery struct {
	Subset
	By    []Dimension // at most [MaxFacets]
	Limit int         // how many values of each, at most [MaxFacetValues], which 0 stands for
}

// Facets is the answer to a [FacetQuery].
type Facets struct {
	Rows   int64 // how many rows the query matches
	Facets []Facet
}

// Facet is the most frequent values of a dimension.
type Facet struct {
	// Values are the most frequent first, and in their order where they are as frequent; that there is none comes last.
	Values []Counted
	Found  int64 // how many different ones there are, absence included
	Other  int64 // what the counts of those that are left out add up to
}

// Counted is a value with how many rows have it.
type Counted struct {
	Value
	Count int64
}

// Check says what is wrong with a query.
func (q *FacetQuery) Check() error {
	switch {
	case len(q.By) > MaxFacets:
		return usage("facets", "there are too many fields", strconv.Itoa(MaxFacets)+" at most")
	case q.Limit < 0 || q.Limit > MaxFacetValues:
		return usage("facets", "there are too many values", strconv.Itoa(MaxFacetValues)+" at most")
	}
	return nil
}
