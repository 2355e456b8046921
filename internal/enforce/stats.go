package enforce

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// counters count what one limit, validation or denial did.
type counters struct {
	hits, tagged, refused, skipped atomic.Uint64
	_                              [32]byte // counters of two rules are not in one cache line
}

// RuleStats are what one limit, validation or denial did since the process started.
type RuleStats struct {
	By      string // as in [seshat.Verdict]
	Hits    uint64 // requests that it judged
	Tagged  uint64 // of them, those that it would have refused
	Refused uint64 // of them, those that it refused
	// Untracked are requests that a limit could not count since the table was full of keys that count more.
	Untracked uint64
}

// TableStats are what one of the enforcer's tables holds.
type TableStats struct {
	Name    string // keys, ids, sessions, endpoints, tokens or bad_tokens
	Entries int    // lapsed ones included, until their room is needed
	Slots   int
	Evicted uint64 // given up before their time, since the table was full
	Refused uint64 // not kept, since the table was full of what counts more
}

// Stats are what an enforcer did and holds, for metrics.
type Stats struct {
	Rules  []RuleStats // by name
	Tables []TableStats
}

// Stats reads the counters. It locks one shard of a table at a time.
func (e *Enforcer) Stats() Stats {
	var out Stats
	e.mu.Lock()
	for by, c := range e.counters {
		out.Rules = append(out.Rules, RuleStats{
			By: by, Hits: c.hits.Load(), Tagged: c.tagged.Load(), Refused: c.refused.Load(), Untracked: c.skipped.Load(),
		})
	}
	e.mu.Unlock()
	slices.SortFunc(out.Rules, func(a, b RuleStats) int { return cmp.Compare(a.By, b.By) })
	table := func(name string, s size) {
		out.Tables = append(out.Tables, TableStats{Name: name, Entries: s.entries, Slots: s.slots, Evicted: s.evicted, Refused: s.refused})
	}
	table("keys", e.windows.size())
	table("ids", e.ids.size())
	table("sessions", e.sessions.size())
	table("endpoints", e.public.size())
	table("tokens", e.tokens.size())
	table("bad_tokens", e.refused.size())
	return out
}

// countersOf returns the counters under a name. The caller has locked e.
func (e *Enforcer) countersOf(by string) *counters {
	c := e.counters[by]
	if c == nil {
		c = &counters{}
		e.counters[by] = c
	}
	return c
}

// dropCounters forgets the counters of what is not in force any more. The caller has locked e.
func (e *Enforcer) dropCounters(r *rules) {
	used := make(map[string]bool, len(e.counters))
	for _, l := range r.limits {
		used[l.by] = true
	}
	for _, v := range r.validations {
		used[v.by] = true
	}
	for i := range e.list {
		used[deniedBy(&e.list[i])] = true
	}
	for by := range e.counters {
		if !used[by] {
			delete(e.counters, by)
		}
	}
}
