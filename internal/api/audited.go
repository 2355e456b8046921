package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
)

// note is what a handler adds to the entry of the audit log that its request has.
type note struct {
	subject, detail string
	before, after   uint64
	failed          bool
}

type noteKey struct{}

// noted returns the note of a request, which its handler may fill in. There is always one.
func noted(ctx context.Context) *note {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		return n
	}
	return &note{}
}

// asked is what a request asks for beyond what its route always does.
type asked struct {
	permissions []Permission // further ones that are needed
	action      string       // for the audit log; empty when nothing is written
	detail      string
	reveal      bool // show what is stored in clear
}

// asks says what of a request is written to the audit log, and what more it needs: a list as a stream is all of it, and so
// a download; and what is stored in clear is masked unless it is asked for. The owner of the data directory has all that
// anyway, and their commands use streams.
func (rt *route) asks(r *http.Request, p *Principal) (asked, error) {
	out := asked{action: rt.audit, reveal: p != nil && p.Owner}
	query := r.URL.Query()
	if rt.dryRun && query.Get("dry_run") == "true" {
		out.action = ""
	}
	if rt.downloads && wantsStream(r.Header.Get("Accept")) {
		out.permissions = append(out.permissions, ExchangesExport)
		if !out.reveal {
			out.action = actionDownload
		}
	}
	if !rt.reveals {
		return out, nil
	}
	switch query.Get("reveal") {
	case "", "false":
	case "true":
		out.permissions, out.reveal = append(out.permissions, ExchangesReveal), true
		if out.action == "" {
			out.action = actionReveal
		} else {
			out.detail = "in clear"
		}
	default:
		return out, usage("reveal", "it is neither true nor false", "")
	}
	return out, nil
}

// permitted authorizes a request: for its route, and for what more it asks.
func (s *server) permitted(ctx context.Context, r *http.Request, rt *route) (asked, error) {
	if err := authorize(ctx, rt.permission); err != nil {
		return asked{}, err
	}
	out, err := rt.asks(r, principalOf(ctx))
	if err != nil {
		return out, err
	}
	for _, permission := range out.permissions {
		if err := authorize(ctx, permission); err != nil {
			return out, err
		}
	}
	return out, nil
}

// audited serves a request between two writes to the audit log.
func (s *server) audited(ctx context.Context, out *answer, r *http.Request, a asked) {
	entry, err := s.beginAudit(ctx, r, a)
	if err != nil {
		s.fail(out, s.problem(ctx, err))
		return
	}
	n := &note{}
	ctx = context.WithValue(context.WithValue(ctx, noteKey{}, n), revealKey{}, a.reveal)
	whole := false
	defer func() {
		if !whole { // the handler panicked: it broke off
			n.failed = true
		}
		endAudit(ctx, entry, n, out.status)
	}()
	s.mux.ServeHTTP(out, r.WithContext(ctx))
	whole = true
}

type revealKey struct{}

// reveals reports whether what is stored in clear is to be shown so.
func reveals(ctx context.Context) bool {
	reveal, _ := ctx.Value(revealKey{}).(bool)
	return reveal
}

// The actions that several routes have.
const (
	actionDownload = "traffic.download"
	actionReveal   = "traffic.reveal"
)

// beginAudit writes that a request is about to be served. What cannot be written is not served.
func (s *server) beginAudit(ctx context.Context, r *http.Request, a asked) (*audit.Entry, error) {
	if s.Audit == nil || a.action == "" || a.action == notAudited {
		return nil, nil //nolint:nilnil // nothing is written
	}
	p, c := principalOf(ctx), callerOf(ctx)
	e := audit.Event{
		By: p.Name, Means: p.Means, Address: c.Address, Action: a.action, Detail: a.detail,
		Subject: strings.TrimPrefix(r.URL.Path, "/api/v1/"),
	}
	if p.Token != nil {
		e.Token = p.Token.Name
	}
	if p.Owner {
		e.By = author(ctx, r.Header.Get(wire.AuthorHeader))
	}
	return s.Audit.Begin(ctx, e)
}

// endAudit writes what became of a request.
func endAudit(ctx context.Context, entry *audit.Entry, n *note, status int) {
	if entry == nil {
		return
	}
	outcome := audit.Done
	switch {
	case status >= http.StatusInternalServerError || status == 0 || n.failed:
		outcome = audit.Failed
	case status >= http.StatusBadRequest:
		outcome = audit.Refused
	}
	entry.End(ctx, outcome, func(e *audit.Event) {
		if n.subject != "" {
			e.Subject = n.subject
		}
		if n.detail != "" {
			if e.Detail != "" {
				e.Detail += ", "
			}
			e.Detail += n.detail
		}
		e.Before, e.After = n.before, n.after
	})
}
