package preview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// When values look as if they were no session IDs.
const (
	// fewExchanges are too few to say something of values.
	fewExchanges = 20
	// constantShare is the part of the exchanges that one value is in, of fewClients clients at least, when it is the same
	// for everybody.
	constantShare = 0.8
	fewClients    = 3
	// onceShare is the part of the values that are seen once, when each request has a new one.
	onceShare = 0.9
	// manyAddresses is from how many addresses a value is sent that hardly belongs to one client: a phone on the move has
	// some, a shared value has any number.
	manyAddresses = 6
	// shortest and guessable: whoever guesses a session ID has the session. OWASP asks for 64 bits.
	shortest       = 8
	guessableBits  = 40
	guessableShare = 0.5
	// equalShare is the part of what two identifiers find that is the same, when one of them is enough.
	equalShare = 0.9
	// limitedShare is the part of the sessions that a limit would have hit, when it hits more than abuse.
	limitedShare = 0.1
	// mostNamed is how many values are named in a warning.
	mostNamed = 3
)

func (t *trial) warnOf(code, grade, resource string, index int, count int, examples []string, format string, args ...any) {
	w := TrialWarning{Code: code, Grade: grade, Resource: resource, Text: fmt.Sprintf(format, args...), Count: count, Examples: examples}
	if index >= 0 {
		w.Index = &index
	}
	t.report.Warnings = append(t.report.Warnings, w)
}

// warn finds what somebody should know before the draft is saved.
func (t *trial) warn() {
	t.warnOfDraft()
	if len(t.Exchanges) == 0 {
		t.warnOf(WarnNoExchanges, GradeNote, "", -1, 0, nil, "there are no exchanges to try it on")
		t.sortWarnings()
		return
	}
	for i, r := range t.after.rules.Rules() {
		if t.draft.has(seshat.KindSessionRule, r.Name) {
			t.warnOfRule(r, &t.report.Rules[i])
		}
	}
	t.warnOfEqual()
	t.warnOfSessions()
	t.warnOfOthers()
	if t.Partial {
		t.warnOf(WarnPartialClients, GradeNote, "", -1, 0, nil, "the exchanges are not all that their clients sent, so that sessions look shorter than they are")
	}
	t.sortWarnings()
}

// grades are the grades of warnings, the gravest first.
var grades = [...]string{GradeBad, GradeWarning, GradeNote}

func (t *trial) sortWarnings() {
	slices.SortStableFunc(t.report.Warnings, func(a, b TrialWarning) int {
		return cmp.Compare(slices.Index(grades[:], a.Grade), slices.Index(grades[:], b.Grade))
	})
}

func (t *trial) warnOfDraft() {
	for _, key := range t.draft.missing {
		t.warnOf(WarnNoSuchResource, GradeNote, key, -1, 0, nil, "there is no %s to remove", key)
	}
	for _, key := range t.draft.disabled {
		t.warnOf(WarnDisabled, GradeNote, key, -1, 0, nil, "%s is switched off, and does nothing", key)
	}
	if !t.draft.changes {
		t.warnOf(WarnNoChange, GradeNote, "", -1, 0, nil, "it changes nothing: this is in force already")
	}
	for i := range t.Add {
		if r := &t.Add[i]; r.Kind == seshat.KindJWTValidation {
			t.warnOf(WarnNotTried, GradeNote, keyOf(r), -1, 0, nil, "%s cannot be tried: whether a token is good depends on the time and on keys", keyOf(r))
		}
	}
}

func (t *trial) warnOfRule(r *rule.Rule, trial *RuleTrial) {
	key := string(seshat.KindSessionRule) + "/" + r.Name
	switch {
	case trial.InScope == 0:
		t.warnOf(WarnNotInScope, GradeBad, key, -1, 0, nil, "none of the %s is in the scope of %s%s", plural(len(t.Exchanges), "exchange"), r.Name, t.seenScopes())
		return
	case trial.Found == 0:
		if t.bodiesUnread(r) == 0 {
			t.warnOf(WarnNeverFound, GradeBad, key, -1, trial.InScope, nil, "%s finds nothing in the %s in its scope%s", r.Name, plural(trial.InScope, "exchange"), because(trial))
		}
		return
	case trial.Decides == 0:
		t.warnOf(WarnNeverFirst, GradeWarning, key, -1, trial.Found, nil, "what %s finds never decides: another rule comes before it and finds something too", r.Name)
	}
	for i := range r.Identifiers {
		id := identifierKey{r.ID, i}
		if list := t.stats.by[id]; len(list) > 0 {
			t.warnOfValues(key, i, &r.Identifiers[i], list, len(t.stats.clients[id]))
		}
	}
}

// because is why a rule found nothing, where there is one main reason.
func because(trial *RuleTrial) string {
	for _, one := range trial.Identifiers {
		if len(one.Missed) == 0 {
			continue
		}
		switch m := one.Missed[0]; m.Reason {
		case "absent":
			return ": there is no " + one.Where
		case "condition":
			return ": the condition " + m.Detail + " does not hold"
		case "transformation":
			return ": " + m.Detail
		case "value":
			return ": the value does not match"
		}
	}
	return ""
}

// seenScopes says what environments and services there are, for whoever wonders why nothing is in scope.
func (t *trial) seenScopes() string {
	environments, services := counter{}, counter{}
	for _, o := range t.after.observations {
		if o.Environment != "" {
			environments.add(clean(o.Environment))
		}
		services.add(clean(o.Service))
	}
	list := func(c counter) string {
		var names []string
		for _, v := range c.most(mostNamed) {
			names = append(names, v.Value)
		}
		return strings.Join(names, ", ")
	}
	out := " (services are " + list(services)
	if len(environments) > 0 {
		out += "; environments " + list(environments)
	}
	return out + ")"
}

// warnOfValues looks at the values that one identifier found.
func (t *trial) warnOfValues(key string, index int, id *rule.Identifier, list map[seshat.Digest]*value, clients int) {
	all := make([]*value, 0, len(list))
	total := 0
	for _, v := range list {
		all, total = append(all, v), total+v.exchanges
	}
	slices.SortFunc(all, func(a, b *value) int {
		return cmp.Or(cmp.Compare(b.exchanges, a.exchanges), cmp.Compare(a.masked, b.masked))
	})
	where := id.Probes[0].String()
	of := func(holds func(v *value) bool) (n int, examples []string) {
		for _, v := range all {
			if holds(v) {
				if n++; n <= mostNamed {
					examples = append(examples, v.masked)
				}
			}
		}
		return n, examples
	}
	isKey := id.Kind == seshat.KindAPIKey // of a service: one session whatever its users and addresses
	constant := total >= fewExchanges && clients >= fewClients && float64(all[0].exchanges) >= constantShare*float64(total)
	if constant {
		t.warnOf(WarnConstant, GradeBad, key, index, all[0].exchanges, []string{all[0].masked},
			"%s is the same value in %s of %s, from %s: everybody would be in one session", where, number(all[0].exchanges), plural(total, "exchange"), plural(clients, "address"))
	}
	if n, examples := of(func(v *value) bool { return v.several }); n > 0 && !isKey && !constant {
		t.warnOf(WarnSeveralUsers, GradeBad, key, index, n, examples,
			"%s found in %s sent for more than one user", plural(n, "client session ID")+verb(n, " ", "is", "are"), where)
	}
	if n, examples := of(func(v *value) bool { return len(v.addresses) >= manyAddresses }); n > 0 && !isKey && !constant {
		t.warnOf(WarnManyAddresses, GradeWarning, key, index, n, examples,
			"%s found in %s sent from %d addresses or more", plural(n, "client session ID")+verb(n, " ", "is", "are"), where, manyAddresses)
	}
	// A code or a token that is used up is to be seen once; a value that comes with each request is not.
	if n, examples := of(func(v *value) bool { return v.exchanges == 1 }); total >= fewExchanges && float64(n) >= onceShare*float64(len(all)) &&
		len(all) > 2*clients && id.Kind == seshat.KindSession {
		t.warnOf(WarnSeenOnce, GradeBad, key, index, n, examples,
			"%s of the %s found in %s %s seen once only: that is a value for each request, not for each session",
			number(n), plural(len(all), "value"), where, verb(n, "", "is", "are"))
	}
	if n, examples := of(func(v *value) bool { return v.length < shortest || v.bits < guessableBits }); float64(n) >= guessableShare*float64(len(all)) && !constant {
		t.warnOf(WarnShort, GradeWarning, key, index, n, examples,
			"%s of the %s found in %s can be guessed: with fewer than %d characters, or little chance in them, they hardly are session IDs",
			number(n), plural(len(all), "value"), where, shortest)
	}
}

func (t *trial) warnOfEqual() {
	for pair, n := range t.stats.equal {
		a, b := t.foundBy(pair[0]), t.foundBy(pair[1])
		if n < fewExchanges || float64(n) < equalShare*float64(min(a, b)) {
			continue
		}
		one, two := t.identifierName(pair[0]), t.identifierName(pair[1])
		t.warnOf(WarnEqualValues, GradeNote, "", -1, n, nil, "%s and %s find the same value in %s: one of them is enough", one, two, plural(n, "exchange"))
	}
	slices.SortFunc(t.report.Warnings, func(a, b TrialWarning) int { // equal is a map
		if a.Code != WarnEqualValues || b.Code != WarnEqualValues {
			return 0
		}
		return strings.Compare(a.Text, b.Text)
	})
}

func (t *trial) foundBy(key identifierKey) int {
	n := 0
	for _, v := range t.stats.by[key] {
		n += v.requests
	}
	return n
}

func (t *trial) identifierName(key identifierKey) string {
	if r, ok := t.after.rules.Rule(key.rule); ok {
		return fmt.Sprintf("%s[%d]", r.Name, key.index)
	}
	return "an identifier"
}

func (t *trial) warnOfSessions() {
	before, after := t.report.Before, t.report.After
	if after.SeveralUsers > before.SeveralUsers {
		t.warnOf(WarnMixedUsers, GradeBad, "", -1, after.SeveralUsers, nil, "%s would hold exchanges of several users, %s now", plural(after.SeveralUsers, "session"), number(before.SeveralUsers))
	}
	if lost := before.Identified - after.Identified; lost > 0 {
		t.warnOf(WarnLosesIdentified, GradeWarning, "", -1, lost, nil, "%s would be known by address and user agent alone that %s identified now", plural(lost, "exchange"), verb(lost, "", "is", "are"))
	}
}

func (t *trial) warnOfOthers() {
	for _, p := range t.report.Parameters {
		t.warnOfReach(seshat.KindContextParameter, p.Name, p.InScope, p.Found)
	}
	for _, f := range t.report.Flows {
		t.warnOfReach(seshat.KindFlow, f.Name, f.InScope, f.Matched)
	}
	for _, m := range t.report.Masks {
		t.warnOfReach(seshat.KindMaskRule, m.Name, m.InScope, m.Removed)
	}
	for _, l := range t.report.Limits {
		key := string(seshat.KindLimit) + "/" + l.Name
		if l.Counted == 0 {
			t.warnOf(WarnNotInScope, GradeWarning, key, -1, 0, nil, "%s counts none of the %s%s", l.Name, plural(len(t.Exchanges), "exchange"), t.seenScopes())
		}
		if sessions := t.report.After.Sessions; l.Sessions > 0 && float64(l.Sessions) >= limitedShare*float64(sessions) {
			t.warnOf(WarnLimitsMany, GradeWarning, key, -1, l.Sessions, nil, "%s would have hit %s of %s: that is more than abuse", l.Name, number(l.Sessions), plural(sessions, "session"))
		}
	}
}

func (t *trial) warnOfReach(kind seshat.Kind, name string, inScope, found int) {
	key := string(kind) + "/" + name
	switch {
	case inScope == 0:
		t.warnOf(WarnNotInScope, GradeWarning, key, -1, 0, nil, "none of the %s is in the scope of %s%s", plural(len(t.Exchanges), "exchange"), name, t.seenScopes())
	case found == 0:
		t.warnOf(WarnNeverFound, GradeWarning, key, -1, inScope, nil, "%s finds nothing in the %s in its scope", name, plural(inScope, "exchange"))
	}
}
