package duckdb

import (
	"fmt"
	"math"
	"strconv"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// measured is the number of a row e that a measure is made of; NULL where there is none.
func measured(f *filter.Field, d store.Dataset) string {
	switch {
	case d == store.DatasetSessions && f.Name == "duration":
		return "(epoch_us(e.last_seen) - epoch_us(e.first_seen))"
	case d == store.DatasetExchanges && (f.Name == "duration" || f.Name == "status"):
		return "nullif(e." + f.Name + ", 0)"
	default:
		return "e." + f.Name
	}
}

// partial is what a measure needs of rows that are added up first, named after its place; empty where it needs nothing.
func partial(m *store.Measure, d store.Dataset, i int) string {
	function := ""
	switch m.Kind {
	case store.MeasureMin:
		function = "min"
	case store.MeasureMax:
		function = "max"
	case store.MeasureSum, store.MeasureAvg:
		function = "sum"
	default:
		return ""
	}
	value := measured(m.Field, d)
	sql := fmt.Sprintf(", %s(%s) AS s%d", function, value, i)
	if m.Kind == store.MeasureAvg {
		sql += fmt.Sprintf(", count(%s) AS c%d", value, i)
	}
	return sql
}

// whole is a measure over rows, or over parts of them; empty for those that have a table of their own.
func whole(m *store.Measure, d store.Dataset, i int, parts bool) string {
	switch {
	case isUnique(m) || m.Kind == store.MeasurePercentile:
		return ""
	case m.Kind == store.MeasureCount && parts:
		return "sum(e.n)"
	case m.Kind == store.MeasureCount:
		return "count(*)"
	}
	value := measured(m.Field, d)
	count := "count(" + value + ")"
	if parts {
		value, count = fmt.Sprintf("e.s%d", i), fmt.Sprintf("sum(e.c%d)", i)
	}
	switch m.Kind {
	case store.MeasureMin:
		return "min(" + value + ")"
	case store.MeasureMax:
		return "max(" + value + ")"
	case store.MeasureAvg:
		return "sum(" + value + ")::DOUBLE / nullif(" + count + ", 0)"
	default:
		return "sum(" + value + ")"
	}
}

// share is a percentile as a decimal, with which ranks are exact.
func share(percentile float64) string {
	return strconv.FormatFloat(math.Round(percentile*1000)/100_000, 'f', 5, 64)
}

// uniqueSQL counts the different values of an expression.
func uniqueSQL(m *store.Measure, value string) string {
	if m.Kind == store.MeasureApproxUnique {
		return "approx_count_distinct(" + value + ")"
	}
	return "count(DISTINCT " + value + ")"
}

func isUnique(m *store.Measure) bool {
	return m.Kind == store.MeasureUnique || m.Kind == store.MeasureApproxUnique
}

// scale is what a measure is multiplied by: durations are kept in microseconds.
func scale(m *store.Measure) float64 {
	if m.Field != nil && m.Field.Type == filter.TypeDuration {
		return 1e-3
	}
	return 1
}
