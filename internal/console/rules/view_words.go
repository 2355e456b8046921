package rules

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// savedWords says what saving a rule did.
func savedWords(s *shown) string {
	switch {
	case s.saved == "unchanged":
		return "Nothing was different: it stays as it was."
	case !s.enabled():
		return s.Name + " is saved, and switched off."
	default:
		return s.Name + " is saved, and in force in every gateway within a second."
	}
}

// endWords says when sessions of a rule end.
func endWords(spec *seshat.SessionRuleSpec) string {
	length := func(d *seshat.Duration) string { return ui.Length(time.Duration(*d)) }
	switch {
	case spec.IdleTimeout != nil && spec.AbsoluteLifetime != nil:
		return "after " + length(spec.IdleTimeout) + " without an exchange, and after " + length(spec.AbsoluteLifetime) + " in any case"
	case spec.IdleTimeout != nil:
		return "after " + length(spec.IdleTimeout) + " without an exchange"
	case spec.AbsoluteLifetime != nil:
		return "after " + length(spec.AbsoluteLifetime)
	default:
		return "by logout or expiry only"
	}
}

// labels are labels as they are written.
func labels(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for name, value := range m {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// foundID is the element that says how often an identifier found something.
func foundID(i int) string { return "found-" + strconv.Itoa(i) }

// usedID is the element that says how often a rule, or a set of identifiers, gave an exchange its session.
func usedID(name string) string {
	if name == "origin built-in" || name == "origin rule" || name == "origin fallback" {
		return "used-" + name[len("origin "):] + "-set"
	}
	return "used-rule-" + name
}

// usedAddress is where the counts of the rows of the list are.
func usedAddress(rows []row) string {
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Name
	}
	return web.Address(pathUsed, url.Values{"name": names})
}

// share is a count with what part of the whole it is.
func share(n, total int64) string {
	if total == 0 {
		return "0"
	}
	return ui.Count(n) + " (" + ui.Percent(float64(n)/float64(total)) + ")"
}
