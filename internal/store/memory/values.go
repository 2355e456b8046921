package memory

import (
	"bytes"
	"cmp"
	"net/netip"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// row is an exchange or a session that is added up.
type row struct {
	filter.Row
	exchanges []seshat.Assigned // of a session, or the exchange itself
	session   *seshat.Session   // nil of an exchange
}

// rows are what a subset selects.
func (s *Store) rows(q *store.Subset) []row {
	plain := q.Query
	plain.Limit, plain.OldestFirst, plain.Light = 0, false, false
	var list []row
	if q.Dataset != store.DatasetSessions {
		for _, x := range s.selectExchanges(plain) {
			list = append(list, row{Row: store.ExchangeRow{Assigned: &x}, exchanges: []seshat.Assigned{x}})
		}
		return list
	}
	for _, one := range s.sessionRows(plain) {
		if q.Revoked != nil && filter.Match(q.Revoked, one) {
			one.State, one.EndedBy = seshat.StateRevoked, seshat.EndRevoked
		}
		list = append(list, row{Row: one, exchanges: one.All, session: one.Session})
	}
	return list
}

// valuesOf are the different values that a row has of a dimension; one that is absent when there are none.
func valuesOf(r row, d *store.Dimension) []store.Value {
	var list []store.Value
	add := func(text string) {
		v := store.Value{Text: text}
		for _, other := range list {
			if other == v {
				return
			}
		}
		list = append(list, v)
	}
	if d.Field.Name == "flow" { // by its names alone
		for i := range r.exchanges {
			for _, f := range r.exchanges[i].Flows {
				if f.Name != "" {
					add(f.Name)
				}
			}
		}
	} else {
		r.Values(d.Field, func(name string, v filter.Value) bool {
			if !d.Field.Family || name == d.Attribute {
				add(textOf(d, &v))
			}
			return true
		})
	}
	if len(list) == 0 {
		return []store.Value{{Absent: true}}
	}
	return list
}

func textOf(d *store.Dimension, v *filter.Value) string {
	switch {
	case d.Class:
		return store.StatusClass(int(v.Number))
	case d.Field.Type == filter.TypeNumber:
		return strconv.Itoa(int(v.Number))
	case d.Field.Type == filter.TypeTime:
		return store.TimeText(store.BucketStart(v.Time, d.Width))
	default:
		return v.Text
	}
}

// number is the value of a field of numbers, of durations in microseconds; false when there is none.
func number(r row, f *filter.Field) (n float64, found bool) {
	r.Values(f, func(_ string, v filter.Value) bool {
		found = true
		if n = v.Number; f.Type == filter.TypeDuration {
			n = float64(v.Duration.Microseconds())
		}
		return false
	})
	return n, found
}

// compareValues is the order of values: as texts, numbers, times or addresses, and what is absent last.
func compareValues(d *store.Dimension, a, b store.Value) int {
	if a.Absent || b.Absent {
		return cmp.Compare(truth(a.Absent), truth(b.Absent))
	}
	switch {
	case d.Class:
	case d.Field.Type == filter.TypeNumber:
		x, _ := strconv.Atoi(a.Text) // they are written above
		y, _ := strconv.Atoi(b.Text)
		return cmp.Compare(x, y)
	case d.Field.Type == filter.TypeTime:
		x, _ := time.Parse(time.RFC3339Nano, a.Text)
		y, _ := time.Parse(time.RFC3339Nano, b.Text)
		return x.Compare(y)
	case d.Field.Type == filter.TypeIP:
		x, y := netip.MustParseAddr(a.Text).As16(), netip.MustParseAddr(b.Text).As16()
		return bytes.Compare(x[:], y[:])
	}
	return cmp.Compare(a.Text, b.Text)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
