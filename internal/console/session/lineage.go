package session

import (
	"fmt"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// The sizes of the lineage graph, in pixels.
const (
	nodeWidth, nodeHeight = 168, 46
	columnGap, rowGap     = 96, 18
	graphMargin           = 8
	// mostNodes is how many client session IDs a graph has. A cookie that changes with every response has thousands; the
	// first and the last are shown, and the table has more.
	mostNodes = 36
	// mostListed is how many of them the table has.
	mostListed = 200
)

// node is a client session ID of a lineage, or a stand-in for those that are left out.
type node struct {
	box
	masked, kind, name string
	title              string
	exchange           string
	hidden             int // how many it stands for; 0 for one of its own
}

// edge is the evidence that one client session ID led to another.
type edge struct {
	path     string
	label    string
	x, y     float64 // of the label
	inferred bool
	title    string
}

// graph is a lineage as it is drawn: time goes from left to right.
type graph struct {
	nodes         []node
	edges         []edge
	width, height float64
}

// layOutLineage places the links of a session, which are in the order of time. IDs that joined by one exchange are above
// each other; those that one identifier found are in one row as long as there is room.
func layOutLineage(links []seshat.Link) *graph {
	g := &graph{}
	p := placing{g: g, at: map[seshat.Digest]int{}, tracks: map[string]int{}, taken: map[[2]int]bool{}, column: -1}
	first, last := len(links), len(links)
	if len(links) > mostNodes {
		first, last = mostNodes/3, len(links)-(mostNodes-mostNodes/3)
	}
	for i := range links {
		switch {
		case i < first || i >= last:
			p.place(&links[i])
		case i == first:
			p.placeHidden(last - first)
			p.at[links[i].To] = len(g.nodes) - 1
		default:
			p.at[links[i].To] = len(g.nodes) - 1
		}
	}
	g.width, g.height = g.width+graphMargin, g.height+graphMargin
	for i := range links {
		if i < first || i >= last {
			p.connect(&links[i])
		}
	}
	return g
}

// placing is a graph in the making.
type placing struct {
	g        *graph
	at       map[seshat.Digest]int // which node an ID is
	tracks   map[string]int        // the row of an identifier
	taken    map[[2]int]bool       // columns and rows
	column   int
	exchange seshat.ExchangeKey
}

func (p *placing) place(l *seshat.Link) {
	if _, there := p.at[l.To]; there {
		return // it joined twice, as after a merge
	}
	if p.column < 0 || l.Exchange != p.exchange {
		p.column++
	}
	p.exchange = l.Exchange
	track := l.Name + "\x00" + l.Kind.String()
	row, known := p.tracks[track]
	if !known {
		row = len(p.tracks)
	}
	row = p.free(row)
	if !known {
		p.tracks[track] = row
	}
	title := masked(l.Masked, l.Kind.String()) + "\n" + kindWords(l.Kind.String()) + ", found by " + l.Name + "\n" + ui.Stamp(l.Time) + " UTC: " + evidence(l.Evidence)
	if !l.ExpiresAt.IsZero() {
		title += "\nlapses " + ui.Stamp(l.ExpiresAt) + " UTC"
	}
	p.add(row, node{
		masked: masked(l.Masked, l.Kind.String()), kind: kindWords(l.Kind.String()), name: l.Name, title: title, exchange: wire.KeyText(l.Exchange),
	})
	p.at[l.To] = len(p.g.nodes) - 1
}

func (p *placing) placeHidden(count int) {
	p.column++
	p.exchange = 0
	p.add(p.free(0), node{
		masked: ui.Count(count) + " more", kind: "not drawn", hidden: count, title: ui.Count(count) + " more client session IDs, not drawn",
	})
	p.column++ // what follows is of another time, whatever exchange it is of
}

// free is the first row from row on that has room in the column.
func (p *placing) free(row int) int {
	for p.taken[[2]int{p.column, row}] {
		row++
	}
	p.taken[[2]int{p.column, row}] = true
	return row
}

func (p *placing) add(row int, n node) {
	n.box = box{
		X: graphMargin + float64(p.column*(nodeWidth+columnGap)), Y: graphMargin + float64(row*(nodeHeight+rowGap)), Width: nodeWidth, Height: nodeHeight,
	}
	p.g.width, p.g.height = max(p.g.width, n.X+n.Width), max(p.g.height, n.Y+n.Height)
	p.g.nodes = append(p.g.nodes, n)
}

// connect draws the evidence of a link from the ID that it starts from.
func (p *placing) connect(l *seshat.Link) {
	from, known := p.at[l.From]
	to := p.at[l.To]
	if l.From.IsZero() || !known || from == to {
		return
	}
	a, b := &p.g.nodes[from], &p.g.nodes[to]
	e := edge{label: short(l.Evidence, l.Score), inferred: l.Score < 1, title: evidence(l.Evidence)}
	if l.Score < 1 {
		e.title += fmt.Sprintf(", score %.2f", l.Score)
	}
	x1, y1 := a.X+a.Width, a.Y+a.Height/2
	x2, y2 := b.X, b.Y+b.Height/2
	switch {
	case a.X == b.X: // of one exchange: from below to above
		x1, x2 = a.X+a.Width/2, b.X+b.Width/2
		y1, y2 = a.Y+a.Height, b.Y
		if b.Y < a.Y {
			y1, y2 = a.Y, b.Y+b.Height
		}
		e.path = fmt.Sprintf("M%.0f %.0fL%.0f %.0f", x1, y1, x2, y2)
		e.label = "" // there is no room
	case b.X < a.X: // the evidence came later than what it is about
		x1, x2 = a.X, b.X+b.Width
		e.path = fmt.Sprintf("M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f", x1, y1, x1-columnGap/2, y1, x2+columnGap/2, y2, x2, y2)
	default:
		e.path = fmt.Sprintf("M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f", x1, y1, x1+columnGap/2, y1, x2-columnGap/2, y2, x2, y2)
	}
	// The label is beside the ID that joined, where it is in nobody's way.
	e.x, e.y = b.X-columnGap/2, b.Y+b.Height/2-6
	p.g.edges = append(p.g.edges, e)
}

// fits is a text as it fits into a node.
func fits(text string, most int) string { return clip(strings.ToValidUTF8(text, "\uFFFD"), most) }
