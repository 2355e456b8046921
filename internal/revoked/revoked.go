// Package revoked reads sessions with what the denylist says of them: a session that is refused is shown as revoked,
// from the moment on at which somebody said so, and no longer once the entry has lapsed or was taken away.
//
// The store keeps what happened in the traffic; who is refused is a decision that may be taken back. So sessions are not
// rewritten, but read together with the list, and filters on their state mean the same.
package revoked

import (
	"context"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Reader reads a store together with the denylist. Of everything but sessions it is the store's own.
type Reader struct {
	store.Reader
	denials []seshat.Denial
	byID    map[seshat.SessionID][]int // into denials
	byUser  map[string][]int
	others  []int // those that speak of a time only
	now     time.Time
	known   bool // the list is
}

// NewReader returns a reader of r with the denials that are in force at a time. When they are nil, it is not known what is
// refused, and sessions are what the store says.
func NewReader(r store.Reader, denials []seshat.Denial, now time.Time) *Reader {
	out := &Reader{Reader: r, byID: map[seshat.SessionID][]int{}, byUser: map[string][]int{}, now: now, known: denials != nil}
	for i := range denials {
		if !denials[i].Expired(now) {
			out.denials = append(out.denials, denials[i])
		}
	}
	for i := range out.denials {
		switch d := &out.denials[i]; {
		case !d.Session.IsZero():
			out.byID[d.Session] = append(out.byID[d.Session], i)
		case d.User != "":
			user := strings.ToLower(d.User) // as gateways compare users
			out.byUser[user] = append(out.byUser[user], i)
		case !d.IssuedBefore.IsZero() && d.Issuer == "":
			out.others = append(out.others, i)
		default: // one client session ID, or the tokens of one issuer: not a whole session
		}
	}
	return out
}

// Sessions implements [store.Reader].
func (r *Reader) Sessions(ctx context.Context, q store.Query, yield func(*seshat.Session) bool) error {
	q.Filter = r.rewrite(q.Filter)
	return r.Reader.Sessions(ctx, q, func(s *seshat.Session) bool {
		r.mark(s)
		return yield(s)
	})
}

// Session implements [store.Reader].
func (r *Reader) Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error) {
	s, err := r.Reader.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.mark(s); s.State == seshat.StateRevoked && r.known && len(r.Denials(s)) == 0 {
		return s, r.readmit(ctx, s)
	}
	return s, nil
}

// mostParts bounds how many sessions are looked up to find the one that an entry names.
const mostParts = 64

// readmit shows a session that no entry refuses any more as what its traffic says, where correlation has not heard of that
// yet: in a moment it has, or when an instance runs again.
func (r *Reader) readmit(ctx context.Context, s *seshat.Session) error {
	if len(r.byID) > mostParts {
		return nil
	}
	for id := range r.byID {
		// An entry may name a session that has become part of this one.
		switch part, err := r.Reader.Session(ctx, id); {
		case err == nil && part.ID == s.ID:
			return nil
		case err != nil && seshat.KindOfError(err) != seshat.ErrorNotFound:
			return err
		}
	}
	facts := seshat.SessionFacts{}
	if s.ExpiresAt != nil {
		facts.ExpiresAt = *s.ExpiresAt
	}
	s.State, s.EndedBy, s.EndedAt = store.StateOf(&facts, s.LastSeen, r.now), seshat.EndNone, nil
	return nil
}

// Export implements [store.Reader]. The file has the states of the store, since the store writes it; which sessions are
// in it is a matter of the list too.
func (r *Reader) Export(ctx context.Context, what store.Dataset, format string, q store.Query, path string) (int64, error) {
	if what == store.DatasetSessions {
		q.Filter = r.rewrite(q.Filter)
	}
	return r.Reader.Export(ctx, what, format, q, path)
}

// Aggregate implements [store.Reader].
func (r *Reader) Aggregate(ctx context.Context, q store.AggregateQuery) (*store.Aggregates, error) {
	r.overlay(&q.Subset)
	return r.Reader.Aggregate(ctx, q)
}

// Facets implements [store.Reader].
func (r *Reader) Facets(ctx context.Context, q store.FacetQuery) (*store.Facets, error) {
	r.overlay(&q.Subset)
	return r.Reader.Facets(ctx, q)
}

// Histogram implements [store.Reader].
func (r *Reader) Histogram(ctx context.Context, q store.HistogramQuery) (*store.Histogram, error) {
	r.overlay(&q.Subset)
	return r.Reader.Histogram(ctx, q)
}

// overlay has sessions that are refused counted as revoked.
func (r *Reader) overlay(q *store.Subset) {
	if q.Dataset == store.DatasetSessions && len(r.byID)+len(r.byUser)+len(r.others) > 0 {
		q.Filter, q.Revoked = r.rewrite(q.Filter), r.refused()
	}
}

// Denials returns the entries that refuse a session.
func (r *Reader) Denials(s *seshat.Session) []seshat.Denial {
	var out []seshat.Denial
	add := func(list []int) {
		for _, i := range list {
			if r.covers(&r.denials[i], s) {
				out = append(out, r.denials[i])
			}
		}
	}
	add(r.byID[s.ID])
	if s.User != "" {
		add(r.byUser[strings.ToLower(s.User)])
	}
	add(r.others)
	return out
}

// covers reports whether an entry that may be about a session refuses it.
//
// One that names the session does, unless the session had ended by itself: by a logout, by somebody else's sign-in, or by
// a refresh that was refused. One about a user, or a time, is about many sessions, most of them long over: it refuses
// those that would go on.
func (r *Reader) covers(d *seshat.Denial, s *seshat.Session) bool {
	if !d.Session.IsZero() {
		return s.EndedBy != seshat.EndLogout && s.EndedBy != seshat.EndUserSwitch && s.EndedBy != seshat.EndRefused
	}
	if d.Issuer != "" || !d.IssuedBefore.IsZero() && !s.FirstSeen.Before(d.IssuedBefore) {
		return false
	}
	// A session that was marked already is one that would have gone on.
	return s.State == seshat.StateActive || s.State == seshat.StateIdle || s.State == seshat.StateRevoked
}

// mark shows a session as revoked if it is refused.
func (r *Reader) mark(s *seshat.Session) {
	var first *seshat.Denial
	denials := r.Denials(s)
	for i := range denials {
		if first == nil || denials[i].At.Before(first.At) {
			first = &denials[i]
		}
	}
	if first == nil {
		return
	}
	s.State, s.EndedBy = seshat.StateRevoked, seshat.EndRevoked
	at := first.At.UTC()
	s.EndedAt = &at
}
