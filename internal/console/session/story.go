package session

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// event is a line of the story of a session.
type event struct {
	Time     time.Time
	Text     string
	Note     string // more of it, in small
	Mark     mark
	Exchange string // key of the exchange that it leads to; may be empty
}

// mark is what an event or a moment looks like.
type mark struct {
	Kind string // good, info, warn, bad or empty: the colour
	Sign string // a character
}

// The marks of moments. Their legend is markLegend.
func markOf(k wire.MomentKind) mark {
	switch k {
	case wire.MomentStart:
		return mark{"info", "▶"}
	case wire.MomentSignIn, wire.MomentRegistration:
		return mark{"good", "✓"}
	case wire.MomentRefresh, wire.MomentRotation, wire.MomentIssued, wire.MomentJoined:
		return mark{"info", "↻"}
	case wire.MomentAddress, wire.MomentUserAgent, wire.MomentJA4:
		return mark{"warn", "⇄"}
	case wire.MomentSignInRefused, wire.MomentRefreshRefused, wire.MomentTagged:
		return mark{"warn", "!"}
	case wire.MomentRefused, wire.MomentDenied:
		return mark{"bad", "✕"}
	case wire.MomentReadmitted:
		return mark{"good", "↩"}
	case wire.MomentSignOut, wire.MomentEnd, wire.MomentExpired:
		return mark{"", "■"}
	default:
		return mark{"", "•"}
	}
}

const (
	// manyGuesses is from how many refused sign-ins in a row it looks like guessing rather than forgetting.
	manyGuesses = 5
	// mostEvents is how many lines of a story are shown: what can be read at a glance. The list of exchanges has the rest.
	mostEvents = 16
)

// tell derives the story of a session from what its timeline says. More is how many lines are left out; they come before
// the one at where.
func tell(s *wire.Session, t *wire.Timeline, at now) (out []event, more, where int) {
	moments := lines(t.Moments)
	for i := range moments {
		if e := eventOf(s, t, &moments[i]); e.Text != "" {
			out = append(out, e)
		}
	}
	if e := last(s, at); e.Text != "" {
		if n := len(out); n > 0 && e.Time.Before(out[n-1].Time) { // what somebody did about it may be later
			e.Time = out[n-1].Time
		}
		out = append(out, e)
	}
	if len(out) > mostEvents {
		more, where = len(out)-mostEvents+1, mostEvents/2
		out = slices.Concat(out[:where], out[where+more:])
	}
	return out, more, where
}

// moment is one or several moments that make one line.
type moment struct {
	wire.Moment
	changes []wire.Moment // of address, user agent and fingerprint in one exchange
	begins  bool          // the session began with it
}

// joined makes one of the changes that one exchange shows: another address and another user agent are one event.
func joined(moments []wire.Moment) []moment {
	out := make([]moment, 0, len(moments))
	for _, m := range moments {
		if !isChange(m.Kind) {
			out = append(out, moment{Moment: m})
			continue
		}
		if n := len(out); n > 0 && len(out[n-1].changes) > 0 && out[n-1].Exchange == m.Exchange {
			out[n-1].changes = append(out[n-1].changes, m)
			continue
		}
		out = append(out, moment{Moment: m, changes: []wire.Moment{m}})
	}
	return out
}

func isChange(k wire.MomentKind) bool {
	return k == wire.MomentAddress || k == wire.MomentUserAgent || k == wire.MomentJA4
}

// lines makes one of moments that are one line of a story: what repeats with nothing in between, and the sign-in that a
// session begins with.
func lines(moments []wire.Moment) []moment {
	all := joined(moments)
	out := all[:0]
	for _, m := range all {
		if n := len(out); n > 0 && repeats(&out[n-1], &m) {
			out[n-1].Count += m.Count
			out[n-1].Until = m.Time
			if !m.Until.IsZero() {
				out[n-1].Until = m.Until
			}
			continue
		}
		if n := len(out); n > 0 && out[n-1].Kind == wire.MomentStart && m.Kind == wire.MomentSignIn && out[n-1].Exchange == m.Exchange {
			m.begins = true
			out[n-1] = m
			continue
		}
		out = append(out, m)
	}
	return out
}

func repeats(a, b *moment) bool {
	if a.Kind != b.Kind || a.By != b.By {
		return false
	}
	switch a.Kind {
	case wire.MomentRefresh, wire.MomentRefused, wire.MomentTagged:
		return true
	case wire.MomentRotation, wire.MomentIssued:
		return a.Name == b.Name
	default:
		return false
	}
}

func eventOf(s *wire.Session, t *wire.Timeline, m *moment) event {
	e := event{Time: m.Time, Mark: markOf(m.Kind), Exchange: m.Exchange}
	times := func(once, often string) string {
		if m.Count <= 1 {
			return once
		}
		return often + " " + ui.Count(m.Count) + " times"
	}
	switch m.Kind {
	case wire.MomentStart:
		e.Text = "Started"
		if s.User == "" || signsIn(t) {
			e.Text = "Started anonymous"
		} else if s.User != "" {
			e.Text = "Started as " + s.User
		}
		if len(t.Devices) > 0 {
			e.Note = from(&t.Devices[0])
		}
	case wire.MomentSignIn:
		e.Text = "Signed in"
		if m.begins {
			e.Text = "Started by signing in"
			if len(t.Devices) > 0 {
				e.Note = from(&t.Devices[0])
			}
		}
		if name := orElse(m.User, s.User); name != "" {
			e.Text += " as " + name
		}
	case wire.MomentRegistration:
		e.Text = "Created an account"
	case wire.MomentSignInRefused:
		e.Text = "A sign-in was refused"
		if m.Count > 1 {
			e.Text = ui.Count(m.Count) + " sign-ins were refused"
		}
		if m.Count >= manyGuesses {
			e.Mark.Kind, e.Note = "bad", "Somebody guesses passwords, or has forgotten theirs."
		}
	case wire.MomentSignOut:
		e.Text = "Signed out"
	case wire.MomentRefresh:
		e.Text = times("Refreshed its token", "Refreshed its token")
	case wire.MomentRefreshRefused:
		e.Text = "A refresh was refused"
		if m.Count > 1 {
			e.Text = ui.Count(m.Count) + " refreshes were refused"
		}
	case wire.MomentRotation:
		e.Text = times("Got a new ID in place of the old one", "Got a new ID in place of the old one")
		e.Note = m.Name
	case wire.MomentIssued:
		e.Text = times("Was given another client session ID", "Was given another client session ID")
		e.Note = m.Name
	case wire.MomentJoined:
		e.Text = "A client session ID joined: " + strings.TrimPrefix(evidence(m.Evidence), "inferred: ")
		if m.Score > 0 && m.Score < 1 {
			e.Note = fmt.Sprintf("Inferred, score %.2f", m.Score)
		}
	case wire.MomentAddress, wire.MomentUserAgent, wire.MomentJA4:
		changed(&e, m)
	case wire.MomentTagged:
		e.Text = ui.Plural(m.Count, "exchange was", "exchanges were") + " tagged by " + m.By
	case wire.MomentRefused:
		e.Text = ui.Plural(m.Count, "exchange was", "exchanges were") + " refused by " + decider(m.By)
	case wire.MomentDenied:
		e.Text = "Revoked"
		if m.By != "" {
			e.Text += " by " + m.By
		}
		e.Note = m.Reason
	case wire.MomentReadmitted:
		e.Text = "The revocation ended"
		if m.By != "" {
			e.Text = "Taken back by " + m.By
		}
	case wire.MomentExpired:
		e.Text = "Its last client session ID lapsed"
	case wire.MomentEnd:
		e.Text = "Ended: " + ending(s, now{m.Time})
	}
	if m.Count > 1 && m.Until.Sub(m.Time) >= time.Second && e.Note == "" {
		e.Note = "until " + m.Until.UTC().Format(time.TimeOnly)
	}
	return e
}

// changed says that a session is seen from elsewhere: another network, another device, or both.
func changed(e *event, m *moment) {
	var notes []string
	network, device := false, false
	for i := range m.changes {
		c := &m.changes[i]
		switch c.Kind {
		case wire.MomentAddress:
			network = true
			notes = append(notes, c.From+" → "+c.To)
		case wire.MomentUserAgent:
			device = true
			notes = append(notes, program(c.From)+" → "+program(c.To))
		default:
			device = true
			notes = append(notes, "JA4 "+c.From+" → "+c.To)
		}
	}
	switch {
	case network && device:
		e.Text, e.Mark.Kind = "The same session from another network and another device", "bad"
	case network:
		e.Text = "The same session from another network"
	default:
		e.Text = "The same session from another device"
	}
	e.Note = strings.Join(notes, " · ")
}

// last is how it is with the session at the moment, where no moment says so.
func last(s *wire.Session, at now) event {
	e := event{Time: s.LastSeen}
	switch s.State {
	case seshat.StateActive:
		e.Text, e.Mark = "Still active", mark{"good", "●"}
	case seshat.StateIdle:
		e.Text, e.Mark = "Nothing seen since", mark{"", "…"}
	default:
		return event{}
	}
	e.Note = ui.Plural(s.Exchanges, "exchange", "exchanges") + " so far"
	if text := ending(s, at); text != "" {
		e.Note += "; " + text
	}
	return e
}

func signsIn(t *wire.Timeline) bool {
	for i := range t.Moments {
		if k := t.Moments[i].Kind; k == wire.MomentSignIn || k == wire.MomentRegistration {
			return true
		}
	}
	return false
}

func from(d *wire.TimelineDevice) string {
	var parts []string
	if d.IP != "" {
		parts = append(parts, "from "+d.IP)
	}
	if d.UserAgent != "" {
		parts = append(parts, "with "+program(d.UserAgent))
	}
	return strings.Join(parts, " ")
}
