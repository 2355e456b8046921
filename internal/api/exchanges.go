package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// ExchangesInput is what lists of exchanges take.
type ExchangesInput struct {
	ListInput
	RevealInput
	Light bool `query:"light" doc:"Leave out client session IDs, parameters and flows: it is several times as fast."`
}

type sessionExchangesInput struct {
	ExchangesInput
	ID string `path:"id" maxLength:"36" doc:"The whole session ID."`
}

// RevealInput asks for what is masked.
type RevealInput struct {
	Reveal bool `query:"reveal" doc:"Show client session IDs that are stored in clear, which needs the permission exchanges:reveal and is written to the audit log. They are masked otherwise."`
}

type exchangeInput struct {
	RevealInput
	ID string `path:"id" maxLength:"512" doc:"The key, or the exchange's own ID; the newest when several have it."`
}

type lookupExchangeInput struct {
	RevealInput
	ID string `query:"id" maxLength:"4096" doc:"The key, or the exchange's own ID, whatever characters it has."`
}

func (s *server) registerExchanges() {
	op := s.operation("GET", "/api/v1/exchanges", "list-exchanges", tagExchanges, "List exchanges")
	listed[wire.Exchange](s, &op)
	register(s, op, func(_ context.Context, in *ExchangesInput) (*huma.StreamResponse, error) {
		return s.listExchanges(in, seshat.SessionID{})
	})

	op = s.operation("GET", "/api/v1/sessions/{id}/exchanges", "list-session-exchanges", tagExchanges, "List the exchanges of a session")
	op.Description += " With those of the sessions that were merged into it."
	listed[wire.Exchange](s, &op)
	register(s, op, func(_ context.Context, in *sessionExchangesInput) (*huma.StreamResponse, error) {
		id, err := parseSession(in.ID)
		if err != nil {
			return nil, err
		}
		return s.listExchanges(&in.ExchangesInput, id)
	})

	register(s, s.operation("GET", "/api/v1/exchanges/{id}", "get-exchange", tagExchanges, "Get an exchange"),
		func(ctx context.Context, in *exchangeInput) (*output[*wire.Exchange], error) {
			return s.getExchange(ctx, in.ID)
		})
	register(s, s.operation("GET", "/api/v1/lookup/exchange", "find-exchange", tagExchanges, "Find an exchange by its own ID"),
		func(ctx context.Context, in *lookupExchangeInput) (*output[*wire.Exchange], error) {
			return s.getExchange(ctx, in.ID)
		})
}

func (s *server) getExchange(ctx context.Context, id string) (*output[*wire.Exchange], error) {
	x, err := s.Store.Exchange(ctx, id)
	if err != nil {
		return nil, err
	}
	return &output[*wire.Exchange]{wire.NewExchange(x)}, nil
}

func (s *server) listExchanges(in *ExchangesInput, session seshat.SessionID) (*huma.StreamResponse, error) {
	q, err := in.query(filter.Exchanges(), s.Now(), session.String())
	if err != nil {
		return nil, err
	}
	q.Session, q.Light = session, in.Light
	if wantsStream(in.Accept) {
		return streamed(s, func(ctx context.Context, yield func(*wire.Exchange) bool) error {
			return s.Store.Exchanges(ctx, q.Query, func(x *seshat.Assigned) bool { return yield(wire.NewExchange(x)) })
		}), nil
	}
	return s.answered(func(ctx context.Context) (any, error) {
		page, more, err := exchangePage(ctx, s.Store, q)
		if err != nil {
			return nil, err
		}
		out := &wire.Page[positioned]{Items: page}
		if more {
			last := page[len(page)-1]
			out.NextCursor = q.next(cursor{Time: last.Time, Key: last.key})
		}
		return out, nil
	}), nil
}

// positioned is an exchange with its key as a number, by which those of one time are ordered.
type positioned struct {
	*wire.Exchange
	key uint64
}

// exchangePage reads the exchanges behind the cursor.
func exchangePage(ctx context.Context, r store.Reader, q *listQuery) ([]positioned, bool, error) {
	narrowed := q.Query
	if q.after != nil {
		if q.OldestFirst {
			narrowed.Since = q.after.Time
		} else {
			narrowed.Until = q.after.Time.Add(time.Microsecond) // until is not included
		}
	}
	return readPage(q, func(limit int) (all int, behind []positioned, err error) {
		narrowed.Limit = limit
		behind = make([]positioned, 0, q.page+1)
		err = r.Exchanges(ctx, narrowed, func(x *seshat.Assigned) bool {
			all++
			if q.after == nil || q.isBehind(x) {
				behind = append(behind, positioned{wire.NewExchange(x), uint64(x.Key)})
			}
			return true
		})
		return all, behind, err
	})
}

// isBehind reports whether x comes after the exchange of the cursor.
func (q *listQuery) isBehind(x *seshat.Assigned) bool {
	at := store.Time(x.Time).Compare(store.Time(q.after.Time))
	newer := at > 0 || at == 0 && uint64(x.Key) > q.after.Key
	older := at < 0 || at == 0 && uint64(x.Key) < q.after.Key
	if q.OldestFirst {
		return newer
	}
	return older
}
