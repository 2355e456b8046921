package preview

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// judge says in one sentence what the report comes to: what the draft does, and the gravest of what is wrong with it.
func (t *trial) judge() {
	v := &t.report.Verdict
	v.Grade = GradeGood
	if len(t.Exchanges) == 0 {
		v.Grade, v.Text = GradeNote, "There are no exchanges to try it on."
		return
	}
	v.Text = t.does()
	if len(t.report.Warnings) == 0 {
		v.Text += "."
		return
	}
	worst := &t.report.Warnings[0]
	v.Grade = worst.Grade
	switch {
	case v.Text == "":
		v.Text = strings.ToUpper(worst.Text[:1]) + worst.Text[1:] + "."
	case worst.Grade == GradeNote:
		v.Text += "."
	default:
		v.Text += "; but " + worst.Text + "."
	}
}

// does is what the draft does, of the kind of resource that matters most.
func (t *trial) does() string {
	r := t.report
	if text := t.doSeveral(); text != "" {
		return text
	}
	for i := range r.Rules {
		if one := &r.Rules[i]; one.Draft && one.Found > 0 {
			return fmt.Sprintf("%s finds a client session ID in %s of the %s in its scope, and there would be %s in place of %s",
				one.Name, share(one.FoundSuccessful, one.Successful, one.Found, one.InScope), successfulOr(one), plural(r.After.Sessions, "session"), number(r.Before.Sessions))
		}
	}
	if len(t.draft.own.Rules()) > 0 {
		return "" // it finds nothing, which is a warning
	}
	if len(r.Limits) > 0 {
		l := &r.Limits[0]
		return fmt.Sprintf("%s would have %s %s of %s in %s", l.Name, limited(l.Action), number(l.Limited), plural(l.Counted, "request"), plural(l.Sessions, "session"))
	}
	if len(r.Masks) > 0 {
		m := &r.Masks[0]
		return fmt.Sprintf("%s would remove something of %s of the %s in its scope", m.Name, number(m.Removed), plural(m.InScope, "exchange"))
	}
	if len(r.Parameters) > 0 {
		p := &r.Parameters[0]
		return fmt.Sprintf("%s would be kept with %s of the %s in its scope, with %s", p.Name, number(p.Found), plural(p.InScope, "exchange"), plural(p.Distinct, "different value"))
	}
	if len(r.Flows) > 0 {
		f := &r.Flows[0]
		return fmt.Sprintf("%s of the %s in its scope would be part of %s, in %s", number(f.Matched), plural(f.InScope, "exchange"), f.Name, plural(f.Sessions, "session"))
	}
	return fmt.Sprintf("There would be %s in place of %s, and %s would get their session from another source", plural(r.After.Sessions, "session"), number(r.Before.Sessions), plural(r.Moves.Regrouped, "exchange"))
}

// doSeveral is what several session rules of the draft do together; empty when there are not several that find something.
func (t *trial) doSeveral() string {
	rules := 0
	for i := range t.report.Rules {
		if one := &t.report.Rules[i]; one.Draft && one.Found > 0 {
			rules++
		}
	}
	if rules < 2 {
		return ""
	}
	decided := 0
	for i, x := range t.Exchanges {
		if by := t.after.grouping(i); successful(x.Response.Status) && by.Origin == seshat.OriginRule && t.draft.has(seshat.KindSessionRule, by.Name) {
			decided++
		}
	}
	return fmt.Sprintf("%s give %s of the %s their session, and there would be %s in place of %s", plural(rules, "rule"),
		percent(decided, t.report.Successful), plural(t.report.Successful, "successful exchange"), plural(t.report.After.Sessions, "session"), number(t.report.Before.Sessions))
}

// share is a part of what was successful, or, where nothing was, of all.
func share(goodPart, good, part, all int) string {
	if good == 0 {
		goodPart, good = part, all
	}
	return percent(goodPart, good)
}

func successfulOr(r *RuleTrial) string {
	if r.Successful == 0 {
		return plural(r.InScope, "exchange")
	}
	return plural(r.Successful, "successful exchange")
}

// percent never says all or nothing of what is neither.
func percent(part, all int) string {
	if all == 0 {
		return "0 %"
	}
	n := (200*part + all) / (2 * all)
	switch {
	case part > 0 && n == 0:
		return "less than 1 %"
	case part < all && n == 100:
		return "more than 99 %"
	}
	return strconv.Itoa(n) + " %"
}

func limited(action string) string {
	switch action {
	case seshat.ActionTag.String():
		return "tagged"
	case seshat.ActionBlock.String():
		return "blocked"
	default:
		return "limited"
	}
}

// number is a number with commas.
func number(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// plural is a number of things.
func plural(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "s"):
		thing += "es"
	default:
		thing += "s"
	}
	return number(n) + " " + thing
}

// verb is the form of a verb for a number of things.
func verb(n int, before, one, several string) string {
	if n == 1 {
		return before + one
	}
	return before + several
}
