package preview

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// limitTrial lets an enforcer that has one limit of the draft and nothing else decide on every request. What it would have
// refused has happened all the same, so that a client which would have stopped is refused more often here.
type limitTrial struct {
	limit    *rule.Limit
	enforcer *enforce.Enforcer
	decision enforce.Decision
	hasher   *protect.Hasher
	digests  []seshat.Digest
	limited  []int // exchanges
}

// trialKeys bounds what an enforcer of a trial remembers: a few thousand exchanges have no more keys, IDs and sessions.
const trialKeys = 1 << 16

func newLimitTrials(t *trial) []*limitTrial {
	var out []*limitTrial
	for i := range t.Add {
		r := &t.Add[i]
		if r.Kind != seshat.KindLimit {
			continue
		}
		set, faults := rule.Compile([]seshat.Resource{*r})
		if len(faults) > 0 || len(set.Limits()) == 0 {
			continue // all of the draft compiles, so that it is switched off
		}
		e := enforce.New(enforce.Config{
			NewSessionID: t.Correlation(t.draft.after).NewSessionID, MaxKeys: trialKeys, MaxIDs: trialKeys, MaxSessions: trialKeys,
		})
		e.Use(set, nil)
		out = append(out, &limitTrial{limit: set.Limits()[0], enforcer: e, hasher: t.Digester.Hasher()})
	}
	return out
}

// limitRequests lets the limits of the draft decide on the request of x, as it is before there is a response.
func (t *trial) limitRequests(i int, x *seshat.Exchange, w *identify.Worker, id *seshat.Identity) {
	if len(t.limits) == 0 {
		return
	}
	request := *x
	request.Response = seshat.Response{}
	w.Identify(&request, id)
	for _, l := range t.limits {
		l.digests = protect.Digests(l.hasher, id, l.digests[:0])
		r := enforce.Request{Exchange: &request, Identity: id, Digests: l.digests, Now: x.Time, Reader: w}
		l.enforcer.Decide(&r, &l.decision)
		if v := &l.decision.Verdict; v.Action.Refuses() || slices.ContainsFunc(v.Tags, func(tag string) bool { return strings.HasSuffix(tag, "/"+l.limit.Name) }) {
			l.limited = append(l.limited, i)
		}
	}
}

// limitResponses tells the enforcers what the origin answered.
func (t *trial) limitResponses(_ int, x *seshat.Exchange, w *identify.Worker, id *seshat.Identity, o *seshat.Observation) {
	for _, l := range t.limits {
		whole := *id
		whole.IDs = whole.IDs[:min(len(whole.IDs), len(o.IDs))]
		l.digests = l.digests[:0]
		for j := range whole.IDs {
			l.digests = append(l.digests, o.IDs[j].Digest)
		}
		r := enforce.Request{Exchange: x, Identity: &whole, Digests: l.digests, Now: x.Time, Reader: w}
		l.enforcer.Answered(&r, &l.decision)
	}
}

// coverLimits says what the limits of the draft would have done.
func (t *trial) coverLimits() {
	for _, l := range t.limits {
		out := LimitTrial{Name: l.limit.Name, Action: l.limit.Action.String(), Limited: len(l.limited), Hit: []LimitedOne{}}
		for _, s := range l.enforcer.Stats().Rules {
			if s.By == string(seshat.KindLimit)+"/"+l.limit.Name {
				out.Counted = int(s.Hits) //nolint:gosec // as many as exchanges at most
			}
		}
		hit, total := map[seshat.SessionID]*LimitedOne{}, map[seshat.SessionID]int{}
		for _, session := range t.after.sessions {
			total[session]++
		}
		endpoints, users := counter{}, map[string]bool{}
		for _, i := range l.limited {
			session, o := t.after.sessions[i], t.after.observations[i]
			if out.First.IsZero() {
				out.First = o.Time.UTC()
			}
			one := hit[session]
			if one == nil {
				one = &LimitedOne{Exchanges: total[session]}
				if o.ClientIP.IsValid() {
					one.Address = o.ClientIP.String()
				}
				if facts := t.after.facts[session]; facts != nil && facts.User != "" {
					one.User, users[facts.User] = t.showUser(facts.User), true
				}
				hit[session] = one
			}
			one.Limited++
			endpoints.add(t.endpoint(i))
		}
		ids := make([]seshat.SessionID, 0, len(hit))
		for id := range hit {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b seshat.SessionID) int {
			return cmp.Or(cmp.Compare(hit[b].Limited, hit[a].Limited), cmp.Compare(a.String(), b.String()))
		})
		for _, id := range ids[:min(len(ids), mostEndpoints)] {
			hit[id].Session = t.names.of(id)
			out.Hit = append(out.Hit, *hit[id])
		}
		out.Sessions, out.Users, out.Endpoints = len(hit), len(users), endpoints.most(mostEndpoints)
		t.report.Limits = append(t.report.Limits, out)
	}
}
