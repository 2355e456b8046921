package preview

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/seshat-project/seshat"
)

// sessionNames name sessions within a report. Their IDs say nothing to anybody: a draft makes none that is kept.
type sessionNames struct{ names map[seshat.SessionID]string }

func (n *sessionNames) of(id seshat.SessionID) string {
	if n.names == nil {
		n.names = map[seshat.SessionID]string{}
	}
	name := n.names[id]
	if name == "" {
		name = fmt.Sprintf("s%d", len(n.names)+1)
		n.names[id] = name
	}
	return name
}

// compareSessions compares the sessions before and after.
func (t *trial) compareSessions() {
	t.report.Before, t.report.After = t.before.counts(), t.after.counts()
	type source struct {
		name   string
		origin seshat.Origin
	}
	by := map[source]*IdentifiedBy{}
	get := func(id *seshat.ObservedID) *IdentifiedBy {
		key := source{id.Name, id.Origin}
		if by[key] == nil {
			by[key] = &IdentifiedBy{Name: id.Name, Origin: id.Origin.String()}
		}
		return by[key]
	}
	intoAfter, intoBefore := map[seshat.SessionID]map[seshat.SessionID]bool{}, map[seshat.SessionID]map[seshat.SessionID]bool{}
	insert := func(sets map[seshat.SessionID]map[seshat.SessionID]bool, key, member seshat.SessionID) {
		if sets[key] == nil {
			sets[key] = map[seshat.SessionID]bool{}
		}
		sets[key][member] = true
	}
	for i := range t.Exchanges {
		one, two := t.before.grouping(i), t.after.grouping(i)
		get(one).Before++
		get(two).After++
		if one.Name != two.Name || one.Origin != two.Origin || one.Index != two.Index {
			t.report.Moves.Regrouped++
		}
		insert(intoAfter, t.before.sessions[i], t.after.sessions[i])
		insert(intoBefore, t.after.sessions[i], t.before.sessions[i])
	}
	for _, into := range intoAfter {
		if len(into) > 1 {
			t.report.Moves.Split++
		}
	}
	for after, from := range intoBefore {
		switch {
		case len(from) > 1:
			t.report.Moves.Joined++
		default:
			for before := range from {
				if len(intoAfter[before]) == 1 && intoAfter[before][after] {
					t.report.Moves.Same++
				}
			}
		}
	}
	for _, one := range by {
		t.report.IdentifiedBy = append(t.report.IdentifiedBy, *one)
	}
	slices.SortFunc(t.report.IdentifiedBy, func(a, b IdentifiedBy) int {
		return cmp.Or(cmp.Compare(b.After, a.After), cmp.Compare(b.Before, a.Before), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Origin, b.Origin))
	})
	// Rules and identifiers with next to nothing would be as many as there are.
	t.report.IdentifiedBy = t.report.IdentifiedBy[:min(len(t.report.IdentifiedBy), mostSources)]
}

// mostSources is how many sources of sessions are told of: real traffic has some ten.
const mostSources = 100

func (p *pass) counts() SessionCounts {
	var out SessionCounts
	sizes, users := map[seshat.SessionID]int{}, map[seshat.SessionID]*value{}
	for i, session := range p.sessions {
		sizes[session]++
		if p.identified(i) {
			out.Identified++
		}
		o := p.observations[i]
		for j := range o.Parameters {
			// A session goes on when somebody signs in again; which name counts then is for correlation to say.
			if u := &o.Parameters[j]; u.Type == seshat.ParameterUser && !u.Weak {
				if users[session] == nil {
					users[session] = &value{}
				}
				users[session].addUser(sourcedUser{u.Name, u.Value}, false)
			}
		}
	}
	all := make([]int, 0, len(sizes))
	named := map[string]bool{}
	for id, n := range sizes {
		all = append(all, n)
		if n == 1 {
			out.OneExchange++
		}
		if facts := p.facts[id]; facts != nil && facts.User != "" {
			named[facts.User] = true
		}
		if u := users[id]; u != nil && u.several {
			out.SeveralUsers++
		}
	}
	slices.Sort(all)
	if out.Sessions = len(all); out.Sessions > 0 {
		out.Median, out.Largest = all[len(all)/2], all[len(all)-1]
	}
	out.Users = len(named)
	return out
}

// sessionExamples describes some of the sessions that the draft would make: the largest that a rule of the draft
// identifies, or, where it has none, the largest that are not as they were.
func (t *trial) sessionExamples() {
	type group struct {
		id        seshat.SessionID
		exchanges []int
		was       map[seshat.SessionID]bool
		chosen    bool
	}
	groups, before := map[seshat.SessionID]*group{}, map[seshat.SessionID]int{}
	for i, session := range t.after.sessions {
		g := groups[session]
		if g == nil {
			g = &group{id: session, was: map[seshat.SessionID]bool{}}
			groups[session] = g
		}
		g.exchanges = append(g.exchanges, i)
		g.was[t.before.sessions[i]] = true
		before[t.before.sessions[i]]++
		if by := t.after.grouping(i); by.Origin == seshat.OriginRule && t.draft.has(seshat.KindSessionRule, by.Name) {
			g.chosen = true
		}
	}
	hasRules := len(t.draft.own.Rules()) > 0
	list := make([]*group, 0, len(groups))
	for _, g := range groups {
		changed := len(g.was) > 1
		for was := range g.was {
			changed = changed || before[was] != len(g.exchanges)
		}
		if hasRules && g.chosen || !hasRules && changed {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(len(b.exchanges), len(a.exchanges)), bytes.Compare(a.id[:], b.id[:]))
	})
	for _, g := range list[:min(len(list), mostExamples)] {
		t.report.Sessions = append(t.report.Sessions, t.sessionExample(g.id, g.exchanges, len(g.was)))
	}
}

// mostIDs is how many client session IDs and endpoints of a session are told of.
const mostIDs = 5

func (t *trial) sessionExample(id seshat.SessionID, exchanges []int, was int) SessionExample {
	out := SessionExample{Name: t.names.of(id), Exchanges: len(exchanges), Masked: []string{}, Endpoints: []string{}, Was: was}
	if facts := t.after.facts[id]; facts != nil {
		out.IdentifiedBy, out.User = facts.IdentifiedBy, t.showUser(facts.User)
	}
	addresses, endpoints, shown := map[string]bool{}, counter{}, map[seshat.Digest]bool{}
	for _, i := range exchanges {
		o := t.after.observations[i]
		if out.First.IsZero() || o.Time.Before(out.First) {
			out.First = o.Time.UTC()
		}
		if o.Time.After(out.Last) {
			out.Last = o.Time.UTC()
		}
		if o.ClientIP.IsValid() {
			addresses[o.ClientIP.String()] = true
		}
		endpoints.add(t.endpoint(i))
		for j := range o.IDs {
			one := &o.IDs[j]
			if one.Origin == seshat.OriginRule && !one.Deleted && !shown[one.Digest] && len(out.Masked) < mostIDs {
				shown[one.Digest] = true
				out.Masked = append(out.Masked, one.Masked)
			}
		}
	}
	out.Addresses = len(addresses)
	for _, v := range endpoints.most(mostIDs) {
		out.Endpoints = append(out.Endpoints, v.Value)
	}
	return out
}

// counter counts texts.
type counter map[string]int

func (c counter) add(text string) { c[text]++ }

// most are the most frequent ones.
func (c counter) most(n int) []CountedValue {
	out := make([]CountedValue, 0, len(c))
	for text, count := range c {
		out = append(out, CountedValue{text, count})
	}
	slices.SortFunc(out, func(a, b CountedValue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), n)]
}
