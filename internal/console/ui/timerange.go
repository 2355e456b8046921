package ui

import (
	"net/url"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

// Range is the time that a page shows, as the API takes it: a length of time before now, two times, or all.
type Range struct{ Since, Until string }

// DefaultRange is what pages show when nothing else is asked for.
const DefaultRange = "24h"

type preset struct{ value, name string }

func presets() []preset {
	return []preset{
		{"15m", "Last 15 minutes"}, {"1h", "Last hour"}, {"6h", "Last 6 hours"}, {"24h", "Last 24 hours"}, {"7d", "Last 7 days"}, {"all", "All time"},
	}
}

// ParseRange reads the time of a page from its query. fallback is what counts when it has none.
func ParseRange(query url.Values, fallback string) Range {
	r := Range{Since: query.Get("since"), Until: query.Get("until")}
	if query.Get("range") == "reset" {
		return Range{Since: "all"}
	}
	if r.Since == "" && r.Until == "" {
		r.Since = fallback
	}
	return r
}

// Custom reports whether it is none of those that the picker offers.
func (r Range) Custom() bool {
	if r.Until != "" {
		return true
	}
	for _, p := range presets() {
		if p.value == r.Since {
			return false
		}
	}
	return r.Since != ""
}

// Words is the time in a few words.
func (r Range) Words() string {
	since, until := moment(r.Since), moment(r.Until)
	if d, err := seshat.ParseDuration(r.Since); err == nil && r.Until == "" {
		return "Last " + Length(time.Duration(d))
	}
	switch {
	case since.IsZero() && until.IsZero():
		return strings.TrimSpace(r.Since + " " + r.Until)
	case until.IsZero():
		return "since " + Stamp(since)
	case since.IsZero():
		return "until " + Stamp(until)
	case since.Format(time.DateOnly) == until.Format(time.DateOnly):
		return Stamp(since) + " – " + until.Format(time.TimeOnly)
	default:
		return Stamp(since) + " – " + Stamp(until)
	}
}

// Set puts the time into a query.
func (r Range) Set(query url.Values) {
	for name, v := range map[string]string{"since": r.Since, "until": r.Until} {
		if v != "" {
			query.Set(name, v)
		}
	}
}

func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// mostCaret is how far a mark under a filter is moved to the right; filters have at most 8192 bytes.
const mostCaret = 8192

// caret is the line under a filter that marks a column.
func caret(column int) string {
	return strings.Repeat(" ", max(0, min(column, mostCaret)-1)) + "^"
}
