package recent

import "github.com/seshat-project/seshat/internal/rule"

// Hide takes what the mask rules of rules hide out of what is kept already: a mask rule is in force for all of it from the
// moment on at which it is for new exchanges.
func (r *Ring) Hide(rules *rule.Ruleset) {
	if r == nil || len(rules.Masks()) == 0 {
		return
	}
	r.mu.Lock()
	kept := make([]*entry, r.count)
	for i := range kept {
		kept[i] = r.at(i)
	}
	r.mu.Unlock()

	// Requests do not wait for this.
	masked := make(map[*entry]*entry, len(kept))
	for _, e := range kept {
		if len(InScope(&e.Exchange, rules)) == 0 {
			continue
		}
		if less := newEntry(&e.Exchange, rules, e.client); less != nil { // it has become smaller, if anything
			less.level = e.level
			masked[e] = less
		}
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.count {
		at := (r.head + i) % len(r.entries)
		if less := masked[r.entries[at]]; less != nil {
			r.bytes += int64(less.size - r.entries[at].size)
			r.entries[at] = less
		}
	}
}
