package session

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// TestLineageLayout: no two IDs overlap, everything is within the picture, time goes to the right, and every link of IDs that
// are shown is drawn.
func TestLineageLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(0, 120).Draw(t, "count")
		links := make([]seshat.Link, count)
		exchange := seshat.ExchangeKey(1)
		for i := range links {
			if rapid.Bool().Draw(t, "next exchange") {
				exchange++
			}
			from := seshat.Digest{}
			if i > 0 && rapid.Bool().Draw(t, "follows") {
				from = digestOf(rapid.IntRange(0, count+3).Draw(t, "from")) // of any, or of none that is there
			}
			links[i] = seshat.Link{
				From: from, To: digestOf(i), Exchange: exchange, Time: after(int(exchange)), Kind: seshat.IDKind(rapid.IntRange(0, 8).Draw(t, "kind")),
				Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), Score: rapid.SampledFrom([]float64{1, 0.5}).Draw(t, "score"),
			}
		}
		g := layOutLineage(links)
		if len(g.nodes) > mostNodes+1 || count <= mostNodes && len(g.nodes) != count {
			t.Fatalf("%d nodes of %d links", len(g.nodes), count)
		}
		hidden := 0
		for i := range g.nodes {
			a := &g.nodes[i]
			hidden += a.hidden
			if a.X < 0 || a.Y < 0 || a.X+a.Width > g.width || a.Y+a.Height > g.height {
				t.Fatalf("node %d is outside of %v by %v: %+v", i, g.width, g.height, a.box)
			}
			if i > 0 && a.X < g.nodes[i-1].X {
				t.Fatalf("node %d is left of the one before", i)
			}
			for j := range i {
				if overlap(a.box, g.nodes[j].box) {
					t.Fatalf("nodes %d and %d overlap: %+v, %+v", j, i, g.nodes[j].box, a.box)
				}
			}
		}
		if shown := len(g.nodes); count > mostNodes && hidden+shown-1 != count {
			t.Fatalf("%d hidden and %d shown of %d", hidden, shown-1, count)
		}
		want := 0
		for i := range links {
			first, last := len(links), len(links)
			if count > mostNodes {
				first, last = mostNodes/3, count-(mostNodes-mostNodes/3)
			}
			for j := range links {
				if (i < first || i >= last) && j != i && links[i].From == links[j].To {
					want++
				}
			}
		}
		if len(g.edges) != want {
			t.Fatalf("%d edges; want %d", len(g.edges), want)
		}
		for i := range g.edges {
			if g.edges[i].path == "" {
				t.Fatalf("edge %d is not drawn", i)
			}
		}
	})
}

func digestOf(i int) seshat.Digest { return seshat.Digest{1, byte(i >> 8), byte(i)} }

func overlap(a, b box) bool {
	return a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height
}

// TestStripLayout: bars, marks and bands are within the picture; marks do not overlap; nothing is lost.
func TestStripLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := time.Duration(rapid.SampledFrom([]int64{1, 10, 1000, 60_000, 86_400_000}).Draw(t, "width")) * time.Millisecond
		line := &wire.Timeline{
			Since: begin, Until: begin.Add(width * 50), WidthMS: float64(width) / float64(time.Millisecond), Buckets: make([]wire.TimelineCount, 50),
		}
		count := rapid.Int64Range(0, 1000)
		filled := 0
		for i := range line.Buckets {
			b := &line.Buckets[i]
			b.Start = begin.Add(time.Duration(i) * width)
			if rapid.Bool().Draw(t, "filled") {
				b.OK, b.ServerErrors, b.None = count.Draw(t, "ok"), count.Draw(t, "errors"), count.Draw(t, "none")
			}
			if b.Total() > 0 {
				filled++
			}
			line.Exchanges += b.Total()
		}
		for i := range rapid.IntRange(0, 9).Draw(t, "flows") {
			flow := wire.TimelineFlow{Name: fmt.Sprint(i), Counts: make([]int64, 50)}
			for j := range flow.Counts {
				if rapid.Bool().Draw(t, "in flow") {
					flow.Counts[j] = 1
					flow.Exchanges++
				}
			}
			line.Flows = append(line.Flows, flow)
		}
		at := 0
		inside := 0
		for range rapid.IntRange(0, 40).Draw(t, "moments") {
			at += rapid.IntRange(0, 40).Draw(t, "later")
			m := wire.Moment{Kind: rapid.SampledFrom([]wire.MomentKind{wire.MomentRefresh, wire.MomentRefused, wire.MomentSignIn}).Draw(t, "kind")}
			m.Time = begin.Add(width * time.Duration(at) / 10)
			line.Moments = append(line.Moments, m)
		}
		s := layOut(&wire.Session{Session: seshat.Session{FirstSeen: line.Since, LastSeen: line.Until}}, line)
		for i := range line.Moments {
			if _, is := s.scale.share(line.Moments[i].Time); is {
				inside++
			}
		}
		if len(s.bars) != filled {
			t.Fatalf("%d bars of %d buckets", len(s.bars), filled)
		}
		within := func(what string, b box, w, h float64) {
			if b.X < -0.001 || b.Y < -0.001 || b.X+b.Width > w+0.001 || b.Y+b.Height > h+0.001 || b.Width <= 0 || b.Height <= 0 {
				t.Fatalf("%s is not within %v by %v: %+v", what, w, h, b)
			}
		}
		for i := range s.bars {
			for _, p := range s.bars[i].parts {
				within("a bar", p.box, stripWidth, stripHeight)
			}
		}
		marked := 0
		for i, m := range s.marks {
			marked += m.count
			if m.at < 0 || m.at > 100 || i > 0 && m.at-s.marks[i-1].at < markRoom {
				t.Fatalf("mark %d at %v, the one before at %v", i, m.at, s.marks[max(0, i-1)].at)
			}
		}
		if marked != inside {
			t.Fatalf("%d moments are marked of %d", marked, inside)
		}
		if len(s.bands) > mostBands {
			t.Fatalf("%d bands", len(s.bands))
		}
		for _, b := range s.bands {
			for _, r := range b.runs {
				within("a run", box{r.from, 0, r.width, 1}, 100, 1)
			}
		}
	})
}

// TestStripOfOne: a session of one exchange has a timeline, with its mark in the middle.
func TestStripOfOne(t *testing.T) {
	line := &wire.Timeline{
		Since: begin, Until: begin.Add(time.Millisecond), WidthMS: 1, Exchanges: 1, Buckets: []wire.TimelineCount{{Start: begin, OK: 1}},
		Moments: []wire.Moment{{Kind: wire.MomentStart, Time: begin}},
	}
	s := layOut(&wire.Session{Session: seshat.Session{FirstSeen: begin, LastSeen: begin}}, line)
	if len(s.bars) != 1 || len(s.marks) != 1 || s.marks[0].at < 45 || s.marks[0].at > 55 || s.scale.to.Sub(s.scale.from) < leastSpan {
		t.Errorf("bars %+v, marks %+v, from %v to %v", s.bars, s.marks, s.scale.from, s.scale.to)
	}
}
