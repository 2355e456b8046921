package preview

import (
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/rule"
)

// mostExamples is how many examples of one thing are given: enough to see what is meant, few enough to read.
const mostExamples = 5

// pickExamples picks sessions, and exchanges in which rules of the draft find something, and do not. They are as different
// as can be: of each endpoint and reason one, before there are two of one.
func (t *trial) pickExamples() {
	t.sessionExamples()
	rules := t.draft.own.Rules()
	if len(rules) == 0 {
		return
	}
	found, missed := picker{}, picker{}
	index := newScopes(rules, func(r *rule.Rule) *rule.Scope { return &r.Scope })
	for i, x := range t.Exchanges {
		o := t.after.observations[i]
		for _, r := range index.of(x) {
			at := slices.IndexFunc(o.IDs, func(id seshat.ObservedID) bool { return id.Rule == rules[r].ID && !id.Deleted })
			switch {
			case at >= 0:
				found.offer(pick{i, r, at}, rules[r].Name+"\x00"+o.IDs[at].Key+"\x00"+t.endpoint(i))
			case successful(x.Response.Status): // what was refused needs no ID
				missed.offer(pick{i, r, -1}, rules[r].Name+"\x00"+t.endpoint(i))
			default:
				missed.offer(pick{i, r, -1}, rules[r].Name)
			}
		}
	}
	worker := identify.New(t.draft.own, t.Digester).NewWorker()
	for _, p := range found.picked() {
		t.report.Found = append(t.report.Found, t.exchangeExample(worker, p, rules[p.rule]))
	}
	for _, p := range missed.picked() {
		t.report.NotFound = append(t.report.NotFound, t.exchangeExample(worker, p, rules[p.rule]))
	}
}

// pick is an exchange, a rule in whose scope it is, and the ID that the rule found, or -1.
type pick struct{ exchange, rule, id int }

// picker picks what is different.
type picker struct {
	first, more []pick
	seen        map[string]bool
}

func (p *picker) offer(one pick, kind string) {
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	switch {
	case !p.seen[kind] && len(p.first) < mostExamples:
		p.seen[kind] = true
		p.first = append(p.first, one)
	case len(p.more) < mostExamples:
		p.more = append(p.more, one)
	}
}

func (p *picker) picked() []pick {
	out := append(p.first, p.more...)
	out = out[:min(len(out), mostExamples)]
	slices.SortFunc(out, func(a, b pick) int { return a.exchange - b.exchange })
	return out
}

func (t *trial) exchangeExample(worker *identify.Worker, p pick, r *rule.Rule) ExchangeExample {
	x, o := t.Exchanges[p.exchange], t.after.observations[p.exchange]
	out := ExchangeExample{
		Time: o.Time.UTC(), Method: o.Method, Host: o.Host, Path: t.path(p.exchange), Status: o.Status, Service: o.Service,
		Rule: r.Name, Session: t.names.of(t.after.sessions[p.exchange]), Explains: []string{},
	}
	if p.id >= 0 {
		id := &o.IDs[p.id]
		out.Index, out.Masked = id.Index, id.Masked
		out.Field = id.Side.String() + " " + rule.LocationName(id.Where)
		if id.Key != "" {
			out.Field += " " + clean(id.Key)
		}
	}
	e := worker.Explain(x)
	for i := range e.Rules {
		if e.Rules[i].ID != r.ID.String() {
			continue
		}
		for j := range e.Rules[i].Identifiers {
			out.Explains = append(out.Explains, sentence(r.Name, &e.Rules[i].Identifiers[j]))
		}
	}
	if by := t.after.grouping(p.exchange); p.id >= 0 && by.Rule != r.ID {
		out.Explains = append(out.Explains, "The session is that of "+by.Name+", which comes before.")
	}
	return out
}
