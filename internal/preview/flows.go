package preview

import (
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/recent"
	"github.com/seshat-project/seshat/internal/rule"
)

// mostEndpoints is how many endpoints and places are listed.
const mostEndpoints = 10

// coverFlows says what would be part of the flows of the draft.
func (t *trial) coverFlows() {
	for _, f := range t.after.rules.Flows() {
		if !t.draft.has(seshat.KindFlow, f.Name) {
			continue
		}
		out := FlowTrial{Name: f.Name, Type: string(f.Type)}
		index := newScopes([]*rule.Flow{f}, func(f *rule.Flow) *rule.Scope { return &f.Scope })
		endpoints, sessions := counter{}, map[seshat.SessionID]bool{}
		for i, x := range t.Exchanges {
			if len(index.of(x)) > 0 {
				out.InScope++
			}
			if slices.ContainsFunc(t.after.observations[i].Flows, func(m seshat.FlowMatch) bool { return m.Name == f.Name }) {
				out.Matched++
				endpoints.add(t.endpoint(i))
				sessions[t.after.sessions[i]] = true
			}
		}
		out.Sessions, out.Endpoints = len(sessions), endpoints.most(mostEndpoints)
		if len(t.Exchanges) > 0 {
			out.Share = float64(out.Matched) / float64(len(t.Exchanges))
		}
		t.report.Flows = append(t.report.Flows, out)
	}
}

// coverMasks says what the mask rules of the draft would remove. What those in force hide is not there any more.
func (t *trial) coverMasks() {
	for _, m := range t.after.rules.Masks() {
		if !t.draft.has(seshat.KindMaskRule, m.Name) {
			continue
		}
		out := MaskTrial{Name: m.Name}
		index := newScopes([]*rule.Mask{m}, func(m *rule.Mask) *rule.Scope { return &m.Scope })
		places, endpoints := counter{}, counter{}
		for i, x := range t.Exchanges {
			if len(index.of(x)) == 0 {
				continue
			}
			out.InScope++
			here := map[string]bool{}
			recent.Hide(x, []*rule.Mask{m}, func(side seshat.Side, l seshat.Location, name string) {
				if looksSecret(name) {
					name = "…"
				}
				here[side.String()+" "+rule.LocationName(l)+" "+clean(name)] = true
			})
			if len(here) == 0 {
				continue
			}
			out.Removed++
			endpoints.add(t.endpoint(i))
			for place := range here {
				places.add(place)
			}
		}
		out.Places, out.Endpoints = places.most(mostEndpoints), endpoints.most(mostEndpoints)
		t.report.Masks = append(t.report.Masks, out)
	}
}
