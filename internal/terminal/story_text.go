package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

// longGap is how long nothing has to happen for the timeline to say so: shorter pauses are reading and thinking.
const longGap = 5 * time.Minute

// Story writes the story for a person.
func (s *Screen) Story(story *Story) error {
	p := &page{screen: s}
	p.summary(story.Session)
	p.fact("revoked", append(denied(story.PastDenials), denied(story.Denials)...)...)
	p.timeline(story)
	p.lineage(story.Lineage)
	p.heading("Why this is one session")
	for _, why := range story.Why {
		p.line("  " + Escape(why))
	}
	_, err := s.Write([]byte(p.String()))
	return err
}

// page is text for a screen in the making.
type page struct {
	strings.Builder
	screen *Screen
}

func (p *page) line(text string) {
	if p.screen.width > 0 {
		text = Cut(text, p.screen.width)
	}
	p.WriteString(text + "\n")
}

func (p *page) heading(text string) {
	p.WriteString("\n")
	p.line(p.screen.Paint(StyleBold, text))
}

// fact writes a name and what there is under it, one a line; nothing when there is nothing.
func (p *page) fact(name string, values ...string) {
	for i, value := range values {
		if i > 0 {
			name = ""
		}
		if value != "" {
			p.line(fmt.Sprintf("  %s %s", p.screen.Paint(StyleFaint, fmt.Sprintf("%-14s", name)), value))
		}
	}
}

// mostListed is how many elements of a list the summary has; the JSON has more.
const mostListed = 8

func listed(values []string) []string {
	out := make([]string, 0, min(len(values), mostListed+1))
	for i, value := range values {
		if i == mostListed {
			return append(out, fmt.Sprintf("and %d more", len(values)-i))
		}
		out = append(out, Escape(value))
	}
	return out
}

// denied says when, by whom and why a session was revoked.
func denied(denials []seshat.Denial) []string {
	var out []string
	for i := range denials {
		d := &denials[i]
		text := Time(d.At)
		if d.By != "" {
			text += " by " + Escape(d.By)
		}
		if d.Reason != "" {
			text += ": " + Escape(d.Reason)
		}
		text += fmt.Sprintf(" (%s, answered with %d", Escape(d.Name), d.Status)
		if !d.Until.IsZero() {
			text += ", until " + Time(d.Until)
		}
		if !d.TakenBackAt.IsZero() {
			text += ", taken back " + Time(d.TakenBackAt)
			if d.TakenBackBy != "" {
				text += " by " + Escape(d.TakenBackBy)
			}
		}
		out = append(out, text+")")
	}
	return out
}

func (p *page) summary(s *seshat.Session) {
	state := p.screen.Paint(StateStyle(s.State), string(s.State))
	if s.EndedBy != seshat.EndNone && s.EndedBy != seshat.EndRevoked { // that is the state, too
		state += " by " + string(s.EndedBy)
	}
	p.line(p.screen.Paint(StyleBold, "Session "+s.ID.String()) + "  " + state)
	user := "not known"
	if s.User != "" {
		user = Escape(s.User)
		if len(s.Roles) > 0 {
			user += " (" + Escape(strings.Join(s.Roles, ", ")) + ")"
		}
	}
	p.fact("user", user)
	p.fact("identified by", fmt.Sprintf("%s, confidence %.2f", Escape(s.IdentifiedBy), s.Confidence))
	p.fact("seen", fmt.Sprintf("%s to %s (%s)", Time(s.FirstSeen), Time(s.LastSeen), Span(s.LastSeen.Sub(s.FirstSeen))))
	errors := Plural(s.Errors, "error", "errors")
	if s.Errors > 0 {
		errors = p.screen.Paint(StyleYellow, errors)
	}
	if s.Refused > 0 {
		errors += ", " + p.screen.Paint(StyleYellow, Count(s.Refused)+" refused")
	}
	p.fact("exchanges", Count(s.Exchanges)+", "+errors)
	if s.EndedAt != nil {
		p.fact("ended", Time(*s.EndedAt))
	}
	if s.ExpiresAt != nil {
		p.fact("expires", Time(*s.ExpiresAt))
	}
	p.fact("environment", Escape(s.Environment))
	p.fact("services", listed(s.Services)...)
	p.fact("from", listed(s.IPs)...)
	p.fact("devices", listed(s.UserAgents)...)
	flows := make([]string, len(s.Flows))
	for i, f := range s.Flows {
		flows[i] = fmt.Sprintf("%s: %s, %.0f %%", f.Name, Plural(f.Exchanges, "exchange", "exchanges"), 100*f.Share)
	}
	p.fact("flows", listed(flows)...)
	if !s.Previous.IsZero() {
		p.fact("previous", s.Previous.String())
	}
}

func (p *page) timeline(story *Story) {
	p.heading("Timeline")
	wide := 0
	for i := range story.Timeline {
		wide = max(wide, len(story.Timeline[i].Method))
	}
	day := ""
	for i := range story.Timeline {
		m := &story.Timeline[i]
		if story.LeftOut > 0 && i == story.LeftOutAt {
			p.aside(Plural(story.LeftOut, "exchange", "exchanges") + " left out; --limit 0 shows all")
		} else if gap := time.Duration(m.GapMS * float64(time.Millisecond)); gap >= longGap {
			p.aside("nothing for " + Span(gap))
		}
		if d := m.Time.UTC().Format("2006-01-02"); d != day {
			day = d
			p.line("  " + p.screen.Paint(StyleFaint, day))
		}
		p.moment(m, min(wide, len("PROPFIND")))
	}
}

func (p *page) aside(text string) { p.line("  " + p.screen.Paint(StyleFaint, "          ⋯ "+text)) }

func (p *page) moment(m *Moment, method int) {
	status := "  -"
	if m.Status > 0 {
		status = p.screen.Paint(StatusStyle(m.Status), fmt.Sprintf("%3d", m.Status))
	}
	took := "-"
	if m.DurationMS > 0 {
		took = Span(time.Duration(m.DurationMS * float64(time.Millisecond)))
	}
	offset := "+" + Span(time.Duration(m.OffsetMS*float64(time.Millisecond)))
	line := fmt.Sprintf("  %s %8s  %s  %-*s ", m.Time.UTC().Format("15:04:05Z"), offset, status, method, Escape(m.Method))
	marks := ""
	for _, mark := range m.Marks {
		marks += "  ← " + Escape(mark)
	}
	took = "  " + took
	endpoint := Escape(m.Endpoint)
	if p.screen.width > 0 { // what is special matters more than the end of a long path
		room := p.screen.width - width(line) - width(took) - min(width(marks), p.screen.width/3)
		endpoint = Cut(endpoint, max(room, leastEndpoint))
	}
	p.line(line + endpoint + p.screen.Paint(StyleFaint, took) + p.screen.Paint(StyleCyan, marks))
}

// leastEndpoint is how much of an endpoint is shown on the narrowest screen.
const leastEndpoint = 20

// lineageShown is how many client session IDs the text lists. A client that gets a new token with every request has
// thousands; the JSON has them all.
const lineageShown = 100

func (p *page) lineage(steps []Step) {
	if len(steps) == 0 {
		return
	}
	p.heading("Lineage: client session IDs and what links them")
	for i := range steps {
		step := &steps[i]
		if len(steps) > lineageShown && i == lineageShown {
			p.aside(strconv.Itoa(len(steps)-i) + " more; --format json has them all")
			return
		}
		value := step.ClientSessionID
		if value == "" {
			value = "(address and user agent)"
		}
		p.line(fmt.Sprintf("  %s  %s %s (%s)", Time(step.Time), p.screen.Paint(StyleCyan, Escape(CutValue(value))),
			step.Kind, Escape(step.Name)))
		detail := evidenceWords(step.Evidence)
		if step.From != "" {
			detail += "; follows " + Escape(CutValue(step.From))
		}
		if step.Score < 1 {
			detail += fmt.Sprintf("; score %.2f", step.Score)
		}
		if step.ExpiresAt != nil {
			detail += "; lapses " + Time(*step.ExpiresAt)
		}
		p.line(p.screen.Paint(StyleFaint, "                        "+detail))
	}
}
