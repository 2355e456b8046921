package session

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

const (
	// bins is into how many stretches the time of a strip is cut: each is some pixels wide on a usual screen.
	bins = 240
	// stripWidth and stripHeight are the size of the bars in units of their own; the picture is stretched.
	stripWidth, stripHeight = 1000.0, 100.0
	// leastBar is the height of the smallest count: it must be seen.
	leastBar = 8.0
	// leastWidth is how narrow a bar may be, in units.
	leastWidth = 2.0
	// markRoom is how far apart marks are at least, in percent of the width; those that are closer are one.
	markRoom = 2.4
	// mostBands is how many flows are shown as bands.
	mostBands = 6
	// leastSpan is the shortest time that a strip shows: a session of one exchange is a point.
	leastSpan = 2 * time.Second
	// margin is how much room there is before the first exchange and behind the last, as a share.
	margin = 0.015
)

// scale maps times to the width of a strip.
type scale struct{ from, to time.Time }

// scaleOf is the time that a strip of t shows.
func scaleOf(t *wire.Timeline) scale {
	from, to := t.Since, t.Until
	if span := to.Sub(from); span < leastSpan {
		half := (leastSpan - span) / 2
		from, to = from.Add(-half), to.Add(half)
	}
	room := time.Duration(float64(to.Sub(from)) * margin)
	return scale{from.Add(-room), to.Add(room)}
}

// share is where a time is, from 0 to 1; false when it is outside.
func (s scale) share(t time.Time) (float64, bool) {
	share := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from))
	return min(max(share, 0), 1), share >= 0 && share <= 1
}

// ticks are the times under a strip.
func (s scale) ticks() []string {
	layout := "15:04:05"
	switch span := s.to.Sub(s.from); {
	case span < 10*time.Second:
		layout = "15:04:05.0"
	case span > 5*24*time.Hour:
		layout = "01-02"
	case span > 20*time.Hour:
		layout = "01-02 15:04"
	case span > 20*time.Minute:
		layout = "15:04"
	}
	middle := s.from.Add(s.to.Sub(s.from) / 2)
	return []string{s.from.UTC().Format(layout), middle.UTC().Format(layout), s.to.UTC().Format(layout)}
}

// strip is a timeline as it is drawn.
type strip struct {
	scale scale
	bars  []stackedBar
	marks []stripMark
	bands []band
	// hiddenBands is how many flows are not shown.
	hiddenBands int
	most        int64
	total       int64
	width       time.Duration // of a bar
}

// box is a rectangle.
type box struct{ X, Y, Width, Height float64 }

// stackedBar is the exchanges of one stretch.
type stackedBar struct {
	parts        []barPart
	hit          box
	title        string
	since, until time.Time
}

type barPart struct {
	class string
	box
}

// stripMark is one moment, or some that are close to each other.
type stripMark struct {
	at       float64 // in percent
	mark     mark
	count    int
	title    string
	exchange string
}

// band is a flow: the runs of stretches in which it was seen, in percent.
type band struct {
	name  string
	class string
	count int64
	runs  []run
}

type run struct {
	from, width float64
	title       string
}

// layOut places what a timeline has.
func layOut(s *wire.Session, t *wire.Timeline) *strip {
	out := &strip{scale: scaleOf(t), width: time.Duration(t.WidthMS * float64(time.Millisecond)), total: t.Exchanges}
	for i := range t.Buckets {
		out.most = max(out.most, t.Buckets[i].Total())
	}
	for i := range t.Buckets {
		if t.Buckets[i].Total() > 0 {
			out.bars = append(out.bars, out.bar(&t.Buckets[i]))
		}
	}
	out.marks = out.placeMarks(s, t)
	for i := range t.Flows {
		if t.Flows[i].Exchanges == 0 {
			continue
		}
		if len(out.bands) == mostBands {
			out.hiddenBands++
			continue
		}
		out.bands = append(out.bands, out.band(t, i))
	}
	return out
}

// span is where a stretch of time is, in units of the width.
func (s *strip) span(from, to time.Time) (x, width float64) {
	a, _ := s.scale.share(from)
	b, _ := s.scale.share(to)
	return a * stripWidth, (b - a) * stripWidth
}

func (s *strip) bar(b *wire.TimelineCount) stackedBar {
	end := b.Start.Add(s.width)
	x, width := s.span(b.Start, end)
	out := stackedBar{hit: box{x, 0, width, stripHeight}, since: b.Start, until: end, title: s.words(b)}
	gap := min(width*0.15, 1.5)
	x, width = x+gap/2, width-gap
	if width < leastWidth {
		x, width = min(x, stripWidth-leastWidth), leastWidth
	}
	total := float64(b.Total())
	height := max(leastBar, total/float64(s.most)*stripHeight)
	y := stripHeight
	for _, part := range counts(b) {
		if part.count == 0 {
			continue
		}
		h := float64(part.count) / total * height
		y -= h
		out.parts = append(out.parts, barPart{part.class, box{x, max(0, y), width, h}})
	}
	return out
}

type part struct {
	class, name string
	count       int64
}

// counts are the classes of statuses, from the bottom to the top: what is wrong lies on top, where it ends in the eye.
func counts(b *wire.TimelineCount) []part {
	return []part{
		{"c-ok", "successes", b.OK},
		{"c-redirect", "redirects", b.Redirects},
		{"c-none", "without response", b.None},
		{"c-client", "client errors", b.ClientErrors},
		{"c-server", "server errors", b.ServerErrors},
	}
}

func (s *strip) words(b *wire.TimelineCount) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s UTC, %s: %s", ui.Stamp(b.Start), ui.Length(s.width), ui.Plural(b.Total(), "exchange", "exchanges"))
	for _, p := range counts(b) {
		if p.count > 0 {
			fmt.Fprintf(&out, "\n%s %s", ui.Count(p.count), p.name)
		}
	}
	if b.Refused > 0 {
		fmt.Fprintf(&out, "\n%s refused by Seshat", ui.Count(b.Refused))
	}
	return out.String()
}

// placeMarks places the moments that are within the time; those that are too close to each other become one.
func (s *strip) placeMarks(session *wire.Session, t *wire.Timeline) []stripMark {
	var out []stripMark
	moments := joined(t.Moments)
	for i := range moments {
		m := &moments[i]
		share, inside := s.scale.share(m.Time)
		if m.Kind == wire.MomentDenied || m.Kind == wire.MomentReadmitted || m.Kind == wire.MomentEnd || m.Kind == wire.MomentExpired {
			inside = inside || m.Time.After(s.scale.to) && !session.LastSeen.After(s.scale.to) // at the edge, which shows that it is over
		}
		if !inside {
			continue
		}
		e := eventOf(session, t, m)
		at := min(max(share*100, markRoom/2), 100-markRoom/2)
		title := ui.Stamp(m.Time) + " UTC: " + e.Text
		if n := len(out); n > 0 && at-out[n-1].at < markRoom {
			before := &out[n-1]
			before.count++
			if before.count <= mostTitles {
				before.title += "\n" + title
			}
			if severity(e.Mark.Kind) > severity(before.mark.Kind) {
				before.mark, before.exchange = e.Mark, m.Exchange
			}
			continue
		}
		out = append(out, stripMark{at: at, mark: e.Mark, count: 1, title: title, exchange: m.Exchange})
	}
	return out
}

// mostTitles is how many moments the title of one mark names.
const mostTitles = 8

func severity(kind string) int {
	switch kind {
	case "bad":
		return 4
	case "warn":
		return 3
	case "good":
		return 2
	case "info":
		return 1
	default:
		return 0
	}
}

// band makes runs of the stretches in which a flow was seen.
func (s *strip) band(t *wire.Timeline, i int) band {
	flow := &t.Flows[i]
	out := band{name: flow.Name, count: flow.Exchanges, class: "c-" + strconv.Itoa(i%5+1)}
	for j := 0; j < len(flow.Counts) && j < len(t.Buckets); j++ {
		if flow.Counts[j] == 0 {
			continue
		}
		first, n := j, int64(0)
		for ; j < len(flow.Counts) && j < len(t.Buckets) && flow.Counts[j] > 0; j++ {
			n += flow.Counts[j]
		}
		begin, end := t.Buckets[first].Start, t.Buckets[j-1].Start.Add(s.width)
		x, width := s.span(begin, end)
		x, width = x/stripWidth*100, width/stripWidth*100
		if width < leastRun {
			x, width = min(x, 100-leastRun), leastRun
		}
		out.runs = append(out.runs, run{x, width, flow.Name + ", " + ui.Stamp(begin) + " UTC: " + ui.Plural(n, "exchange", "exchanges")})
	}
	return out
}

// leastRun is how narrow a run may be, in percent.
const leastRun = 0.4

// summary is what the strip shows, for those who do not see it.
func (s *strip) summary() string {
	return fmt.Sprintf("%s from %s to %s UTC, at most %s in %s", ui.Plural(s.total, "exchange", "exchanges"), ui.Stamp(s.scale.from), ui.Stamp(s.scale.to),
		ui.Count(s.most), ui.Length(s.width))
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

func percent(f float64) string { return decimal(f) + "%" }

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
