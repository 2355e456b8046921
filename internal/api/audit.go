package api

import (
	"context"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
)

const tagAudit = "Audit log"

func (s *server) registerAudit() {
	op := s.operation("GET", "/api/v1/audit", "list-audit-events", tagAudit, "List who did what, newest first")
	op.Description += " Every change, every sign-in and failed one, every reveal and every export."
	register(s, op, s.listAudit)
}

type auditInput struct {
	By      string `query:"by" maxLength:"256" doc:"Who did it."`
	Action  string `query:"action" maxLength:"64" doc:"Such as user.create; with a dot at its end, all that begin with it."`
	Subject string `query:"subject" maxLength:"512"`
	Means   string `query:"means" enum:"console,token,provider,owner"`
	Outcome string `query:"outcome" enum:"begun,done,refused,failed"`
	Since   string `query:"since" maxLength:"64" doc:"From when: a time (RFC 3339), or a length of time before now."`
	Until   string `query:"until" maxLength:"64"`
	Limit   int    `query:"limit" minimum:"0" maximum:"1000" doc:"50 when it is absent."`
	Cursor  string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before."`
}

func (s *server) listAudit(_ context.Context, in *auditInput) (*output[wire.Page[wire.AuditEvent]], error) {
	if s.Audit == nil {
		return nil, unavailable("read the audit log")
	}
	q := audit.Query{
		By: in.By, Action: in.Action, Subject: in.Subject, Means: audit.Means(in.Means), Outcome: audit.Outcome(in.Outcome),
		Before: in.Cursor, Limit: in.Limit,
	}
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	var err error
	if q.Since, err = parseTime("since", in.Since, s.Now()); err != nil {
		return nil, err
	}
	if q.Until, err = parseTime("until", in.Until, s.Now()); err != nil {
		return nil, err
	}
	events, more := s.Audit.List(q)
	page := wire.Page[wire.AuditEvent]{Items: make([]wire.AuditEvent, len(events))}
	for i := range events {
		e := &events[i]
		page.Items[i] = wire.AuditEvent{
			ID: e.ID, Time: e.Time, By: e.By, Means: string(e.Means), Token: e.Token, Address: e.Address, Action: e.Action, Subject: e.Subject,
			Before: e.Before, After: e.After, Outcome: string(e.Outcome), Detail: e.Detail,
		}
	}
	if more {
		page.NextCursor = events[len(events)-1].ID
	}
	return &output[wire.Page[wire.AuditEvent]]{page}, nil
}
