package preview

import (
	"context"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// pass is what some rules make of the exchanges.
type pass struct {
	rules  *rule.Ruleset
	engine *identify.Engine
	// observations and sessions are in the order of the exchanges. Sessions are resolved.
	observations []*seshat.Observation
	sessions     []seshat.SessionID
	facts        map[seshat.SessionID]*seshat.SessionFacts
	// users are the names that exchanges give users, by where they say it.
	users map[string]bool
}

// watcher is told of what was found in each exchange. Nothing of id may be kept.
type watcher func(i int, x *seshat.Exchange, w *identify.Worker, id *seshat.Identity, o *seshat.Observation)

// run identifies and correlates all exchanges.
func (t *trial) run(ctx context.Context, rules *rule.Ruleset, watch watcher) (*pass, error) {
	p := &pass{
		rules: rules, engine: identify.New(rules, t.Digester), facts: map[seshat.SessionID]*seshat.SessionFacts{}, users: map[string]bool{},
		observations: make([]*seshat.Observation, len(t.Exchanges)), sessions: make([]seshat.SessionID, len(t.Exchanges)),
	}
	worker, observer := p.engine.NewWorker(), protect.NewObserver(t.Digester)
	correlator := correlate.New(t.Correlation(rules))
	var id seshat.Identity
	for i, x := range t.Exchanges {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if watch != nil {
			t.limitRequests(i, x, worker, &id)
		}
		worker.Identify(x, &id)
		o := observer.Observe(x, &id, worker)
		o.Key = seshat.ExchangeKey(i + 1) //nolint:gosec // positive
		if watch != nil {
			watch(i, x, worker, &id, o)
		}
		p.observations[i] = o
		for j := range o.Parameters {
			if isUser(o, &o.Parameters[j]) {
				p.users[o.Parameters[j].Value] = true
			}
		}
		p.sessions[i] = correlator.Process(o)
	}
	into := map[seshat.SessionID]seshat.SessionID{}
	changes := correlator.Flush()
	for i := range changes.Sessions {
		facts := &changes.Sessions[i]
		if !facts.MergedInto.IsZero() {
			into[facts.ID] = facts.MergedInto
			continue
		}
		p.facts[facts.ID] = facts
	}
	// A link may show later that two sessions were one.
	for i := range p.sessions {
		for next, merged := into[p.sessions[i]]; merged; next, merged = into[p.sessions[i]] {
			p.sessions[i] = next
		}
	}
	return p, nil
}

// isUser reports whether a parameter names the user of an exchange: what a client states without proof counts where it
// was accepted.
func isUser(o *seshat.Observation, p *seshat.Parameter) bool {
	return p.Type == seshat.ParameterUser && (!p.Weak || o.Status >= 200 && o.Status < 400)
}

// grouping is the ID that gives the exchange at i its session.
func (p *pass) grouping(i int) *seshat.ObservedID {
	o := p.observations[i]
	return &o.IDs[o.Grouping]
}

// identified reports whether the session of the exchange at i is known by more than address and user agent.
func (p *pass) identified(i int) bool {
	facts := p.facts[p.sessions[i]]
	return facts != nil && facts.Origin != seshat.OriginFallback
}
