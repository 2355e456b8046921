package api

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

type sessionsInput struct {
	ListInput
	Sort string `query:"sort" enum:"last_seen,first_seen,exchanges,errors,duration,confidence,user,addresses,user_agents" doc:"What to order by; last_seen when it is absent. Any other needs a look at every session. addresses and user_agents are how many it lists, 64 at most."`
}

// SessionInput names a session.
type SessionInput struct {
	ID string `path:"id" maxLength:"36" doc:"The whole session ID; also of one that was merged into another."`
}

type output[T any] struct{ Body T }

func (s *server) registerSessions() {
	op := s.operation("GET", "/api/v1/sessions", "list-sessions", tagSessions, "List sessions")
	op.Description += " Newest first, unless they are asked for in another order. A session is within since and until when some time between its first and its last exchange is."
	listed[wire.Session](s, &op)
	register(s, op, s.listSessions)

	register(s, s.operation("GET", "/api/v1/sessions/{id}", "get-session", tagSessions, "Get a session"), s.getSession)

	op = s.operation("GET", "/api/v1/sessions/{id}/lineage", "get-lineage", tagSessions, "Get the lineage of a session")
	op.Description += " Which client session IDs it has had, and by what evidence they belong to it, oldest first."
	register(s, op, s.getLineage)

	op = s.operation("GET", "/api/v1/lookup/sessions", "find-sessions", tagSessions, "Find sessions by the beginning of their IDs")
	register(s, op, s.findSessions)

	op = s.operation("GET", "/api/v1/span", "get-span", tagSessions, "Say from when to when exchanges are stored, and how many")
	register(s, op, func(ctx context.Context, _ *struct{}) (*output[wire.Span], error) {
		span, err := s.Store.Span(ctx)
		return &output[wire.Span]{newSpan(span)}, err
	})
	s.registerOverview()
}

func newSpan(s store.Span) wire.Span {
	return wire.Span{First: s.First, Last: s.Last, Exchanges: s.Exchanges}
}

func (s *server) listSessions(_ context.Context, in *sessionsInput) (*huma.StreamResponse, error) {
	q, err := in.query(filter.Sessions(), s.Now(), in.Sort)
	if err != nil {
		return nil, err
	}
	if wantsStream(in.Accept) {
		return streamed(s, func(ctx context.Context, yield func(*wire.Session) bool) error {
			reader, err := s.reader(ctx)
			if err != nil {
				return err
			}
			if in.Sort != "" && in.Sort != "last_seen" {
				page, _, err := sortedPage(ctx, reader, q, in.Sort, q.Limit)
				for i := range page {
					if err != nil || !yield(&wire.Session{Session: *page[i], Denials: reader.Denials(page[i])}) {
						break
					}
				}
				return err
			}
			return reader.Sessions(ctx, q.Query, func(one *seshat.Session) bool {
				return yield(&wire.Session{Session: *one, Denials: reader.Denials(one)})
			})
		}), nil
	}
	return s.answered(func(ctx context.Context) (any, error) { return s.pageOfSessions(ctx, q, in.Sort) }), nil
}

func (s *server) pageOfSessions(ctx context.Context, q *listQuery, sort string) (*wire.Page[wire.Session], error) {
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	var page []*seshat.Session
	var more bool
	if sort == "" || sort == "last_seen" {
		page, more, err = recentPage(ctx, reader, q)
	} else {
		page, more, err = sortedPage(ctx, reader, q, sort, q.page)
	}
	if err != nil {
		return nil, err
	}
	out := &wire.Page[wire.Session]{Items: make([]wire.Session, 0, len(page))}
	for _, one := range page {
		out.Items = append(out.Items, wire.Session{Session: *one, Denials: reader.Denials(one)})
	}
	if more {
		last := page[len(page)-1]
		behind := &seshat.Session{
			ID: last.ID, FirstSeen: last.FirstSeen, LastSeen: last.LastSeen, User: last.User, Exchanges: last.Exchanges,
			Errors: last.Errors, Confidence: last.Confidence,
		}
		switch sort { // by how many there are
		case "addresses":
			behind.IPs = make([]string, len(last.IPs))
		case "user_agents":
			behind.UserAgents = make([]string, len(last.UserAgents))
		}
		out.NextCursor = q.next(cursor{Session: behind})
	}
	return out, nil
}

// order compares sessions in the order that was asked for.
func (q *listQuery) order(sort string) func(a, b *seshat.Session) int {
	return func(a, b *seshat.Session) int {
		c := wire.CompareSessions(sort, a, b)
		if q.OldestFirst {
			return -c
		}
		return c
	}
}

// recentPage reads a page in the order of the store.
func recentPage(ctx context.Context, r store.Reader, q *listQuery) ([]*seshat.Session, bool, error) {
	narrowed, order := q.Query, q.order("")
	if q.after != nil {
		if q.after.Session == nil {
			return nil, false, usage("cursor", "it is not one of this list", "begin again without a cursor")
		}
		op := filter.OpLessEqual
		if q.OldestFirst {
			op = filter.OpGreaterEqual
		}
		narrowed.Filter = both(q.Filter, &filter.Term{
			Field: filter.Sessions().Lookup("last_seen"), Tests: []filter.Test{{Op: op, Value: filter.Value{Time: q.after.Session.LastSeen}}},
		})
	}
	return readPage(q, func(limit int) (all int, behind []*seshat.Session, err error) {
		narrowed.Limit = limit
		err = r.Sessions(ctx, narrowed, func(one *seshat.Session) bool {
			all++
			if q.after == nil || order(one, q.after.Session) > 0 {
				kept := *one
				behind = append(behind, &kept)
			}
			return true
		})
		return all, behind, err
	})
}

// sortedPage looks at every session and keeps those that come first behind the cursor: n, or all when it is 0.
func sortedPage(ctx context.Context, r store.Reader, q *listQuery, sort string, n int) (page []*seshat.Session, more bool, err error) {
	order := q.order(sort)
	if q.after != nil && q.after.Session == nil {
		return nil, false, usage("cursor", "it is not one of this list", "begin again without a cursor")
	}
	every := q.Query
	every.Limit, every.OldestFirst = 0, false
	err = r.Sessions(ctx, every, func(one *seshat.Session) bool {
		if q.after != nil && order(one, q.after.Session) <= 0 {
			return true
		}
		kept := *one
		page = append(page, &kept)
		if n > 0 && len(page) >= 4*(n+1) { // so that millions of sessions do not have to fit into memory
			slices.SortFunc(page, order)
			page = page[:n+1]
		}
		return true
	})
	slices.SortFunc(page, order)
	if n > 0 && len(page) > n {
		return page[:n], true, err
	}
	return page, false, err
}

func (s *server) getSession(ctx context.Context, in *SessionInput) (*output[wire.Session], error) {
	id, err := parseSession(in.ID)
	if err != nil {
		return nil, err
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	one, err := reader.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &output[wire.Session]{wire.Session{Session: *one, Denials: reader.Denials(one)}}
	out.Body.PastDenials, err = s.pastDenials(ctx, one)
	return out, err
}

// pastDenials are the entries that once refused a session: those about its user only where it could have gone on.
func (s *server) pastDenials(ctx context.Context, one *seshat.Session) ([]seshat.Denial, error) {
	if s.Denylist == nil {
		return nil, nil
	}
	list, err := s.Denylist.Past(ctx, one.ID, one.User)
	if err != nil {
		return nil, err
	}
	over := one.State != seshat.StateActive && one.State != seshat.StateIdle && one.State != seshat.StateRevoked
	return slices.DeleteFunc(list, func(d seshat.Denial) bool {
		switch {
		case !d.Session.IsZero():
			return false
		case !d.IssuedBefore.IsZero() && !one.FirstSeen.Before(d.IssuedBefore), over && d.At.After(one.LastSeen):
			return true
		default:
			ended := d.TakenBackAt
			if ended.IsZero() {
				ended = d.Until
			}
			return ended.Before(one.FirstSeen)
		}
	}), nil
}

func parseSession(text string) (seshat.SessionID, error) {
	id, err := seshat.ParseSessionID(text)
	if err != nil {
		return id, usage("session", "it is not a session ID", "a UUID; GET /api/v1/lookup/sessions finds one by its beginning")
	}
	return id, nil
}

type lineage struct {
	Items []wire.Link `json:"items" nullable:"false"`
}

type lineageInput struct {
	SessionInput
	RevealInput
}

func (s *server) getLineage(ctx context.Context, in *lineageInput) (*output[lineage], error) {
	id, err := parseSession(in.ID)
	if err != nil {
		return nil, err
	}
	links, err := s.Store.Lineage(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &output[lineage]{lineage{Items: make([]wire.Link, len(links))}}
	for i := range links {
		out.Body.Items[i] = wire.NewLink(&links[i])
	}
	return out, nil
}

type findInput struct {
	Prefix string `query:"prefix" maxLength:"256" doc:"The beginning of a session ID."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
}

type found struct {
	Items []string `json:"items" nullable:"false"`
}

func (s *server) findSessions(ctx context.Context, in *findInput) (*output[found], error) {
	ids, err := s.Store.FindSessions(ctx, in.Prefix, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &output[found]{found{Items: make([]string, len(ids))}}
	for i, id := range ids {
		out.Body.Items[i] = id.String()
	}
	return out, nil
}

// answered answers with the value that read returns. Reading happens in the answer, so that its time is bounded as that
// of a page and not as that of a stream.
func (s *server) answered(read func(context.Context) (any, error)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		ctx, cancel := context.WithTimeout(c.Context(), pageTime)
		defer cancel()
		value, err := read(ctx)
		if err != nil {
			s.failed(c, s.problem(ctx, err))
			return
		}
		written(value).Body(c)
	}}
}

// pageTime is how long the store may take for one page.
const pageTime = 60 * time.Second
