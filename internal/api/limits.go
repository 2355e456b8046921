package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
)

const limitsText = ` What they did comes from the exchanges that were stored, and so from all gateways; what they let pass is known of this
process only. Needs sessions:read and denylist:read too for the parts that say so: without them these are absent.`

func (s *server) registerLimits() {
	op := s.operation("GET", "/api/v1/limits", "list-limits", tagResources, "List limits and validations of tokens with what they did")
	op.Description += limitsText
	register(s, op, s.listLimits)
}

// denylistBy begins the names of entries of the denylist in verdicts.
const denylistBy = "Denylist/"

func (s *server) listLimits(ctx context.Context, _ *struct{}) (*output[wire.Limits], error) {
	out := &output[wire.Limits]{wire.Limits{Now: store.Time(s.Now()), Items: []wire.Limit{}}}
	acted := map[string]*live.Acting{}
	if s.Feed != nil {
		acting := s.Feed.Acting()
		for i := range acting {
			acted[acting[i].By] = &acting[i]
		}
		out.Body.Since = store.Time(s.Feed.Began())
	}
	judged := map[string]*enforce.RuleStats{}
	if s.LimitStats != nil {
		stats := s.LimitStats()
		for i := range stats {
			judged[stats[i].By] = &stats[i]
		}
	}
	who := authorize(ctx, SessionsRead) == nil
	for _, kind := range []seshat.Kind{seshat.KindLimit, seshat.KindJWTValidation} {
		list, err := s.Registry.List(ctx, kind)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(list, func(a, b resource.Stored) int { return cmp.Compare(a.Name, b.Name) })
		for i := range list {
			one := newLimit(&list[i])
			by := string(kind) + "/" + one.Name
			one.Acted = newActed(by, acted[by], out.Body.Now, who)
			one.Here = newJudged(judged[by])
			out.Body.Items = append(out.Body.Items, one)
		}
	}
	if authorize(ctx, DenylistRead) == nil {
		for by, a := range acted {
			if strings.HasPrefix(by, denylistBy) {
				out.Body.Denylist = append(out.Body.Denylist, newActed(by, a, out.Body.Now, who))
			}
		}
		slices.SortFunc(out.Body.Denylist, func(a, b wire.Acted) int { return cmp.Compare(a.By, b.By) })
	}
	return out, nil
}

func newLimit(stored *resource.Stored) wire.Limit {
	out := wire.Limit{
		Kind: string(stored.Kind), Name: stored.Name, Revision: uint64(stored.Revision), ChangedBy: stored.By, ChangedAt: stored.At.UTC(),
	}
	if stored.Resource == nil {
		return out
	}
	switch spec := stored.Resource.Spec.(type) {
	case *seshat.LimitSpec:
		out.Enabled, out.Action = spec.Enabled == nil || *spec.Enabled, cmp.Or(spec.Action, seshat.ActionLimit.String())
		out.Count, out.Key, out.Endpoints = spec.Count, spec.Key, spec.Endpoints
		out.WindowMS = inMS(time.Duration(spec.Window))
		if spec.For != nil {
			out.ForMS = inMS(time.Duration(*spec.For))
		}
	case *seshat.JWTValidationSpec:
		out.Enabled, out.Action = spec.Enabled == nil || *spec.Enabled, cmp.Or(spec.Action, seshat.ActionBlock.String())
		out.Endpoints = spec.Endpoints
	}
	out.TagOnly = out.Action == seshat.ActionTag.String()
	return out
}

func newJudged(s *enforce.RuleStats) *wire.Judged {
	if s == nil {
		return nil
	}
	return &wire.Judged{
		Requests: int64(s.Hits), Allowed: int64(s.Hits - min(s.Hits, s.Tagged+s.Refused)), Tagged: int64(s.Tagged), Refused: int64(s.Refused),
		Untracked: int64(s.Untracked),
	}
}

// newActed is what something did, with those that it acted on where that may be told.
func newActed(by string, a *live.Acting, now time.Time, who bool) wire.Acted {
	out := wire.Acted{By: by}
	if a == nil {
		return out
	}
	out.Tagged, out.Limited, out.Blocked = int64(a.Tagged), int64(a.Limited), int64(a.Blocked)
	out.LastActed = store.Time(a.Last)
	n := len(a.Minutes)
	m := &wire.ActedMinutes{
		From:   now.Truncate(time.Minute).Add(-live.ActingMinutes*time.Minute + time.Minute),
		Tagged: make([]int64, n), Limited: make([]int64, n), Blocked: make([]int64, n),
	}
	for i := range a.Minutes {
		m.Tagged[i], m.Limited[i], m.Blocked[i] = int64(a.Minutes[i].Tagged), int64(a.Minutes[i].Limited), int64(a.Minutes[i].Blocked)
	}
	out.Minutes = m
	if !who {
		return out
	}
	for _, on := range a.On {
		out.On = append(out.On, wire.ActedOn{
			SessionID: on.Session.String(), User: on.User, IP: on.IP, Action: on.Action.String(), Times: int64(on.Times), Last: store.Time(on.Last),
		})
	}
	return out
}
