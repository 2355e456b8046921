// Package preview says what a draft of resources would do, by trying it on exchanges: what rules would find, which
// sessions there would be in place of which, and what is wrong with the values. It uses the engines that live traffic
// goes through, and so comes to their answers.
//
// It is pure: the same draft on the same exchanges gives the same report. What it returns holds no secret. A draft is not
// in force, so nobody has decided that values at a place that it names may be seen: they are masked, also where the draft
// says otherwise.
package preview

import (
	"context"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// Input is a draft and what to try it on.
type Input struct {
	// Exchanges are in the order of their time. They are not changed.
	Exchanges []*seshat.Exchange
	// Partial says that clients may have sent more than is in Exchanges.
	Partial bool
	// InForce are the resources in force.
	InForce []seshat.Resource
	// Add are put in place of those of their names; Remove are the names, as in SessionRule/shop, of those left out.
	Add    []seshat.Resource
	Remove []string
	// Digester makes the digests by which equal values are told to be equal. Nothing that is made with it is returned.
	Digester *protect.Digester
	// Correlation is how sessions are made by a ruleset.
	Correlation func(*rule.Ruleset) correlate.Config
	// ShowValues lets values of context parameters be shown, and names of users, that do not look like secrets. Otherwise
	// only those are that the rules in force name users or roles already.
	ShowValues bool
}

// Try tries a draft. The error is a [seshat.Faults] when the draft is no set of resources that could be in force, with
// "Kind/name" as the file, or that of the context.
func Try(ctx context.Context, in *Input) (*Report, error) {
	d, err := newDraft(in)
	if err != nil {
		return nil, err
	}
	t := &trial{Input: in, draft: d, report: newReport(in)}
	if t.before, err = t.run(ctx, d.before, nil); err != nil {
		return nil, err
	}
	t.stats, t.limits = newValues(d), newLimitTrials(t)
	if t.after, err = t.run(ctx, d.after, t.watch); err != nil {
		return nil, err
	}
	if err := t.explain(ctx); err != nil {
		return nil, err
	}
	t.coverRules()
	t.compareSessions()
	t.pickExamples()
	t.coverParameters()
	t.coverFlows()
	t.coverMasks()
	t.coverLimits()
	t.warn()
	t.judge()
	return t.report, nil
}

// trial is a draft that is being tried.
type trial struct {
	*Input
	draft         *draft
	before, after *pass
	stats         *values
	limits        []*limitTrial
	misses        []miss
	unreadBodies  map[seshat.RuleID]int
	names         sessionNames
	places        *placeTexts
	report        *Report
}

// checkEvery is how many exchanges go by between two looks at whether somebody still wants the report.
const checkEvery = 128

func newReport(in *Input) *Report {
	r := &Report{
		Exchanges: len(in.Exchanges), Warnings: []TrialWarning{}, Rules: []RuleTrial{}, IdentifiedBy: []IdentifiedBy{},
		Found: []ExchangeExample{}, NotFound: []ExchangeExample{}, Sessions: []SessionExample{},
	}
	for _, x := range in.Exchanges {
		if successful(x.Response.Status) {
			r.Successful++
		}
	}
	if n := len(in.Exchanges); n > 0 {
		r.First, r.Last = in.Exchanges[0].Time.UTC(), in.Exchanges[n-1].Time.UTC()
	}
	return r
}

func successful(status int) bool { return status >= 200 && status < 300 }
