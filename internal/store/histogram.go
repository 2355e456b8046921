package store

import (
	"slices"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
)

// HistogramQuery asks for counts over time. Without a time, the whole span of what is stored is shown, or that of the
// session when there is one.
type HistogramQuery struct {
	Subset
	// Buckets is about how many stretches of time are wanted, at most [MaxBuckets]: the width is the smallest nice one
	// that needs no more.
	Buckets int
}

// Histogram is counts by stretches of time. Exchanges are counted by when they began, split by [StatusClass]. A session is
// counted in every stretch that it touches, which is what Since and Until mean for sessions: choosing a stretch finds as
// many sessions as its bar says. They are split by state.
type Histogram struct {
	Axis
	Series []string // what counts are split by
	// Counts has an element for each stretch, and in it one for each of Series.
	Counts [][]int64
	// Rows is how many rows are counted, each once.
	Rows int64
}

// Check says what is wrong with a query.
func (q *HistogramQuery) Check() error {
	if q.Buckets < 1 || q.Buckets > MaxBuckets {
		return usage("histogram", "there cannot be so many buckets", "from 1 to "+strconv.Itoa(MaxBuckets))
	}
	return nil
}

// NoStatus is the series of exchanges without a status.
const NoStatus = "none"

// ExchangeSeries are what exchanges are split by, and SessionSeries sessions.
func ExchangeSeries() []string {
	return []string{NoStatus, "1xx", "2xx", "3xx", "4xx", "5xx", statusOther}
}

// SessionSeries are what sessions are split by.
func SessionSeries() []string {
	return []string{
		string(seshat.StateActive), string(seshat.StateIdle), string(seshat.StateEnded), string(seshat.StateExpired), string(seshat.StateRevoked),
	}
}

// NewHistogram is a histogram of a dataset without counts.
func NewHistogram(d Dataset, axis Axis) *Histogram {
	h := &Histogram{Axis: axis, Series: ExchangeSeries()}
	if d == DatasetSessions {
		h.Series = SessionSeries()
	}
	h.Counts = make([][]int64, axis.Buckets)
	all := make([]int64, len(h.Series)*axis.Buckets)
	for i := range h.Counts {
		h.Counts[i], all = all[:len(h.Series):len(h.Series)], all[len(h.Series):]
	}
	return h
}

// Place is where a series is; -1 when there is none of that name.
func (h *Histogram) Place(series string) int { return slices.Index(h.Series, series) }

// Axis is time cut into stretches of one width.
type Axis struct {
	// Since and Until are what is counted, as it was asked for or as it is stored. The first and the last stretch may
	// reach beyond them.
	Since, Until time.Time
	Start        time.Time // of the first stretch
	Width        time.Duration
	Buckets      int // how many there are
}

// Stretch is the one that t is in, from 0; what is before the first or behind the last counts in these.
func (a *Axis) Stretch(t time.Time) int {
	return int(min(max(BucketNumber(t, a.Width)-BucketNumber(a.Start, a.Width), 0), int64(a.Buckets-1)))
}

// Time is when a stretch begins.
func (a *Axis) Time(i int) time.Time {
	return BucketTime(BucketNumber(a.Start, a.Width)+int64(i), a.Width)
}

// Axis is the axis of a query over what spans a time, which bounds it where the query does not.
func (q *HistogramQuery) Axis(span Span) Axis {
	since, until := q.Since, q.Until
	if since.IsZero() {
		since = span.First
	}
	if until.IsZero() && span.Exchanges > 0 {
		until = span.Last.Add(time.Microsecond) // which is not included
	}
	return NewAxis(since, until, q.Buckets)
}

// NewAxis cuts the time from since, included, to until, not included, into at most wanted stretches. There are none when
// since is not before until.
func NewAxis(since, until time.Time, wanted int) Axis {
	a := Axis{Since: Time(since), Until: Time(until), Width: time.Millisecond}
	if !a.Since.Before(a.Until) {
		return Axis{Since: a.Since, Until: a.Since, Start: a.Since, Width: a.Width}
	}
	last := a.Until.Add(-time.Microsecond)
	count := func(w time.Duration) int64 { return BucketNumber(last, w) - BucketNumber(a.Since, w) + 1 }
	widths := niceWidths()
	a.Width = widths[len(widths)-1]
	for _, w := range widths {
		if count(w) <= int64(wanted) {
			a.Width = w
			break
		}
	}
	for count(a.Width) > int64(wanted) && a.Width < mostWidth { // decades in a few stretches
		a.Width *= 2
	}
	a.Start, a.Buckets = BucketStart(a.Since, a.Width), int(count(a.Width))
	return a
}

// niceWidths are what people cut time into, the smallest first.
func niceWidths() []time.Duration {
	const day = 24 * time.Hour
	widths := []time.Duration{}
	for _, n := range []time.Duration{1, 2, 5, 10, 20, 50, 100, 200, 500} {
		widths = append(widths, n*time.Millisecond)
	}
	for _, unit := range []time.Duration{time.Second, time.Minute} {
		for _, n := range []time.Duration{1, 2, 5, 10, 15, 30} {
			widths = append(widths, n*unit)
		}
	}
	for _, n := range []time.Duration{1, 2, 3, 6, 12} {
		widths = append(widths, n*time.Hour)
	}
	for _, n := range []time.Duration{1, 2, 7, 14, 28, 91, 182, 364, 728} {
		widths = append(widths, n*day)
	}
	return widths
}

const (
	// maxWidth is the widest stretch that can be asked for: a hundred years of an archive are then still some.
	maxWidth = 10 * 366 * 24 * time.Hour
	// mostWidth is about how wide stretches are made at most. A clock that was wrong can make what is stored span
	// thousands of years, which no [time.Duration] holds.
	mostWidth = 64 * 366 * 24 * time.Hour
)

// BucketOrigin is where some stretch of any width begins: a Monday, so that weeks begin on one, before all that RFC 3339
// can write. It is in microseconds since 1970, as UTC.
const BucketOrigin = -62135596800000000

// BucketNumber is the number of the stretch of time of a width that t is in.
func BucketNumber(t time.Time, width time.Duration) int64 {
	return (t.UnixMicro() - BucketOrigin) / width.Microseconds()
}

// BucketStart is when the stretch of time of a width begins that t is in. Stretches of a day or less that divide it begin
// with the day in UTC, weeks with Monday.
func BucketStart(t time.Time, width time.Duration) time.Time {
	return BucketTime(BucketNumber(t, width), width)
}

// BucketTime is when the stretch with a number begins.
func BucketTime(number int64, width time.Duration) time.Time {
	return time.UnixMicro(BucketOrigin + number*width.Microseconds()).UTC()
}

// TimeText is a time as values have it.
func TimeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// WidthText is a width as it is written in a dimension.
func WidthText(w time.Duration) string { return seshat.Duration(w).String() }
