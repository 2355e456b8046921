package enforce

import (
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
)

// AppendFields appends the header fields that tell a client of its limits: RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers), and Retry-After (RFC 9110, section 10.2.3) where the request was refused and
// trying again may help. Their values belong to d, and are valid until it is used again.
func AppendFields(dst []seshat.Field, d *Decision) []seshat.Field {
	b := d.work.fields[:0]
	// The memory must not move while values point into it.
	if need := fieldsSize(d); cap(b) < need {
		b = make([]byte, 0, need)
	}
	cut := func(from int) string { return alias(b[from:len(b):len(b)]) }
	if len(d.Limits) > 0 {
		for i := range d.Limits {
			l := &d.Limits[i]
			b = item(b, i, l.Name)
			b = strconv.AppendInt(append(b, ";r="...), int64(l.Remaining), 10)
			b = strconv.AppendInt(append(b, ";t="...), up(l.Reset), 10)
		}
		dst = append(dst, seshat.Field{Name: "RateLimit", Value: cut(0)})
		from := len(b)
		for i := range d.Limits {
			l := &d.Limits[i]
			b = item(b, i, l.Name)
			b = strconv.AppendInt(append(b, ";q="...), int64(l.Count), 10)
			b = strconv.AppendInt(append(b, ";w="...), up(l.Window), 10)
		}
		dst = append(dst, seshat.Field{Name: "RateLimit-Policy", Value: cut(from)})
	}
	if d.Verdict.Action.Refuses() && d.Verdict.RetryAfter > 0 {
		from := len(b)
		b = strconv.AppendInt(b, up(d.Verdict.RetryAfter), 10)
		dst = append(dst, seshat.Field{Name: "Retry-After", Value: cut(from)})
	}
	d.work.fields = b
	return dst
}

// item begins an item of a list (RFC 9651): a name as a string. Names are DNS labels, so that nothing is escaped.
func item(b []byte, i int, name string) []byte {
	if i > 0 {
		b = append(b, ", "...)
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"')
}

// up is a time in whole seconds, rounded up: a client that comes a moment early is refused again.
func up(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// fieldsSize is how many bytes the values can have.
func fieldsSize(d *Decision) int {
	const numbers = 64 // of an item: two numbers of 20 digits and what is around them
	size := numbers
	for i := range d.Limits {
		size += 2 * (len(d.Limits[i].Name) + numbers)
	}
	return size
}
