package api

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/seshat-project/seshat/internal/audit"
)

const (
	// actionDenied is what the audit log calls what somebody who is signed in was refused for want of a permission.
	actionDenied = "access.denied"
	// deniedEvery is how often it is told of one route and one person, or one of their tokens: a program that tries again and
	// again must not push out of the log what others did.
	deniedEvery = time.Hour
	// maxDenied is how many of them are remembered, in some hundred bytes each. When there are more, all are forgotten.
	maxDenied = 10_000
)

// refusals remembers what the audit log was told was refused.
type refusals struct {
	mu   sync.Mutex
	told map[refusal]*repeated
}

type refusal struct{ by, token, pattern string }

type repeated struct {
	since  time.Time
	others int // that were not told since
}

// again reports whether a refusal is to be told, and how many were not since it was told last.
func (r *refusals) again(what refusal, now time.Time) (others int, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.told[what]; one != nil && now.Sub(one.since) < deniedEvery {
		one.others++
		return 0, false
	} else if one != nil {
		others = one.others
	}
	if r.told == nil || len(r.told) >= maxDenied {
		r.told = map[refusal]*repeated{}
	}
	r.told[what] = &repeated{since: now}
	return others, true
}

// denied writes to the audit log that somebody who is signed in was refused. The entry names the route, and nothing that the
// request said: neither what it was about, which may be a secret in the wrong place, nor what it would have changed.
// That it cannot be written changes nothing: nothing was done.
func (s *server) denied(ctx context.Context, pattern, detail string) {
	p := principalOf(ctx)
	if s.Audit == nil || p == nil || p.Owner {
		return // the owner may do everything
	}
	what := refusal{by: p.Name, pattern: pattern}
	e := audit.Event{
		By: p.Name, Means: p.Means, Address: callerOf(ctx).Address, Action: actionDenied, Subject: pattern, Outcome: audit.Refused, Detail: detail,
	}
	if p.Token != nil {
		what.token, e.Token = p.Token.ID, p.Token.Name
	}
	others, tell := s.refusals.again(what, s.Now())
	if !tell {
		return
	}
	if others > 0 {
		e.Detail += " Since it was written down last, " + strconv.Itoa(others) + " more were refused."
	}
	_ = s.Audit.Record(ctx, e) // which says so in the log
}
