package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/filter"
)

// Dimension is what rows are grouped by: the values of a field. Texts count as they are, with their case; of flows the
// names count, and not the types.
type Dimension struct {
	Field *filter.Field
	// Attribute is the name of the one attribute that is meant, where the field is the family of all of them.
	Attribute string
	// Class groups statuses by their first digit: see [StatusClass].
	Class bool
	// Width is the width of the stretches of time that a field of time is cut into: see [BucketStart].
	Width time.Duration
}

// StatusClassName is the name of the dimension of the classes of statuses.
const StatusClassName = "status_class"

// String is the written form, which [ParseDimension] reads.
func (d *Dimension) String() string {
	switch {
	case d.Class:
		return StatusClassName
	case d.Field.Family:
		return d.Field.Name + "." + d.Attribute
	case d.Field.Type == filter.TypeTime:
		return d.Field.Name + ":" + WidthText(d.Width)
	default:
		return d.Field.Name
	}
}

// StatusClass is the class of a status: 1xx to 5xx, other for what is no status of HTTP, and "" for none.
func StatusClass(status int) string {
	switch {
	case status == 0:
		return ""
	case status < 100 || status > 599:
		return statusOther
	default:
		return strconv.Itoa(status/100) + "xx"
	}
}

const statusOther = "other"

// Filter is the filter that selects the rows that have v, and others whose value differs from it in nothing but its
// case; empty when the filter language cannot say it. Fields are those of the dataset.
func (d *Dimension) Filter(fields *filter.Fields, v Value) string {
	name := d.Field.Name
	if d.Field.Family {
		name += "." + d.Attribute
	}
	text := ""
	switch {
	case v.Absent:
		text = "-" + name + ":*"
	case d.Class && v.Text == statusOther:
		text = name + ":(<100,>599)"
	case d.Class:
		text = name + ":" + v.Text[:1] + "00.." + v.Text[:1] + "99"
	case d.Field.Type == filter.TypeTime:
		from, err := time.Parse(time.RFC3339Nano, v.Text)
		if err != nil {
			return ""
		}
		text = name + ":>=" + v.Text + " " + name + ":<" + TimeText(from.Add(d.Width))
	default:
		text = name + ":" + filter.Pattern{v.Text}.String()
	}
	if expr, err := filter.Parse(text, fields, time.Time{}); err != nil || !d.isAbout(expr) {
		return ""
	}
	return text
}

// isAbout reports whether a filter that was made for d is about d: an attribute may have a name that means something
// else in a filter.
func (d *Dimension) isAbout(e filter.Expr) bool {
	switch e := e.(type) {
	case *filter.Not:
		return d.isAbout(e.Expr)
	case *filter.And:
		return d.Width > 0
	case *filter.Term:
		return e.Field.Name == d.Field.Name && (!d.Field.Family || len(e.Attribute) == 1 && e.Attribute[0] == d.Attribute)
	default:
		return false
	}
}

// attributeOfID is what the names of attributes begin with that are client session IDs; see [seshat.AttributeName]. All
// others are context parameters.
const attributeOfID = "seshat.session."

// OfClientSessionIDs reports whether the dimension is an attribute that holds client session IDs.
func (d *Dimension) OfClientSessionIDs() bool {
	return d.Field.Family && strings.HasPrefix(d.Attribute, attributeOfID)
}
