package preview

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

const (
	// mostValues is how many values of a parameter are shown.
	mostValues = 10
	// mostDistinct is how many are told apart.
	mostDistinct = 10_000
)

// parameterValue is a value of a parameter of the draft, as it was found and as it would be kept.
type parameterValue struct {
	kept  string
	hash  bool
	count int
}

// watchParameters notes what the context parameters of the draft found in an exchange.
func (t *trial) watchParameters(id *seshat.Identity, o *seshat.Observation) {
	for i := range min(len(id.Parameters), len(o.Parameters)) {
		p := &id.Parameters[i]
		if o.Parameters[i].Name != p.Name || !t.draft.has(seshat.KindContextParameter, p.Name) {
			continue
		}
		list := t.stats.parameters[p.Name]
		if list == nil {
			list = map[string]*parameterValue{}
			t.stats.parameters[p.Name] = list
		}
		one := list[p.Value]
		if one == nil {
			if len(list) == mostDistinct {
				continue
			}
			one = &parameterValue{kept: o.Parameters[i].Value, hash: p.Hash}
			list[strings.Clone(p.Value)] = one // the value is in memory that is used again
		}
		one.count++
	}
}

// coverParameters says what the context parameters of the draft would keep.
func (t *trial) coverParameters() {
	var added []*rule.Parameter
	for _, p := range t.after.rules.Parameters() {
		if t.draft.has(seshat.KindContextParameter, p.Name) {
			added = append(added, p)
		}
	}
	for _, p := range added {
		out := ParameterTrial{Name: p.Name, Type: typeName(p.Type), Values: []CountedValue{}}
		index := newScopes([]*rule.Parameter{p}, func(p *rule.Parameter) *rule.Scope { return &p.Scope })
		for i, x := range t.Exchanges {
			if len(index.of(x)) > 0 {
				out.InScope++
			}
			if slices.ContainsFunc(t.after.observations[i].Parameters, func(one seshat.Parameter) bool { return one.Name == p.Name }) {
				out.Found++
			}
		}
		list := t.stats.parameters[p.Name]
		out.Distinct = len(list)
		shown := map[string]int{}
		always := holdsCredential(p)
		for raw, one := range list {
			text := t.showValue(raw)
			switch {
			case one.hash:
				text = one.kept // a digest under the key of the installation, as it would be kept
			case always:
				text = protect.Mask(raw)
			case p.Type == seshat.ParameterUser:
				text = t.showUser(raw)
			}
			shown[text] += one.count
		}
		for text, n := range shown {
			out.Values = append(out.Values, CountedValue{text, n})
		}
		slices.SortFunc(out.Values, func(a, b CountedValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		out.Values = out.Values[:min(len(out.Values), mostValues)]
		if missed := out.InScope - out.Found; missed > 0 {
			out.Missed = []MissedFor{{Reason: "other", Count: missed}}
		}
		t.report.Parameters = append(t.report.Parameters, out)
	}
}

func typeName(t seshat.ParameterType) string {
	switch t {
	case seshat.ParameterUser:
		return "user"
	case seshat.ParameterRole:
		return "role"
	default:
		return "plain"
	}
}

// holdsCredential reports whether a parameter is a field that holds credentials, as it is.
func holdsCredential(p *rule.Parameter) bool {
	if len(p.Transformations) > 0 {
		return false
	}
	if p.Selector.Location == seshat.LocationCookie {
		return true
	}
	name, exact := p.Selector.Key.Exact()
	if p.Selector.Location != seshat.LocationHeader {
		return false
	}
	return !exact || slices.ContainsFunc([]string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "Api-Key", "X-Auth-Token", "X-Csrf-Token", "X-Xsrf-Token",
	}, func(known string) bool { return strings.EqualFold(known, name) })
}
