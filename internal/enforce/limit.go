package enforce

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/token"
)

type endpoints = []*endpoint.Pattern

// MaxLimitStates is how many limits a [Decision] has the states of: a header field with more helps nobody.
const MaxLimitStates = 4

// counted is a request that was counted and may be given back.
type counted struct {
	limit  *limit
	key    hash
	number uint32
}

// worthOfWindow makes the keys with the highest counts the last to go: a flood of new keys displaces each other. What is
// refused stays.
func worthOfWindow(e *entry[window], now uint32) uint64 {
	switch {
	case e.expires <= now:
		return 0
	case e.value.until > now:
		return priceless
	default:
		return uint64(e.value.sum())<<32 + uint64(e.expires-now)
	}
}

// count holds the request against the limits in scope. A request that one of them refuses was not made as far as the
// others are concerned.
func (e *Enforcer) count(rules *rules, r *Request, d *Decision, url string) {
	if len(rules.limits) == 0 {
		return
	}
	w := &d.work
	w.found, w.bits = rules.limitScopes.Find(r.Exchange.Environment, r.Exchange.Service, url, w.found[:0], w.bits)
	w.counted = w.counted[:0]
	now := r.Now.UnixNano()
	for _, i := range w.found {
		if l := rules.limits[i]; inScope(r, l.Endpoints, l.Conditions) {
			e.hold(l, r, d, now)
		}
	}
	if d.Verdict.Action.Refuses() {
		for _, c := range w.counted {
			e.giveBack(c)
			for i := range d.Limits {
				if s := &d.Limits[i]; s.Name == c.limit.Name && s.Remaining < s.Count {
					s.Remaining++
				}
			}
		}
	}
	slices.SortFunc(d.Limits, func(a, b LimitState) int {
		return cmp.Or(cmp.Compare(a.Remaining, b.Remaining), cmp.Compare(b.Reset, a.Reset))
	})
}

// hold holds the request against one limit.
func (e *Enforcer) hold(l *limit, r *Request, d *Decision, now int64) {
	key, ok := e.keyOf(l, r, d)
	if !ok {
		return
	}
	l.counters.hits.Add(1)
	if l.byAlone || d.Vouched {
		e.judge(l, key, d, now)
		return
	}
	// Nobody vouches for the session: it shares the count of its address. What it says of itself is counted too where it
	// is a parameter, but apart from those whose word counts: so guesses at one account are limited wherever they come
	// from, and whoever guesses uses up nobody else's quota.
	ip := l.id
	ip.text("unvouched")
	address(&ip, r.Exchange.Client.IP)
	if !e.judge(l, ip.sum(), d, now) || !l.byValue {
		return
	}
	value := l.id
	value.text("unvouched value")
	value.digest(bytesOf(key))
	e.judge(l, value.sum(), d, now)
}

// judge counts the request under one key, and says whether it may pass.
func (e *Enforcer) judge(l *limit, key hash, d *Decision, now int64) bool {
	var state LimitState
	var room time.Duration
	sec := uint32(now / int64(time.Second)) //nolint:gosec // until the year 2106
	shard, h := e.windows.lock(key)
	slot, fresh := e.windows.put(shard, key, h, sec)
	if slot == nil {
		shard.mu.Unlock()
		l.counters.skipped.Add(1)
		return true
	}
	w := &slot.value
	if fresh {
		w.newest = l.number(now)
	}
	passed := w.take(&l.span, now)
	slot.expires = max(slot.expires, l.lapses(now), w.until)
	if passed {
		e.sharing.note(w, key, l.tag)
	} else {
		room = w.room(&l.span, now)
	}
	number := w.newest
	if l.Action != seshat.ActionTag {
		state = LimitState{Name: l.Name, Count: l.Count, Window: l.Window, Remaining: w.remaining(&l.span), Reset: w.whole(&l.span, now)}
	}
	shard.mu.Unlock()

	if l.Action != seshat.ActionTag {
		d.state(state)
	}
	if passed {
		d.work.counted = append(d.work.counted, counted{l, key, number})
		return true
	}
	if l.Action == seshat.ActionTag {
		l.counters.tagged.Add(1)
		d.tag(l.by)
		return false
	}
	l.counters.refused.Add(1)
	status := 429 // Too Many Requests
	if l.Action == seshat.ActionBlock {
		status = 403 // Forbidden
	}
	d.refuse(l.Action, status, l.by, l.reason, room)
	return false
}

func (e *Enforcer) giveBack(c counted) {
	shard, h := e.windows.lock(c.key)
	// Entries that were just used have not lapsed, whatever the time.
	if slot := shard.find(c.key, h, 0); slot != nil {
		slot.value.giveBack(c.number)
	}
	shard.mu.Unlock()
}

// tag notes what would have acted.
func (d *Decision) tag(by string) {
	if !slices.Contains(d.Verdict.Tags, by) {
		d.Verdict.Tags = append(d.Verdict.Tags, by)
	}
	if d.Verdict.Action == seshat.ActionAllow {
		d.Verdict.Action, d.Verdict.By = seshat.ActionTag, by
	}
}

// refuse notes a refusal; the severest counts, and of equal ones the one that lasts longest.
func (d *Decision) refuse(action seshat.Action, status int, by, reason string, retry time.Duration) {
	v := &d.Verdict
	if action > v.Action || action == v.Action && retry > v.RetryAfter {
		v.Action, v.Status, v.By, v.Reason, v.RetryAfter = action, status, by, reason, retry
	}
}

// state keeps the state of a limit; of two counts of one limit, the tighter.
func (d *Decision) state(s LimitState) {
	for i := range d.Limits {
		if d.Limits[i].Name == s.Name {
			if s.Remaining < d.Limits[i].Remaining {
				d.Limits[i] = s
			}
			return
		}
	}
	if len(d.Limits) < MaxLimitStates {
		d.Limits = append(d.Limits, s)
		return
	}
	for i := range d.Limits {
		if s.Remaining < d.Limits[i].Remaining {
			d.Limits[i] = s
			return
		}
	}
}

// keyOf is what the request is counted under; false when it lacks a part of it.
func (e *Enforcer) keyOf(l *limit, r *Request, d *Decision) (hash, bool) {
	h := l.id
	for _, k := range l.Keys {
		switch k.Kind {
		case rule.KeySession:
			h.digest(d.Session)
		case rule.KeyUser:
			if d.User == "" {
				return hash{}, false
			}
			h.folded(d.User)
		case rule.KeyClientSessionID:
			i := d.work.by
			if i >= len(r.Digests) || fallback(&r.Identity.IDs[i]) {
				return hash{}, false
			}
			h.digest(r.Digests[i])
		case rule.KeyIP:
			address(&h, r.Exchange.Client.IP)
		case rule.KeyParameter:
			value, ok := parameter(r.Identity, k.Name)
			if !ok {
				return hash{}, false
			}
			h.text(value)
		case rule.KeyClaim:
			value, ok := claim(r, d, k.Name)
			if !ok {
				return hash{}, false
			}
			h.text(value)
		}
	}
	return h.sum(), true
}

// address adds what counts of an address: all of IPv4, and the network of 64 bits of IPv6, which is what one subscriber
// has (RFC 6177).
func address(h *sip, ip netip.Addr) {
	ip = ip.Unmap()
	b := ip.As16()
	if ip.Is6() {
		clear(b[8:])
	}
	h.digest(b)
}

func parameter(id *seshat.Identity, name string) (string, bool) {
	for i := range id.Parameters {
		if p := &id.Parameters[i]; p.Name == name && p.Side == seshat.InRequest && p.Value != "" {
			return p.Value, true
		}
	}
	return "", false
}

// claim is a claim of the token that says which session the request is of: that token, or the one that the ID was taken
// out of.
func claim(r *Request, d *Decision, name string) (value string, ok bool) {
	ids, by := r.Identity.IDs, d.work.by
	for i := range ids {
		if i != by && (ids[i].Side != seshat.InRequest || !samePlace(&ids[i], &ids[by])) {
			continue
		}
		value, d.work.claim, ok = token.Claim(d.work.claim[:0], string(ids[i].Value), name)
		if ok && value != "" {
			return value, true
		}
	}
	return "", false
}

// samePlace reports whether two IDs come from one field.
func samePlace(a, b *seshat.FoundID) bool {
	return a.Side == b.Side && a.Where == b.Where && (a.Key == b.Key || a.Where == seshat.LocationHeader && rule.EqualFoldASCII(a.Key, b.Key))
}

func bytesOf(h hash) (out [16]byte) {
	for i := range 8 {
		out[i], out[8+i] = byte(h[0]>>(8*i)), byte(h[1]>>(8*i))
	}
	return out
}
