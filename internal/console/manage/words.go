package manage

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// tried says what a draft was tried on.
func tried(p *wire.Preview) string {
	if p.Exchanges == 0 {
		return "no exchanges to try it on"
	}
	text := "tried on the last " + ui.Count(p.Exchanges) + " exchanges"
	if span := p.Last.Sub(p.First); span > 0 {
		text += ", of " + ui.Length(span)
	}
	if p.Source.Share > 0 && p.Source.Share < 1 {
		text += ", those of " + ui.Percent(p.Source.Share) + " of the clients"
	}
	return text
}

// compared is the heading of a comparison.
func compared(d *wire.ResourceDiff) string {
	switch {
	case d.To.Revision == 0:
		return "Nothing to compare"
	case d.From.Revision == 0:
		return fmt.Sprintf("Revision %d, the first that is kept", d.To.Revision)
	default:
		return fmt.Sprintf("From revision %d to %d", d.From.Revision, d.To.Revision)
	}
}

// place is where a fault of a text is.
func place(f *seshat.Fault) string {
	var out []string
	if strings.Contains(f.File, "/") {
		out = append(out, f.File)
	} else if f.Line > 0 {
		out = append(out, "line "+strconv.Itoa(f.Line))
	}
	if f.Field != "" {
		out = append(out, f.Field)
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, ", ") + ":"
}

// The heights of a text: as many rows as it has lines, within reason.
const leastRows, mostRows = 12, 40

func rowsFor(text string) string {
	return strconv.Itoa(max(leastRows, min(mostRows, strings.Count(text, "\n")+2)))
}

// grade is the colour of a grade of a preview.
func grade(g string) string {
	switch g {
	case "good":
		return "good"
	case "warning":
		return "warn"
	case "bad":
		return "bad"
	default:
		return ""
	}
}
