package store

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/filter"
)

// MeasureKind is how a measure makes one number of many rows.
type MeasureKind uint8

// The kinds of measures.
const (
	// MeasureCount is how many rows there are.
	MeasureCount MeasureKind = iota
	// MeasureUnique is how many different values there are, exactly.
	MeasureUnique
	// MeasureApproxUnique is about how many there are: a tenth more or less is usual, a third happens. It is found in a
	// fraction of the time and memory where there are millions.
	MeasureApproxUnique
	MeasureMin
	MeasureMax
	MeasureAvg
	MeasureSum
	// MeasurePercentile is the smallest value that a share of the values does not exceed: one of the values, not one
	// between two. It is exact.
	MeasurePercentile
)

// Measure is a number that is made of the rows of a group.
type Measure struct {
	Kind MeasureKind
	// Of is whose values are counted, of the kinds that count different values.
	Of Dimension
	// Field is whose values are measured, of the other kinds but count. Durations count in milliseconds. Rows without a
	// value do not count.
	Field *filter.Field
	// Percentile is the share in percent, between 0 and 100, of percentiles.
	Percentile float64
}

// The names of measures. A percentile is p with its number.
const (
	countName        = "count"
	uniqueName       = "unique"
	approxUniqueName = "approx_unique"
)

func plainMeasures() map[string]MeasureKind {
	return map[string]MeasureKind{"min": MeasureMin, "max": MeasureMax, "avg": MeasureAvg, "sum": MeasureSum}
}

// String is the written form, which [ParseMeasure] reads.
func (m *Measure) String() string {
	switch m.Kind {
	case MeasureCount:
		return countName
	case MeasureUnique:
		return uniqueName + ":" + m.Of.String()
	case MeasureApproxUnique:
		return approxUniqueName + ":" + m.Of.String()
	case MeasurePercentile:
		return "p" + strconv.FormatFloat(m.Percentile, 'f', -1, 64) + ":" + m.Field.Name
	default:
		for name, kind := range plainMeasures() {
			if kind == m.Kind {
				return name + ":" + m.Field.Name
			}
		}
		return ""
	}
}

// Unit is what the number counts: "ms", "bytes", or "" for a plain number.
func (m *Measure) Unit() string {
	if m.Field == nil {
		return ""
	}
	switch m.Field.Type {
	case filter.TypeDuration:
		return "ms"
	case filter.TypeBytes:
		return "bytes"
	default:
		return ""
	}
}

// ParseMeasure reads a measure of the dataset that fields are of: count, unique:FIELD, approx_unique:FIELD, and min, max,
// avg, sum or a percentile such as p95 or p99.9 of a field of numbers, as in p95:duration. An error is a [seshat.Error] of
// kind usage that names op.
func ParseMeasure(op, text string, fields *filter.Fields) (Measure, error) {
	name, rest, found := strings.Cut(text, ":")
	name = strings.ToLower(name)
	switch name {
	case countName:
		if found {
			return Measure{}, usage(op, "count has no field", "it counts "+fields.Dataset)
		}
		return Measure{Kind: MeasureCount}, nil
	case uniqueName, approxUniqueName:
		of, err := ParseDimension(op, rest, fields)
		kind := MeasureUnique
		if name == approxUniqueName {
			kind = MeasureApproxUnique
		}
		return Measure{Kind: kind, Of: of}, err
	}
	m := Measure{}
	kind, known := plainMeasures()[name]
	if digits, isPercentile := strings.CutPrefix(name, "p"); !known && isPercentile {
		_, decimals, _ := strings.Cut(digits, ".")
		var err error
		m.Percentile, err = strconv.ParseFloat(digits, 64)
		if known = err == nil && strings.Trim(digits, "0123456789.") == ""; known && (m.Percentile <= 0 || m.Percentile >= 100 || len(decimals) > 3) {
			return Measure{}, usage(op, "a percentile is between 0 and 100, with at most three decimals", "such as p50, p95 or p99.9")
		}
		kind = MeasurePercentile
	}
	if !known {
		names := []string{countName, uniqueName, approxUniqueName, "min", "max", "avg", "sum"}
		hint := strings.Join(names, ", ") + ", or a percentile such as p95"
		if near := filter.Nearest(name, names); near != "" {
			hint = `did you mean "` + near + `"?`
		}
		return Measure{}, usage(op, `there is no measure "`+name+`"`, hint)
	}
	m.Kind = kind
	m.Field = fields.Lookup(rest)
	if m.Field == nil || !m.Field.Measures {
		return Measure{}, noField(op, fields, rest, "is no number", func(f *filter.Field) bool { return f.Measures })
	}
	return m, nil
}
