package preview

import (
	"cmp"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// mostReasons is how many reasons are told of one identifier.
const mostReasons = 8

// coverRules counts what every session rule that would be in force finds.
func (t *trial) coverRules() {
	rules := t.after.rules.Rules()
	tallies := make(map[seshat.RuleID]*ruleTally, len(rules))
	for _, r := range rules {
		tally := &ruleTally{identifiers: make([]identifierTally, len(r.Identifiers)), draft: t.draft.has(seshat.KindSessionRule, r.Name)}
		tallies[r.ID] = tally
	}
	index := newScopes(rules, func(r *rule.Rule) *rule.Scope { return &r.Scope })
	for i, x := range t.Exchanges {
		o, good := t.after.observations[i], successful(x.Response.Status)
		for _, r := range index.of(x) {
			tally := tallies[rules[r].ID]
			tally.inScope++
			if good {
				tally.successful++
			}
			if tally.draft && readsUnreadBody(rules[r], x) {
				tally.bodiesUnread++
			}
		}
		counted, ruled := map[identifierKey]bool{}, map[seshat.RuleID]bool{}
		for j := range o.IDs {
			id := &o.IDs[j]
			tally := tallies[id.Rule]
			if id.Origin != seshat.OriginRule || id.Deleted || tally == nil || id.Index >= len(tally.identifiers) {
				continue
			}
			one := &tally.identifiers[id.Index]
			if j == o.Grouping {
				tally.decides++
				one.decides++
			}
			if key := (identifierKey{id.Rule, id.Index}); !counted[key] { // it may have found something on both sides
				counted[key] = true
				add(&one.found, &one.foundSuccessful, good)
			}
			if !ruled[id.Rule] {
				ruled[id.Rule] = true
				add(&tally.found, &tally.foundSuccessful, good)
			}
		}
	}
	for _, m := range t.misses {
		one := &tallies[m.key.rule].identifiers[m.key.index]
		if one.missed == nil {
			one.missed = map[miss]int{}
		}
		one.missed[m]++
	}
	for _, r := range rules {
		t.report.Rules = append(t.report.Rules, t.ruleTrial(r, tallies[r.ID]))
		t.unread(r, tallies[r.ID])
	}
}

func add(all, good *int, isGood bool) {
	*all++
	if isGood {
		*good++
	}
}

func (t *trial) ruleTrial(r *rule.Rule, tally *ruleTally) RuleTrial {
	out := RuleTrial{
		Name: r.Name, RuleID: r.ID.String(), Priority: r.Priority, Draft: tally.draft, InScope: tally.inScope, Found: tally.found,
		Decides: tally.decides, Successful: tally.successful, FoundSuccessful: tally.foundSuccessful,
		Identifiers: make([]IdentifierTrial, len(r.Identifiers)),
	}
	for i := range r.Identifiers {
		one := &tally.identifiers[i]
		out.Identifiers[i] = IdentifierTrial{
			Index: i, Where: r.Identifiers[i].Probes[0].String(), Found: one.found, FoundSuccessful: one.foundSuccessful, Decides: one.decides,
			Values: len(t.stats.by[identifierKey{r.ID, i}]), Missed: missedFor(one.missed),
		}
	}
	return out
}

func missedFor(missed map[miss]int) []MissedFor {
	var out []MissedFor
	for m, n := range missed {
		out = append(out, MissedFor{Reason: string(m.reason), Detail: m.detail, Count: n})
	}
	slices.SortFunc(out, func(a, b MissedFor) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Detail, b.Detail))
	})
	return out[:min(len(out), mostReasons)]
}

// readsUnreadBody reports whether a rule looks at a body of x that is there and was not read: nothing that was in force
// asked for it.
func readsUnreadBody(r *rule.Rule, x *seshat.Exchange) bool {
	for i := range r.Identifiers {
		for j := range r.Identifiers[i].Probes {
			s := &r.Identifiers[i].Probes[j]
			if s.Location != seshat.LocationBody {
				continue
			}
			body := &x.Request.Body
			if s.Side == seshat.InResponse {
				body = &x.Response.Body
			}
			if len(body.Bytes) == 0 && body.Size > 0 {
				return true
			}
		}
	}
	return false
}

// bodiesUnread is how many exchanges in scope of a rule have a body that it looks at and nobody has read.
func (t *trial) bodiesUnread(r *rule.Rule) int { return t.unreadBodies[r.ID] }

// unread notes and warns of the bodies that a rule of the draft would look at and that nobody has read.
func (t *trial) unread(r *rule.Rule, tally *ruleTally) {
	if tally.bodiesUnread == 0 {
		return
	}
	if t.unreadBodies == nil {
		t.unreadBodies = map[seshat.RuleID]int{}
	}
	t.unreadBodies[r.ID] = tally.bodiesUnread
	t.warnOf(WarnBodiesNotRead, GradeWarning, string(seshat.KindSessionRule)+"/"+r.Name, -1, tally.bodiesUnread, nil,
		"%s looks at bodies, and those of %s were not read, since nothing in force asks for them: try it on a recording that has them", r.Name, plural(tally.bodiesUnread, "exchange"))
}

// scopes tell what an exchange is in the scope of.
type scopes struct {
	list  []*rule.Scope
	found []int
}

func newScopes[T any](list []*T, scope func(*T) *rule.Scope) *scopes {
	out := &scopes{}
	for _, one := range list {
		out.list = append(out.list, scope(one))
	}
	return out
}

// of are the positions of what x is in the scope of, until the next call.
func (s *scopes) of(x *seshat.Exchange) []int {
	s.found = s.found[:0]
	if len(s.list) == 0 {
		return nil
	}
	url := string(rule.AppendURL(nil, x))
	for i, scope := range s.list {
		if scope.Check(x.Environment, x.Service, url) == rule.InScope {
			s.found = append(s.found, i)
		}
	}
	return s.found
}
