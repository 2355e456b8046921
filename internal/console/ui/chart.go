package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bucket is one bar of a histogram: a time, and how much of each series fell into it.
type Bucket struct {
	Start  time.Time
	Counts []int64 // in the order of the series
}

// Series is one kind of thing that a chart counts.
type Series struct {
	Name string
	// Class is the class of its colour: c-ok, c-redirect, c-client, c-server, c-none, or c-1 to c-5.
	Class string
}

// Histogram is a chart of stacked bars over time.
type Histogram struct {
	Buckets []Bucket
	Width   time.Duration // of a bucket
	Series  []Series
	Unit    string // what is counted, such as "exchanges"
	Height  int    // in pixels; 72 when it is 0
	// Form is the ID of the form whose time a drag over the chart sets; nothing can be dragged without. The page needs
	// the script brush.js then.
	Form string
	// URL returns the address that shows a bucket only; nil when there is none.
	URL func(since, until time.Time) string
}

// The sizes of a chart in units of its own: it is stretched to the width that there is.
const (
	chartWidth  = 1000
	chartHeight = 100
)

func (h *Histogram) height() int {
	if h.Height == 0 {
		return 72
	}
	return h.Height
}

func (h *Histogram) most() int64 {
	most := int64(0)
	for i := range h.Buckets {
		most = max(most, h.Buckets[i].total())
	}
	return most
}

func (h *Histogram) total() int64 {
	n := int64(0)
	for i := range h.Buckets {
		n += h.Buckets[i].total()
	}
	return n
}

func (b *Bucket) total() int64 {
	n := int64(0)
	for _, c := range b.Counts {
		n += c
	}
	return n
}

func (h *Histogram) from() time.Time { return h.Buckets[0].Start }

func (h *Histogram) to() time.Time { return h.Buckets[len(h.Buckets)-1].Start.Add(h.Width) }

// bar is a rectangle of a chart.
type bar struct {
	class               string
	x, y, width, height string
}

func (h *Histogram) slot(i int) (x, width float64) {
	width = float64(chartWidth) / float64(len(h.Buckets))
	return float64(i) * width, width
}

// least is the height of the smallest count that is not 0: it must be seen.
const least = 1.5

func (h *Histogram) bars(i int) []bar {
	most := float64(max(1, h.most()))
	x, width := h.slot(i)
	gap := min(width*0.12, 2)
	y := float64(chartHeight)
	var out []bar
	for s, n := range h.Buckets[i].Counts {
		if n == 0 || s >= len(h.Series) {
			continue
		}
		height := max(least, float64(n)/most*chartHeight)
		y = max(0, y-height)
		out = append(out, bar{h.Series[s].Class, number(x + gap/2), number(y), number(width - gap), number(height)})
	}
	return out
}

// words is what a bar says when somebody points at it.
func (h *Histogram) words(i int) string {
	b := &h.Buckets[i]
	var out strings.Builder
	fmt.Fprintf(&out, "%s UTC, %s: %s %s", Stamp(b.Start), Length(h.Width), Count(b.total()), h.Unit)
	for s, n := range b.Counts {
		if n > 0 && s < len(h.Series) && len(h.Series) > 1 {
			fmt.Fprintf(&out, "\n%s %s", Count(n), h.Series[s].Name)
		}
	}
	return out.String()
}

func (h *Histogram) summary() string {
	return fmt.Sprintf("%s %s from %s to %s UTC, at most %s in %s", Count(h.total()), h.Unit, Stamp(h.from()), Stamp(h.to()), Count(h.most()), Length(h.Width))
}

// ticks are the times under a chart.
func (h *Histogram) ticks() []string {
	from, to := h.from(), h.to()
	layout := "15:04:05"
	switch span := to.Sub(from); {
	case span > 5*24*time.Hour:
		layout = "01-02"
	case span > 20*time.Hour:
		layout = "01-02 15:04"
	case span > 10*time.Minute:
		layout = "15:04"
	}
	middle := from.Add(to.Sub(from) / 2)
	return []string{from.UTC().Format(layout), middle.UTC().Format(layout), to.UTC().Format(layout)}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// Sparkline is a line over time, without numbers: they stand beside it.
type Sparkline struct {
	Values []float64
	Class  string // of its colour: 1 to 5, or bad
	Label  string // what it shows, for those who do not see it
	Height int    // in pixels; 36 when it is 0
	// Most is the value at the top; the greatest one when it is 0.
	Most float64
}

func (s *Sparkline) height() int {
	if s.Height == 0 {
		return 36
	}
	return s.Height
}

func (s *Sparkline) points() string {
	most := s.Most
	for _, v := range s.Values {
		most = max(most, v)
	}
	if most == 0 {
		most = 1
	}
	var out strings.Builder
	for i, v := range s.Values {
		x := 0.0
		if len(s.Values) > 1 {
			x = float64(i) / float64(len(s.Values)-1) * chartWidth
		}
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(number(x) + "," + number(chartHeight-v/most*chartHeight))
	}
	return out.String()
}

func (s *Sparkline) area() string {
	return "0," + strconv.Itoa(chartHeight) + " " + s.points() + " " + strconv.Itoa(chartWidth) + "," + strconv.Itoa(chartHeight)
}

// Share is a line of a list of the greatest of something.
type Share struct {
	Name  string
	URL   string // where it leads; empty for nowhere
	Count int64
	Text  string // in place of the count
	Title string // the name in full, when Name is not
}

func shareWidth(shares []Share, i int) string {
	most := int64(1)
	for _, s := range shares {
		most = max(most, s.Count)
	}
	return number(max(0.5, float64(shares[i].Count)/float64(most)*100))
}

func (s *Share) text() string {
	if s.Text != "" {
		return s.Text
	}
	return Count(s.Count)
}

// StatusSeries are the series of charts that count exchanges by the class of their status.
func StatusSeries() []Series {
	return []Series{{"server errors", "c-server"}, {"client errors", "c-client"}, {"redirects", "c-redirect"}, {"successes", "c-ok"}, {"without response", "c-none"}}
}
