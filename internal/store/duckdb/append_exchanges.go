package duckdb

import (
	"cmp"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// addExchanges appends exchanges in the order of their time: rows of one time lie together, so that a reader who
// asks for a time skips the rest.
func (w *writer) addExchanges(b *bulk, exchanges []seshat.Assigned) {
	a := b.appender("exchanges")
	if a == nil || len(exchanges) == 0 {
		return
	}
	byTime := func(x, y *seshat.Assigned) int { return x.Time.Compare(y.Time) }
	order := make([]*seshat.Assigned, len(exchanges))
	for i := range exchanges {
		order[i] = &exchanges[i]
	}
	if !slices.IsSortedFunc(order, byTime) {
		slices.SortFunc(order, func(x, y *seshat.Assigned) int {
			return cmp.Or(byTime(x, y), cmp.Compare(x.Key, y.Key))
		})
	}
	defer func() { *w.alike = alike{} }() // the batch is not ours to keep
	for _, x := range order {
		row := w.session(x.Session)
		row.add(w, x.Observation)
		path := x.Path
		if path == store.EndpointPath(x.Observation) {
			path = "" // most paths have no variable part
		}
		ipHigh, ipLow := splitIP(x.ClientIP)
		identity, context := w.numbers(b, x.Observation)
		b.row = append(b.row[:0],
			x.Time, uint64(x.Key), w.day, row.number, identity, context,
			w.endpoint(b, x.Observation), w.agent(b, x.Observation), text(x.ID), micros(x.Duration), text(path),
			int32(min(max(x.Status, 0), 999)), x.RequestBytes, x.ResponseBytes, //nolint:gosec // it is within the bounds
			ipHigh, ipLow, text(x.TraceID))
		b.append(a, b.row...)
		if b.err != nil {
			return
		}
	}
}

// endpoint is the number of where o was going.
func (w *writer) endpoint(b *bulk, o *seshat.Observation) int64 {
	h := &w.hasher
	h.reset()
	h.text(o.Environment)
	h.text(o.Service)
	h.text(o.Method)
	h.text(o.Scheme)
	h.text(o.Host)
	h.text(store.EndpointPath(o))
	h.text(o.HTTPVersion)
	hash := h.sum()
	number, ok := w.endpoints.get(hash)
	if ok {
		return number
	}
	number = w.nextNumber.endpoint
	w.nextNumber.endpoint++
	w.endpoints.put(hash, number)
	if a := b.appender("endpoints"); a != nil {
		b.append(a, number, w.day, text(o.Environment), text(o.Service), text(o.Method), text(o.Scheme), text(o.Host),
			text(store.EndpointPath(o)), text(o.HTTPVersion))
	}
	return number
}

// agent is the number of what sent o.
func (w *writer) agent(b *bulk, o *seshat.Observation) int64 {
	h := &w.hasher
	h.reset()
	h.text(o.UserAgent)
	h.text(o.JA4)
	h.text(o.Origin)
	hash := h.sum()
	number, ok := w.agents.get(hash)
	if ok {
		return number
	}
	number = w.nextNumber.agent
	w.nextNumber.agent++
	w.agents.put(hash, number)
	if a := b.appender("agents"); a != nil {
		b.append(a, number, w.day, text(o.UserAgent), text(o.JA4), text(o.Origin))
	}
	return number
}

// identity is the number of the client session IDs of o. Exchanges of one session mostly carry the same.
func (w *writer) identity(b *bulk, o *seshat.Observation) int64 {
	if len(o.IDs) == 0 && o.Device.IsZero() {
		return 0
	}
	h := &w.hasher
	h.reset()
	h.bytes(o.Device[:])
	h.int(int64(o.Grouping))
	for i := range o.IDs {
		h.observedID(&o.IDs[i], o)
	}
	hash := h.sum()
	if number, ok := w.identities.get(hash); ok {
		return number
	}
	number := w.nextNumber.identity
	w.nextNumber.identity++
	w.identities.put(hash, number)
	a := b.appender("identities")
	if a == nil {
		return number
	}
	if len(o.IDs) == 0 { // a device alone: a row without an ID, which position -1 tells
		b.append(a, number, w.day, int16(-1), false, nil, "", nil, int32(0), "", int16(0), int16(0), int16(0), int16(0), "",
			false, nil, int64(0), false, "", "", nil, nil, nil, uuidOrNull(o.Device))
		return number
	}
	for i := range o.IDs {
		id := &o.IDs[i]
		digest := uuidOrNull(id.Digest)
		if id.Origin == seshat.OriginFallback {
			digest = nil
		}
		b.append(a, number, w.day, small(i), i == o.Grouping,
			digest, text(keptMask(id, o)), uuidOrNull(id.Rule), int32(small(id.Index)), text(id.Name),
			int16(id.Origin), int16(id.Kind), int16(id.Side), int16(id.Where), text(id.Key), id.Deleted,
			timestamp(id.ExpiresAt), micros(id.Lifetime), id.Token.IsToken, text(id.Token.Issuer), text(id.Token.Subject),
			uuidOrNull(id.Token.SessionID), timestamp(id.Token.IssuedAt), timestamp(id.Token.ExpiresAt), uuidOrNull(o.Device))
	}
	return number
}

// keptMask is the masked form as it is kept: not at all where it is made of the exchange's address and user agent.
func keptMask(id *seshat.ObservedID, o *seshat.Observation) string {
	if id.Origin == seshat.OriginFallback && store.IsFallback(id.Kind) && o.ClientIP.IsValid() {
		return ""
	}
	return id.Masked
}

// Kinds of rows of the table contexts.
const (
	contextParameter = int16(iota)
	contextFlow
	contextVerdict // other than allow: by whom as the name, the action as the type
	contextTag     // of a verdict
)

// context is the number of the parameters, flows and verdict of o.
func (w *writer) context(b *bulk, o *seshat.Observation) int64 {
	decided := o.Verdict.Action != seshat.ActionAllow || o.Verdict.By != ""
	if len(o.Parameters) == 0 && len(o.Flows) == 0 && !decided && len(o.Verdict.Tags) == 0 {
		return 0
	}
	h := &w.hasher
	h.reset()
	h.int(int64(len(o.Parameters)))
	for i := range o.Parameters {
		h.parameter(&o.Parameters[i])
	}
	h.int(int64(len(o.Flows)))
	for _, f := range o.Flows {
		h.text(f.Name)
		h.text(string(f.Type))
	}
	h.int(int64(o.Verdict.Action))
	h.text(o.Verdict.By)
	for _, tag := range o.Verdict.Tags {
		h.text(tag)
	}
	hash := h.sum()
	if number, ok := w.contexts.get(hash); ok {
		return number
	}
	number := w.nextNumber.context
	w.nextNumber.context++
	w.contexts.put(hash, number)
	a := b.appender("contexts")
	if a == nil {
		return number
	}
	for i, p := range o.Parameters {
		b.append(a, number, w.day, small(i), contextParameter, text(p.Name), parameterType(p.Type), int16(p.Side), text(p.Value), p.Weak)
	}
	for i, f := range o.Flows {
		b.append(a, number, w.day, small(i), contextFlow, text(f.Name), text(string(f.Type)), int16(0), "", false)
	}
	if decided {
		b.append(a, number, w.day, small(0), contextVerdict, text(o.Verdict.By), o.Verdict.Action.String(), int16(0), "", false)
	}
	for i, tag := range o.Verdict.Tags {
		b.append(a, number, w.day, small(i), contextTag, text(tag), "", int16(0), "", false)
	}
	return number
}

// Names of the types of context parameters, as they are stored.
const (
	parameterPlain = "plain"
	parameterUser  = "user"
	parameterRole  = "role"
)

func parameterType(t seshat.ParameterType) string {
	switch t {
	case seshat.ParameterUser:
		return parameterUser
	case seshat.ParameterRole:
		return parameterRole
	default:
		return parameterPlain
	}
}
