package duckdb

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// valueKind is a kind of value that is listed with a session, in the table session_values.
type valueKind int16

// The kinds of values. The numbers are stored.
const (
	valueService valueKind = iota
	valueEndpoint
	valueIP
	valueUserAgent
	valueFlow            // counted
	valueClientSessionID // in the table links
)

// sessionRow is a session within one day, and what the batch in work adds to it.
type sessionRow struct {
	id     seshat.SessionID
	number int64
	// listed are hashes of the values that are noted already, so that they are not written with every batch. At
	// most [store.MaxListed] of a kind are.
	listed [valueFlow][]uint64
	// values and flows wait until the row has more than longRow exchanges.
	values []listedValue
	flows  []flowCount
	total  int64 // exchanges, those of all batches
	stored bool  // whether a batch before has written the row

	batch       int64 // of the sums that follow
	first, last time.Time
	exchanges   int64
	errors      int64
	refused     int64
	environment string
	facts       *seshat.SessionFacts
}

// longRow is how many exchanges a row of the table sessions has before what is listed with it is kept in the table
// session_values. What a shorter one lists is read from its exchanges: most sessions are short, and would take more
// room for their lists than for themselves.
const longRow = 64

// listedValue shares its text with other sessions where many have the same: see [sharedTexts].
type listedValue struct {
	text string
	kind valueKind
}

type flowCount struct {
	name      string
	exchanges int64
}

// session returns the row of a session, which the batch in work touches.
func (w *writer) session(id seshat.SessionID) *sessionRow {
	row, ok := w.sessions.get(id)
	if !ok {
		row = &sessionRow{id: id, number: w.nextNumber.session}
		w.nextNumber.session++
		w.sessions.put(id, row)
	}
	if row.batch != w.batch {
		row.batch = w.batch
		row.first, row.last = time.Time{}, time.Time{}
		row.exchanges, row.errors, row.refused, row.environment = 0, 0, 0, ""
		row.facts = nil
		w.touched = append(w.touched, row)
	}
	return row
}

// errorStatus is the lowest status that counts as an error.
const errorStatus = 400

// add adds an exchange to what the batch means for the session.
func (row *sessionRow) add(w *writer, o *seshat.Observation) {
	if row.exchanges == 0 || o.Time.Before(row.first) {
		row.first = o.Time
	}
	if row.exchanges == 0 || o.Time.After(row.last) {
		row.last = o.Time
	}
	if environment := o.Environment; environment != "" && (row.environment == "" || environment < row.environment) {
		row.environment = environment
	}
	row.exchanges++
	row.total++
	if o.Status >= errorStatus {
		row.errors++
	}
	if o.Verdict.Action.Refuses() {
		row.refused++
	}
	seed := w.hasher.seeds[0]
	if o.Service != "" && row.lists(valueService, maphash.String(seed, o.Service)) {
		row.list(valueService, w.texts.share(o.Service))
	}
	if o.ClientIP.IsValid() && row.lists(valueIP, maphash.Comparable(seed, o.ClientIP)) {
		row.list(valueIP, o.ClientIP.Unmap().WithZone("").String())
	}
	if o.UserAgent != "" && row.lists(valueUserAgent, maphash.String(seed, o.UserAgent)) {
		row.list(valueUserAgent, w.texts.share(o.UserAgent))
	}
	h := &w.hasher
	h.reset()
	h.text(o.Method)
	h.text(o.Host)
	h.text(store.EndpointPath(o))
	if row.lists(valueEndpoint, maphash.Bytes(seed, h.buffer)) {
		row.list(valueEndpoint, w.texts.share(store.EndpointName(o)))
	}
	for i, f := range o.Flows {
		if !slices.ContainsFunc(o.Flows[:i], func(other seshat.FlowMatch) bool { return other.Name == f.Name }) {
			row.addFlow(w.texts.share(f.Name))
		}
	}
}

// lists reports whether a value is new to the session and to be listed.
func (row *sessionRow) lists(kind valueKind, hash uint64) bool {
	listed := row.listed[kind]
	if len(listed) >= store.MaxListed || slices.Contains(listed, hash) {
		return false
	}
	row.listed[kind] = append(listed, hash)
	return true
}

// list notes a value, which must not be memory of the observation.
func (row *sessionRow) list(kind valueKind, text string) {
	row.values = append(row.values, listedValue{kind: kind, text: text})
}

func (row *sessionRow) addFlow(name string) {
	for i := range row.flows {
		if row.flows[i].name == name {
			row.flows[i].exchanges++
			return
		}
	}
	if len(row.flows) < store.MaxListed {
		row.flows = append(row.flows, flowCount{name: name, exchanges: 1})
	}
}

// addValues appends what waits to be listed with a long row.
func (w *writer) addValues(b *bulk, row *sessionRow) {
	if row.total <= longRow || len(row.values) == 0 && len(row.flows) == 0 {
		return
	}
	a := b.appender("session_values")
	if a == nil {
		return
	}
	for _, v := range row.values {
		b.append(a, row.number, int16(v.kind), text(v.text), int64(0))
	}
	for _, f := range row.flows {
		b.append(a, row.number, int16(valueFlow), text(f.name), f.exchanges)
	}
	row.values, row.flows = nil, row.flows[:0]
}

// addFacts notes the newest facts of each session, and appends merges.
func (w *writer) addFacts(b *bulk, facts []seshat.SessionFacts) {
	for i := range facts {
		f := &facts[i]
		row := w.session(f.ID)
		if row.facts == nil || f.Version >= row.facts.Version {
			row.facts = f
		}
		if !f.MergedInto.IsZero() {
			if a := b.appender("merges"); a != nil {
				b.append(a, engineUUID(f.ID), f.Version, engineUUID(f.MergedInto))
			}
		}
	}
}

// addSessions appends the roll-up row of each session that the batch touched.
func (w *writer) addSessions(b *bulk) {
	defer func() { w.touched = w.touched[:0] }()
	if len(w.touched) == 0 {
		return
	}
	a := b.appender("sessions")
	if a == nil {
		return
	}
	none := seshat.SessionFacts{}
	for _, row := range w.touched {
		facts, version := &none, uint64(0)
		if row.facts != nil {
			// 0 says that there are no facts, so versions are stored from 1.
			facts, version = row.facts, row.facts.Version+1
		}
		b.append(a, row.number, engineUUID(row.id), w.day, timestamp(row.first), timestamp(row.last),
			row.exchanges, row.errors, textOrNull(row.environment),
			version, uuidOrNull(facts.Previous), text(facts.User), rolesText(facts.Roles),
			timestamp(facts.EndedAt), string(facts.EndedBy), timestamp(facts.ExpiresAt), micros(facts.IdleTimeout),
			text(facts.IdentifiedBy), int16(facts.Origin), facts.Confidence, row.refused)
		w.addValues(b, row)
		row.facts = nil // the batch is not ours to keep
		w.slices.wrote(row.number, row.stored)
		row.stored = true
	}
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return text(s)
}

// roleSeparator stands between the roles of a session where they are stored: the unit separator of ASCII, which no
// role has.
const roleSeparator = "\x1f"

func rolesText(roles []string) string {
	clean := make([]string, len(roles))
	for i, role := range roles {
		clean[i] = strings.ReplaceAll(store.Text(role), roleSeparator, " ")
	}
	return strings.Join(clean, roleSeparator)
}

func rolesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, roleSeparator)
}

// addLinks appends the steps of lineages.
func (w *writer) addLinks(b *bulk, links []seshat.Link) {
	if len(links) == 0 {
		return
	}
	a := b.appender("links")
	if a == nil {
		return
	}
	for i := range links {
		l := links[i]
		if store.IsFallback(l.Kind) {
			l.To, l.Masked = seshat.Digest{}, "" // readers make it of the exchange
		}
		b.append(a, w.session(l.Session).number, l.Time, uuidOrNull(l.From), uuidOrNull(l.To), text(l.Masked),
			int16(l.Kind), text(l.Name), string(l.Evidence), l.Score, uint64(l.Exchange), timestamp(l.ExpiresAt))
	}
}

// sharedTexts keeps one copy of texts that many sessions have: user agents, endpoints, services, flows.
type sharedTexts map[string]string

// maxSharedTexts bounds them. Beyond it they are begun anew: what sessions hold stays, and is shared among those.
const maxSharedTexts = 1 << 14

// share returns the copy of text, which it makes if there is none.
func (t *sharedTexts) share(text string) string {
	if shared, ok := (*t)[text]; ok {
		return shared
	}
	if *t == nil || len(*t) >= maxSharedTexts {
		*t = make(sharedTexts)
	}
	text = strings.Clone(text)
	(*t)[text] = text
	return text
}
