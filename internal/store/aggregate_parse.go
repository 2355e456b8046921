package store

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// FieldsOf is the table of the fields of a dataset.
func FieldsOf(d Dataset) *filter.Fields {
	if d == DatasetSessions {
		return filter.Sessions()
	}
	return filter.Exchanges()
}

func usage(op, what, hint string) error {
	return &seshat.Error{Kind: seshat.ErrorUsage, Op: op, Err: errors.New(what), Hint: hint}
}

// ParseDimension reads a dimension of the dataset that fields are of: the name of a field, attr.NAME, status_class, or a
// field of time with the width of its stretches, as in time:5m. An error is a [seshat.Error] of kind usage that names op.
func ParseDimension(op, text string, fields *filter.Fields) (Dimension, error) {
	if strings.EqualFold(text, StatusClassName) {
		return Dimension{Field: fields.Lookup("status"), Class: true}, nil
	}
	if f := fields.Lookup(text); f != nil && f.Groups && !f.Family && f.Type != filter.TypeTime {
		return Dimension{Field: f}, nil
	}
	name, width, hasWidth := strings.Cut(text, ":")
	if f := fields.Lookup(name); f != nil && f.Groups && f.Type == filter.TypeTime {
		d := Dimension{Field: f}
		duration, err := seshat.ParseDuration(width)
		if d.Width = time.Duration(duration); !hasWidth || err != nil || d.Width < time.Millisecond || d.Width > maxWidth ||
			d.Width%time.Millisecond != 0 {
			return d, usage(op, f.Name+" needs the width of the stretches that it is cut into", "such as "+f.Name+":5m, "+f.Name+":1h or "+f.Name+":1d")
		}
		return d, nil
	}
	if family, attribute, found := strings.Cut(text, "."); found && attribute != "" {
		if f := fields.Lookup(family); f != nil && f.Family {
			return Dimension{Field: f, Attribute: attribute}, nil
		}
	}
	return Dimension{}, noField(op, fields, text, "has no values to count", func(f *filter.Field) bool { return f.Groups })
}

// noField is the error of a field that is not there, or that is there and not fit.
func noField(op string, fields *filter.Fields, name, why string, fits func(*filter.Field) bool) error {
	var names []string
	for i := range fields.All() {
		if f := &fields.All()[i]; fits(f) {
			shown := f.Name
			if f.Family {
				shown += ".NAME"
			}
			names = append(names, shown)
		}
	}
	hint := "one of " + strings.Join(names, ", ")
	if f := fields.Lookup(name); f != nil && f.Family {
		return usage(op, f.Name+" needs the name of an attribute", "write "+f.Name+".NAME")
	} else if f != nil {
		return usage(op, f.Name+" "+why, hint)
	}
	if near := filter.Nearest(name, names); near != "" {
		hint = `did you mean "` + near + `"?`
	}
	return usage(op, fields.Dataset+` have no field "`+name+`"`, hint)
}

// ParseOrder reads the order of groups: a measure or a dimension of a query, as it is written there, with "-" before it
// for the greatest first. Empty is the first measure, the greatest first, or the first dimension where there is none.
func ParseOrder(op, text string, q *AggregateQuery) (Order, error) {
	if text == "" {
		if len(q.Measures) == 0 || len(q.By) > 0 && q.By[0].Width > 0 {
			return Order{Dimension: true}, nil
		}
		return Order{Descending: true}, nil
	}
	wanted, descending := strings.CutPrefix(text, "-")
	var names []string
	fields := FieldsOf(q.Dataset)
	for i := range q.Measures {
		names = append(names, q.Measures[i].String())
		if m, err := ParseMeasure(op, wanted, fields); err == nil && m.String() == names[i] {
			return Order{By: i, Descending: descending}, nil
		}
	}
	for i := range q.By {
		names = append(names, q.By[i].String())
		if d, err := ParseDimension(op, wanted, fields); err == nil && d.String() == q.By[i].String() {
			return Order{Dimension: true, By: i, Descending: descending}, nil
		}
	}
	return Order{}, usage(op, `groups cannot be ordered by "`+wanted+`"`, "one of "+strings.Join(names, ", ")+`, with "-" before it for the greatest first`)
}

// Check says what is wrong with a query; the rest of the package and the engines rely on it.
func (q *AggregateQuery) Check() error {
	many := func(what string, n, most int) error {
		return usage("aggregate", "there are too many "+what, strconv.Itoa(most)+" at most, not "+strconv.Itoa(n))
	}
	switch {
	case len(q.By) > MaxDimensions:
		return many("dimensions", len(q.By), MaxDimensions)
	case len(q.Measures) > MaxMeasures:
		return many("measures", len(q.Measures), MaxMeasures)
	case q.Limit < 0 || q.Limit > MaxGroups:
		return many("groups", q.Limit, MaxGroups)
	case q.Order.By < 0, q.Order.Dimension && q.Order.By >= max(len(q.By), 1), !q.Order.Dimension && q.Order.By >= max(len(q.Measures), 1):
		return usage("aggregate", "there is nothing to order by at that place", "")
	}
	return nil
}
