package web

import (
	"slices"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// series is how a series of the API's histograms is shown; from the bottom of the bars to their top.
type series struct{ name, words, class string }

func seriesOf(dataset string) []series {
	if dataset == "sessions" {
		return []series{
			{"active", "active", "c-ok"},
			{"idle", "idle", "c-redirect"},
			{"ended", "ended", "c-none"},
			{"expired", "expired", "c-client"},
			{"revoked", "revoked", "c-server"},
		}
	}
	return []series{
		{"5xx", "server errors", "c-server"},
		{"4xx", "client errors", "c-client"},
		{"3xx", "redirects", "c-redirect"},
		{"2xx", "successes", "c-ok"},
		{"1xx", "informational", "c-5"},
		{"none", "without response", "c-none"},
	}
}

// HistogramOf is a histogram of the API as a chart. Series that count nothing are left out.
func HistogramOf(h *wire.Histogram, unit string) *ui.Histogram {
	out := &ui.Histogram{Width: time.Duration(h.WidthMS) * time.Millisecond, Unit: unit}
	known := seriesOf(h.Dataset)
	var from []int // the index in the answer of each series that is shown
	for _, s := range known {
		i := slices.Index(h.Series, s.name)
		if i < 0 || !slices.ContainsFunc(h.Buckets, func(b wire.Bucket) bool { return b.Counts[i] > 0 }) {
			continue
		}
		from = append(from, i)
		out.Series = append(out.Series, ui.Series{Name: s.words, Class: s.class})
	}
	for i, name := range h.Series {
		counts := slices.ContainsFunc(h.Buckets, func(b wire.Bucket) bool { return b.Counts[i] > 0 })
		if counts && !slices.ContainsFunc(known, func(s series) bool { return s.name == name }) {
			from = append(from, i)
			out.Series = append(out.Series, ui.Series{Name: name, Class: "c-5"})
		}
	}
	for _, b := range h.Buckets {
		counts := make([]int64, len(from))
		for to, i := range from {
			counts[to] = b.Counts[i]
		}
		out.Buckets = append(out.Buckets, ui.Bucket{Start: b.Time, Counts: counts})
	}
	return out
}
