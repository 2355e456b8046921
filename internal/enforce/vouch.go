package enforce

import (
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/rule"
)

// What is known of an endpoint, as bits of its entry.
const (
	// endpointPublic: it answered somebody who showed nothing, or something that is known to be bad. What it answers
	// others proves nothing.
	endpointPublic = 1 << iota
	// endpointRefuses: it answered 401 to somebody. Whom it answers otherwise, it knows.
	endpointRefuses
)

const (
	// maxEndpoints is how many endpoints something is remembered of: those of the largest installations, in 2 MB.
	maxEndpoints = 64 << 10
	// lifeOfEndpoint, in seconds, is how long it is remembered after it was last confirmed: APIs change.
	lifeOfEndpoint = 24 * 3600
	// vouchedUnproven IDs of one address are vouched for within vouchingWindow by endpoints of which nothing is known:
	// neither that they answer everybody, nor that they refuse anybody. Whoever looks for public endpoints that nobody
	// visits gets no further; an office behind one address still gets through until its first 401.
	vouchedUnproven = 20
	vouchingWindow  = time.Hour
)

// Answered learns from the response to a request that was passed on: r is the request that was decided on, now with
// its response and what was found there. Status 0 means that there was none.
func (e *Enforcer) Answered(r *Request, d *Decision) {
	status := r.Exchange.Response.Status
	if status == 0 {
		return
	}
	now := seconds(r.Now)
	e.learnIssued(r, d, now)
	switch accepted, refused := outcome(&r.Exchange.Response); {
	case refused:
		e.learnRefused(r, now)
	case accepted:
		e.learnAccepted(r, d, now)
	}
}

// outcome reports whether a response says that the client may do what it asked for, or that it is not known. A redirect
// says neither: to the sign-in page is how web sites refuse. gRPC answers 200 whatever happens, and says in a field of its
// own, which is often a trailer that was not seen, what did.
func outcome(response *seshat.Response) (accepted, refused bool) {
	switch status := response.Status; {
	case status == 401: // Unauthorized
		return false, true
	case (status < 200 || status >= 300) && status != 304: // Not Modified
		return false, false
	}
	const grpcStatus, contentType, grpc = "Grpc-Status", "Content-Type", "application/grpc"
	accepted = true
	for i := range response.Header {
		switch f := &response.Header[i]; {
		case len(f.Name) == len(grpcStatus) && rule.EqualFoldASCII(f.Name, grpcStatus):
			const ok, unauthenticated = "0", "16"
			return f.Value == ok, f.Value == unauthenticated
		case len(f.Name) == len(contentType) && len(f.Value) >= len(grpc) && rule.EqualFoldASCII(f.Name, contentType):
			accepted = accepted && !rule.EqualFoldASCII(f.Value[:len(grpc)], grpc)
		}
	}
	return accepted, false
}

// learnIssued vouches for the IDs that the response gives out, and forgets those that it takes away. An ID that the request
// carried already is an echo.
func (e *Enforcer) learnIssued(r *Request, d *Decision, now uint32) {
	ids := r.Identity.IDs
	for i := range ids {
		id := &ids[i]
		if i >= len(r.Digests) || r.Digests[i].IsZero() || id.Side != seshat.InResponse || fallback(id) {
			continue
		}
		if id.Deleted {
			e.unvouch(r.Digests[i], now)
			continue
		}
		if !carried(r, r.Digests[i]) {
			e.vouch(r.Digests[i], e.sessionOfIssued(r, d), now)
		}
	}
}

func carried(r *Request, digest seshat.Digest) bool {
	for i := range r.Identity.IDs {
		if presented(r, i) && r.Digests[i] == digest {
			return true
		}
	}
	return false
}

// sessionOfIssued is the session of what a response gives out: that of the request, or, where the request showed
// nothing, the one that begins with it.
func (e *Enforcer) sessionOfIssued(r *Request, d *Decision) seshat.SessionID {
	g := r.Identity.Grouping
	if g >= len(r.Digests) || r.Identity.IDs[g].Side == seshat.InRequest || e.config.NewSessionID == nil {
		return d.Session
	}
	k := keyOf(r.Digests[g])
	shard, h := e.ids.lock(k)
	defer shard.mu.Unlock()
	if known := shard.find(k, h, seconds(r.Now)); known != nil {
		return known.value.session
	}
	return e.config.NewSessionID(r.Digests[g], r.Exchange.Time)
}

// learnRefused takes back who was vouched for: the origin does not know them.
func (e *Enforcer) learnRefused(r *Request, now uint32) {
	e.mark(r, endpointRefuses, now)
	for i := range r.Identity.IDs {
		if id := &r.Identity.IDs[i]; presented(r, i) && !fallback(id) && id.Kind != seshat.KindClaim {
			// A claim is in good tokens too, whoever made a bad one with it.
			e.unvouch(r.Digests[i], now)
		}
	}
}

// learnAccepted vouches for what the request showed, if the success proves anything.
func (e *Enforcer) learnAccepted(r *Request, d *Decision, now uint32) {
	shown, vouched := false, false
	for i := range r.Identity.IDs {
		if presented(r, i) && !fallback(&r.Identity.IDs[i]) {
			shown = true
			vouched = vouched || e.isVouched(r.Digests[i], now)
		}
	}
	switch {
	case d.work.unproven, !shown:
		e.mark(r, endpointPublic, now)
		return
	case vouched:
		return // one of several IDs was enough: it proves nothing about the others
	}
	flags := e.flags(r, now)
	if flags&endpointPublic != 0 || flags&endpointRefuses == 0 && !e.mayVouch(r) {
		return
	}
	for i := range r.Identity.IDs {
		if id := &r.Identity.IDs[i]; presented(r, i) && !fallback(id) && id.Kind != seshat.KindTransaction {
			e.vouch(r.Digests[i], d.Session, now)
		}
	}
}

// mayVouch takes one of the IDs that the address has with endpoints of which nothing is known.
func (e *Enforcer) mayVouch(r *Request) bool {
	key := e.vouching.id
	address(&key, r.Exchange.Client.IP)
	k, now := key.sum(), r.Now.UnixNano()
	shard, h := e.windows.lock(k)
	defer shard.mu.Unlock()
	slot, fresh := e.windows.put(shard, k, h, seconds(r.Now))
	if slot == nil {
		return false
	}
	if fresh {
		slot.value.newest = e.vouching.number(now)
	}
	ok := slot.value.take(&e.vouching.span, now)
	slot.expires = max(slot.expires, e.vouching.lapses(now))
	return ok
}

// vouch notes that an ID is good; one that is not known yet becomes one of the session. It returns what is known of it now.
func (e *Enforcer) vouch(digest seshat.Digest, id seshat.SessionID, now uint32) seen {
	k := keyOf(digest)
	shard, h := e.ids.lock(k)
	out := seen{raw: id, started: now, known: true, vouched: true}
	if l, fresh := e.ids.put(shard, k, h, now); l != nil {
		if fresh {
			l.value = link{meta: sinceMeta(now), session: id}
		}
		l.value.meta |= linkVouched
		l.expires = now + lifeOfKnown
		out.raw, out.started = l.value.session, l.value.since()
	}
	shard.mu.Unlock()
	out.session = out.raw
	e.follow(&out, now)
	return out
}

func (e *Enforcer) unvouch(digest seshat.Digest, now uint32) {
	k := keyOf(digest)
	shard, h := e.ids.lock(k)
	if l := shard.find(k, h, now); l != nil {
		l.value.meta &^= linkVouched
	}
	shard.mu.Unlock()
}

func (e *Enforcer) isVouched(digest seshat.Digest, now uint32) bool {
	k := keyOf(digest)
	shard, h := e.ids.lock(k)
	l := shard.find(k, h, now)
	vouched := l != nil && l.value.meta&linkVouched != 0
	shard.mu.Unlock()
	return vouched
}

// endpointKey is the method, host and path template of a request.
func (e *Enforcer) endpointKey(r *Request) hash {
	x, template := r.Exchange, r.Endpoint
	if template == "" {
		template = endpoint.Template(x.Request.Path)
	}
	h := e.base
	h.text("endpoint")
	h.text(x.Request.Method)
	h.folded(rule.Host(x))
	h.text(template)
	return h.sum()
}

func (e *Enforcer) mark(r *Request, flag, now uint32) {
	k := e.endpointKey(r)
	shard, h := e.public.lock(k)
	if slot, _ := e.public.put(shard, k, h, now); slot != nil {
		slot.value |= flag
		slot.expires = now + lifeOfEndpoint
	}
	shard.mu.Unlock()
}

func (e *Enforcer) flags(r *Request, now uint32) uint32 {
	k := e.endpointKey(r)
	shard, h := e.public.lock(k)
	defer shard.mu.Unlock()
	if slot := shard.find(k, h, now); slot != nil {
		return slot.value
	}
	return 0
}
